/**
 * Writes that outrun the disk are not refused, though their clients do not wait for answers, or each is a large part of the memory: by
 * each door, over each engine on disk. None is lost, and none overtakes another of its connection.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { client as clientLimits, fixed } from '../../../src/limits.ts';
import { RedisClient } from '../redis/support/redis-client.ts';
import { SimpleReply } from '../redis/support/decoded-reply.ts';
import { toRequest } from '../redis/support/words.ts';
import { Bases } from '../../store/durable/layered-store.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

const MIB = 1024 * 1024;
const LIMIT_BYTES = 16 * MIB;
const OK = new SimpleReply('OK');
const LONG_COUNT = 16;
/** Of long values, more than there is room for. */
const FILL_COUNT = 8;
/** A batch of Redis commands that are sent as one, and how many there are. */
const BATCH_WRITES = 500;
const BATCHES = 100;
const LONG = Buffer.alloc(3 * MIB);
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

async function waitingCount({ url }: TestServer): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(/^kelp_waiting_writes (\d+)$/m.exec(page)?.[1]);
}

/** Memory has less room than for a long value, and the checkpoint that would make some is held. */
async function startFull(): Promise<{ server: TestServer; letGo: () => Promise<void> }> {
  const bases = new Bases();
  bases.hold();
  const server = await startTestServer({
    memoryBytesMax: LIMIT_BYTES,
    flags: { engine: 'lsm' },
    storeOptions: { makeEngine: bases.makeEngine },
  });
  onTestFinished(() => bases.letGo());
  const filler = createClient({ address: server.address, pipeline: false, deadlineMs: 60_000 });
  onTestFinished(() => filler.close());
  await filler.put('first', 'v');
  await filler.put('lasting', LONG, { ttlMs: 3_600_000 });
  const filling = Promise.all(
    Array.from({ length: FILL_COUNT }, (_, index) => filler.put(`v${index}`, LONG)),
  );
  // Some are refused, where it is held to the end.
  filling.catch(() => undefined);
  const arrivedCount = async (): Promise<number> =>
    (await filler.admin.status()).keyCount + (await waitingCount(server));
  await eventually(arrivedCount, { timeout: 30_000 }).toBe(FILL_COUNT + 2);
  const letGo = async (): Promise<void> => {
    bases.letGo();
    await filling;
    await eventually(() => waitingCount(server)).toBe(0);
    // What was decided before is visible then.
    await filler.put('last', 'v');
  };
  return { server, letGo };
}

it('a deadline that passes while a call waits leaves nothing behind, by each door that has one', async () => {
  const { server, letGo } = await startFull();
  const client = createClient({ address: server.address, pipeline: false, retries: 0 });
  onTestFinished(() => client.close());
  const { entry: before } = await client.get('lasting');
  const beforeCount = await waitingCount(server);
  const options = { deadlineMs: fixed.roomWaitMsMax - 2000 };
  const late = [
    client.put('late', LONG, options),
    client.txn({ success: [{ kind: 'put', key: 'late', value: LONG }] }, options),
    client.list.push('late', [LONG], options),
    client.touch('lasting', { ttlMs: 7_200_000, ...options }),
    client.get('lasting', { refreshTtl: true, ...options }),
  ];
  const outcomes = Promise.allSettled(late);
  await eventually(() => waitingCount(server)).toBe(beforeCount + late.length);
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'deadlineExceeded' } });
  for (const method of ['Put', 'Txn', 'Push', 'Touch', 'Get'])
    await server.log.line((line) => String(line['method']).endsWith(`/${method}`) && isOver(line['code']));
  // Reads of others go on.
  expect((await client.get('first')).entry?.text()).toBe('v');
  await letGo();
  expect((await client.exists(['late'])).exists).toEqual([false]);
  expect((await client.get('lasting')).entry?.expireTimeMs).toBe(before?.expireTimeMs);
}, 60_000);

it.each([
  ['PUT', '/v1/keys/late'],
  ['POST', '/blobs/late'],
])(
  'a client of HTTP that goes while its %s %s waits leaves nothing behind',
  async (method, path) => {
    const { server, letGo } = await startFull();
    const before = await waitingCount(server);
    expect(before).toBeGreaterThan(0);
    const going = new AbortController();
    const request = { method, body: LONG, signal: going.signal };
    const outcome = Promise.allSettled([fetch(server.url + path, request)]);
    await eventually(() => waitingCount(server)).toBe(before + 1);
    going.abort();
    await outcome;
    // Sooner than its wait is over.
    await eventually(() => waitingCount(server), { timeout: fixed.roomWaitMsMax / 2 }).toBe(before);
    await letGo();
    expect((await fetch(`${server.url}/v1/keys/late`)).status).toBe(404);
  },
  60_000,
);

it('where waiting was in vain, a client is told so, which by its default deadline it could be', async () => {
  expect(fixed.roomWaitMsMax + 1000).toBeLessThan(clientLimits.deadlineMs);
  const { server } = await startFull();
  const outcomes = await Promise.allSettled(
    doors.map(async ({ pipeline }) => {
      const client = createClient({ address: server.address, pipeline, retries: 0, deadlineMs: 60_000 });
      onTestFinished(() => client.close());
      await client.put('late', LONG);
    }),
  );
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'limitReached' } });
}, 60_000);
