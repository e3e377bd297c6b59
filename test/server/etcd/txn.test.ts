/** Txn of etcd's API, call by call against a real etcd. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, test } from 'vitest';
import {
  Compare_CompareResult as Result,
  Compare_CompareTarget as Target,
  type CompareSchema,
  CompactionResponseSchema,
  LeaseGrantResponseSchema,
  type DeleteRangeRequestSchema,
  type PutRequestSchema,
  type RangeRequestSchema,
  RangeResponseSchema,
  type RequestOpSchema,
  type TxnRequestSchema,
  TxnResponseSchema,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { hasRealEtcd } from './support/real-etcd.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';
import { SideBySide } from './support/side-by-side.ts';

type Op = MessageInitShape<typeof RequestOpSchema>;
type Txn = MessageInitShape<typeof TxnRequestSchema>;
type Compare = MessageInitShape<typeof CompareSchema>;

const bytes = (text: string): Uint8Array => Buffer.from(text);
const key = (text: string): { key: Uint8Array } => ({ key: bytes(text) });
const all = { key: bytes('\0'), rangeEnd: bytes('\0') };

function put(name: string, value = '', more: MessageInitShape<typeof PutRequestSchema> = {}): Op {
  return { request: { case: 'requestPut', value: { ...key(name), value: bytes(value), ...more } } };
}

function range(request: MessageInitShape<typeof RangeRequestSchema>): Op {
  return { request: { case: 'requestRange', value: request } };
}

function remove(request: MessageInitShape<typeof DeleteRangeRequestSchema>): Op {
  return { request: { case: 'requestDeleteRange', value: request } };
}

function nested(txn: Txn): Op {
  return { request: { case: 'requestTxn', value: txn } };
}

/** A store with keys of some versions, and an end of a history. */
async function withKeys(): Promise<SideBySide> {
  const both = await SideBySide.start(KEPT_HISTORY_FLAGS);
  await makeKeys(both);
  return both;
}

async function makeKeys(both: SideBySide): Promise<void> {
  await run(both, 'the keys', { success: [put('a', '1'), put('b', '2'), put('c/1', '3'), put('c/2', '4')] });
  await run(both, 'some again', { success: [put('a', '5'), remove(key('c/2')), put('d', '')] });
}

async function run(both: SideBySide, what: string, txn: Txn): Promise<void> {
  await both.same(what, TxnResponseSchema, ({ kv }) => kv.txn(txn));
  await both.same(`all keys after ${what}`, RangeResponseSchema, ({ kv }) => kv.range(all));
}

const compared: readonly Compare[] = [
  {},
  { ...key('a') },
  ...(['a', 'b', 'd', 'nothing'] as const).flatMap((name) =>
    Object.values(Result).flatMap((result): Compare[] => [
      { ...key(name), result, target: Target.VERSION, targetUnion: { case: 'version', value: 1n } },
      { ...key(name), result, target: Target.VERSION, targetUnion: { case: 'version', value: 0n } },
      {
        ...key(name),
        result,
        target: Target.CREATE,
        targetUnion: { case: 'createRevision', value: 2n },
      },
      { ...key(name), result, target: Target.MOD, targetUnion: { case: 'modRevision', value: 2n } },
      { ...key(name), result, target: Target.VALUE, targetUnion: { case: 'value', value: bytes('2') } },
      { ...key(name), result, target: Target.VALUE, targetUnion: { case: 'value', value: bytes('') } },
      { ...key(name), result, target: Target.VALUE },
      { ...key(name), result, target: Target.LEASE, targetUnion: { case: 'lease', value: 0n } },
      { ...key(name), result, target: Target.LEASE, targetUnion: { case: 'lease', value: -(2n ** 60n) } },
      // What is given is not what is compared.
      { ...key(name), result, target: Target.MOD, targetUnion: { case: 'version', value: 2n } },
    ]),
  ),
  { ...all, result: Result.GREATER, target: Target.VERSION, targetUnion: { case: 'version', value: 0n } },
  { ...all, result: Result.EQUAL, target: Target.VERSION, targetUnion: { case: 'version', value: 1n } },
  {
    ...key('c/'),
    rangeEnd: bytes('c0'),
    result: Result.EQUAL,
    target: Target.VALUE,
    targetUnion: { case: 'value', value: bytes('3') },
  },
  {
    ...key('x'),
    rangeEnd: bytes('y'),
    result: Result.EQUAL,
    target: Target.VERSION,
    targetUnion: { case: 'version', value: 0n },
  },
  { ...key('x'), rangeEnd: bytes('y'), result: Result.NOT_EQUAL, target: Target.VALUE },
  { ...key('b'), rangeEnd: bytes('a'), result: Result.EQUAL, target: Target.CREATE },
];

