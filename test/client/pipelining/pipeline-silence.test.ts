/** Streams of batches that are not read, not answered, or not ended: the calls of later turns find another way. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import type { CallOptions } from '../../../src/client/messages/types.ts';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { client as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import {
  type BatchStream,
  type PipelineServer,
  answerAll,
  clientFor,
  startPipelineServer,
} from '../support/pipeline-server.ts';
import { type UnreadServer, type UnreadStream, startUnread } from '../support/unread-server.ts';

const COUNT = limits.pipelineCallsMin;
/** Longer than a stream that is not answered is borne. */
const SHORT = { deadlineMs: limits.silenceMsMin + 50 };
const LONG = { deadlineMs: 60_000 };

/** Puts of one turn, which have gone to their stream, or wait for it, when this resolves. */
async function puts(
  client: KelpClient,
  prefix: string,
  options: CallOptions,
  { count = COUNT, value = 'v' }: { count?: number; value?: string } = {},
): Promise<{ readonly ends: Promise<unknown[]> }> {
  const calls = Array.from({ length: count }, (_, index) => client.put(`${prefix}${index}`, value, options));
  const ends = Promise.allSettled(calls).then((results) =>
    results.map((result) => {
      if (result.status === 'fulfilled') return 'done';
      const { code, mayHaveTakenEffect } = result.reason as { code: string; mayHaveTakenEffect: boolean };
      return [code, mayHaveTakenEffect];
    }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return { ends };
}

const all = (end: unknown, count: number = COUNT): unknown[] => Array.from({ length: count }, () => end);

const WINDOW_BYTES = 1000;
const HALF_A_KIB = 'v'.repeat(512);

/** The window takes a batch of short puts whole, and some of the next one if its values are longer. */
async function unread(): Promise<{
  server: UnreadServer;
  client: KelpClient;
  stream: () => Promise<UnreadStream>;
}> {
  const server = await startUnread(WINDOW_BYTES);
  const client = clientFor(server);
  await client.get('first');
  server.aloneCount = 0;
  const stream = async (): Promise<UnreadStream> => {
    await eventually(() => server.streams[0]?.hasPart).toBe(true);
    return server.streams[0] as UnreadStream;
  };
  return { server, client, stream };
}

test('a stream that is not read is cancelled once its deadlines have passed, and what it was not sent in full goes by itself', async () => {
  const { server, client, stream } = await unread();
  const sent = await puts(client, 'sent/', SHORT);
  const held = await puts(client, 'held/', LONG, { value: HALF_A_KIB });
  const waiting = await puts(client, 'waiting/', LONG);
  expect(await sent.ends).toEqual(all(['deadlineExceeded', true]));
  expect(await held.ends).toEqual(all('done'));
  expect(await waiting.ends).toEqual(all('done'));
  const { keys } = await stream();
  expect(keys).toEqual(all('').map((_, index) => `sent/${index}`));
  await eventually(async () => (await stream()).closedWith).toBe(errorCode.CANCEL);
  expect(server.aloneCount).toBe(2 * COUNT);
});

test('a call whose time ends while it waits has changed nothing; those sent before keep the stream until they end', async () => {
  const { server, client, stream } = await unread();
  const sent = await puts(client, 'sent/', LONG);
  const held = await puts(client, 'held/', LONG, { value: HALF_A_KIB });
  const late = await puts(client, 'late/', SHORT);
  const waiting = await puts(client, 'waiting/', LONG);
  expect(await late.ends).toEqual(all(['deadlineExceeded', false]));
  expect(await waiting.ends).toEqual(all('done'));
  expect(server.aloneCount).toBe(COUNT);
  const first = await stream();
  first.read();
  expect(await sent.ends).toEqual(all('done'));
  expect(await held.ends).toEqual(all('done'));
  await eventually(() => first.closedWith).toBe(errorCode.NO_ERROR);
  expect(first.keys.map((key) => key.split('/')[0])).toEqual([...all('sent'), ...all('held')]);
  expect(server.aloneCount).toBe(COUNT);
});

test('calls that are out of time together are not sent by themselves', async () => {
  const { server, client } = await unread();
  await puts(client, 'sent/', LONG);
  await puts(client, 'held/', LONG, { value: HALF_A_KIB });
  const instantMs = systemClock.monotonicMs();
  const clock = vi.spyOn(systemClock, 'monotonicMs').mockReturnValue(instantMs);
  const late = await puts(client, 'late/', SHORT, { count: 1000 });
  clock.mockRestore();
  expect(await late.ends).toEqual(all(['deadlineExceeded', false], 1000));
  expect(server.aloneCount).toBe(0);
});

test('what a server was not sent in full before it resets the stream goes by itself', async () => {
  const { server, client, stream } = await unread();
  const sent = await puts(client, 'sent/', LONG);
  const held = await puts(client, 'held/', LONG, { value: HALF_A_KIB });
  const waiting = await puts(client, 'waiting/', LONG);
  (await stream()).reset(errorCode.INTERNAL_ERROR);
  expect(await sent.ends).toEqual(all(['internal', true]));
  expect(await held.ends).toEqual(all('done'));
  expect(await waiting.ends).toEqual(all('done'));
  expect(server.aloneCount).toBe(2 * COUNT);
});

/** Answers all batches but those of the first so many streams. */
async function answersAfter(silentCount: number): Promise<PipelineServer> {
  const server = await startPipelineServer({
    onBatch: (stream) => {
      if (server.streams.indexOf(stream) >= silentCount) answerAll(stream);
    },
  });
  return server;
}

test('after a stream was not answered calls go by themselves until another one has answered an operation that is none', async () => {
  const server = await answersAfter(1);
  const client = clientFor(server);
  const first = await puts(client, 'first/', SHORT);
  expect(await first.ends).toEqual(all(['deadlineExceeded', true]));
  await eventually(() => server.streams[0]?.isClosed).toBe(true);
  expect(await (await puts(client, 'second/', LONG)).ends).toEqual(all('done'));
  expect(server.alone).toHaveLength(COUNT);
  const [, second] = server.streams;
  expect(second?.batches.map((batch) => batch.map(({ operation }) => operation.case))).toEqual([[undefined]]);
  await eventually(async () => {
    await (
      await puts(client, 'more/', LONG)
    ).ends;
    return second?.batches.length;
  }).toBeGreaterThan(1);
  expect(server.streams).toHaveLength(2);
  expect(second?.batches[1]).toHaveLength(COUNT);
});

test('a trial that is not answered is cancelled, and costs no call anything', async () => {
  const server = await answersAfter(Number.POSITIVE_INFINITY);
  const client = clientFor(server);
  await (
    await puts(client, 'first/', SHORT)
  ).ends;
  await eventually(async () => {
    expect(await (await puts(client, 'more/', LONG)).ends).toEqual(all('done'));
    return server.streams[1]?.isClosed;
  }).toBe(true);
  expect(server.streams[1]?.stream.rstCode).toBe(errorCode.CANCEL);
  expect(server.streams[1]?.batches).toHaveLength(1);
});

test.each<[string, string, (stream: BatchStream) => void]>([
  ['resets a stream', 'internal', ({ stream }) => stream.close(errorCode.INTERNAL_ERROR)],
  ['ends a stream without an answer', 'internal', (stream) => stream.end()],
  ['ends a stream in an unknown way', 'unavailable', (stream) => stream.end({ 'grpc-status': '14' })],
  ['closes the connection with the first batch', 'unavailable', ({ session }) => session.destroy()],
])('after a server %s calls go by themselves, and trials that end so have pauses', async (_, code, act) => {
  const server = await startPipelineServer({ onBatch: act });
  const client = clientFor(server);
  // The pause is not over before the test is.
  vi.spyOn(systemClock, 'monotonicMs').mockReturnValue(systemClock.monotonicMs());
  onTestFinished(() => void vi.restoreAllMocks());
  expect(await (await puts(client, 'first/', LONG)).ends).toEqual(all([code, true]));
  // The trial may end the connection for its neighbours.
  await (
    await puts(client, 'second/', LONG)
  ).ends;
  await eventually(() => server.streams[1]?.isClosed).toBe(true);
  await eventually(async () => (await (await puts(client, 'third/', LONG)).ends)[0]).toBe('done');
  expect(await (await puts(client, 'fourth/', LONG)).ends).toEqual(all('done'));
  expect(server.streams).toHaveLength(2);
});

test('a stream whose calls were all given up is cancelled', async () => {
  const server = await answersAfter(1);
  const client = clientFor(server);
  const controller = new AbortController();
  const given = await puts(client, 'first/', { ...LONG, signal: controller.signal });
  await eventually(() => server.streams[0]?.batches.length).toBe(1);
  controller.abort();
  expect(await given.ends).toEqual(all(['canceled', true]));
  await eventually(() => server.streams[0]?.isClosed).toBe(true);
  expect(server.streams[0]?.stream.rstCode).toBe(errorCode.CANCEL);
});

test('a stream that was left and is not ended by the server is cancelled', async () => {
  const server = await answersAfter(0);
  const client = clientFor(server);
  await (
    await puts(client, 'first/', LONG)
  ).ends;
  await eventually(() => server.streams[0]?.hasEnded).toBe(true);
  await eventually(() => server.streams[0]?.isClosed).toBe(true);
  expect(server.streams[0]?.stream.rstCode).toBe(errorCode.CANCEL);
});

test('a stream that has taken calls for long is left for another', async () => {
  const server = await startPipelineServer({ onAlone: () => undefined });
  const client = clientFor(server);
  // Its connection is in use all the time.
  const pending = client.get('pending', LONG).catch(() => undefined);
  await eventually(() => server.alone.length).toBe(1);
  await (
    await puts(client, 'first/', LONG)
  ).ends;
  const clock = systemClock.monotonicMs.bind(systemClock);
  const later = vi
    .spyOn(systemClock, 'monotonicMs')
    .mockImplementation(() => clock() + limits.pipelineAgeMsMax + 1);
  const second = await puts(client, 'second/', LONG);
  later.mockRestore();
  expect(await second.ends).toEqual(all('done'));
  expect(server.streams).toHaveLength(2);
  expect(server.sessions).toHaveLength(1);
  await eventually(() => server.streams[0]?.hasEnded).toBe(true);
  client.close();
  await pending;
});
