/** Which calls travel together, and which by themselves. */
import type { OutgoingHttpHeaders } from 'node:http2';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { ErrorReason } from '../../../gen/kelp/v1/errors_codec.ts';
import { systemClock } from '../../../src/clock.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { fixed, client as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { failureOf } from '../support/fake-server.ts';
import {
  type BatchStream,
  type PipelineServer,
  answerAlone,
  answerAll,
  clientFor,
  startPipelineServer,
  usualResult,
} from '../support/pipeline-server.ts';

const MIN = limits.pipelineCallsMin;

const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);

/** Gets of so many keys in one turn, whose values are to be the keys. */
async function getAll(client: KelpClient, count: number): Promise<void> {
  const results = await Promise.all(keys(count).map((key) => client.get(key)));
  expect(results.map(({ entry }) => entry?.text())).toEqual(keys(count));
}

const batchLengths = ({ streams }: PipelineServer): number[][] =>
  streams.map(({ batches }) => batches.map(({ length }) => length));

describe('calls of one turn', () => {
  test('travel in one batch, each with its deadline', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    const first = client.get('first', { deadlineMs: 1234 });
    await Promise.all([first, getAll(client, 99)]);
    expect(batchLengths(server)).toEqual([[100]]);
    expect(server.alone).toEqual([]);
    const [batch] = server.streams[0]?.batches ?? [];
    expect(batch?.map(({ timeoutMs }) => timeoutMs)).toEqual([1234, ...keys(99).map(() => 10_000)]);
  });

  test('are those too that promises of the turn lead to', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    const calls = keys(20).map(async (key, index) => {
      for (let hop = 0; hop < index; hop++) await Promise.resolve();
      await client.get(key);
      for (let hop = 0; hop < index; hop++) await Promise.resolve();
      return client.get(key);
    });
    await Promise.all(calls);
    expect(batchLengths(server)).toEqual([[20, 20]]);
  });

  test('and of the next turn share a stream, and no batch', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    await getAll(client, MIN);
    const calls = [getAll(client, MIN)];
    await nextTurn();
    calls.push(getAll(client, MIN + 1));
    await Promise.all(calls);
    expect(batchLengths(server)).toEqual([[MIN, MIN, MIN + 1]]);
  });

  test('travel on two streams: a read does not wait for the writes', async () => {
    const server = await startPipelineServer({
      onBatch: (stream) => {
        if (stream.batches[0]?.[0]?.operation.case === 'get') answerAll(stream);
      },
    });
    const client = clientFor(server);
    const puts = keys(MIN).map((key) => client.put(key, 'v'));
    const refreshed = client.get('k', { refreshTtl: true });
    await getAll(client, MIN);
    await eventually(() => batchLengths(server)).toEqual([[MIN + 1], [MIN]]);
    for (const stream of server.streams) answerAll(stream);
    expect(await Promise.all(puts)).toEqual(puts.map(() => ({ revision: 7, previous: undefined })));
    await refreshed;
  });

  test('go by themselves when they are few', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    await Promise.all(keys(MIN - 1).map((key) => client.get(key)));
    await Promise.all(keys(MIN - 1).map((key) => client.put(key, key)));
    expect(server.streams).toEqual([]);
    expect(server.alone).toHaveLength(2 * (MIN - 1));
  });

  test('go by themselves with pipeline: false', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server, { pipeline: false });
    await Promise.all(keys(50).map((key) => client.get(key)));
    expect(server.streams).toEqual([]);
    expect(server.alone).toHaveLength(50);
  });

  test('go by themselves where they are long', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    const long = 'v'.repeat(limits.pipelineCallBytesMax + 1);
    const calls = keys(MIN).map((key) => client.put(key, 'short'));
    await Promise.all(
      [...calls, client.put('a', long), client.exists(keys(5000))].map((call) => call.catch(() => undefined)),
    );
    expect(batchLengths(server)).toEqual([[MIN]]);
    expect(server.alone.toSorted()).toEqual(['Exists', 'Put']);
  });

  test('of other methods go by themselves', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    await Promise.all(keys(50).map((key) => client.deleteRange({ key })));
    expect(server.streams).toEqual([]);
  });
});