const absent = (name: string): Compare => ({
  ...key(name),
  target: Target.CREATE,
  targetUnion: { case: 'createRevision', value: 0n },
});

const overlapping: readonly (readonly [string, Txn])[] = [
  ['a key twice', { success: [put('x'), put('x')] }],
  ['a key twice in the branch that is not taken', { failure: [put('x'), put('x')] }],
  ['a key in both branches', { success: [put('x')], failure: [put('x')] }],
  ['a put and a delete', { success: [put('x'), remove(key('x'))] }],
  ['a delete and a put', { success: [remove(key('x')), put('x')] }],
  ['a put and a delete around it', { success: [put('x'), remove({ ...key('w'), rangeEnd: bytes('y') })] }],
  ['a put behind a delete', { success: [put('y'), remove({ ...key('w'), rangeEnd: bytes('y') })] }],
  ['a put and a delete of a prefix of it', { success: [put('x/1'), remove(key('x/'))] }],
  [
    'a put and a delete from there on',
    { success: [remove({ ...key('w'), rangeEnd: bytes('\0') }), put('x')] },
  ],
  ['a put and a delete of all', { success: [put('x'), remove(all)] }],
  [
    'a delete from there on and a put of its first key',
    { success: [remove({ ...key('w'), rangeEnd: bytes('\0') }), put('w')] },
  ],
  [
    'a delete that has no keys and a put of its first',
    { success: [remove({ ...key('y'), rangeEnd: bytes('w') }), put('y')] },
  ],
  [
    'a delete from there on and a put of a key that is there',
    { success: [remove({ ...key('a'), rangeEnd: bytes('\0') }), put('b')] },
  ],
  [
    'a put of a key that is there and a delete from there on',
    { success: [put('b'), remove({ ...key('a'), rangeEnd: bytes('\0'), prevKv: true }), range(all)] },
  ],
  ['a delete of all and a put of the first key', { success: [remove(all), put('\0')] }],
  ['deletes twice', { success: [remove(key('a')), remove(key('a')), remove(all)] }],
  ['a put below', { success: [put('x'), nested({ success: [put('x')] })] }],
  ['a put in the other branch below', { success: [put('x'), nested({ failure: [put('x')] })] }],
  ['a put in both branches below', { success: [nested({ success: [put('x')], failure: [put('x')] })] }],
  ['a put in two below', { success: [nested({ success: [put('x')] }), nested({ success: [put('x')] })] }],
  ['a delete below', { success: [put('x'), nested({ success: [remove(key('x'))] })] }],
  ['a put below a delete', { success: [remove(key('x')), nested({ success: [put('x')] })] }],
  [
    'a delete in one below and a put in the next',
    { success: [nested({ success: [remove(key('x'))] }), nested({ success: [put('x')] })] },
  ],
  [
    'a put in one below and a delete in the next',
    { success: [nested({ success: [put('a')] }), nested({ success: [remove(key('a'))] })] },
  ],
  [
    'a put and a delete in the branches below',
    { success: [nested({ success: [put('x')], failure: [remove(key('x'))] })] },
  ],
  ['a delete that has no keys', { success: [put('x'), remove({ ...key('y'), rangeEnd: bytes('w') })] }],
];

const refused: readonly (readonly [string, Txn])[] = [
  ['nothing', {}],
  ['an operation of no kind', { success: [{}] }],
  ['an operation of no kind, not taken', { failure: [{}] }],
  ['a put without a key', { success: [put('')] }],
  ['a range without a key', { failure: [range({})] }],
  ['a delete without a key', { success: [remove({})] }],
  ['a compare without a key', { compare: [{}] }],
  ['a compare without a key below', { success: [nested({ compare: [{}] })] }],
  ['a put below without a key', { success: [nested({ failure: [put('')] })] }],
  ['a value that is to be kept', { success: [put('a', '9', { ignoreValue: true })] }],
  ['a lease that is to be kept', { success: [put('a', '9', { ignoreLease: true, lease: 1n })] }],
  ['the value of no key', { success: [put('z', '1'), put('y', '', { ignoreValue: true })] }],
  ['the value of no key, not taken', { failure: [put('y', '', { ignoreValue: true })] }],
  [
    'the value of a key that it makes',
    { success: [put('y', ''), nested({ success: [put('z', '', { ignoreValue: true })] })] },
  ],
  ['a lease that is not there', { success: [put('z', '1'), put('y', '1', { lease: 5n })] }],
  ['a lease that is not there, below', { success: [nested({ success: [put('y', '1', { lease: 5n })] })] }],
  ['a future revision', { success: [put('z', '1'), range({ ...all, revision: 100n })] }],
  ['a future revision, not taken', { failure: [range({ ...all, revision: 100n })] }],
  [
    'the lease of no key and a lease that is not there',
    { success: [put('y', '', { ignoreValue: true, lease: 9n })] },
  ],
];

