/** How calls that travel together end before their time, one of them or all: as they would on streams of their own. */
import { constants } from 'node:http2';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { getEventListeners, once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { KelpClient } from '../../../src/client/client.ts';
import { client as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { FakePace, failureOf } from '../support/fake-server.ts';
import {
  type BatchStream,
  type PipelineServer,
  answerAll,
  clientFor,
  replyOf,
  startPipelineServer,
} from '../support/pipeline-server.ts';
import {
  type ScriptedConnection,
  answer,
  begin,
  goAway,
  reset,
  sendSettings,
  startScripted,
} from '../support/scripted-http2.ts';

const COUNT = limits.pipelineCallsMin;
const {
  NGHTTP2_NO_ERROR,
  NGHTTP2_CANCEL,
  NGHTTP2_REFUSED_STREAM,
  NGHTTP2_INTERNAL_ERROR,
  NGHTTP2_ENHANCE_YOUR_CALM,
} = constants;

const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);
const gets = (client: KelpClient, count: number = COUNT): Promise<unknown>[] =>
  keys(count).map((key) => client.get(key));
const puts = (client: KelpClient, count: number = COUNT): Promise<unknown>[] =>
  keys(count).map((key) => client.put(key, 'v'));

const silent = (): Promise<PipelineServer> => startPipelineServer({ onBatch: () => undefined });

async function firstStream(server: PipelineServer, batchCount = 1): Promise<BatchStream> {
  await eventually(() => server.streams[0]?.batches.length).toBe(batchCount);
  return server.streams[0] as BatchStream;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** What answers a batch of puts, without its prefix. */
const putResults = replyOf(
  keys(COUNT).map(() => ({ case: 'put', value: { revision: 7, previous: undefined } })),
).subarray(5);

/** How each ended: the code of its error and whether it may have taken effect, or "done". */
async function endsOf(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(calls);
  return results.map((result) => {
    if (result.status === 'fulfilled') return 'done';
    const { code, mayHaveTakenEffect } = result.reason as { code: string; mayHaveTakenEffect: boolean };
    return [code, mayHaveTakenEffect];
  });
}

const all = (end: unknown, count: number = COUNT): unknown[] => Array.from({ length: count }, () => end);

describe('one call that is given up', () => {
  test('in its own turn is not sent', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    const controller = new AbortController();
    const calls = puts(client, COUNT);
    const canceled = failureOf(client.put('canceled', 'v', { signal: controller.signal }));
    controller.abort(new Error('enough'));
    await Promise.all(calls);
    expect(await canceled).toMatchObject({
      code: 'canceled',
      mayHaveTakenEffect: false,
      cause: { message: 'enough' },
    });
    expect(server.streams[0]?.batches.map(({ length }) => length)).toEqual([COUNT]);
  });

  test('once it was sent may have taken effect if it is a write, and its neighbours go on', async () => {
    const server = await silent();
    const client = clientFor(server);
    const controller = new AbortController();
    const { signal } = controller;
    const canceled = [client.get('a', { signal }), client.put('a', 'v', { signal })];
    const calls = [...gets(client), ...puts(client)];
    const ends = endsOf(canceled);
    await eventually(() => server.streams.map(({ batches }) => batches.length)).toEqual([1, 1]);
    controller.abort();
    expect(await ends).toEqual([
      ['canceled', false],
      ['canceled', true],
    ]);
    for (const stream of server.streams) answerAll(stream);
    await Promise.all(calls);
  });

  test('by its deadline is out of time, and its neighbours go on', async () => {
    const server = await silent();
    const client = clientFor(server);
    // There is a connection, so that they are sent at once.
    await client.get('first');
    const late = endsOf([client.put('a', 'v', { deadlineMs: 20 }), client.put('b', 'v', { deadlineMs: 25 })]);
    const calls = puts(client);
    expect(await late).toEqual(all(['deadlineExceeded', true], 2));
    answerAll(await firstStream(server));
    await Promise.all(calls);
  });

  test('leaves no listener behind, however it ended', async () => {
    const server = await silent();
    const client = clientFor(server);
    const { signal } = new AbortController();
    const listenerCount = (): number => getEventListeners(signal, 'abort').length;
    const options = { signal };
    const calls = keys(COUNT).map((key, index) =>
      client.get(key, index === 0 ? { ...options, deadlineMs: 20 } : options),
    );
    const ends = endsOf(calls);
    await failureOf(calls[0] as Promise<unknown>);
    expect(listenerCount()).toBe(COUNT - 1);
    answerAll(await firstStream(server));
    await ends;
    expect(listenerCount()).toBe(0);
  });
});

describe('calls that wait for a connection', () => {
  async function silentPort(): Promise<{ port: number }> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port };
  }

  test('have changed nothing when their deadline passes', async () => {
    const client = clientFor(await silentPort(), { deadlineMs: 50 });
    expect(await endsOf(puts(client))).toEqual(all(['deadlineExceeded', false]));
  });

  test('have changed nothing when they are aborted', async () => {
    const client = clientFor(await silentPort());
    const controller = new AbortController();
    const ends = endsOf(keys(COUNT).map((key) => client.put(key, 'v', { signal: controller.signal })));
    await nextTurn();
    controller.abort();
    expect(await ends).toEqual(all(['canceled', false]));
  });

  test('have changed nothing when the client is closed, in their turn or later', async () => {
    for (const turns of [0, 1]) {
      const client = clientFor(await silentPort());
      const ends = endsOf(puts(client));
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      client.close();
      expect(await ends).toEqual(all(['closed', false]));
    }
  });

  test('are told when there is none', async () => {
    const { port } = await silentPort();
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const free = (server.address() as AddressInfo).port;
    server.close();
    await once(server, 'close');
    expect(port).not.toBe(free);
    expect(await endsOf(puts(clientFor({ port: free })))).toEqual(all(['unavailable', false]));
  });
});

