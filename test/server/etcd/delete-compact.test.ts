/** DeleteRange and Compact of etcd's API, call by call against a real etcd. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, test } from 'vitest';
import {
  CompactionResponseSchema,
  type DeleteRangeRequestSchema,
  DeleteRangeResponseSchema,
  PutResponseSchema,
  type RangeRequestSchema,
  RangeResponseSchema,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { hasRealEtcd } from './support/real-etcd.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';
import { SideBySide } from './support/side-by-side.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const key = (text: string): { key: Uint8Array } => ({ key: bytes(text) });
const all = { key: bytes('\0'), rangeEnd: bytes('\0') };

function put(both: SideBySide, name: string, value: string): Promise<unknown> {
  return both.same(`a put of ${name}`, PutResponseSchema, ({ kv }) =>
    kv.put({ ...key(name), value: bytes(value) }),
  );
}

function range(
  both: SideBySide,
  what: string,
  request: MessageInitShape<typeof RangeRequestSchema>,
): Promise<unknown> {
  return both.same(what, RangeResponseSchema, ({ kv }) => kv.range(request));
}

function deleteRange(
  both: SideBySide,
  what: string,
  request: MessageInitShape<typeof DeleteRangeRequestSchema>,
): Promise<unknown> {
  return both.same(what, DeleteRangeResponseSchema, ({ kv }) => kv.deleteRange(request));
}

function compact(both: SideBySide, revision: bigint, physical = false): Promise<unknown> {
  return both.same(`a compaction to ${revision}`, CompactionResponseSchema, ({ kv }) =>
    kv.compact({ revision, physical }),
  );
}

describe.skipIf(!hasRealEtcd)('as etcd does', () => {
  test('keys are deleted, and made again', async () => {
    const both = await SideBySide.start(KEPT_HISTORY_FLAGS);
    await deleteRange(both, 'of nothing', key('a'));
    for (const name of ['a', 'a/1', 'a/2', 'b', 'c', 'd', 'e']) await put(both, name, name);
    await deleteRange(both, 'without a key', {});
    await deleteRange(both, 'without a key, to an end', { rangeEnd: bytes('b') });
    await deleteRange(both, 'one that is not there', key('x'));
    await deleteRange(both, 'one', key('a'));
    await deleteRange(both, 'one that is gone', { ...key('a'), prevKv: true });
    await put(both, 'a', 'again');
    await deleteRange(both, 'an end before the start', { ...key('b'), rangeEnd: bytes('a') });
    await deleteRange(both, 'an empty range', { ...key('b'), rangeEnd: bytes('b') });
    await deleteRange(both, 'one, shown', { ...key('b'), prevKv: true });
    await deleteRange(both, 'a prefix, shown', { ...key('a/'), rangeEnd: bytes('a0'), prevKv: true });
    await range(both, 'what is left', all);
    await deleteRange(both, 'from a key on', { ...key('d'), rangeEnd: bytes('\0'), prevKv: true });
    await range(both, 'what is left then', all);
    await deleteRange(both, 'all', all);
    await deleteRange(both, 'all of nothing', { ...all, prevKv: true });
    await put(both, 'a', 'once more');
    await range(both, 'at the end', all);
    for (let revision = 1n; revision < 16n; revision++)
      await range(both, `at ${revision}`, { ...all, revision });
  });

  test('history is compacted', async () => {
    const both = await SideBySide.start(KEPT_HISTORY_FLAGS);
    await compact(both, 5n);
    await compact(both, 2n);
    for (const value of ['1', '2', '3', '4', '5', '6']) await put(both, 'a', value);
    await deleteRange(both, 'one', key('a'));
    await put(both, 'b', '1');
    await compact(both, 100n);
    await compact(both, 4n);
    await compact(both, 4n);
    await compact(both, 3n);
    await compact(both, 0n);
    await compact(both, -3n);
    for (let revision = 1n; revision < 11n; revision++)
      await range(both, `at ${revision}`, { ...all, revision });
    await compact(both, 9n, true);
    for (let revision = 6n; revision < 11n; revision++)
      await range(both, `at ${revision}`, { ...all, revision });
    await range(both, 'now', all);
  });

  test('an empty store is compacted', async () => {
    const both = await SideBySide.start(KEPT_HISTORY_FLAGS);
    await compact(both, -1n);
    await compact(both, 1n);
  });

  test.each([0n, 1n])('a store of which nothing was dropped is compacted to %i', async (revision) => {
    const both = await SideBySide.start(KEPT_HISTORY_FLAGS);
    for (const value of ['1', '2']) await put(both, 'a', value);
    await compact(both, revision, true);
    for (const at of [1n, 2n, 3n, 4n]) await range(both, `at ${at}`, { ...all, revision: at });
    await compact(both, 3n);
    await compact(both, revision);
  });
});
