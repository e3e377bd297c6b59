import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import type {
  GetRequest,
  IncrementRequest,
  PutRequest,
  TouchRequest,
  TxnRequest,
} from '../../gen/kelp/v1/kv_pb.ts';
import { KvService, Relation } from '../../gen/kelp/v1/kv_pb.ts';
import { EntrySchema } from '../../gen/kelp/v1/types_pb.ts';
import type { KelpClient } from '../../src/client/client.ts';
import type * as api from '../../src/api.ts';
import type * as clientTypes from '../../src/client/messages/types.ts';
import { clientOf, failureOf, recovering } from './support/fake-server.ts';

const entryMessage = create(EntrySchema, {
  key: 'a',
  value: new Uint8Array([0x68, 0xc3, 0xa9]),
  createRevision: 3n,
  modRevision: 4n,
  version: 2n,
  leaseId: 9n,
  expireTime: timestampFromMs(1_700_000_000_123),
});

const entry = {
  key: 'a',
  value: entryMessage.value,
  createRevision: 3,
  modRevision: 4,
  version: 2,
  leaseId: 9,
  expireTimeMs: 1_700_000_000_123,
};

function kvClient(service: Partial<ServiceImpl<typeof KvService>>): KelpClient {
  return clientOf((router) => void router.service(KvService, service)).client;
}

describe('entries', () => {
  test('come as plain data, with their value as text', async () => {
    const client = kvClient({ get: () => ({ entry: entryMessage, revision: 7n }) });
    const result = await client.get('a');
    expect(result).toMatchObject({ entry, revision: 7 });
    expect(result.entry?.text()).toBe('hé');
  });

  test('that are absent are undefined', async () => {
    const client = kvClient({ get: () => ({ revision: 7n }) });
    expect(await client.get('a')).toEqual({ entry: undefined, revision: 7 });
  });

  test('whose value is no UTF-8 are not passed off as text', async () => {
    const value = new Uint8Array([0xff, 0x00]);
    const client = kvClient({ get: () => ({ entry: { key: 'a', value } }) });
    const result = await client.get('a');
    expect(() => result.entry?.text()).toThrow(TypeError);
    expect(result.entry?.value).toEqual(value);
  });

  test('whose value is JSON are read as such', async () => {
    const client = kvClient({ get: () => ({ entry: { key: 'a', value: Buffer.from('{"x":[1]}') } }) });
    expect((await client.get('a')).entry?.json()).toEqual({ x: [1] });
  });

  test('with numbers that JavaScript can not hold are refused', async () => {
    const client = kvClient({ get: () => ({ revision: 2n ** 53n }) });
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'internal' });
  });
});

