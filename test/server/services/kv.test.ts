import { type Client, Code, ConnectError, type Transport, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService, type OperationSchema, Relation } from '../../../gen/kelp/v1/kv_pb.ts';
import { fixed } from '../../../src/limits.ts';
import { GrpcJsClient, detailOf } from '../../support/grpc-js-client.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  'Connect, binary, HTTP/2': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: true }),
  'Connect, JSON, HTTP/2': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false }),
  'Connect, binary, HTTP/1.1': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: true }),
  'Connect, JSON, HTTP/1.1': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
  'gRPC, HTTP/2': (baseUrl) => createGrpcTransport({ baseUrl }),
  'gRPC-Web, HTTP/1.1': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
  'gRPC-Web, HTTP/2': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '2' }),
};

const utf8 = new TextEncoder();

async function kvClient(
  makeTransport: (baseUrl: string) => Transport = (baseUrl) => createGrpcTransport({ baseUrl }),
): Promise<Client<typeof KvService>> {
  const server = await startTestServer();
  return createClient(KvService, makeTransport(server.url));
}

/** Puts of keys that begin with k. */
function putsOf(count: number): MessageInitShape<typeof OperationSchema>[] {
  return Array.from({ length: count }, (_, index) => ({
    operation: { case: 'put', value: { key: `k${index}` } },
  }));
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

describe.each(Object.entries(transports))('KvService over %s', (_, makeTransport) => {
  test('writes, reads, scans and deletes', async () => {
    const kv = await kvClient(makeTransport);

    expect((await kv.put({ key: 'boat/1', value: utf8.encode('dory') })).revision).toBe(1n);
    expect((await kv.put({ key: 'boat/2', value: utf8.encode('skiff') })).revision).toBe(2n);
    const { entry, revision } = await kv.get({ key: 'boat/1' });
    expect(entry).toMatchObject({
      key: 'boat/1',
      createRevision: 1n,
      modRevision: 1n,
      version: 1n,
      leaseId: 0n,
    });
    expect(Buffer.from(entry?.value ?? []).toString()).toBe('dory');
    expect(entry?.expireTime).toBeUndefined();
    expect(revision).toBe(2n);

    const page = await kv.scan({ range: { prefix: 'boat/' }, limit: 1 });
    expect(page.entries.map((each) => each.key)).toEqual(['boat/1']);
    const next = await kv.scan({ range: { prefix: 'boat/' }, limit: 1, pageToken: page.nextPageToken });
    expect(next.entries.map((each) => each.key)).toEqual(['boat/2']);

    const deletion = await kv.delete({ key: 'boat/1', returnPrevious: true });
    expect(deletion).toMatchObject({ deleted: true, revision: 3n });
    expect(deletion.previous?.modRevision).toBe(1n);
    expect((await kv.get({ key: 'boat/1' })).entry).toBeUndefined();
  });

  test('carries values of megabytes both ways', async () => {
    const kv = await kvClient(makeTransport);
    const value = Buffer.alloc(5_000_000, 'kelp forest ');

    await kv.put({ key: 'big', value });

    const { entry } = await kv.get({ key: 'big' });
    expect(value.equals(entry?.value ?? new Uint8Array())).toBe(true);
  });

  test('tells why a condition failed in a typed detail', async () => {
    const kv = await kvClient(makeTransport);
    await kv.put({ key: 'a', value: utf8.encode('1') });

    const call = kv.put({
      key: 'a',
      value: utf8.encode('2'),
      condition: { condition: { case: 'mustNotExist', value: true } },
    });

    const error = await failureOf(call);
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
      {
        reason: ErrorReason.CONDITION_FAILED,
        info: { case: 'conditionFailed', value: { currentModRevision: 1n } },
      },
    ]);
  });
});

