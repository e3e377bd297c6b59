/** What each door tells of a read of files that the disk fails, and how those go on that it hits once. */
import { StatementSync } from 'node:sqlite';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ErrorReason } from '../../../gen/kelp/v1/errors_codec.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import { createClient, type KelpClient } from '../../../src/client/client.ts';
import { CallFailure } from '../../../src/client/errors/call-failure.ts';
import type { KelpError } from '../../../src/client/errors/error.ts';
import { grpcCode } from '../../../src/grpc-code.ts';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import { outcomeOf } from '../../../src/server/calls/outcome.ts';
import { toEtcdError } from '../../../src/server/etcd/errors.ts';
import { Bases } from '../../store/durable/layered-store.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { WatchInProcess } from '../etcd/support/watch-in-process.ts';
import { RedisClient } from '../redis/support/redis-client.ts';
import { connectEvents } from '../rest/event-reader.ts';

/** A server whose files have the keys `a` and `b`, at revision 2. */
async function started(): Promise<{ readonly server: TestServer; readonly bases: Bases }> {
  const bases = new Bases();
  const server = await startTestServer({
    flags: { engine: 'lsm', 'redis-listen': '127.0.0.1:0' },
    storeOptions: { makeEngine: bases.makeEngine },
  });
  const client = clientOf(server, {});
  await client.put('a', '1');
  await client.put('b', '1');
  await client.admin.snapshot();
  return { server, bases };
}

function clientOf({ address }: TestServer, options: Partial<ClientOptions>): KelpClient {
  const client = createClient({ ...options, address });
  onTestFinished(() => client.close());
  return client;
}

it.each([true, false])(
  'a client is told a code of its own, and that nothing has changed (pipeline %s)',
  async (pipeline) => {
    const { server, bases } = await started();
    const client = clientOf(server, { pipeline, retries: 0 });
    bases.newest.unreadable.add(bases.newest.textWith('a'));
    const calls = [
      () => client.get('a'),
      () => client.count({ start: 'a', end: 'b' }),
      () => client.put('a', '2'),
      () => client.increment('a'),
      () =>
        client.txn({
          success: [
            { kind: 'put', key: 'b', value: '2' },
            { kind: 'delete', key: 'a' },
          ],
        }),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        name: 'KelpError',
        code: 'readFailed',
        message: expect.stringContaining('could not be read') as unknown,
        mayHaveTakenEffect: false,
      });
    }
    expect((await client.get('b')).entry?.text()).toBe('1');
    await server.log.line(({ msg }) => String(msg).startsWith('files of the store could not be read'));
  },
);

it.each([true, false])('a client tries again by itself, a write, too (pipeline %s)', async (pipeline) => {
  const { server, bases } = await started();
  const client = clientOf(server, { pipeline });
  bases.newest.failRead('a');
  expect((await client.get('a')).entry?.text()).toBe('1');
  bases.newest.failRead('a');
  expect(await client.increment('a')).toMatchObject({ value: 2n });
  expect(bases.newest.haveReadsFailed).toBe(true);
});

it('a watch of the client goes on without a gap', async () => {
  const { server, bases } = await started();
  const client = clientOf(server, {});
  const interruptions: KelpError[] = [];
  const watch = client.watch({
    startRevision: 3,
    returnPrevious: true,
    onInterrupted: (error) => interruptions.push(error),
  });
  await client.put('c', '1');
  const revisions: number[] = [];
  for await (const message of watch) {
    if (message.kind !== 'events') continue;
    revisions.push(message.revision);
    if (message.revision === 3) {
      // The delete has to read it, too.
      bases.newest.failRead('b', 1);
      await client.put('c', '2');
      await client.delete('b');
    }
    if (message.revision === 5) break;
  }
  expect(revisions).toEqual([3, 4, 5]);
  expect(interruptions.map(({ code }) => code)).toEqual(['readFailed']);
  const failure = interruptions[0]?.cause;
  expect(failure instanceof CallFailure && failure.detail).toMatchObject({
    reason: ErrorReason.READ_FAILED,
    info: { case: 'watchEnded' },
  });
});