describe('requests', () => {
  test('of a get', async () => {
    const requests: GetRequest[] = [];
    const client = kvClient({ get: (request) => (requests.push(request), {}) });
    await client.get('a', { revision: 3 });
    await client.get('b', { refreshTtl: true });
    expect(requests).toMatchObject([
      { key: 'a', revision: 3n, refreshTtl: false },
      { key: 'b', revision: 0n, refreshTtl: true },
    ]);
  });

  test('of a put', async () => {
    const requests: PutRequest[] = [];
    const client = kvClient({
      put: (request) => (requests.push(request), { revision: 8n, previous: entryMessage }),
    });
    expect(await client.put('a', 'hé')).toMatchObject({ revision: 8, previous: entry });
    await client.put('b', new Uint8Array([1, 2]), {
      ttlMs: 1500.2,
      leaseId: 5,
      condition: { kind: 'mustNotExist' },
      returnPrevious: true,
    });
    await client.put('c', '', { condition: { kind: 'mustExist' } });
    await client.put('d', '', { condition: { kind: 'modRevisionEquals', modRevision: 0 } });
    expect(requests).toMatchObject([
      { key: 'a', value: new Uint8Array([0x68, 0xc3, 0xa9]), leaseId: 0n, returnPrevious: false },
      {
        key: 'b',
        value: new Uint8Array([1, 2]),
        ttl: { seconds: 1n, nanos: 501_000_000 },
        leaseId: 5n,
        condition: { condition: { case: 'mustNotExist', value: true } },
        returnPrevious: true,
      },
      { condition: { condition: { case: 'mustExist', value: true } } },
      { condition: { condition: { case: 'modRevisionEquals', value: 0n } } },
    ]);
    expect(requests[0]?.ttl).toBeUndefined();
    expect(requests[0]?.condition).toBeUndefined();
  });

  test('of a put and of a transaction hold the bytes as they were at the call, also when they are sent again', async () => {
    const sent: unknown[] = [];
    let refusals = 3;
    const refuseFirst = (): void => {
      if (refusals-- > 0) throw recovering();
    };
    const client = kvClient({
      put: ({ value }) => (refuseFirst(), sent.push(...value), {}),
      txn({ compares, success }) {
        refuseFirst();
        for (const { operand } of compares) if (operand.case === 'value') sent.push(...operand.value);
        for (const { operation } of success)
          if (operation.case === 'put') sent.push(...operation.value.value);
        return { succeeded: true, results: [{ result: { case: 'put', value: {} } }] };
      },
    });
    const value = new Uint8Array([1]);
    const compare = {
      subject: { key: 'a' },
      relation: 'equal',
      operand: { kind: 'value', value },
    } as const;
    const calls = [
      client.put('a', value),
      client.put('a', value.buffer),
      client.txn({ compares: [compare], success: [{ kind: 'put', key: 'a', value }] }),
    ];
    value.fill(2);
    await Promise.all(calls);
    expect(sent).toEqual([1, 1, 1, 1]);
  });

  test('of a touch tell no time to live from one of 0', async () => {
    const requests: TouchRequest[] = [];
    const client = kvClient({
      touch: (request) => (requests.push(request), { entry: entryMessage, revision: 9n }),
    });
    expect(await client.touch('a')).toMatchObject({ revision: 9, entry });
    await client.touch('a', { ttlMs: 0 });
    expect(requests[0]?.ttl).toBeUndefined();
    expect(requests[1]?.ttl).toMatchObject({ seconds: 0n, nanos: 0 });
  });

  test('of an increment hold 64 bits', async () => {
    const requests: IncrementRequest[] = [];
    const value = 2n ** 63n - 1n;
    const client = kvClient({ increment: (request) => (requests.push(request), { value, revision: 2n }) });
    expect(await client.increment('a')).toEqual({ value, revision: 2 });
    await client.increment('a', -3);
    await client.increment('a', -(2n ** 63n));
    expect(requests.map(({ delta }) => delta)).toEqual([1n, -3n, -(2n ** 63n)]);
    expect(await failureOf(client.increment('a', 2n ** 63n))).toMatchObject({ code: 'invalidArgument' });
    expect(await failureOf(client.increment('a', 0.5))).toMatchObject({ code: 'invalidArgument' });
  });

  test('of a transaction hold every kind of compare and operation', async () => {
    const requests: TxnRequest[] = [];
    const client = kvClient({
      txn: (request) => {
        requests.push(request);
        return {
          succeeded: true,
          revision: 11n,
          results: [
            { result: { case: 'get', value: { entry: entryMessage } } },
            { result: { case: 'get', value: {} } },
            { result: { case: 'put', value: {} } },
            { result: { case: 'delete', value: { deleted: true, previous: entryMessage } } },
            { result: { case: 'deleteRange', value: { deletedCount: 3n } } },
            { result: { case: 'increment', value: { value: -1n } } },
          ],
        };
      },
    });
    const result = await client.txn({
      compares: [
        { subject: { key: 'a' }, relation: 'equal', operand: { kind: 'exists', value: true } },
        {
          subject: { range: { prefix: 'p/' } },
          relation: 'notEqual',
          operand: { kind: 'value', value: 'v' },
        },
        { subject: { key: 'a' }, relation: 'less', operand: { kind: 'modRevision', value: 7 } },
        { subject: { key: 'a' }, relation: 'greater', operand: { kind: 'version', value: 1 } },
      ],
      success: [
        { kind: 'get', key: 'a' },
        { kind: 'put', key: 'b', value: 'x', ttlMs: 1000, leaseId: 4, returnPrevious: true },
        { kind: 'delete', key: 'c', returnPrevious: true },
        { kind: 'deleteRange', range: { start: 'd', end: 'e' } },
        { kind: 'increment', key: 'f', delta: -2n },
      ],
      failure: [{ kind: 'get', key: 'z' }],
    });
    expect(requests[0]).toMatchObject({
      compares: [
        {
          subject: { case: 'key', value: 'a' },
          relation: Relation.EQUAL,
          operand: { case: 'exists', value: true },
        },
        {
          subject: { case: 'range', value: { prefix: 'p/', start: '', end: '', key: '' } },
          relation: Relation.NOT_EQUAL,
          operand: { case: 'value', value: new Uint8Array([0x76]) },
        },
        { relation: Relation.LESS, operand: { case: 'modRevision', value: 7n } },
        { relation: Relation.GREATER, operand: { case: 'version', value: 1n } },
      ],
      success: [
        { operation: { case: 'get', value: { key: 'a' } } },
        {
          operation: {
            case: 'put',
            value: { key: 'b', ttl: { seconds: 1n }, leaseId: 4n, returnPrevious: true },
          },
        },
        { operation: { case: 'delete', value: { key: 'c', returnPrevious: true } } },
        { operation: { case: 'deleteRange', value: { range: { start: 'd', end: 'e' } } } },
        { operation: { case: 'increment', value: { key: 'f', delta: -2n } } },
      ],
      failure: [{ operation: { case: 'get', value: { key: 'z' } } }],
    });
    expect(result).toMatchObject({
      succeeded: true,
      revision: 11,
      results: [
        { kind: 'get', entry },
        { kind: 'get', entry: undefined },
        { kind: 'put', previous: undefined },
        { kind: 'delete', deleted: true, previous: entry },
        { kind: 'deleteRange', deletedCount: 3 },
        { kind: 'increment', value: -1n },
      ],
    });
  });

  test.each<[string, (client: KelpClient) => Promise<unknown>]>([
    ['a negative revision', (client) => client.get('a', { revision: -1 })],
    ['half a revision', (client) => client.get('a', { revision: 0.5 })],
    ['a revision beyond 2^53', (client) => client.get('a', { revision: 2 ** 53 })],
    ['a negative time to live', (client) => client.put('a', '', { ttlMs: -1 })],
    ['a time to live that is no number', (client) => client.put('a', '', { ttlMs: Number.NaN })],
    ['half a surrogate pair as key', (client) => client.put('\ud800', '')],
    ['half a surrogate pair as value', (client) => client.put('a', '\udc00')],
    ['half a surrogate pair in a range', (client) => client.deleteRange({ prefix: '\ud800' })],
    ['a negative limit', (client) => client.admin.compact(-5)],
  ])('with %s are refused before they are sent', async (_, call) => {
    // A server that knows no call would answer `unimplemented`.
    expect(await failureOf(call(kvClient({})))).toMatchObject({
      code: 'invalidArgument',
      mayHaveTakenEffect: false,
    });
  });
});