test('serves the same through grpc-js', async () => {
  const server = await startTestServer();
  const client = new GrpcJsClient(server.address);

  await client.unary(KvService.method.put, { key: 'k', value: utf8.encode('v') });
  const reply = await client.unary(KvService.method.get, { key: 'k' });
  expect(reply.entry).toMatchObject({ key: 'k', modRevision: 1n });

  const error = await client
    .unary(KvService.method.get, { key: 'k', revision: 7n })
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: status.OUT_OF_RANGE });
  expect(detailOf(error)).toMatchObject({
    reason: ErrorReason.REVISION_FUTURE,
    info: { case: 'revisionOutOfRange', value: { requestedRevision: 7n, newestRevision: 1n } },
  });
});

test('serves plain JSON to fetch', async () => {
  const server = await startTestServer();
  const call = async (method: string, body: object): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${server.url}/kelp.v1.KvService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };

  expect(await call('Put', { key: 'a', value: 'aGk=' })).toEqual({ status: 200, body: { revision: '1' } });
  expect(await call('Get', { key: 'a' })).toMatchObject({
    status: 200,
    body: { entry: { key: 'a', value: 'aGk=', modRevision: '1' } },
  });
  expect(await call('Touch', { key: 'none', ttl: '5s' })).toMatchObject({
    status: 404,
    body: { code: 'not_found', details: [{ type: 'kelp.v1.ErrorDetail' }] },
  });
});

