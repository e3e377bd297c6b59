/** Range and Put of etcd's API, call by call against a real etcd. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, test } from 'vitest';
import {
  type PutRequestSchema,
  PutResponseSchema,
  type RangeRequestSchema,
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
  RangeResponseSchema,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { hasRealEtcd } from './support/real-etcd.ts';
import { SideBySide } from './support/side-by-side.ts';

type Range = MessageInitShape<typeof RangeRequestSchema>;
type Put = MessageInitShape<typeof PutRequestSchema>;

const bytes = (text: string): Uint8Array => Buffer.from(text);
const key = (text: string): { key: Uint8Array } => ({ key: bytes(text) });
const all = { key: bytes('\0'), rangeEnd: bytes('\0') };

const ranges: readonly (readonly [string, Range])[] = [
  ['no key', {}],
  ['one key', key('a')],
  ['a key that is not there', key('nothing')],
  ['an old state of a key', { ...key('a'), revision: 2n }],
  ['the state before the first write', { ...all, revision: 1n }],
  ['an old state of all keys', { ...all, revision: 4n }],
  ['an old state of all keys, the first of them', { ...all, revision: 5n, limit: 2n }],
  ['the newest state by its revision', { ...all, revision: 8n }],
  ['a negative revision', { ...all, revision: -5n }],
  ['a future revision', { ...key('a'), revision: 100n }],
  ['all keys', all],
  ['a range', { ...key('a'), rangeEnd: bytes('b') }],
  ['an empty range', { ...key('b'), rangeEnd: bytes('b') }],
  ['a range that ends before it begins', { ...key('c'), rangeEnd: bytes('b') }],
  ['all from a key on', { ...key('b'), rangeEnd: bytes('\0') }],
  ['a range of bytes', { key: Buffer.from([0xf0]), rangeEnd: bytes('\0') }],
  ['a limit', { ...all, limit: 2n }],
  ['a limit as large as the range', { ...all, limit: 5n }],
  ['a negative limit', { ...all, limit: -1n }],
  ['only keys', { ...all, keysOnly: true }],
  ['only the count', { ...all, countOnly: true }],
  ['only the count, with a limit', { ...all, countOnly: true, limit: 2n }],
  ['only the count of a key', { ...key('a'), countOnly: true }],
  ['a member-local read', { ...all, serializable: true }],
  ['a smallest mod revision', { ...all, minModRevision: 5n }],
  ['a largest mod revision', { ...all, maxModRevision: 5n }],
  ['create revisions', { ...all, minCreateRevision: 3n, maxCreateRevision: 4n }],
  ['a filter and a limit', { ...all, minModRevision: 5n, limit: 1n }],
  ['a filter on one key', { ...key('a'), minModRevision: 100n }],
  ['only the count, with a filter', { ...all, countOnly: true, minModRevision: 100n }],
];

const puts: readonly (readonly [string, Put])[] = [
  ['no key', {}],
  ['no key but a value', { value: bytes('v') }],
  ['the key before', { ...key('p'), value: bytes('1'), prevKv: true }],
  ['the key before that is there', { ...key('p'), value: bytes('2'), prevKv: true }],
  ['an empty value', key('p')],
  ['the value that is there', { ...key('p'), ignoreValue: true, prevKv: true }],
  ['the value of no key', { ...key('q'), ignoreValue: true }],
  ['a value and to keep it', { ...key('p'), value: bytes('1'), ignoreValue: true }],
  ['a lease and to keep it', { ...key('p'), lease: 1n, ignoreLease: true }],
  ['the lease of no key', { ...key('q'), ignoreLease: true }],
  ['to keep no lease', { ...key('p'), value: bytes('3'), ignoreLease: true }],
  ['a lease that is not there', { ...key('p'), lease: 77n }],
  ['a lease that is not there, of no key', { ...key('q'), lease: 77n, ignoreValue: true }],
  ['a negative lease', { ...key('p'), lease: -1n }],
  ['a lease beyond 53 bits', { ...key('p'), lease: 2n ** 62n }],
];

/** Both with some keys in them, of which some were written twice. */
async function withKeys(): Promise<SideBySide> {
  const both = await SideBySide.start();
  for (const [name, value] of [
    ['a', '3'],
    ['b', '1'],
    ['c', '2'],
    ['a/x', '9'],
    ['a', '4'],
    ['b', '5'],
    ['\xff', '6'],
  ] as const)
    await put(both, `a put of ${name}`, { key: Buffer.from(name, 'latin1'), value: bytes(value) });
  return both;
}

function range(both: SideBySide, what: string, request: Range): Promise<unknown> {
  return both.same(what, RangeResponseSchema, ({ kv }) => kv.range(request));
}

function put(both: SideBySide, what: string, request: Put): Promise<unknown> {
  return both.same(what, PutResponseSchema, ({ kv }) => kv.put(request));
}

describe.skipIf(!hasRealEtcd)('as etcd does', () => {
  test('an empty store is read', async () => {
    const both = await SideBySide.start();
    await range(both, 'all keys', all);
    await range(both, 'at the first revision', { ...key('a'), revision: 1n });
    await range(both, 'at the next revision', { ...key('a'), revision: 2n });
  });

  test('ranges are read', async () => {
    const both = await withKeys();
    for (const [what, request] of ranges) await range(both, what, request);
  });

  test('ranges are sorted', async () => {
    const both = await withKeys();
    for (const [targetName, sortTarget] of Object.entries(SortTarget)) {
      for (const [orderName, sortOrder] of Object.entries(SortOrder)) {
        const what = `${targetName} ${orderName}`;
        const sort = { ...all, sortTarget, sortOrder };
        await range(both, what, sort);
        await range(both, `${what}, a limit`, { ...sort, limit: 2n });
        await range(both, `${what}, keys only`, { ...sort, limit: 2n, keysOnly: true });
        await range(both, `${what}, a filter`, { ...sort, limit: 1n, minModRevision: 4n });
        await range(both, `${what}, an old state`, { ...sort, limit: 3n, revision: 5n });
      }
    }
  });

  test('keys are put', async () => {
    const both = await SideBySide.start();
    for (const [what, request] of puts) {
      await put(both, `a put with ${what}`, request);
      await range(both, `after a put with ${what}`, key('p'));
    }
  });
});