describe('a server that leaves', () => {
  test('has its stream ended, answers what it was sent, and gets no more calls', async () => {
    const server = await silent();
    const client = clientFor(server);
    const first = puts(client);
    const stream = await firstStream(server);
    stream.session.goaway(0, stream.stream.id);
    await eventually(() => stream.hasEnded).toBe(true);
    const second = puts(client);
    await eventually(() => server.streams[1]?.batches.length).toBe(1);
    expect(server.sessions).toHaveLength(2);
    for (const each of server.streams) answerAll(each);
    stream.end();
    await Promise.all([...first, ...second]);
    expect(stream.batches).toHaveLength(1);
    await eventually(() => stream.isClosed).toBe(true);
  });

  test('is followed by another connection for the calls that wait, which go on together', async () => {
    const server = await startPipelineServer({
      settings: { maxConcurrentStreams: 2 },
      onBatch: () => undefined,
    });
    const client = clientFor(server);
    const sentCount = limits.pipelineBatchesMax * limits.pipelineFirstCallsMax;
    const calls = gets(client, sentCount + 100);
    const stream = await firstStream(server, limits.pipelineBatchesMax);
    stream.session.goaway(0, stream.stream.id);
    await eventually(() => server.streams[1]?.batches.map(({ length }) => length)).toEqual([100]);
    for (const each of server.streams) answerAll(each);
    await Promise.all(calls);
    expect(server.alone).toEqual([]);
  });

  test('says so on a stream that rests, too', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    await Promise.all(puts(client));
    const stream = server.streams[0] as BatchStream;
    expect(stream.hasEnded).toBe(false);
    stream.session.goaway(0, stream.stream.id);
    await eventually(() => stream.hasEnded).toBe(true);
    await Promise.all(puts(client));
    expect(server.sessions).toHaveLength(2);
  });
});