describe('fields of KvService', () => {
  test('times to live go in as durations, rounded up, and come out as instants', async () => {
    const kv = await kvClient();
    const beforeMs = Date.now();

    await kv.put({ key: 'a', ttl: { seconds: 100n, nanos: 1 } });

    const { entry } = await kv.get({ key: 'a' });
    const expireMs = entry?.expireTime === undefined ? 0 : timestampMs(entry.expireTime);
    expect(expireMs).toBeGreaterThanOrEqual(beforeMs + 100_001);
    expect(expireMs).toBeLessThanOrEqual(Date.now() + 100_001);
  });

  test('touch with zero lets a key live, without a time starts its own anew', async () => {
    const kv = await kvClient();
    await kv.put({ key: 'a', ttl: durationFromMs(60_000) });

    expect((await kv.touch({ key: 'a' })).entry?.expireTime).toBeDefined();
    expect((await kv.touch({ key: 'a', ttl: durationFromMs(0) })).entry?.expireTime).toBeUndefined();
    const error = await failureOf(kv.touch({ key: 'a' }));
    expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.NO_TIME_TO_LIVE);
  });

  test('get with refresh_ttl moves the deadline and takes a revision', async () => {
    const kv = await kvClient();
    await kv.put({ key: 'a', ttl: durationFromMs(60_000) });

    expect((await kv.get({ key: 'a', refreshTtl: true })).revision).toBe(2n);
  });

  test('an increment goes to the ends of 64 bits and no further', async () => {
    const kv = await kvClient();
    const max = 2n ** 63n - 1n;

    expect((await kv.increment({ key: 'n', delta: max })).value).toBe(max);
    expect(Buffer.from((await kv.get({ key: 'n' })).entry?.value ?? []).toString()).toBe(max.toString());
    const overflow = await failureOf(kv.increment({ key: 'n', delta: 1n }));
    expect(overflow.code).toBe(Code.FailedPrecondition);
    expect(overflow.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.INTEGER_OVERFLOW);
    await kv.put({ key: 'text', value: utf8.encode('no number') });
    const text = await failureOf(kv.increment({ key: 'text', delta: 1n }));
    expect(text.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.NOT_AN_INTEGER);
  });

  test('exists, keys, counts and deletes of ranges', async () => {
    const kv = await kvClient();
    for (const key of ['a/1', 'a/2', 'b/1']) await kv.put({ key });

    expect((await kv.exists({ keys: ['a/2', 'none', 'a/2'] })).exists).toEqual([true, false, true]);
    expect((await kv.keys({ pattern: '*/1' })).keys).toEqual(['a/1', 'b/1']);
    expect(await kv.scan({ range: { prefix: 'a/' }, countOnly: true })).toMatchObject({
      count: 2n,
      entries: [],
    });
    expect((await kv.scan({ reverse: true, keysOnly: true })).entries.map((entry) => entry.key)).toEqual([
      'b/1',
      'a/2',
      'a/1',
    ]);
    expect(await kv.deleteRange({ range: { prefix: 'a/' } })).toMatchObject({
      deletedCount: 2n,
      revision: 4n,
    });
    expect(await kv.deleteRange({ range: { all: true } })).toMatchObject({ deletedCount: 1n });
  });

  test('a range is deleted in parts, in several revisions', async () => {
    const kv = await kvClient();
    const count = 2 * fixed.deletePartKeysMax + 1;
    await kv.txn({ success: putsOf(count) });
    await kv.put({ key: 'l' });

    expect(await kv.deleteRange({ range: { prefix: 'k' }, inParts: true })).toMatchObject({
      firstRevision: 3n,
      revision: 5n,
      deletedCount: BigInt(count),
    });
    expect((await kv.deleteRange({ range: { all: true } })).firstRevision).toBe(6n);
  });

  test('a transaction may write a key several times: the last write counts, as one', async () => {
    const kv = await kvClient();
    const put = (value: string): MessageInitShape<typeof OperationSchema> => ({
      operation: { case: 'put', value: { key: 'a', value: utf8.encode(value) } },
    });
    const { results } = await kv.txn({
      success: [
        put('1'),
        { operation: { case: 'get', value: { key: 'a' } } },
        { operation: { case: 'delete', value: { key: 'a' } } },
        { operation: { case: 'increment', value: { key: 'a', delta: 5n } } },
        put('last'),
      ],
    });

    expect(results[1]?.result.value).toMatchObject({ entry: { value: utf8.encode('1') } });
    expect(results[2]?.result.value).toMatchObject({ deleted: true });
    expect(results[3]?.result.value).toMatchObject({ value: 5n });
    const { entry, revision } = await kv.get({ key: 'a' });
    expect(revision).toBe(1n);
    expect(entry).toMatchObject({ value: utf8.encode('last'), createRevision: 1n, version: 2n });
  });

  test('a transaction compares and does all kinds of operation in one revision', async () => {
    const kv = await kvClient();
    await kv.put({ key: 'a', value: utf8.encode('old') });
    await kv.put({ key: 'r/1' });

    const reply = await kv.txn({
      compares: [
        { subject: { case: 'key', value: 'a' }, operand: { case: 'value', value: utf8.encode('old') } },
        {
          subject: { case: 'key', value: 'a' },
          relation: Relation.LESS,
          operand: { case: 'modRevision', value: 2n },
        },
        {
          subject: { case: 'range', value: { prefix: 'r/' } },
          relation: Relation.EQUAL,
          operand: { case: 'exists', value: true },
        },
        {
          subject: { case: 'key', value: 'a' },
          relation: Relation.NOT_EQUAL,
          operand: { case: 'leaseId', value: 5n },
        },
        {
          subject: { case: 'key', value: 'a' },
          relation: Relation.GREATER,
          operand: { case: 'version', value: 0n },
        },
        { subject: { case: 'key', value: 'a' }, operand: { case: 'createRevision', value: 1n } },
      ],
      success: [
        { operation: { case: 'put', value: { key: 'a', value: utf8.encode('new'), returnPrevious: true } } },
        { operation: { case: 'get', value: { key: 'a' } } },
        { operation: { case: 'deleteRange', value: { range: { prefix: 'r/' } } } },
        { operation: { case: 'increment', value: { key: 'n', delta: -3n } } },
        { operation: { case: 'delete', value: { key: 'none' } } },
      ],
      failure: [{ operation: { case: 'get', value: { key: 'a' } } }],
    });

    expect(reply).toMatchObject({
      succeeded: true,
      revision: 3n,
      results: [
        { result: { case: 'put', value: { previous: { modRevision: 1n } } } },
        { result: { case: 'get', value: { entry: { modRevision: 3n, version: 2n } } } },
        { result: { case: 'deleteRange', value: { deletedCount: 1n } } },
        { result: { case: 'increment', value: { value: -3n } } },
        { result: { case: 'delete', value: { deleted: false } } },
      ],
    });
    const failed = await kv.txn({
      compares: [{ subject: { case: 'key', value: 'a' }, operand: { case: 'exists', value: false } }],
      failure: [{ operation: { case: 'get', value: { key: 'a' } } }],
    });
    expect(failed).toMatchObject({ succeeded: false, results: [{ result: { case: 'get' } }] });
  });

  test('conditions of all kinds reach the store', async () => {
    const kv = await kvClient();

    await kv.put({ key: 'a', condition: { condition: { case: 'mustNotExist', value: true } } });
    await kv.put({ key: 'a', condition: { condition: { case: 'mustExist', value: true } } });
    await kv.put({ key: 'a', condition: { condition: { case: 'modRevisionEquals', value: 2n } } });
    await failureOf(
      kv.delete({ key: 'a', condition: { condition: { case: 'modRevisionEquals', value: 2n } } }),
    );
    expect(
      (await kv.delete({ key: 'a', condition: { condition: { case: 'mustExist', value: true } } })).revision,
    ).toBe(4n);
  });
});

