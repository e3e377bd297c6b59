/** A scan of the client: one stream, opened again where it broke. */
import { create, toBinary } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { KvService, type ScanStreamRequest, ScanStreamResponseSchema } from '../../gen/kelp/v1/kv_pb.ts';
import { createClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { startTestServer } from '../support/test-server.ts';
import { broken, clientOf, failureOf, kelpFailure, recovering } from './support/fake-server.ts';
import { begin, end, reset, startScripted } from './support/scripted-http2.ts';

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);

const chunkOf = (key: string, nextPageToken: string): Uint8Array =>
  toBinary(
    ScanStreamResponseSchema,
    create(ScanStreamResponseSchema, {
      entries: [{ key }],
      nextPageToken,
      revision: 2n,
      incarnation: 'life',
    }),
  );

/** What a stream does before a chunk: the chunks of all streams are counted from 0. */
type Trouble = (chunk: number, context: HandlerContext) => void | Promise<void>;

/** A server with these keys, which cuts its chunks by the limits of the request. */
function scanningClient(
  keys: readonly string[],
  trouble: Trouble = () => {},
  options: Partial<ClientOptions> = {},
) {
  const requests: ScanStreamRequest[] = [];
  let chunkCount = 0;
  const made = clientOf((router) => {
    router.service(KvService, {
      async *scanStream(request, context) {
        requests.push(request);
        const begin = Number(request.pageToken || '0');
        const end = request.limit === 0n ? keys.length : Math.min(keys.length, begin + Number(request.limit));
        for (let at = begin; ;) {
          await trouble(chunkCount++, context);
          const next = Math.min(end, at + (request.chunkLimit || 1000));
          yield create(ScanStreamResponseSchema, {
            entries: keys.slice(at, next).map((key) => ({ key })),
            nextPageToken: next < keys.length ? String(next) : '',
            revision: 2n,
            incarnation: 'life',
          });
          if (next === end) return;
          at = next;
        }
      },
    });
  }, options);
  return { ...made, requests };
}

test('a scan asks for the whole range at once, and gives it in pages with their revision', async () => {
  const { client, requests } = scanningClient(keysOf(7));
  const sizes: [number, number, string][] = [];
  const scan = client.scan({ prefix: 'k' }, { revision: 2, reverse: true, keysOnly: true, pageSize: 3 });
  for await (const { items, revision, incarnation } of scan.pages()) {
    sizes.push([items.length, revision, incarnation]);
  }
  expect(sizes).toEqual([
    [3, 2, 'life'],
    [3, 2, 'life'],
    [1, 2, 'life'],
  ]);
  expect(requests).toMatchObject([
    {
      range: { prefix: 'k' },
      revision: 2n,
      reverse: true,
      keysOnly: true,
      chunkLimit: 3,
      limit: 0n,
      pageToken: '',
    },
  ]);
  // Each loop begins anew.
  expect((await scan.toArray()).map(({ key }) => key)).toEqual(keysOf(7));
  expect(await client.scan({ prefix: 'k' }, { limit: 0 }).toArray()).toEqual([]);
  expect(requests).toHaveLength(2);
});

test('a scan goes on where its stream broke, wherever that is, and has each entry once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(30),
      fc.integer({ min: 1, max: 10 }),
      fc.option(fc.integer({ min: 1, max: 40 })),
      fc.array(fc.boolean(), { maxLength: 20 }),
      async (count, pageSize, limit, breaks) => {
        const keys = keysOf(count);
        const { client, requests } = scanningClient(keys, (chunk) => {
          if (breaks[chunk] === true) throw chunk % 2 === 0 ? broken() : recovering();
        });
        const options = limit === null ? { pageSize } : { pageSize, limit };
        const entries = await client.scan({}, options).toArray();
        expect(entries.map(({ key }) => key)).toEqual(keys.slice(0, limit ?? undefined));
        for (const request of requests) {
          const begin = Number(request.pageToken || '0');
          expect(Number(request.limit)).toBe(limit === null ? 0 : limit - begin);
        }
      },
    ),
  );
});

test('a scan that is tried in vain ends with what went wrong, and how often it was tried', async () => {
  const { client } = scanningClient(keysOf(9), (chunk) => {
    if (chunk > 0) throw broken();
  });
  const keys: string[] = [];
  const failure = await failureOf(
    (async () => {
      for await (const { key } of client.scan({}, { pageSize: 2 })) keys.push(key);
    })(),
  );
  expect(failure).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/tried \d+ times/) });
  expect(keys).toEqual(['k0', 'k1']);
});

