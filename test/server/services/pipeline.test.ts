/** `KvService.Pipeline`: batches of operations, each as its own call, in their order and within bounds. */
import { allowed } from '../../support/open-access.ts';
import { once } from 'node:events';
import { type IncomingHttpHeaders, connect as connectHttp2 } from 'node:http2';
import { type MessageInitShape, fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, type Transport, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import {
  KvService,
  type OperationFailure,
  type PipelineRequestSchema,
  type PipelineResponse,
  PipelineResponseSchema,
  type PipelineResult,
} from '../../../gen/kelp/v1/kv_pb.ts';
import type { PipelineResponseShape } from '../../../gen/kelp/v1/kv_codec.ts';
import { fixed, serverFixed } from '../../../src/limits.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { RequestQueue } from '../../../src/server/grpc/request-queue.ts';
import { kvMethods } from '../../../src/server/services/kv/kv.ts';
import { type BidiStreamMethod, readRequest } from '../../../src/server/services/method.ts';
import { RESULT_OBJECT_BYTES } from '../../../src/server/services/reply-entries.ts';
import { Cursor } from '../../../src/wire/cursor.ts';
import { SeededRandom } from '../../support/random.ts';
import { startTestServer } from '../../support/test-server.ts';
import { FakeStream } from '../grpc/fake-stream.ts';
import {
  KiB,
  type Operation,
  batch,
  get,
  put,
  startPipeline,
  texts,
  told,
  turns,
  utf8,
} from './pipeline-harness.ts';

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  'Connect, HTTP/2': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' }),
  'Connect, JSON': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false }),
};

async function* given<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