describe('writes whose stream ends are not made again, and may have taken effect, when the server', () => {
  test.each<[string, unknown, (stream: BatchStream) => void]>([
    ['cancels it', ['unavailable', true], ({ stream }) => stream.close(NGHTTP2_CANCEL)],
    ['resets it', ['internal', true], ({ stream }) => stream.close(NGHTTP2_INTERNAL_ERROR)],
    ['cuts it off', ['limitReached', true], ({ stream }) => stream.close(NGHTTP2_ENHANCE_YOUR_CALM)],
    ['destroys the connection', ['unavailable', true], ({ session }) => session.destroy()],
    ['ends it without an answer', ['internal', true], (stream) => stream.end()],
    ['ends it in an unknown way', ['internal', true], (stream) => stream.end({ 'grpc-status': '13' })],
    ['says that it is not available', ['unavailable', true], (stream) => stream.end({ 'grpc-status': '14' })],
    ['says that it took too long', ['unavailable', true], (stream) => stream.end({ 'grpc-status': '4' })],
    [
      'answers with too few results',
      ['internal', true],
      (stream) => stream.write(Buffer.from([0, 0, 0, 0, 0])),
    ],
    [
      'answers with what is no message',
      ['internal', true],
      (stream) => stream.write(Buffer.from([0, 0, 0, 0, 1, 7])),
    ],
    [
      'answers with what is compressed',
      ['internal', true],
      (stream) => stream.write(Buffer.from([1, 0, 0, 0, 0])),
    ],
  ])('%s', async (_, end, act) => {
    const server = await startPipelineServer({ onBatch: act });
    const client = clientFor(server, { retries: 3 }, new FakePace());
    expect(await endsOf(puts(client))).toEqual(all(end));
    expect(server.streams.flatMap(({ batches }) => batches)).toHaveLength(1);
  });
});

type Act = (connection: ScriptedConnection, streamId: number) => void;

test('writes are not made again that waited for the window as the server went away, and whose connection breaks then', async () => {
  let isAnswering = true;
  const server = await startPipelineServer({
    settings: { initialWindowSize: 100 },
    onStream: ({ session, stream }) => {
      stream.on('data', () => {
        if (!isAnswering && !session.destroyed) session.goaway(NGHTTP2_NO_ERROR, stream.id);
      });
    },
    onBatch: (stream) => {
      if (isAnswering) answerAll(stream);
      else stream.session.destroy();
    },
  });
  const client = clientFor(server, { retries: 3 }, new FakePace());
  await Promise.all(puts(client));
  isAnswering = false;
  expect(await endsOf(puts(client))).toEqual(all(['unavailable', true]));
  expect(server.streams.flatMap(({ batches }) => batches)).toHaveLength(2);
  expect(server.alone).toEqual([]);
});

describe('writes are made again when the server', () => {
  test.each<[string, Act]>([
    ['refuses their stream', (...stream) => reset(...stream, NGHTTP2_REFUSED_STREAM)],
    ['goes away before it', (connection) => goAway(connection, 0, NGHTTP2_NO_ERROR)],
    ['goes away before it in anger', (connection) => goAway(connection, 0, NGHTTP2_INTERNAL_ERROR)],
  ])('%s', async (_, onData) => {
    const server = await startScripted({ onData, onRequest: answer });
    await Promise.all(puts(clientFor(server, { retries: 1 }, new FakePace())));
    // That the first stream has been ended may have come as well.
    expect(server.requestCounts.at(-1)).toBe(COUNT);
  });

  test('resets the connection before anything of them was written', async () => {
    const sockets: Socket[] = [];
    const begun: number[] = [];
    const server = await startScripted({
      onConnection: (socket) => (sockets.push(socket), sendSettings(socket)),
      // The reply to a batch of puts.
      onData: (connection, streamId) => (
        begun.push(connection.index),
        begin(connection, streamId, putResults)
      ),
      onRequest: answer,
    });
    const client = clientFor(server, { retries: 1 }, new FakePace());
    await Promise.all(puts(client));
    // Node writes what is handed over now in the next turn of the event loop, after it has read what has come by then.
    await nextTurn();
    sockets[0]?.resetAndDestroy();
    await Promise.all(puts(client));
    expect(begun).toEqual([0]);
    expect(server.requestCounts).toEqual([0, COUNT]);
  });
});

