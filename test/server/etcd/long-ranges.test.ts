/** Ranges that are more than one piece of work, and streams of them: against a real etcd, or against what Range itself answers. */
import { type MessageInitShape, create, mergeFromBinary, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import {
  RangeRequestSchema,
  type RangeResponse,
  RangeResponseSchema,
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
  TxnResponseSchema,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { startTestServer } from '../../support/test-server.ts';
import { type EtcdClient, comparable, etcdClient } from './support/etcd-client.ts';
import { hasRealEtcd } from './support/real-etcd.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';
import { SideBySide } from './support/side-by-side.ts';

const all = { key: Buffer.from('\0'), rangeEnd: Buffer.from('\0') };
const TXN_KEYS = 100;

type Range = MessageInitShape<typeof RangeRequestSchema>;

/** Puts so many keys, a hundred in a revision. */
function putsOf(first: number, valueBytes: number): object {
  return {
    success: Array.from({ length: TXN_KEYS }, (_, index) => ({
      request: {
        case: 'requestPut',
        value: { key: Buffer.from(`k${first + index}`), value: Buffer.alloc(valueBytes, first + index) },
      },
    })),
  };
}

async function putAll({ kv }: EtcdClient, count: number, valueBytes: number): Promise<void> {
  for (let first = 0; first < count; first += TXN_KEYS) await kv.txn(putsOf(first, valueBytes));
}

/** All messages of a stream, merged as Protobuf merges them, and how many there were. */
async function merged(
  client: EtcdClient,
  request: Range,
): Promise<{ readonly reply: RangeResponse; readonly count: number }> {
  const reply = create(RangeResponseSchema);
  let count = 0;
  for await (const { rangeResponse } of client.kv.rangeStream(request)) {
    expect(rangeResponse?.header === undefined).toBe(count > 0);
    count++;
    if (rangeResponse !== undefined)
      mergeFromBinary(RangeResponseSchema, reply, toBinary(RangeResponseSchema, rangeResponse));
  }
  return { reply, count };
}

async function failureOf(call: Promise<unknown>): Promise<{ code: Code; message: string }> {
  const { code, rawMessage } = ConnectError.from(
    await call.then(
      () => 'none',
      (reason: unknown) => reason,
    ),
  );
  return { code, message: rawMessage };
}

test.skipIf(!hasRealEtcd)('long ranges are as etcd answers them', async () => {
  const both = await SideBySide.start(KEPT_HISTORY_FLAGS);
  for (let first = 0; first < 3000; first += TXN_KEYS)
    await both.same('puts', TxnResponseSchema, ({ kv }) => kv.txn(putsOf(first, 10)));
  for (const request of [
    all,
    { ...all, limit: 700n },
    { ...all, limit: 2999n },
    { ...all, limit: 3000n },
    { ...all, countOnly: true },
    { ...all, keysOnly: true, sortOrder: SortOrder.DESCEND, limit: 1500n },
    { ...all, keysOnly: true, sortOrder: SortOrder.DESCEND },
    { ...all, sortTarget: SortTarget.VALUE, keysOnly: true, limit: 20n },
    { ...all, minModRevision: 10n, maxModRevision: 12n },
    { ...all, minModRevision: 10n, limit: 500n },
    { ...all, revision: 11n },
    { ...all, revision: 11n, limit: 3n },
    { ...all, revision: 11n, countOnly: true },
    { ...all, revision: 31n, limit: 3n },
    { key: Buffer.from('k2'), rangeEnd: Buffer.from('k3') },
  ] satisfies Range[])
    await both.same('a range', RangeResponseSchema, ({ kv }) => kv.range(request));
});

test('the first of a sorted range are found among many', async () => {
  const client = etcdClient((await startTestServer()).url);
  await putAll(client, 5000, 10);
  const sort = { ...all, sortTarget: SortTarget.MOD, sortOrder: SortOrder.DESCEND };
  const { kvs, more, count } = await client.kv.range({ ...sort, limit: 150n });
  const whole = await client.kv.range(sort);
  expect([kvs.length, more, count]).toEqual([150, true, 5000n]);
  expect(kvs).toEqual(whole.kvs.slice(0, 150));
});

describe('a stream of a range', () => {
  test('is, merged, what Range answers', async () => {
    const client = etcdClient((await startTestServer({ flags: KEPT_HISTORY_FLAGS })).url);
    await putAll(client, 2000, 1000);
    for (const request of [
      all,
      { ...all, limit: 7n },
      { ...all, limit: 1999n },
      { ...all, limit: 2000n },
      { ...all, keysOnly: true },
      { ...all, countOnly: true },
      { ...all, revision: 5n },
      { ...all, revision: 5n, limit: 10n },
      { ...all, sortTarget: SortTarget.MOD },
      { ...all, sortOrder: SortOrder.ASCEND },
      { key: Buffer.from('k7') },
      { key: Buffer.from('nothing') },
      { key: Buffer.from('b'), rangeEnd: Buffer.from('a') },
    ] satisfies Range[]) {
      const { reply } = await merged(client, request);
      const unary = await client.kv.range({ ...request, sortTarget: SortTarget.KEY });
      expect(comparable(reply), JSON.stringify(create(RangeRequestSchema, request).key)).toEqual(
        comparable(unary),
      );
    }
    expect((await merged(client, all)).count).toBeGreaterThan(3);
  });

  test('has all of one state, whatever is written meanwhile', async () => {
    const client = etcdClient((await startTestServer()).url);
    await putAll(client, 2000, 1000);
    let keyCount = 0;
    let revision: bigint | undefined;
    for await (const { rangeResponse } of client.kv.rangeStream(all)) {
      revision ??= rangeResponse?.header?.revision;
      for (const { modRevision } of rangeResponse?.kvs ?? []) expect(modRevision <= 21n).toBe(true);
      keyCount += rangeResponse?.kvs.length ?? 0;
      await client.kv.deleteRange({ key: Buffer.from('k19'), rangeEnd: Buffer.from('\0') });
      await client.kv.put({ key: Buffer.from('z') });
    }
    expect([keyCount, revision]).toEqual([2000, 21n]);
  });

  test.each([
    ['no key', {}, Code.InvalidArgument, 'etcdserver: key is not provided'],
    [
      'an order that is none',
      { ...all, sortOrder: 9 },
      Code.InvalidArgument,
      'etcdserver: invalid sort option',
    ],
    [
      'an order',
      { ...all, sortOrder: SortOrder.DESCEND, minModRevision: 1n },
      Code.Unimplemented,
      'RangeStream does not support custom sort orders',
    ],
    [
      'a filter',
      { ...all, maxCreateRevision: 1n },
      Code.Unimplemented,
      'RangeStream does not support revision filters',
    ],
    [
      'a future revision',
      { ...all, revision: 9n },
      Code.OutOfRange,
      'etcdserver: mvcc: required revision is a future revision',
    ],
  ])('refuses %s', async (_, request, code, message) => {
    const client = etcdClient((await startTestServer()).url);
    expect(await failureOf(merged(client, request as Range))).toEqual({ code, message });
  });
});

describe('limits', () => {
  test('a reply that is too long is refused, and a stream of it is not', async () => {
    const server = await startTestServer({
      flags: { 'reply-bytes-max': '1MiB', 'value-bytes-max': '256KiB' },
    });
    const client = etcdClient(server.url);
    await putAll(client, 300, 10_000);
    const { code, message } = await failureOf(client.kv.range(all));
    expect([code, message]).toEqual([Code.ResourceExhausted, expect.stringContaining('reply')]);
    expect((await merged(client, all)).reply.kvs).toHaveLength(300);
    expect((await client.kv.range({ ...all, limit: 10n })).kvs).toHaveLength(10);
  });

  test('keys and values that are too long are refused as etcd refuses requests', async () => {
    const server = await startTestServer({ flags: { 'value-bytes-max': '64KiB' } });
    const { kv } = etcdClient(server.url);
    const tooLarge = { code: Code.InvalidArgument, message: 'etcdserver: request is too large' };
    expect(await failureOf(kv.put({ key: Buffer.alloc(4097, 'k') }))).toEqual(tooLarge);
    expect(await failureOf(kv.put({ key: Buffer.from('k'), value: Buffer.alloc(65 * 1024) }))).toEqual(
      tooLarge,
    );
    expect(await failureOf(kv.range({ key: Buffer.from('a'), rangeEnd: Buffer.alloc(4097, 'b') }))).toEqual(
      tooLarge,
    );
    // That there is no such key is true.
    expect((await kv.range({ key: Buffer.alloc(4097, 'k') })).count).toBe(0n);
    expect((await kv.deleteRange({ key: Buffer.alloc(4097, 'k') })).deleted).toBe(0n);
  });

  test('a transaction of too many operations is refused', async () => {
    const { kv } = etcdClient((await startTestServer()).url);
    const ranges = Array.from({ length: 5001 }, () => ({
      request: { case: 'requestRange' as const, value: { key: Buffer.from('a') } },
    }));
    expect((await kv.txn({ success: ranges, failure: [] })).responses).toHaveLength(5001);
    expect(await failureOf(kv.txn({ success: ranges, failure: ranges }))).toEqual({
      code: Code.InvalidArgument,
      message: 'etcdserver: too many operations in txn request',
    });
  });

  test('transactions that are nested too deep are refused, and the server goes on', async () => {
    const { kv } = etcdClient((await startTestServer()).url);
    let txn: object = {};
    for (let level = 0; level < 150; level++)
      txn = { success: [{ request: { case: 'requestTxn', value: txn } }] };
    expect((await failureOf(kv.txn(txn))).code).toBe(Code.InvalidArgument);
    expect((await kv.put({ key: Buffer.from('goes on') })).header?.revision).toBe(2n);
  });
});