describe.each(Object.entries(transports))('Pipeline over %s', (_, makeTransport) => {
  async function start() {
    const server = await startTestServer();
    const kv = createClient(KvService, makeTransport(server.url));
    const run = async (
      ...batches: MessageInitShape<typeof PipelineRequestSchema>[]
    ): Promise<PipelineResponse[]> => {
      const responses: PipelineResponse[] = [];
      for await (const response of kv.pipeline(given(batches))) responses.push(response);
      return responses;
    };
    return { server, kv, run };
  }

  test('answers each operation as its own call, batch by batch', async () => {
    const { kv, run } = await start();
    const responses = await run(
      batch(put('a', '1'), put('b'), get('a'), { case: 'increment', value: { key: 'a', delta: 41n } }),
      batch(
        get('a'),
        { case: 'exists', value: { keys: ['a', 'x', 'b'] } },
        { case: 'delete', value: { key: 'b', returnPrevious: true } },
        { case: 'touch', value: { key: 'a', ttl: { seconds: 60n } } },
        get('b'),
      ),
    );
    expect(responses.map(({ results }) => results.map(told))).toEqual([
      ['revision 1', 'revision 2', '1', 42n],
      ['42', [true, false, true], true, 'revision 5', 'absent'],
    ]);
    const [, , deleted] = responses[1]?.results ?? [];
    expect(deleted?.result.value).toMatchObject({ previous: { key: 'b', value: utf8.encode('b') } });
    expect((await kv.get({ key: 'a' })).entry?.expireTime).toBeDefined();
  });

  test('one that fails is told so in its place, as its own call would be, and harms no other', async () => {
    const { kv, run } = await start();
    await kv.put({ key: 'text', value: utf8.encode('no number') });
    const wrong: Operation[] = [
      put('', 'empty key'),
      {
        case: 'put',
        value: { key: 'text', condition: { condition: { case: 'mustNotExist', value: true } } },
      },
      { case: 'increment', value: { key: 'text', delta: 1n } },
      { case: 'touch', value: { key: 'absent' } },
      { case: 'get', value: { key: 'text', revision: 99n } },
      { case: 'get', value: { key: 'text', revision: 2n ** 60n } },
      { case: 'exists', value: { keys: [] } },
      { case: 'put', value: { key: 'k', leaseId: 77n } },
      { case: undefined },
    ];
    const operations = wrong.flatMap((operation, index) => [operation, put(`right ${index}`)]);
    const [response] = await run(batch(...operations));
    const failures = response?.results
      .filter((_, index) => index % 2 === 0)
      .map(({ result }) => result.value);
    const alone = await Promise.all(
      [
        kv.put({ key: '' }),
        kv.put({ key: 'text', condition: { condition: { case: 'mustNotExist', value: true } } }),
        kv.increment({ key: 'text', delta: 1n }),
        kv.touch({ key: 'absent' }),
        kv.get({ key: 'text', revision: 99n }),
        kv.get({ key: 'text', revision: 2n ** 60n }),
        kv.exists({}),
        kv.put({ key: 'k', leaseId: 77n }),
      ].map((call) =>
        call.then(
          () => undefined,
          (error: unknown) => ConnectError.from(error),
        ),
      ),
    );
    expect(failures?.slice(0, -1)).toMatchObject(
      alone.map((error, index) => ({
        code: error?.code,
        // Other writes have moved the newest revision on.
        message: index === 4 ? expect.stringMatching(/has not been reached/) : error?.rawMessage,
        detail: { reason: error?.findDetails(ErrorDetailSchema)[0]?.reason },
      })),
    );
    expect(failures?.[1]).toMatchObject({
      code: Code.FailedPrecondition,
      detail: {
        reason: ErrorReason.CONDITION_FAILED,
        info: { case: 'conditionFailed', value: { currentModRevision: 1n } },
      },
    });
    expect(failures?.at(-1)).toMatchObject({ code: Code.InvalidArgument });
    const exists = await kv.exists({ keys: wrong.map((_, index) => `right ${index}`) });
    expect(exists.exists).toEqual(wrong.map(() => true));
  });

  test('a batch that is too long, or empty, ends the stream behind the replies before it', async () => {
    const { kv } = await start();
    const wrong: [MessageInitShape<typeof PipelineRequestSchema>, RegExp][] = [
      [batch(), /1 to 1000 operations, not 0/],
      [batch(...Array.from({ length: fixed.pipelineOperationsMax + 1 }, () => get('a'))), /not 1001/],
      [
        batch(
          put('never'),
          ...[1, 2].map((): Operation => ({ case: 'exists', value: { keys: Array(5000).fill('a') } })),
        ),
        /at most 10000 keys, not 10001/,
      ],
    ];
    for (const [request, message] of wrong) {
      const responses: PipelineResponse[] = [];
      const failure = await (async () => {
        for await (const response of kv.pipeline(given([batch(put('a')), request, batch(put('never'))]))) {
          responses.push(response);
        }
      })().catch((error: unknown) => ConnectError.from(error));
      expect(failure).toMatchObject({
        code: Code.InvalidArgument,
        rawMessage: expect.stringMatching(message),
      });
      expect(responses).toHaveLength(1);
    }
    expect((await kv.exists({ keys: ['a', 'never'] })).exists).toEqual([true, false]);
  });

  test('random batches give what the same calls give one after the other', async () => {
    const seed = 20261126;
    const random = new SeededRandom(seed);
    const { run } = await start();
    const other = createClient(KvService, makeTransport((await startTestServer()).url));
    const key = (): string => `k${random.between(0, 5)}`;
    const operations = (): Operation[] =>
      Array.from({ length: random.between(1, 8) }, (): Operation => {
        switch (random.below(7)) {
          case 0:
          case 1:
            return get(key());
          case 2:
            return put(key(), random.chance(0.5) ? `${random.between(0, 9)}` : 'text');
          case 3:
            return { case: 'delete', value: { key: key(), returnPrevious: random.chance(0.5) } };
          case 4:
            return { case: 'increment', value: { key: key(), delta: BigInt(random.between(-5, 5)) } };
          case 5:
            return { case: 'touch', value: { key: key() } };
          default:
            return { case: 'exists', value: { keys: [key(), key()] } };
        }
      });
    const batches = Array.from({ length: 60 }, operations);
    const piped = await run(...batches.map((each) => batch(...each)));
    for (const [index, each] of batches.entries()) {
      const expected: unknown[] = [];
      for (const operation of each) expected.push(await callAlone(other, operation));
      const results = piped[index]?.results.map(({ result }) =>
        result.case === 'failure' ? [result.value.code, result.value.message] : result.value,
      );
      expect(results, `batch ${index} of seed ${seed}`).toEqual(expected);
    }
  });
});

