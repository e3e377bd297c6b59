/** A real etcd with keys, and what stands in it and in a store, to be compared. */
import { onTestFinished } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/index.ts';
import { type EtcdClient, etcdClient } from '../../server/etcd/support/etcd-client.ts';
import { RealEtcd } from '../../server/etcd/support/real-etcd.ts';

export interface EtcdUnderTest {
  readonly etcd: RealEtcd;
  /** `127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly calls: EtcdClient;
}

export async function startEtcd(options: readonly string[] = []): Promise<EtcdUnderTest> {
  const etcd = await RealEtcd.start(options);
  onTestFinished(() => etcd.stop());
  return { etcd, endpoint: etcd.url.replace('http://', ''), calls: etcdClient(etcd.url) };
}

export function clientOf(address: string): KelpClient {
  const client = createClient({ address });
  onTestFinished(() => client[Symbol.asyncDispose]());
  return client;
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Puts in transactions of 100, in revisions of their own. */
export async function putAll(
  { kv }: EtcdClient,
  entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[],
): Promise<void> {
  for (let from = 0; from < entries.length; from += 100) {
    const success = entries.slice(from, from + 100).map(([key, value]) => ({
      request: { case: 'requestPut' as const, value: { key, value } },
    }));
    await kv.txn({ success });
  }
}

/** All that stands in an etcd, by key; each byte is a character. */
export async function stateOfEtcd({ kv }: EtcdClient, revision = 0n): Promise<Map<string, string>> {
  const { kvs } = await kv.range({ key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0), revision });
  return new Map(
    kvs.map(({ key, value }) => [Buffer.from(key).toString('latin1'), Buffer.from(value).toString('latin1')]),
  );
}

export async function stateOfKelp(client: KelpClient): Promise<Map<string, string>> {
  const state = new Map<string, string>();
  for await (const { key, keyBytes, value } of client.scan()) {
    const name = Buffer.from(keyBytes ?? key).toString('latin1');
    state.set(name, Buffer.from(value).toString('latin1'));
  }
  return state;
}