describe('what KvService refuses', () => {
  const refused: Readonly<
    Record<string, readonly [(kv: Client<typeof KvService>) => Promise<unknown>, RegExp]>
  > = {
    'an empty key': [(kv) => kv.get({ key: '' }), /key/],
    'a key that is too long': [(kv) => kv.put({ key: 'k'.repeat(4097) }), /key/],
    'a negative revision': [(kv) => kv.get({ key: 'a', revision: -1n }), /^revision is -1/],
    'a revision beyond what is exact': [
      (kv) => kv.scan({ revision: 2n ** 53n }),
      /^revision is 9007199254740992/,
    ],
    'a negative lease': [(kv) => kv.put({ key: 'a', leaseId: -5n }), /^lease_id is -5/],
    'a negative limit': [(kv) => kv.scan({ limit: -1 }), /limit/],
    'a negative limit of keys': [(kv) => kv.keys({ pattern: '*', limit: -1 }), /limit/],
    'contradictory ranges': [(kv) => kv.scan({ range: { prefix: 'a', key: 'b' } }), /./],
    'an end before the start': [(kv) => kv.scan({ range: { start: 'b', end: 'a' } }), /end/],
    'a count with a limit': [(kv) => kv.scan({ countOnly: true, limit: 5 }), /count_only/],
    'a count with a page token': [(kv) => kv.scan({ countOnly: true, pageToken: 'x' }), /count_only/],
    'a page token that is none': [(kv) => kv.scan({ pageToken: '!' }), /token/],
    'a delete of no range': [(kv) => kv.deleteRange({}), /^range is missing; to delete all keys give/],
    'a delete of an empty range': [
      (kv) => kv.deleteRange({ range: {} }),
      /^range is empty; to delete all keys give \{ all: true \}/,
    ],
    'a delete of an empty prefix': [(kv) => kv.deleteRange({ range: { prefix: '' } }), /^range is empty/],
    'a delete of all keys and some': [
      (kv) => kv.deleteRange({ range: { all: true, prefix: 'a' } }),
      /^range has all and other fields/,
    ],
    'a delete of an empty range in a transaction': [
      (kv) => kv.txn({ success: [{ operation: { case: 'deleteRange', value: { range: {} } } }] }),
      /^success\[0\]\.delete_range\.range is empty; to delete all keys/,
    ],
    'a scan of all': [(kv) => kv.scan({ range: { all: true } }), /^range\.all is for deletes only/],
    'a count of all': [
      (kv) => kv.scan({ range: { all: true }, countOnly: true }),
      /^range\.all is for deletes only/,
    ],
    'a compare of all': [
      (kv) =>
        kv.txn({
          compares: [
            { subject: { case: 'range', value: { all: true } }, operand: { case: 'exists', value: true } },
          ],
        }),
      /^range\.all is for deletes only/,
    ],
    'a time to live of zero': [(kv) => kv.put({ key: 'a', ttl: durationFromMs(0) }), /^ttl is 0/],
    'a negative time to live': [(kv) => kv.put({ key: 'a', ttl: { seconds: -1n, nanos: 0 } }), /^ttl/],
    'negative nanoseconds': [(kv) => kv.put({ key: 'a', ttl: { seconds: 1n, nanos: -1 } }), /^ttl/],
    'too many nanoseconds': [
      (kv) => kv.put({ key: 'a', ttl: { seconds: 1n, nanos: 1_000_000_000 } }),
      /^ttl/,
    ],
    'a time to live of 200 years': [
      (kv) => kv.put({ key: 'a', ttl: { seconds: 6_307_200_000n, nanos: 0 } }),
      /100 years/,
    ],
    'a time to live of 100 years and a nanosecond': [
      (kv) => kv.put({ key: 'a', ttl: { seconds: 3_153_600_000n, nanos: 1 } }),
      /^ttl is 3153600000.001 s; it must be at most 100 years/,
    ],
    'a touch for that long': [
      (kv) => kv.touch({ key: 'a', ttl: { seconds: 3_153_600_000n, nanos: 1 } }),
      /100 years/,
    ],
    'a time to live that is no number any more': [
      (kv) => kv.increment({ key: 'a', ttl: { seconds: 2n ** 62n, nanos: 0 } }),
      /100 years/,
    ],
    'a condition set to false': [
      (kv) => kv.put({ key: 'a', condition: { condition: { case: 'mustExist', value: false } } }),
      /mustExist is false/,
    ],
    'a negative revision in a condition': [
      (kv) => kv.delete({ key: 'a', condition: { condition: { case: 'modRevisionEquals', value: -1n } } }),
      /mod_revision_equals/,
    ],
    'a read of history that refreshes': [(kv) => kv.get({ key: 'a', revision: 1n, refreshTtl: true }), /./],
    'no keys': [(kv) => kv.exists({}), /keys/],
    'an unfinished pattern': [(kv) => kv.keys({ pattern: '[a' }), /pattern/],
    'no pattern': [(kv) => kv.keys({}), /pattern/],
    'a compare of nothing': [(kv) => kv.txn({ compares: [{}] }), /^compares\[0\]/],
    'a compare with nothing': [
      (kv) => kv.txn({ compares: [{ subject: { case: 'key', value: 'a' } }] }),
      /^compares\[0\] has nothing/,
    ],
    'a relation that is not known': [
      (kv) =>
        kv.txn({
          compares: [
            {
              subject: { case: 'key', value: 'a' },
              relation: 77 as Relation,
              operand: { case: 'version', value: 1n },
            },
          ],
        }),
      /^compares\[0\]\.relation is 77/,
    ],
    'an empty operation': [(kv) => kv.txn({ success: [{}] }), /^success\[0\] is empty/],
    'a delete of no range in a transaction': [
      (kv) => kv.txn({ failure: [{ operation: { case: 'deleteRange', value: {} } }] }),
      /^failure\[0\]\.delete_range\.range is missing/,
    ],
  };

  test.each(Object.entries(refused))('%s', async (_, [call, message]) => {
    const kv = await kvClient();

    const error = await failureOf(call(kv));

    expect(Code[error.code]).toBe('InvalidArgument');
    expect(error.rawMessage).toMatch(message);
    expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.INVALID_ARGUMENT);
  });

  test('a value over the limit, by the name of the limit', async () => {
    const server: TestServer = await startTestServer({ flags: { 'value-bytes-max': '1KiB' } });
    const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));

    const error = await failureOf(kv.put({ key: 'a', value: new Uint8Array(1025) }));

    expect(Code[error.code]).toMatch(/InvalidArgument|ResourceExhausted/);
    expect(error.rawMessage).toMatch(/1024/);
    await kv.put({ key: 'a', value: new Uint8Array(1024) });
  });

  test('a misspelt field of JSON, which could be the condition of a write', async () => {
    const server = await startTestServer();
    const response = await fetch(`${server.url}/kelp.v1.KvService/Put`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"key":"a","value":"MQ==","conditon":{"mustExist":true}}',
    });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: expect.stringMatching(/conditon/) });
  });

  test('half a surrogate pair in a key, without breaking the reply', async () => {
    const server = await startTestServer();
    const response = await fetch(`${server.url}/kelp.v1.KvService/Get`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"key":"\\ud800"}',
    });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_argument' });
  });
});