it('btree tells the same of a read that SQLite fails', async () => {
  const server = await startTestServer({ flags: { engine: 'btree' } });
  const client = clientOf(server, { retries: 0 });
  await client.put('a', '1');
  await client.put('b', '1');
  await client.admin.snapshot();
  const failure = Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 266 });
  const calls = [
    () => client.get('a'),
    () => client.count({ start: 'a', end: 'b' }),
    () => client.put('a', '2'),
    () => client.delete('a'),
  ];
  for (const call of calls) {
    const read = vi.spyOn(StatementSync.prototype, 'get').mockImplementation(() => {
      throw failure;
    });
    await expect(call()).rejects.toMatchObject({
      code: 'readFailed',
      message: expect.stringMatching(/could not be read.*disk I\/O error \(SQLite 266\)/) as unknown,
      mayHaveTakenEffect: false,
    });
    expect((await fetch(`${server.url}/v1/keys/a`)).status).toBe(503);
    read.mockRestore();
  }
  expect((await client.get('a')).entry?.text()).toBe('1');
  expect(await client.count({ start: 'a', end: 'b' })).toMatchObject({ count: 1 });
  await client.put('a', '2');
  expect((await client.get('a')).entry?.version).toBe(2);
});

it('REST answers 503, and ends a stream with the revision to go on from', async () => {
  const { server, bases } = await started();
  bases.newest.failRead('a');
  const refusal = await fetch(`${server.url}/v1/keys/a`);
  expect([refusal.status, refusal.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refusal.json()).toMatchObject({ code: 'readFailed' });
  expect((await fetch(`${server.url}/v1/keys/a`)).status).toBe(200);

  const stream = await connectEvents(`${server.url}/v1/watch?previous=true`, {});
  onTestFinished(() => stream.cut());
  expect((await stream.next())?.type).toBe('synced');
  const client = clientOf(server, {});
  await client.put('c', '1');
  expect((await stream.next())?.type).toBe('message');
  bases.newest.failRead('b', 1);
  await client.delete('b');
  const end = await stream.next();
  expect(end?.type).toBe('error');
  expect(JSON.parse(end?.data ?? '')).toMatchObject({ status: 503, code: 'readFailed', resumeRevision: 4 });
});

it('Redis gets TRYAGAIN', async () => {
  const { server, bases } = await started();
  const redis = await RedisClient.open(server.redisAddress);
  for (const words of [
    ['GET', 'a'],
    ['INCR', 'a'],
    ['DEL', 'a'],
  ]) {
    bases.newest.failRead('a');
    expect(await redis.run(...words)).toMatchObject({ text: expect.stringMatching(/^TRYAGAIN /) as unknown });
  }
  expect(await redis.run('GET', 'a')).toBe('1');
});

it('calls of etcd are UNAVAILABLE, and so is a stream of watches, which its clients open anew', async () => {
  const bases = new Bases();
  const store = await openUncheckedStore({
    dataDir: '/data',
    disk: new SimulatedDisk({ seed: 1 }),
    engine: 'lsm',
    makeEngine: bases.makeEngine,
  });
  onTestFinished(() => store.close());
  await store.put('a', '1');
  await store.snapshot();
  bases.newest.failRead('a');
  const refusal: unknown = await store.get('a').catch((error: unknown) => error);
  expect(outcomeOf(toEtcdError(refusal)).code).toBe(grpcCode.Unavailable);

  const stream = new WatchInProcess(store);
  stream.create({ key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0), prevKv: true });
  expect(await stream.next()).toMatchObject({ created: true });
  bases.newest.failRead('a', 1);
  await store.delete('a');
  const failure: unknown = await stream.next().catch((error: unknown) => error);
  expect(outcomeOf(failure).code).toBe(grpcCode.Unavailable);
});