test('a request has waited since it had come whole', async () => {
  const now = vi.spyOn(performance, 'now');
  onTestFinished(() => now.mockRestore());
  const call = allowed(
    new CallTable({ callsMax: 1, callBytesMax: 1000, replyBytesMax: 1000 }).open(
      { cut: () => undefined },
      true,
    ),
  );
  const requests = new RequestQueue(new FakeStream(), call, 1000, () => undefined);
  const message = Buffer.from(encodeEnvelope(0, utf8.encode('message')));
  const waited: number[] = [];
  const take = async (atMs: number): Promise<void> => {
    now.mockReturnValue(atMs);
    await requests.next();
    waited.push(call.messageWaitedMs);
  };
  const come = (bytes: Buffer, atMs: number): void => {
    now.mockReturnValue(atMs);
    requests.data(bytes, 0, bytes.length);
  };
  come(message.subarray(0, 6), 1);
  come(message.subarray(6), 10);
  come(message, 20);
  await take(50);
  await take(60);
  come(message, 100);
  await take(100);
  expect(waited).toEqual([40, 40, 0]);
});

/** What a call of its own gives for an operation. */
async function callAlone(kv: ReturnType<typeof createClient<typeof KvService>>, operation: Operation) {
  try {
    switch (operation?.case) {
      case 'get':
        return await kv.get(operation.value);
      case 'put':
        return await kv.put(operation.value);
      case 'delete':
        return await kv.delete(operation.value);
      case 'increment':
        return await kv.increment(operation.value);
      case 'touch':
        return await kv.touch(operation.value);
      case 'exists':
        return await kv.exists(operation.value);
      default:
        return undefined;
    }
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return [code, rawMessage];
  }
}

