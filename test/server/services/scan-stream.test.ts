/** `KvService.ScanStream` over the protocols: what its chunks say, its errors, and what it holds while nobody reads it. */
import { allowed } from '../../support/open-access.ts';
import { type Client, Code, ConnectError, type Transport, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService, type ScanStreamResponse } from '../../../gen/kelp/v1/kv_pb.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import type { RangeStreamOptions } from '../../../src/kv/reads/range-stream.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { kvMethods } from '../../../src/server/services/kv/kv.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { startTestServer } from '../../support/test-server.ts';

const KiB = 1024;
const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  'Connect, HTTP/2': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' }),
  'Connect, JSON, HTTP/1.1': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
  'gRPC, HTTP/2': (baseUrl) => createGrpcTransport({ baseUrl }),
  'gRPC-Web, HTTP/1.1': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
};

type ScanStreamInit = Parameters<Client<typeof KvService>['scanStream']>[0];

async function chunksOf(
  kv: Client<typeof KvService>,
  request: ScanStreamInit,
): Promise<ScanStreamResponse[]> {
  const chunks: ScanStreamResponse[] = [];
  for await (const chunk of kv.scanStream(request)) chunks.push(chunk);
  return chunks;
}

const keysOf = (chunks: readonly ScanStreamResponse[]): string[] =>
  chunks.flatMap(({ entries }) => entries.map(({ key }) => key));

async function fill(kv: Client<typeof KvService>, count: number, value = Buffer.alloc(1)): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, index) => `k${String(index).padStart(5, '0')}`);
  await kv.txn({ success: keys.map((key) => ({ operation: { case: 'put', value: { key, value } } })) });
  return keys;
}

describe.each(Object.entries(transports))('ScanStream over %s', (_, makeTransport) => {
  test('has a whole range in chunks, as Scan has it', async () => {
    const server = await startTestServer();
    const kv = createClient(KvService, makeTransport(server.url));
    const keys = await fill(kv, 2500);
    const chunks = await chunksOf(kv, {});
    expect(chunks.map(({ entries }) => entries.length)).toEqual([1000, 1000, 500]);
    expect(keysOf(chunks)).toEqual(keys);
    const page = await kv.scan({ limit: 10_000 });
    expect(chunks.flatMap(({ entries }) => entries)).toEqual(page.entries);
    for (const { revision, incarnation } of chunks) {
      expect({ revision, incarnation }).toEqual({ revision: 1n, incarnation: page.incarnation });
    }
    const some = await chunksOf(kv, {
      range: { prefix: 'k0001' },
      reverse: true,
      keysOnly: true,
      limit: 5n,
      chunkLimit: 3,
    });
    expect(keysOf(some)).toEqual(['k00019', 'k00018', 'k00017', 'k00016', 'k00015']);
    expect(some.map(({ entries }) => entries.length)).toEqual([3, 2]);
    expect(some.flatMap(({ entries }) => entries.map(({ value }) => value.length))).toEqual([0, 0, 0, 0, 0]);
    const rest = await chunksOf(kv, {
      range: { prefix: 'k0001' },
      reverse: true,
      keysOnly: true,
      pageToken: some[1]?.nextPageToken ?? '',
    });
    expect(keysOf(rest)).toEqual(['k00014', 'k00013', 'k00012', 'k00011', 'k00010']);
    expect(await chunksOf(kv, { range: { prefix: 'none' } })).toMatchObject([
      { entries: [], nextPageToken: '', revision: 1n },
    ]);
  });

  test('ends with the error that tells what is wrong', async () => {
    const server = await startTestServer();
    const kv = createClient(KvService, makeTransport(server.url));
    const failed = async (request: ScanStreamInit): Promise<[Code, string, ErrorReason | undefined]> => {
      const error = ConnectError.from(await chunksOf(kv, request).catch((reason: unknown) => reason));
      return [error.code, error.rawMessage, error.findDetails(ErrorDetailSchema)[0]?.reason];
    };
    await kv.put({ key: 'a' });
    expect(await failed({ limit: -1n })).toEqual([
      Code.InvalidArgument,
      'limit is -1; it must not be negative',
      ErrorReason.INVALID_ARGUMENT,
    ]);
    expect(await failed({ chunkLimit: -1 })).toMatchObject([
      Code.InvalidArgument,
      expect.stringMatching(/chunk_limit is -1/),
      expect.any(Number),
    ]);
    expect(await failed({ revision: -1n })).toMatchObject([
      Code.InvalidArgument,
      expect.stringMatching(/revision is -1/),
      expect.any(Number),
    ]);
    expect(await failed({ pageToken: 'x' })).toMatchObject([
      Code.InvalidArgument,
      expect.stringMatching(/page_token/),
      expect.any(Number),
    ]);
    expect(await failed({ range: { all: true } })).toMatchObject([
      Code.InvalidArgument,
      expect.stringMatching(/range.all/),
      expect.any(Number),
    ]);
    expect(await failed({ revision: 9n })).toMatchObject([
      Code.OutOfRange,
      expect.stringMatching(/has not been reached/),
      ErrorReason.REVISION_FUTURE,
    ]);
  });
});