describe('a batch', () => {
  test('has as many operations, keys and bytes as the server takes, and the client sends, at most', async () => {
    const server = await startPipelineServer();
    const client = clientFor(server);
    // The first reply tells that entries are short.
    await getAll(client, 2 * limits.pipelineFirstCallsMax);
    expect(batchLengths(server)).toEqual([[limits.pipelineFirstCallsMax, limits.pipelineFirstCallsMax]]);
    await getAll(client, 2 * fixed.pipelineOperationsMax + 1);
    expect(server.streams[0]?.batches.slice(2).map(({ length }) => length)).toEqual([1000, 1000, 1]);

    const valueBytes = limits.pipelineCallBytesMax - 50;
    const perBatch = Math.floor(limits.pipelineBatchBytesMax / (limits.pipelineCallBytesMax - 20));
    await Promise.all(keys(2 * perBatch + 1).map((key) => client.put(key, 'v'.repeat(valueBytes))));
    const putLengths = batchLengths(server)[1] ?? [];
    expect(putLengths[0]).toBeGreaterThanOrEqual(perBatch);
    expect(putLengths[0]).toBeLessThanOrEqual(perBatch + 1);
    expect(putLengths.reduce((sum, length) => sum + length)).toBe(2 * perBatch + 1);

    const asked = keys(300);
    await Promise.all(keys(50).map(() => client.exists(asked)));
    const existsKeys = server.streams[0]?.batches
      .flatMap((batch) => [batch.map(({ operation }) => operation)])
      .filter(([operation]) => operation?.case === 'exists')
      .map((batch) => asked.length * batch.length);
    expect(existsKeys?.length).toBeGreaterThan(1);
    for (const count of existsKeys ?? []) expect(count).toBeLessThanOrEqual(fixed.pipelineKeysMax);
  });

  test('one bad operation of it fails alone, with what the server says of it', async () => {
    const detail = {
      reason: ErrorReason.CONDITION_FAILED,
      info: { case: 'conditionFailed', value: { currentModRevision: 5 } },
    } as const;
    const server = await startPipelineServer({
      onBatch: (stream) =>
        stream.answer((operation) =>
          operation.operation.case === 'put' && operation.operation.value.key === 'k3'
            ? { case: 'failure', value: { code: 9, message: 'it has another revision', detail } }
            : usualResult(operation),
        ),
    });
    const client = clientFor(server);
    const puts = keys(MIN).map((key) => client.put(key, 'v'));
    const failure = failureOf(puts[3] as Promise<unknown>);
    await Promise.all(puts.filter((_, index) => index !== 3));
    expect(await failure).toMatchObject({
      code: 'conditionFailed',
      message: 'it has another revision',
      details: { currentModRevision: 5 },
      mayHaveTakenEffect: false,
    });
  });

  test.each([
    ['a result that is none', (): never => ({ case: undefined }) as never],
    ['a result of another kind', (): never => ({ case: 'put', value: { revision: 1 } }) as never],
    ['a code that is none', (): never => ({ case: 'failure', value: { code: 99, message: '' } }) as never],
  ])('%s is the fault of one operation alone', async (_, wrong) => {
    const server = await startPipelineServer({
      onBatch: (stream) =>
        stream.answer((operation) =>
          operation.operation.value &&
          'key' in operation.operation.value &&
          operation.operation.value.key === 'k0'
            ? wrong()
            : usualResult(operation),
        ),
    });
    const client = clientFor(server);
    const gets = keys(MIN).map((key) => client.get(key));
    expect(await failureOf(gets[0] as Promise<unknown>)).toMatchObject({ code: 'internal' });
    await Promise.all(gets.slice(1));
  });
});

