/**
 * Writes that outrun the disk are not refused, though their clients do not wait for answers, or each is a large part of the memory: by
 * each door, over each engine on disk. None is lost, and none overtakes another of its connection.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { RedisClient } from '../redis/support/redis-client.ts';
import { SimpleReply } from '../redis/support/decoded-reply.ts';
import { toRequest } from '../redis/support/words.ts';
import { Bases } from '../../store/durable/layered-store.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestServer } from '../../support/test-server.ts';

const MIB = 1024 * 1024;
const LIMIT_BYTES = 16 * MIB;
const OK = new SimpleReply('OK');
const LONG_COUNT = 16;
/** A batch of Redis commands that are sent as one, and how many there are. */
const BATCH_WRITES = 500;
const BATCHES = 100;
const SHORT = 'v'.repeat(500);
/** The client's deadline and the server's pass at the same time. */
const isOver = (code: unknown): boolean => code === 'DeadlineExceeded' || code === 'Canceled';

const doors = [
  { name: 'a pipeline', pipeline: true },
  { name: 'calls by themselves', pipeline: false },
];

describe.each(['bitcask', 'lsm', 'btree'])('the engine %s', (engine) => {
  const start = () =>
    startTestServer({
      memoryBytesMax: LIMIT_BYTES,
      flags: { engine, fsync: 'always', 'redis-listen': '127.0.0.1:0' },
    });

  it.each(doors)('takes long values by $name', async ({ pipeline }) => {
    const { address } = await start();
    const client = createClient({ address, pipeline, retries: 0, deadlineMs: 60_000 });
    onTestFinished(() => client.close());
    const value = Buffer.alloc(3 * MIB);
    const write = async (writer: number): Promise<void> => {
      for (let index = writer; index < LONG_COUNT; index += 4) {
        value.fill(index);
        await client.put(`v${index}`, value);
      }
    };
    await Promise.all([0, 1, 2, 3].map(write));
    for (let index = 0; index < LONG_COUNT; index++) {
      const { entry } = await client.get(`v${index}`);
      expect([entry?.version, entry?.value.length], `v${index}`).toEqual([1, 3 * MIB]);
    }
  });

  it('takes commands of Redis that are sent without waiting for replies', async () => {
    const { redisAddress } = await start();
    const writer = await RedisClient.open(redisAddress);
    for (let batch = 0; batch < BATCHES; batch++) {
      const sets = Array.from({ length: BATCH_WRITES }, (_, index) => ['SET', `k${batch}/${index}`, SHORT]);
      const last = ['MULTI', 'INCR batches', 'APPEND order x', 'EXEC'].map((line) => line.split(' '));
      writer.socket.write(Buffer.concat([...sets, ...last].map(toRequest)));
    }
    const queued = new SimpleReply('QUEUED');
    for (let batch = 0; batch < BATCHES; batch++) {
      for (let index = 0; index < BATCH_WRITES; index++) expect(await writer.next()).toEqual(OK);
      const replies = [await writer.next(), await writer.next(), await writer.next(), await writer.next()];
      expect(replies).toEqual([OK, queued, queued, [batch + 1, batch + 1]]);
    }
    expect(await writer.run('DBSIZE')).toBe(BATCHES * BATCH_WRITES + 2);
  });
});

it('a deadline that passes while a call waits leaves nothing behind, by each door that has one', async () => {
  const bases = new Bases();
  bases.hold();
  const server = await startTestServer({
    memoryBytesMax: LIMIT_BYTES,
    flags: { engine: 'lsm' },
    storeOptions: { makeEngine: bases.makeEngine },
  });
  onTestFinished(() => bases.letGo());
  const value = Buffer.alloc(3 * MIB);
  const client = createClient({ address: server.address, pipeline: false, retries: 0 });
  const filler = createClient({ address: server.address, pipeline: false, deadlineMs: 60_000 });
  onTestFinished(() => {
    client.close();
    filler.close();
  });
  await client.put('first', 'v');
  const filling = Promise.all(
    Array.from({ length: 2 * LONG_COUNT }, (_, index) => filler.put(`v${index}`, value)),
  );
  const leftBytes = async (): Promise<number> => LIMIT_BYTES - (await client.admin.status()).memoryBytes;
  await eventually(leftBytes, { timeout: 30_000 }).toBeLessThan(value.length);
  const late = [
    client.put('late', value, { deadlineMs: 300 }),
    client.txn({ success: [{ kind: 'put', key: 'late', value }] }, { deadlineMs: 300 }),
    client.list.push('late', [value], { deadlineMs: 300 }),
  ];
  for (const outcome of await Promise.allSettled(late))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'deadlineExceeded' } });
  for (const method of ['Put', 'Txn', 'Push'])
    await server.log.line((line) => String(line['method']).endsWith(`/${method}`) && isOver(line['code']));
  // Reads of others go on.
  expect((await client.get('first')).entry?.text()).toBe('v');
  bases.letGo();
  await filling;
  expect((await client.exists(['late'])).exists).toEqual([false]);
}, 60_000);