const performed: readonly (readonly [string, Txn])[] = [
  ['a read', { success: [range(key('a')), range({ ...all, limit: 1n })] }],
  [
    'reads among writes',
    {
      success: [range(all), put('e', '1'), range(all), remove(key('a')), range({ ...all, countOnly: true })],
    },
  ],
  [
    'writes that are shown',
    { success: [put('a', '7', { prevKv: true }), remove({ ...key('b'), prevKv: true })] },
  ],
  ['a delete of nothing', { success: [remove(key('nothing')), range(key('a'))] }],
  [
    'a key that is made unless it exists',
    { compare: [absent('m')], success: [put('m', '1')], failure: [range(key('m'))] },
  ],
  ['the same once more', { compare: [absent('m')], success: [put('m', '1')], failure: [range(key('m'))] }],
  [
    'a kept value',
    { success: [put('m', '', { ignoreValue: true, prevKv: true }), put('a', '8', { ignoreLease: true })] },
  ],
  [
    'one within',
    {
      success: [
        put('n', '1'),
        nested({ compare: [absent('n')], success: [range(key('n'))], failure: [put('o')] }),
      ],
    },
  ],
  [
    'two within',
    {
      failure: [],
      success: [
        nested({ success: [nested({ success: [put('q', '1'), range(key('q'))] })] }),
        range(key('q')),
        nested({ compare: [absent('a')], failure: [range(key('a'))] }),
      ],
    },
  ],
  ['nothing within', { success: [nested({})] }],
  [
    'an old state',
    { success: [put('r', '1'), range({ ...all, revision: 2n }), range({ ...all, revision: 3n, limit: 1n })] },
  ],
  [
    'the state before',
    {
      success: [
        range({ ...all, revision: 6n }),
        put('s', '1'),
        range({ ...all, revision: 6n, countOnly: true }),
      ],
    },
  ],
  [
    'sorted and cut',
    {
      success: [
        range({ ...all, sortTarget: 3, sortOrder: 2, limit: 2n }),
        put('t'),
        range({ ...all, sortTarget: 3, sortOrder: 2, limit: 2n }),
      ],
    },
  ],
  ['an old state within', { success: [nested({ success: [range({ ...all, revision: 2n })] })] }],
];

describe.skipIf(!hasRealEtcd)('as etcd does', () => {
  test('compares hold or do not', async () => {
    const both = await withKeys();
    for (const compare of compared)
      await both.same(
        JSON.stringify(compare, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
        TxnResponseSchema,
        ({ kv }) => kv.txn({ compare: [compare] }),
      );
  });

  test('overlapping operations are refused', async () => {
    const both = await SideBySide.start();
    for (const [what, txn] of overlapping) {
      await makeKeys(both);
      await run(both, what, txn);
    }
  });

  test('what can not be done is refused', async () => {
    const both = await withKeys();
    for (const [what, txn] of refused) await run(both, what, txn);
  });

  test('operations are run', async () => {
    const both = await withKeys();
    for (const [what, txn] of performed) await run(both, what, txn);
  });

  test('old states are read as far as history reaches', async () => {
    const both = await withKeys();
    await run(both, 'a revision far below 0', { success: [range({ ...all, revision: -50n })] });
    await run(both, 'the empty store', { success: [range({ ...all, revision: 1n })] });
    await both.same('a compaction', CompactionResponseSchema, ({ kv }) => kv.compact({ revision: 3n }));
    for (const revision of [-50n, -1n, 1n, 2n, 3n, 4n])
      await run(both, `at ${revision}`, { success: [put('z'), range({ ...all, revision })] });
  });

  test('keys are attached to leases', async () => {
    const both = await withKeys();
    await both.same('a lease', LeaseGrantResponseSchema, ({ lease }) =>
      lease.leaseGrant({ TTL: 100n, ID: 7n }),
    );
    await run(both, 'attached', { success: [put('l', '1', { lease: 7n }), put('a', '9', { lease: 7n })] });
    await run(both, 'kept', {
      success: [put('l', '2', { ignoreLease: true }), put('a', '', { ignoreValue: true, prevKv: true })],
    });
    await run(both, 'compared', {
      compare: [{ ...key('l'), target: Target.LEASE, targetUnion: { case: 'lease', value: 7n } }],
      success: [put('l', '3')],
      failure: [put('m', '3')],
    });
    await run(both, 'attached to a lease and to one that is not there', {
      success: [put('n', '1', { lease: 7n }), put('o', '1', { lease: 8n })],
    });
  });
});