describe('what a stream has under way is bounded:', () => {
  test('calls go by themselves while so many batches are not answered', async () => {
    const server = await startPipelineServer({ onBatch: () => undefined });
    const client = clientFor(server);
    const calls: Promise<unknown>[] = [];
    for (let turn = 0; turn < limits.pipelineBatchesMax; turn++) {
      calls.push(getAll(client, MIN));
      await eventually(() => server.streams[0]?.batches.length).toBe(turn + 1);
    }
    await Promise.all(keys(MIN).map((key) => client.get(key)));
    expect(server.alone).toHaveLength(MIN);
    server.streams[0]?.answer();
    await calls[0];
    calls.push(getAll(client, MIN));
    await eventually(() => server.streams[0]?.batches.length).toBe(limits.pipelineBatchesMax + 1);
    answerAll(server.streams[0] as BatchStream);
    await Promise.all(calls);
    expect(server.alone).toHaveLength(MIN);
  });

  test('those of a burst wait for each other, and those beyond its bound go by themselves', async () => {
    const server = await startPipelineServer({ onBatch: () => undefined });
    const client = clientFor(server, { deadlineMs: 60_000 });
    const count = limits.pipelineWaitingCallsMax + 10;
    const gets = getAll(client, count).catch(() => undefined);
    await eventually(() => server.alone.length).toBe(10);
    await eventually(() => server.streams[0]?.batches.length).toBe(limits.pipelineBatchesMax);
    client.close();
    await gets;
  });

  test('while the window is used up nothing more is written, and the rest follows in order', async () => {
    let isTaken = false;
    const server = await startPipelineServer({
      settings: { initialWindowSize: 1000 },
      onStream: ({ stream }) => {
        if (!isTaken) stream.pause();
      },
    });
    const client = clientFor(server);
    // So the stream is not silent for long.
    const clock = vi.spyOn(systemClock, 'monotonicMs').mockReturnValue(systemClock.monotonicMs());
    const puts = keys(200).map((key) => client.put(key, 'v'.repeat(1000)));
    const late = new AbortController();
    await eventually(() => server.streams.length).toBe(1);
    const waiting = keys(MIN).map((key) => client.put(`late/${key}`, 'v', { signal: late.signal }));
    await nextTurn();
    late.abort();
    for (const put of waiting) {
      expect(await failureOf(put)).toMatchObject({ code: 'canceled', mayHaveTakenEffect: false });
    }
    clock.mockRestore();
    isTaken = true;
    server.streams[0]?.stream.resume();
    await Promise.all(puts);
    const sent = server.streams[0]?.batches.flat().map(({ operation }) => {
      return operation.case === 'put' ? operation.value.key : '';
    });
    expect(sent).toEqual(keys(200));
    expect(server.alone).toEqual([]);
  });
});

/** The status of a call that is refused for want of room: a `google.rpc.Status` with a `kelp.v1.ErrorDetail`. */
const limitReached = ((): OutgoingHttpHeaders => {
  const type = Buffer.from('type.googleapis.com/kelp.v1.ErrorDetail');
  const detail = [0x08, ErrorReason.LIMIT_REACHED];
  const any = [0x0a, type.length, ...type, 0x12, detail.length, ...detail];
  const status = Buffer.from([0x08, 8, 0x1a, any.length, ...any]);
  return { 'grpc-status': '8', 'grpc-status-details-bin': status.toString('base64') };
})();

describe('a server', () => {
  test('that does not know the method is asked once', async () => {
    const server = await startPipelineServer({
      onStream: (stream) => stream.end({ 'grpc-status': '12', 'grpc-message': 'unknown' }),
    });
    const client = clientFor(server);
    for (let round = 0; round < 3; round++) {
      await Promise.all(keys(MIN).map((key) => client.get(key)));
    }
    expect(server.streams).toHaveLength(1);
    expect(server.alone).toHaveLength(3 * MIN);
  });

  test('that has no room for a batch is sent its calls by themselves, and batches again after many more', async () => {
    const server = await startPipelineServer({
      onBatch: (stream) => {
        if (server.streams.length === 1) stream.end(limitReached);
        else answerAll(stream);
      },
    });
    const client = clientFor(server);
    const round = (): Promise<unknown> => Promise.all(keys(100).map((key) => client.put(key, 'v')));
    await round();
    expect(server.alone).toHaveLength(100);
    for (let count = 0; count < limits.pipelineAloneCalls; count += 100) await round();
    expect(server.streams).toHaveLength(1);
    await round();
    expect(batchLengths(server)).toEqual([[100], [100]]);
  });

  test('whose replies are long is sent reads by themselves, and after many of these batches again', async () => {
    const value = Buffer.alloc(limits.pipelineCallBytesMax + 100, 'v');
    const server = await startPipelineServer({
      onBatch: (stream) =>
        answerAll(stream, (operation) => {
          const result = usualResult(operation);
          if (result.case !== 'get' || result.value.entry === undefined) return result;
          return { case: 'get', value: { ...result.value, entry: { ...result.value.entry, value } } };
        }),
      onAlone: answerAlone,
    });
    const client = clientFor(server);
    // A stream that rests for long on a busy machine is followed by another.
    const round = (): Promise<unknown> => Promise.all(keys(200).map((key) => client.get(key)));
    await round();
    expect(batchLengths(server).flat()).toEqual([200]);
    for (let count = 0; count < limits.pipelineAloneCalls; count += 200) await round();
    expect(batchLengths(server).flat()).toEqual([200]);
    await round();
    expect(
      batchLengths(server)
        .flat()
        .slice(1)
        .reduce((sum, length) => sum + length),
    ).toBe(200);
    const expected = Math.ceil(limits.pipelineReplyBytes / limits.pipelineCallBytesMax);
    expect(Math.max(...batchLengths(server).flat().slice(1))).toBeLessThanOrEqual(expected);
  });
});