describe('a stream that the server cuts because its memory for calls is short', () => {
  const cut = (): ConnectError => new ConnectError('it was reset', Code.ResourceExhausted);
  const full = (): ConnectError => kelpFailure(Code.ResourceExhausted, ErrorReason.LIMIT_REACHED);

  test('is opened again where it broke, after pauses, also when there is no memory at first', async () => {
    const troubles = new Map([
      [2, cut()],
      [3, full()],
      [4, full()],
      [6, cut()],
    ]);
    const { client, requests, pace } = scanningClient(keysOf(7), (chunk) => {
      const trouble = troubles.get(chunk);
      if (trouble !== undefined) throw trouble;
    });
    const entries = await client.scan({}, { pageSize: 2 }).toArray();
    expect(entries.map(({ key }) => key)).toEqual(keysOf(7));
    expect(requests.map(({ pageToken }) => pageToken)).toEqual(['', '4', '4', '4', '6']);
    expect(pace.waitsMs).toHaveLength(4);
  });

  test('fails in the end as one that finds no memory', async () => {
    const { client } = scanningClient(keysOf(7), (chunk) => {
      if (chunk === 1) throw cut();
      if (chunk > 1) throw full();
    });
    expect(await failureOf(client.scan({}, { pageSize: 2 }).toArray())).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/short of memory.*as the server says.*tried \d+ times/),
    });
  });

  test('is not opened again when nothing came from it', async () => {
    for (const failure of [cut(), full()]) {
      const { client, requests } = scanningClient(keysOf(7), () => {
        throw failure;
      });
      expect(await failureOf(client.scan().toArray())).toMatchObject({ code: 'limitReached' });
      expect(requests).toHaveLength(1);
    }
  });

  test('is opened again over HTTP/2, where it is reset', async () => {
    let count = 0;
    const server = await startScripted({
      onRequest: (connection, streamId) => {
        const isFirst = count++ === 0;
        begin(connection, streamId, chunkOf(isFirst ? 'a' : 'b', isFirst ? 'more' : ''));
        // ENHANCE_YOUR_CALM, as the reader has the first chunk.
        if (isFirst) reset(connection, streamId, 0xb);
        else end(connection, streamId);
      },
    });
    const client = createClient({ address: `127.0.0.1:${server.port}` });
    onTestFinished(() => client.close());
    expect((await client.scan().toArray()).map(({ key }) => key)).toEqual(['a', 'b']);
  });
});

test('a state that is no longer kept ends a scan at once', async () => {
  const { client, requests } = scanningClient(keysOf(9), (chunk) => {
    if (chunk < 2) return;
    const value = { requestedRevision: 2n, oldestRevision: 3n, newestRevision: 4n };
    throw kelpFailure(Code.OutOfRange, ErrorReason.REVISION_COMPACTED, { case: 'revisionOutOfRange', value });
  });
  expect(await failureOf(client.scan({}, { pageSize: 2 }).toArray())).toMatchObject({
    code: 'revisionCompacted',
    details: { requestedRevision: 2, oldestRevision: 3, newestRevision: 4 },
  });
  expect(requests).toHaveLength(1);
});

test('a scan whose next chunk does not come in time fails', async () => {
  const { client, requests } = scanningClient(
    keysOf(4),
    (chunk, { signal }) =>
      chunk === 0 ? undefined : new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    { deadlineMs: 60 },
  );
  const failure = await failureOf(client.scan({}, { pageSize: 2 }).toArray());
  expect(failure).toMatchObject({ code: 'deadlineExceeded' });
  expect(requests).toHaveLength(1);
});

test('a scan is over with its last chunk, also when the end of the stream does not come', async () => {
  const server = await startScripted({
    onRequest: (connection, streamId) => begin(connection, streamId, chunkOf('a', '')),
  });
  const client = createClient({ address: `127.0.0.1:${server.port}`, deadlineMs: 600_000 });
  onTestFinished(() => client.close());
  expect(await client.scan().toArray()).toMatchObject([{ key: 'a' }]);
});

test('leaving the loop, and aborting the signal, end the stream at the server', async () => {
  for (const ending of ['break', 'abort']) {
    const ended = Promise.withResolvers<void>();
    const { client } = scanningClient(keysOf(10), (_, { signal }) => {
      signal.addEventListener('abort', () => ended.resolve());
    });
    const controller = new AbortController();
    const reading = (async () => {
      for await (const { key } of client.scan({}, { pageSize: 1, signal: controller.signal })) {
        if (key === 'k2' && ending === 'break') break;
        if (key === 'k2') controller.abort();
      }
    })();
    if (ending === 'break') await reading;
    else expect(await failureOf(reading)).toMatchObject({ code: 'canceled' });
    await ended.promise;
  }
});

test('a stream that ends before the range does is no whole answer', async () => {
  const { client } = clientOf((router) => {
    router.service(KvService, {
      async *scanStream() {
        yield create(ScanStreamResponseSchema, { entries: [{ key: 'a' }], nextPageToken: 'more' });
      },
    });
  });
  expect(await failureOf(client.scan().toArray())).toMatchObject({
    code: 'internal',
    message: expect.stringContaining('the rest of the range'),
  });
});

test('a range that is longer than all windows comes whole, however slowly it is read', async () => {
  const server = await startTestServer();
  await using client = createClient({ address: server.address });
  const value = Buffer.alloc(100_000, 7);
  const keys = keysOf(60);
  await client.txn({ success: keys.map((key) => ({ kind: 'put', key, value })) });
  const read: string[] = [];
  for await (const { items } of client.scan().pages()) {
    for (const { key, value: got } of items) {
      expect(value.equals(got)).toBe(true);
      read.push(key);
    }
    await new Promise(setImmediate);
  }
  expect(read).toEqual(keys.toSorted());
  // Nothing is left of it.
  expect(await client.scan({ key: 'none' }).toArray()).toEqual([]);
});