test('streams that are not read leave the memory of calls to others, and are whole when they are read', async () => {
  const flags = {
    'call-bytes-max': '3MiB',
    'reply-bytes-max': '1MiB',
    'request-bytes-max': '1MiB',
    'value-bytes-max': '64KiB',
    'txn-bytes-max': '128KiB',
  };
  const server = await startTestServer({ flags });
  const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));
  const value = Buffer.alloc(4 * KiB);
  const keys: string[] = [];
  for (let index = 0; index < 2000; index++) keys.push(`k${String(index).padStart(5, '0')}`);
  for (let at = 0; at < keys.length; at += 100) {
    await Promise.all(keys.slice(at, at + 100).map((key) => kv.put({ key, value })));
  }
  const grpcJs = new GrpcJsClient(server.address);
  const streams = Array.from({ length: 5 }, () => grpcJs.serverStream(KvService.method.scanStream, {}));
  const readers = streams.map((stream) => stream[Symbol.asyncIterator]());
  for (const reader of readers) expect((await reader.next()).done).toBe(false);
  // 40 MB are asked for and not read.
  for (let round = 0; round < 20; round++) {
    const { entries } = await kv.scan({ limit: 100 });
    expect(entries).toHaveLength(100);
  }
  for (const reader of readers.slice(0, 4)) await reader.return?.();
  let count = 0;
  for (let next = await readers[4]?.next(); next?.done === false; next = await readers[4]?.next()) {
    count += (next.value as ScanStreamResponse).entries.length;
  }
  expect(count).toBeGreaterThan(keys.length / 2);
});

test('a stream holds what a reply may, and no more', async () => {
  const table = new CallTable({ callsMax: 1, callBytesMax: 1_000_000, replyBytesMax: 100_000 });
  const call = allowed(table.open({ cut: () => undefined }, true));
  const given: Pick<RangeStreamOptions, 'chunkBytesMax' | 'admit'>[] = [];
  const store = {
    scanStream: (_: unknown, options: (typeof given)[number]) => {
      given.push(options);
      return (async function* () {})();
    },
  } as Partial<KvStore> as KvStore;
  const method = kvMethods.scanStream;
  if (method.kind !== 'serverStream') throw new Error('it is no stream');
  method.run(store, method.codecs.read(Buffer.alloc(0), 0, 0), call, call.signal);
  const [{ chunkBytesMax, admit } = { chunkBytesMax: 0, admit: () => false }] = given;
  expect(chunkBytesMax).toBe(100_000);
  await admit(chunkBytesMax);
  expect(call.heldBytes).toBe(100_000);
  await admit(1000);
  expect(call.heldBytes).toBe(1000);
  expect(() => admit(100_001)).toThrow(/more than 100000 bytes \(reply-bytes-max\)/);
});

test('streams end as the server stops, and say that it does', async () => {
  const server = await startTestServer();
  const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));
  await fill(kv, 10_000, Buffer.alloc(1 * KiB));
  const stream = kv.scanStream({ chunkLimit: 10 })[Symbol.asyncIterator]();
  await stream.next();
  const stopped = server.stop();
  const error = await (async () => {
    for (;;) if ((await stream.next()).done === true) return undefined;
  })().catch((reason: unknown) => ConnectError.from(reason));
  expect(error?.code).toBe(Code.Unavailable);
  expect(error?.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.SHUTTING_DOWN);
  await stopped;
});