describe('a pipeline over a store whose flushes are held back', () => {
  test('a batch whose results find no memory ends the stream behind what came before, and waits for none', async () => {
    const { disk, store, table, call, replies, send } = await startPipeline({ callBytesMax: 100_000 });
    disk.hold();
    const gets = Array.from({ length: 100 }, (_, index) => get(`k${index}`));
    const puts = Array.from({ length: 100 }, (_, index) => put(`k${index}`, 'v'));
    send(batch(...puts));
    await turns();
    const held = table.heldBytes;
    expect(held).toBeGreaterThan(100 * 100);
    const rest = 100_000 - held - 1000;
    // As its own request, which is given back only when this batch is answered.
    call.charge(rest);
    const fetched = vi.spyOn(store, 'fetch');
    send(batch(...gets));
    send(batch(put('never')));
    await turns();
    disk.release();
    expect(texts(await replies.next())).toHaveLength(100);
    let failure: unknown;
    replies.next().catch((error: unknown) => (failure = error));
    await turns();
    expect(failure).toMatchObject({
      code: 'limitReached',
      message: expect.stringMatching(/\(call-bytes-max\); try again later/),
    });
    expect([fetched.mock.calls.length, table.heldBytes]).toEqual([0, rest]);
    expect(store.existsVisible(['never']).exists).toEqual([false]);
    await store.close();
  });

  test('reads see the writes before them in the stream, and are answered when these are on disk', async () => {
    const { disk, store, replies, send } = await startPipeline();
    await store.put('a', 'before');
    send(batch(get('a')));
    expect(texts(await replies.next())).toEqual(['before']);
    disk.hold();
    send(batch(put('a', 'new'), get('a'), { case: 'exists', value: { keys: ['a', 'b'] } }));
    send(batch(get('a')));
    let isAnswered = false;
    const first = replies.next().finally(() => (isAnswered = true));
    await turns();
    expect(isAnswered).toBe(false);
    // Others do not see it yet.
    expect(Buffer.from(store.getVisible('a', 0).entry?.value ?? '').toString()).toBe('before');
    disk.release();
    expect(texts(await first)).toEqual(['revision 2', 'new', [true, false]]);
    expect(texts(await replies.next())).toEqual(['new']);
    await store.close();
  });

  test('an operation whose caller waits no more when its turn comes is not begun, and those beside it are', async () => {
    const { store, call, replies, send } = await startPipeline();
    call.messageWaitedMs = 100;
    const timed = (operation: Operation, timeoutMs: number) => ({ operation, timeoutMs });
    send({
      operations: [timed(put('a'), 100), timed(put('b'), 101), timed(put('c'), 0), timed(get('a'), 1)],
    });
    const late = [Code.DeadlineExceeded, 'the operation timed out'];
    expect(texts(await replies.next())).toEqual([late, 'revision 1', 'revision 2', late]);
    expect(store.existsVisible(['a', 'b', 'c']).exists).toEqual([false, true, true]);
    await store.close();
  });

  test('all writes of batches that wait share a flush', async () => {
    const { disk, store, replies, send } = await startPipeline();
    disk.hold();
    for (let round = 0; round < 4; round++) send(batch(...Array.from({ length: 100 }, () => put('a'))));
    await turns();
    expect((await store.status()).revision).toBe(0);
    const { waitingCount } = disk;
    expect(waitingCount).toBeLessThanOrEqual(1);
    disk.release();
    for (let round = 0; round < 4; round++) await replies.next();
    expect((await store.status()).revision).toBe(400);
    await store.close();
  });

  test('what a flush that fails leaves unknown is told as such, and nothing else is', async () => {
    const { simulated, disk, store, replies, send } = await startPipeline();
    await store.put('a', 'before');
    simulated.injectFault({ call: 'sync', at: 1, pathEnd: '.log', isPermanent: true });
    disk.hold();
    const absent: Operation = { case: 'delete', value: { key: 'x' } };
    send(batch(get('a'), absent, put('a', 'new'), get('a'), put('', 'empty key'), absent));
    // The reads of this one see the newest state, since the one before is not answered.
    send(batch(get('a')));
    await turns();
    disk.release();
    const reasons = async (): Promise<unknown[]> =>
      ((await replies.next()).value as PipelineResponseShape).results.map(({ result }) =>
        result.case === 'failure' ? result.value.detail?.reason : told({ result } as PipelineResult),
      );
    const { READ_ONLY, STORAGE_FAILED, INVALID_ARGUMENT } = ErrorReason;
    expect(await reasons()).toEqual([
      'before',
      false,
      STORAGE_FAILED,
      READ_ONLY,
      INVALID_ARGUMENT,
      READ_ONLY,
    ]);
    expect(await reasons()).toEqual([READ_ONLY]);
    // From then on reads are of what is visible, and writes change nothing.
    send(batch(get('a'), put('a'), get('a'), { case: 'exists', value: { keys: ['a', 'x'] } }));
    expect(await reasons()).toEqual(['before', READ_ONLY, 'before', [true, false]]);
    await store.close().catch(() => undefined);
  });

  test('the keys of a batch are looked for together, and its writes wait by one promise', async () => {
    const { store, replies, send } = await startPipeline();
    const rows: number[] = [];
    const fetch = store.fetch.bind(store);
    store.fetch = (keys) => {
      rows.push(keys.length);
      fetch(keys);
    };
    // A method of its own would be called for each of them.
    store.put =
      store.delete =
      store.increment =
      store.touch =
        () => {
          throw new TypeError('it has a promise of its own');
        };
    const kinds: Operation[] = [
      put('a'),
      { case: 'increment', value: { key: 'n', delta: 1n } },
      { case: 'touch', value: { key: 'a', ttl: { seconds: 60n } } },
      { case: 'delete', value: { key: 'a' } },
      get('a'),
    ];
    send(batch(...kinds, ...Array.from({ length: fixed.turnCallsMax }, () => put('b'))));
    expect(texts(await replies.next()).slice(0, 5)).toEqual(['revision 1', 1n, 'revision 3', true, 'absent']);
    expect(rows).toEqual([fixed.turnCallsMax, kinds.length]);
    await store.close();
  });

  test('so many batches are under way at most, and so much is held of results that nobody reads', async () => {
    const { store, table, requests, replies, send } = await startPipeline();
    await store.put('a', 'v'.repeat(100 * KiB));
    for (let round = 0; round < 200; round++) send(batch(get('a')));
    await turns();
    const bytes = serverFixed.pipelineHeldBytesMax;
    expect(table.heldBytes).toBeGreaterThan(bytes / 2);
    expect(table.heldBytes).toBeLessThan(bytes + 200 * KiB);
    for (let round = 0; round < 200; round++) expect((await replies.next()).done).toBe(false);
    requests.end();
    expect((await replies.next()).done).toBe(true);
    expect(table.heldBytes).toBe(0);
    await store.close();
  });

  test('short batches that nobody reads are counted', async () => {
    const { store, requests, send } = await startPipeline();
    for (let round = 0; round < 200; round++) send(batch(get('a')));
    await turns();
    expect(requests.takenCount).toBe(serverFixed.pipelineBatchesMax);
    await store.close();
  });

  test('a reply holds what a reply may: what would return more is refused, and the rest is done', async () => {
    const { store, table, replies, send } = await startPipeline({ replyBytesMax: 10_000 });
    await store.put('a', 'v'.repeat(4000));
    let readCount = 0;
    const getVisible = store.getVisible.bind(store);
    store.getVisible = (key, revision) => {
      readCount++;
      return getVisible(key, revision);
    };
    send(batch(...Array.from({ length: 10 }, () => get('a')), put('b'), get('a')));
    const results = texts(await replies.next());
    const refused = [
      Code.ResourceExhausted,
      expect.stringMatching(/more than 10000 bytes \(reply-bytes-max\)/),
    ];
    const value = 'v'.repeat(4000);
    expect(results).toEqual([
      value,
      value,
      ...Array.from({ length: 8 }, () => refused),
      'revision 2',
      refused,
    ]);
    expect(readCount).toBe(3);
    expect(table.heldBytes).toBeLessThanOrEqual(10_000 + 12 * RESULT_OBJECT_BYTES);
    send(batch(get('b')));
    expect(texts(await replies.next())).toEqual(['b']);
    await store.close();
  });

  test('others have their turn when so many operations have run in one, however fast the replies are read', async () => {
    const { store, requests, replies, send } = await startPipeline();
    let pauseCount = 0;
    const pause = store.pause.bind(store);
    store.pause = () => {
      pauseCount++;
      return pause();
    };
    const batchCount = 20;
    for (let count = 0; count < batchCount; count++) {
      send(batch(...Array.from({ length: fixed.pipelineOperationsMax }, () => get('a'))));
    }
    requests.end();
    for (let count = 0; count < batchCount; count++) expect((await replies.next()).done).toBe(false);
    expect((await replies.next()).done).toBe(true);
    const operations = batchCount * fixed.pipelineOperationsMax;
    const inTurn = serverFixed.pipelineTurnVisitsMax;
    expect(pauseCount).toBeGreaterThanOrEqual(Math.floor(operations / inTurn));
    await store.close();
  });

  test('others have their turn when the operations of a batch have read much, whose results are none the less in order', async () => {
    const { store, replies, send } = await startPipeline();
    await store.put('long', 'v'.repeat(2 * KiB * KiB));
    let pauseCount = 0;
    const pause = store.pause.bind(store);
    store.pause = () => {
      pauseCount++;
      return pause();
    };
    const increments = Array.from({ length: 9 }, (): Operation => ({
      case: 'increment',
      value: { key: 'long', delta: 1n },
    }));
    send(batch(put('a'), ...increments, put('b'), get('a')));
    const results = texts(await replies.next());
    expect([results[0], ...results.slice(-2)]).toEqual(['revision 2', 'revision 3', 'a']);
    expect(results.slice(1, -2)).toEqual(
      increments.map(() => [Code.FailedPrecondition, expect.stringContaining('not the decimal text')]),
    );
    expect(pauseCount).toBe(4);
    await store.close();
  });

  test('a put whose condition fails reads no value, also if it would return it', async () => {
    const { store, replies, send } = await startPipeline();
    await store.put('long', 'v'.repeat(2 * KiB * KiB));
    store.pause = () => {
      throw new Error('it has read much');
    };
    const puts = Array.from({ length: 20 }, (): Operation => ({
      case: 'put',
      value: {
        key: 'long',
        value: utf8.encode('x'),
        returnPrevious: true,
        condition: { condition: { case: 'mustNotExist', value: true } },
      },
    }));
    send(batch(...puts));
    expect(texts(await replies.next())).toEqual(puts.map(() => [Code.FailedPrecondition, 'the key exists']));
    await store.close();
  });

  test('what a batch writes when its client goes away is written, and nothing is held', async () => {
    const { disk, store, table, call, replies, send } = await startPipeline();
    disk.hold();
    send(batch(put('a'), get('a')));
    const reply = replies.next();
    await turns();
    call.close();
    await replies.return?.();
    disk.release();
    await reply;
    await expect(replies.next()).rejects.toMatchObject({ code: 'canceled' });
    expect((await store.get('a')).revision).toBe(1);
    expect([table.size, table.heldBytes]).toEqual([0, 0]);
    await store.close();
  });

  test('a server that stops answers what it has begun, and then says that it stops', async () => {
    const { disk, store, call, replies, send } = await startPipeline();
    disk.hold();
    send(batch(put('a')));
    await turns();
    call.endByServer();
    await turns();
    send(batch(put('b')));
    disk.release();
    expect(texts(await replies.next())).toEqual(['revision 1']);
    await expect(replies.next()).rejects.toMatchObject({ code: 'stopping' });
    expect((await store.exists(['b'])).exists).toEqual([false]);
    await store.close();
  });

  test('what was not foreseen ends the stream, and other batches are not answered as if all were well', async () => {
    const { store, replies, send } = await startPipeline();
    store.getVisible = () => {
      throw new TypeError('a defect');
    };
    send(batch(get('a'), put('b')));
    await expect(replies.next()).rejects.toThrow('a defect');
    await store.close();
  });
});

