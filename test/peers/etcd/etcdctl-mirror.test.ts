/** `etcdctl make-mirror` from a real etcd to KelpDB, and the other way round: what is there, and what changes then. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { etcdClient } from '../../server/etcd/support/etcd-client.ts';
import { hasRealEtcd, RealEtcd } from '../../server/etcd/support/real-etcd.ts';
import { Watched } from '../../server/etcd/support/watched.ts';
import { startTestServer } from '../../support/test-server.ts';
import { Etcdctl, hasEtcdctl } from './etcdctl.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const KEYS_AT_FIRST = 2500;

/** The next changes of keys of a watch, as text. */
async function told(watched: Watched, count: number): Promise<string[]> {
  const changes: string[] = [];
  while (changes.length < count) {
    for (const { type, kv } of (await watched.next()).events) {
      const key = Buffer.from(kv?.key ?? []).toString();
      changes.push(type === 0 ? `${key}=${Buffer.from(kv?.value ?? []).toString()}` : `${key} deleted`);
    }
  }
  return changes;
}

describe.skipIf(!hasEtcdctl || !hasRealEtcd)('etcdctl mirrors', { timeout: 120_000 }, () => {
  test.each([
    ['etcd to KelpDB', true],
    ['KelpDB to etcd', false],
  ])('%s', async (_, isFromEtcd) => {
    const [server, real] = await Promise.all([startTestServer(), RealEtcd.start()]);
    onTestFinished(() => real.stop());
    const [from, to] = isFromEtcd ? [real.url, server.url] : [server.url, real.url];
    const source = etcdClient(from);
    const target = etcdClient(to);
    const watched = new Watched(target);
    onTestFinished(() => watched.stop());
    watched.create({ key: bytes('\0'), rangeEnd: bytes('\0') });
    await watched.next();
    // More than it asks for in one range.
    const names = Array.from({ length: KEYS_AT_FIRST }, (_each, index) => `m/${1000 + index}`);
    for (let start = 0; start < KEYS_AT_FIRST; start += 100) {
      const puts = names.slice(start, start + 100).map((name) => ({
        request: { case: 'requestPut' as const, value: { key: bytes(name), value: bytes('1') } },
      }));
      await source.kv.txn({ success: puts });
    }
    await source.kv.put({ key: bytes('other'), value: bytes('v') });
    const [fromHost, toHost] = [new URL(from).host, new URL(to).host];
    const mirror = new Etcdctl(fromHost, ['make-mirror', '--prefix=m/', '--dest-prefix=copy/', toHost]);
    expect(await told(watched, KEYS_AT_FIRST)).toEqual(names.map((name) => `copy/${name.slice(2)}=1`));
    await source.kv.put({ key: bytes('m/1000'), value: bytes('2') });
    await source.kv.deleteRange({ key: bytes('m/1001') });
    await source.kv.txn({
      success: ['m/1002', 'm/new'].map((name) => ({
        request: { case: 'requestPut', value: { key: bytes(name), value: bytes('3') } },
      })),
    });
    await source.kv.put({ key: bytes('other'), value: bytes('w') });
    await source.kv.put({ key: bytes('m/last'), value: bytes('4') });
    expect(await told(watched, 5)).toEqual([
      'copy/1000=2',
      'copy/1001 deleted',
      'copy/1002=3',
      'copy/new=3',
      'copy/last=4',
    ]);
    await mirror.interrupt();
  });
});
