/** The engine bitcask has all keys in memory: where they do not fit, the refusal says what to do, and all else goes on. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { type KelpError, isKelpError } from '../../../src/client/errors/error.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';

const MIB = 1024 * 1024;
const LIMIT_BYTES = 8 * MIB;
const TXN_KEYS = 250;

test('a store whose keys fill its memory refuses more of them, and reads, deletes and starts', async () => {
  const dataDir = await temporaryDirectory();
  const start = (listen: string) =>
    startTestServer({
      memoryBytesMax: LIMIT_BYTES,
      flags: { engine: 'bitcask', listen, 'data-dir': dataDir },
    });
  let server = await start('127.0.0.1:0');
  const { address } = server;
  const client = createClient({ address });
  onTestFinished(() => client.close());

  const { count, refusal } = await fillUntilRefused(client, 0);
  expect(count).toBeGreaterThan(10_000);
  expect(refusal.message).toMatch(
    /of the 8\.0 MiB of memory that memory-limit .*with the engine bitcask all keys must fit into memory: raise the limit, or restore a backup for the engine lsm or btree \(kelp restore --engine\)/,
  );

  const expectAll = async (first: number): Promise<void> => {
    expect((await client.count({ prefix: 'k' })).count).toBe(count - first);
    expect((await client.get(keyOf(count - 1))).entry?.text()).toBe('v');
    const seen: string[] = [];
    for await (const { key } of client.scan({ prefix: 'k' }, { limit: 300, pageSize: 100 })) seen.push(key);
    expect(seen).toEqual(Array.from({ length: 300 }, (_, index) => keyOf(first + index)));
  };
  await expectAll(0);
  await server.stop();
  server = await start(address);
  await expectAll(0);

  // Deletes go on, and make room.
  const half = Math.floor(count / 2);
  for (let index = 0; index < 100; index++)
    expect(await client.delete(keyOf(index))).toMatchObject({ deleted: true });
  await client.deleteRange({ start: keyOf(100), end: keyOf(half) }, { inParts: true });
  await expectAll(half);
  await client.admin.snapshot();
  const again = await fillUntilRefused(client, count);
  expect(again.count - count).toBeGreaterThan(count / 4);
}, 60_000);

interface Filled {
  /** All keys below this one are there. */
  readonly count: number;
  readonly refusal: KelpError;
}

/** The client repeats what is refused for a moment only. */
async function fillUntilRefused(client: ReturnType<typeof createClient>, from: number): Promise<Filled> {
  for (let count = from; ; count += TXN_KEYS) {
    const success = Array.from({ length: TXN_KEYS }, (_, index) => {
      return { kind: 'put', key: keyOf(count + index), value: 'v' } as const;
    });
    try {
      await client.txn({ success });
    } catch (error) {
      if (!isKelpError(error, 'limitReached')) throw error;
      return { count, refusal: error };
    }
  }
}

function keyOf(index: number): string {
  return `k${String(index).padStart(8, '0')}`;
}