test('exists answers for every key, or fails', async () => {
  const client = kvClient({
    exists: ({ keys }) => ({ exists: keys.slice(0, 2).map((key) => key === 'a'), revision: 3n }),
  });
  expect(await client.exists(['a', 'b'])).toEqual({ exists: [true, false], revision: 3 });
  expect(await failureOf(client.exists(['a', 'b', 'c']))).toMatchObject({ code: 'internal' });
});

test('count asks for the number only', async () => {
  const client = kvClient({
    scan: ({ countOnly, range, revision }) => ({
      count: countOnly && range?.prefix === 'p' ? 12n : 0n,
      revision,
    }),
  });
  expect(await client.count({ prefix: 'p' }, { revision: 5 })).toEqual({ count: 12, revision: 5 });
});

test('the status is plain data', async () => {
  const { client } = clientOf((router) => {
    router.service(AdminService, {
      status: () => ({
        version: '1.2.3',
        revision: 8n,
        uptime: { seconds: 2n, nanos: 5_000_000 },
        segmentCount: 3,
        engine: 'lsm',
        storage: { revision: 6n, diskBytes: 300n, runs: [{ name: '1.run', bytes: 300n, liveBytes: 100n }] },
      }),
      snapshot: () => ({ revision: 8n, bytes: 100n }),
      compact: ({ revision }) => ({ oldestRevision: revision }),
      compactStorage: () => ({ diskBytesBefore: 300n, diskBytes: 100n }),
    });
  });
  expect(await client.admin.status()).toMatchObject({
    version: '1.2.3',
    revision: 8,
    uptimeMs: 2005,
    segmentCount: 3,
    engine: 'lsm',
    storage: {
      revision: 6,
      sealedBytes: 0,
      diskBytes: 300,
      runs: [{ name: '1.run', bytes: 300, liveBytes: 100, recordCount: 0 }],
    },
  });
  expect(await client.admin.snapshot()).toEqual({ revision: 8, bytes: 100 });
  expect(await client.admin.compact(6)).toEqual({ oldestRevision: 6 });
  expect(await client.admin.compactStorage()).toEqual({ diskBytesBefore: 300, diskBytes: 100 });
});

test('a program of the store in process can hand to the client what it hands to the store, and takes what it takes', () => {
  expectTypeOf<Omit<api.GetOptions, 'admit'>>().toExtend<clientTypes.GetOptions>();
  expectTypeOf<Omit<api.PutOptions, 'admit'>>().toExtend<clientTypes.PutOptions>();
  expectTypeOf<Omit<api.TxnRequest, 'admit'>>().toExtend<clientTypes.TxnRequest>();
  expectTypeOf<Omit<api.WatchRequest, 'admit'>>().toExtend<clientTypes.WatchRequest>();
  expectTypeOf<clientTypes.GetResult>().toExtend<api.GetResult>();
  expectTypeOf<clientTypes.PutResult>().toExtend<api.PutResult>();
  expectTypeOf<clientTypes.DeleteResult>().toExtend<api.DeleteResult>();
  expectTypeOf<clientTypes.TxnResult>().toExtend<api.TxnResult>();
  expectTypeOf<clientTypes.Status>().toExtend<api.StoreStatus>();
  expectTypeOf<clientTypes.WatchEvent>().toExtend<api.WatchEvent>();
});