describe('writes are not made again when the server', () => {
  test.each<[string, Act]>([
    ['closes the connection', ({ socket }) => void socket.end()],
    ['resets the connection', ({ socket }) => void socket.resetAndDestroy()],
    ['goes away behind it in anger', (connection, id) => goAway(connection, id, NGHTTP2_INTERNAL_ERROR)],
  ])('%s', async (_, onData) => {
    const server = await startScripted({ onData, onRequest: answer });
    const client = clientFor(server, { retries: 1 }, new FakePace());
    expect(await endsOf(puts(client))).toEqual(all(['unavailable', true]));
    expect(sum(server.requestCounts)).toBe(0);
  });
});

test('reads are made again wherever the stream is cut, and writes behind a whole answer succeed', async () => {
  // Three batches, whose answers are cut off at each byte.
  const recorded = await recordAnswers();
  const lengths = recorded.map(({ length }) => length);
  const whole = Buffer.concat(recorded);
  for (let cut = 0; cut < whole.length; cut += 1) {
    const answered = lengths.filter((_, index) => sum(lengths.slice(0, index + 1)) <= cut).length;
    const server = await startPipelineServer({
      onBatch: (stream) => {
        if (stream.batches.length < 3) return;
        stream.write(whole.subarray(0, cut));
        setImmediate(() => stream.stream.close(NGHTTP2_CANCEL));
      },
    });
    const client = clientFor(server);
    const calls = await threeTurns(client, server);
    const ends = await endsOf(calls);
    expect(ends, `cut at ${cut}`).toEqual([
      ...all('done', answered * COUNT),
      ...all(['unavailable', true], (3 - answered) * COUNT),
    ]);
    client.close();
  }
}, 120_000);

test('an answer that is split anywhere gives the same results', async () => {
  const whole = Buffer.concat(await recordAnswers());
  for (let split = 1; split < whole.length; split++) {
    const server = await startPipelineServer({
      onBatch: (stream) => {
        if (stream.batches.length < 3) return;
        stream.write(whole.subarray(0, split));
        setImmediate(() => stream.write(whole.subarray(split)));
      },
    });
    const client = clientFor(server);
    await Promise.all(await threeTurns(client, server));
    client.close();
  }
}, 120_000);

/** Puts in three batches, which the server has then. */
async function threeTurns(client: KelpClient, server: PipelineServer): Promise<Promise<unknown>[]> {
  const calls: Promise<unknown>[] = [];
  for (let turn = 1; turn <= 3; turn++) {
    calls.push(...puts(client));
    // Handled where it is read: it may fail before the others are made.
    for (const call of calls) call.catch(() => undefined);
    await until(() => (server.streams[0]?.batches.length ?? 0) >= turn);
  }
  return calls;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn();
}

/** The answers to three batches, as a server sends them. */
async function recordAnswers(): Promise<Buffer[]> {
  const server = await silent();
  const client = clientFor(server);
  const calls = await threeTurns(client, server);
  const stream = server.streams[0] as BatchStream;
  const answers = [1, 2, 3].map(() => stream.replyBytes());
  stream.write(Buffer.concat(answers));
  await Promise.all(calls);
  return answers;
}

describe('a stream without calls', () => {
  test('is ended after a while, and another one is begun for those that follow', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    await Promise.all(puts(client));
    const stream = server.streams[0] as BatchStream;
    await eventually(() => stream.hasEnded).toBe(true);
    stream.end();
    await Promise.all(puts(client));
    expect(server.streams).toHaveLength(2);
    expect(server.sessions).toHaveLength(1);
  });

  test('that the server ends costs the next calls nothing', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    await Promise.all(puts(client));
    const stream = server.streams[0] as BatchStream;
    stream.end();
    await eventually(() => stream.isClosed).toBe(true);
    await Promise.all(puts(client));
    expect(server.streams).toHaveLength(2);
  });
});