describe('an operation that can not be read', () => {
  const field = (number: number, body: Uint8Array): Buffer => {
    const length: number[] = [];
    for (let left = body.length; ; left >>>= 7) {
      length.push(left < 128 ? left : (left & 127) | 128);
      if (left < 128) break;
    }
    return Buffer.concat([Buffer.of((number << 3) | 2, ...length), body]);
  };
  const text = (of: string): Buffer => Buffer.from(of);
  const rawPut = (key: string): Buffer => field(1, field(2, field(1, text(key))));
  /** 2^60 as a varint. */
  const large = Buffer.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);

  const cases: readonly (readonly [what: string, method: string, number: number, request: Buffer])[] = [
    ['a revision too large', 'Get', 1, Buffer.concat([field(1, text('k')), Buffer.of(0x10), large])],
    ['a key that is not UTF-8', 'Get', 1, field(1, Buffer.of(0xff))],
    [
      'a lease id too large',
      'Put',
      2,
      Buffer.concat([field(1, text('k')), Buffer.of(0x20), large, field(2, text('v'))]),
    ],
    ['a key that ends too late', 'Delete', 3, Buffer.of(0x0a, 5, 0x61)],
    ['a tag that is none', 'Increment', 4, Buffer.concat([field(1, text('k')), Buffer.of(0x07)])],
    ['a time to live too long', 'Touch', 5, field(2, Buffer.concat([Buffer.of(0x08), large]))],
    ['keys that are not UTF-8', 'Exists', 6, Buffer.concat([field(1, text('k')), field(1, Buffer.of(0xc0))])],
  ];

  test.each(cases)(
    'for %s fails as its own call of %s, and its neighbours run',
    async (_, method, number, request) => {
      const server = await startTestServer();
      const own = await rawCall(server.url, method, [request]);
      expect(own.status).toBe('3');

      const piped = await rawCall(server.url, 'Pipeline', [
        Buffer.concat([rawPut('a'), field(1, field(number, request)), rawPut('b')]),
        rawPut('c'),
      ]);

      expect(piped.status).toBe('0');
      const results = piped.messages.map((bytes) => fromBinary(PipelineResponseSchema, bytes).results);
      expect(results.map((each) => each.map(({ result }) => result.case))).toEqual([
        ['put', 'failure', 'put'],
        ['put'],
      ]);
      const failure = results[0]?.[1]?.result.value as OperationFailure;
      expect([String(failure.code), failure.message]).toEqual([own.status, own.message]);
      expect(failure.detail?.reason).toBe(ErrorReason.INVALID_ARGUMENT);
    },
  );

  test('fails alone where it is no operation at all, and in a batch whose parts are counted', async () => {
    const server = await startTestServer();
    const value = Buffer.alloc(600_000);
    const long = field(1, field(2, Buffer.concat([field(1, text('long')), field(2, value)])));
    const { status, messages } = await rawCall(server.url, 'Pipeline', [
      Buffer.concat([rawPut('a'), field(1, Buffer.of(0x0a, 9)), long, rawPut('b')]),
    ]);
    expect(status).toBe('0');
    const [response] = messages.map((bytes) => fromBinary(PipelineResponseSchema, bytes));
    expect(response?.results.map(told)).toEqual([
      'revision 1',
      [Code.InvalidArgument, expect.stringMatching(/is no kelp\.v1\.PipelineOperation: .*too early/)],
      'revision 2',
      'revision 3',
    ]);
  });

  test('has its parts counted, as its neighbours have', async () => {
    const server = await startTestServer();
    const keys = Buffer.alloc(2 * serverFixed.requestPartsMax, Buffer.of(0x0a, 0));
    const bad = field(1, field(1, field(1, Buffer.of(0xff))));
    const batches = [
      Buffer.concat([bad, field(1, field(6, keys))]),
      field(1, field(6, Buffer.concat([keys, Buffer.of(7)]))),
    ];
    for (const each of batches) {
      const { status, message } = await rawCall(server.url, 'Pipeline', [each]);
      expect([status, message]).toEqual(['8', expect.stringMatching(/more than 250000 parts/)]);
    }
  });

  test('is not looked at in a batch that is too long', async () => {
    const server = await startTestServer();
    const bad = field(1, field(1, field(1, Buffer.of(0xff))));
    const { status, message } = await rawCall(server.url, 'Pipeline', [
      Buffer.concat(Array.from({ length: fixed.pipelineOperationsMax + 1 }, () => bad)),
    ]);
    expect([status, message]).toEqual(['3', expect.stringMatching(/1 to 1000 operations, not 1001/)]);
  });

  test.each([
    ['that can not be read', Buffer.of(0x0a, 1, 0xff)],
    ['that say nothing', Buffer.of(0x0a, 0)],
  ])('is not looked for behind more than a batch may have, of operations %s', (_, operation) => {
    const { desc, codecs } = kvMethods.pipeline as BidiStreamMethod;
    const operations = Buffer.alloc(249_000 * operation.length, operation);
    const looks = [vi.spyOn(Cursor.prototype, 'tag'), vi.spyOn(Cursor.prototype, 'endOfLength')];
    onTestFinished(() => looks.forEach((look) => look.mockRestore()));

    expect(() => readRequest({ desc, codecs }, operations, 0, operations.length)).toThrow(
      /1 to 1000 operations, not 1001 or more/,
    );

    for (const look of looks) expect(look.mock.calls.length).toBe(fixed.pipelineOperationsMax + 1);
  });

  test('is not looked for behind more unknown fields than a request may have', () => {
    const { desc, codecs } = kvMethods.pipeline as BidiStreamMethod;
    const fields = Buffer.alloc(4 * serverFixed.requestPartsMax, Buffer.of(0x10, 1));
    const look = vi.spyOn(Cursor.prototype, 'tag');
    onTestFinished(() => look.mockRestore());

    expect(() => readRequest({ desc, codecs }, fields, 0, fields.length)).toThrow(/more than 250000 parts/);

    expect(look.mock.calls.length).toBe(serverFixed.requestPartsMax + 1);
  });

  test('ends the stream behind the replies before it when its end can not be told', async () => {
    const server = await startTestServer();
    const { status, message, messages } = await rawCall(server.url, 'Pipeline', [
      rawPut('a'),
      Buffer.concat([rawPut('b'), Buffer.of(0x0a, 100, 0x0a)]),
      rawPut('c'),
    ]);
    expect([status, message]).toEqual(['3', expect.stringMatching(/is no kelp\.v1\.PipelineRequest/)]);
    expect(messages).toHaveLength(1);
    const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));
    expect((await kv.exists({ keys: ['a', 'b', 'c'] })).exists).toEqual([true, false, false]);
  });
});

/** Calls a method of the service by gRPC with requests that no client would make. */
async function rawCall(
  url: string,
  method: string,
  requests: readonly Buffer[],
): Promise<{ status: string; message: string; messages: Buffer[] }> {
  const session = connectHttp2(url);
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': `/kelp.v1.KvService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const fields: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on('response', (head) => Object.assign(fields, head));
  stream.on('trailers', (trailers) => Object.assign(fields, trailers));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const request of requests) stream.write(encodeEnvelope(0, request));
  stream.end();
  await once(stream, 'close');
  const body = Buffer.concat(chunks);
  const messages: Buffer[] = [];
  for (let at = 0; at < body.length; at += 5 + body.readUInt32BE(at + 1)) {
    messages.push(body.subarray(at + 5, at + 5 + body.readUInt32BE(at + 1)));
  }
  const message = decodeURIComponent(String(fields['grpc-message'] ?? ''));
  return { status: String(fields['grpc-status']), message, messages };
}
