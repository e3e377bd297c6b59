/** What no store writes, or what can't follow, is damage: nothing of it becomes visible, and nothing is applied behind it. */
import { expect, onTestFinished, test } from 'vitest';
import { prependRecord, sizeOfRecord, type EffectShape } from '../../../gen/kelp/storage/v1/log_codec.ts';
import { leasesOf, linesOf } from './same-state.ts';
import { SharedBatches } from './shared-batches.ts';
import { TestNode } from './test-node.ts';

const key = Buffer.from('b');
const lease: EffectShape = {
  effect: { case: 'lease', value: { leaseId: 9, ttlMs: 1000, deadlineMs: 1000, owner: '' } },
};

function put(of: Buffer, createRevision: number): EffectShape {
  const numbers = { leaseId: 0, ttlMs: 0, expireTimeMs: 0, kind: 0, collectionId: 0 };
  const value = { key: of, value: key, createRevision, version: 1, replacedExpired: false, ...numbers };
  return { effect: { case: 'put', value } };
}

function recordOf(revision: number, ...effects: EffectShape[]): Buffer {
  const record = { revision, timeMs: 1_000_000, leaseClockMs: 0, effects };
  const bytes = Buffer.alloc(sizeOfRecord(record));
  prependRecord(record, bytes, bytes.length);
  return bytes;
}

async function follower(): Promise<TestNode> {
  const shared = new SharedBatches();
  const writer = await TestNode.open(shared, { name: 'node-0', seed: 1 });
  const node = await TestNode.open(shared, { name: 'node-1', seed: 2 });
  onTestFinished(() => writer.close());
  onTestFinished(() => node.close().catch(() => undefined));
  await writer.lead();
  await writer.kv.put('a', '1');
  await node.follow();
  return node;
}

test.each<[string, Buffer, RegExp]>([
  ['a revision that skips one', recordOf(3, lease, put(key, 3)), /from revision 1 to 3/],
  ['a revision that comes again', recordOf(1, lease, put(key, 1)), /from revision 1 to 1/],
  ['bytes that are no record', Buffer.from('22ff', 'hex'), /can not be understood/],
  ['a note that changes a key', recordOf(0, lease, put(key, 1)), /revision 0/],
  [
    'a note that deletes a key',
    recordOf(0, lease, { effect: { case: 'delete', value: { key: Buffer.from('a'), reason: 1 } } }),
    /a note changes a key/,
  ],
  ['a key that is changed twice', recordOf(2, lease, put(key, 2), put(key, 2)), /a key twice/],
  ['a key that no store has', recordOf(2, lease, put(Buffer.alloc(0), 2)), /a key has 0 bytes/],
  [
    'a compaction of what is not there yet',
    recordOf(0, lease, { effect: { case: 'compact', value: { oldestRevision: 5 } } }),
    /compacts up to 5/,
  ],
  [
    'a place',
    recordOf(0, {
      effect: {
        case: 'place',
        value: { position: 2, epoch: 1, checksum: 3, writerAddress: '', successorAddress: '' },
      },
    }),
    /a place of the shared log/,
  ],
  ['an effect of another version', recordOf(0, lease, { effect: { case: undefined } }), /does not know/],
])('%s', async (_, record, text) => {
  const node = await follower();
  const before = linesOf(node.store, 1);
  const apply = (): boolean => node.store.apply(record, 0, record.length, node.journal.committedSequence + 1);
  expect(apply).toThrow(text);
  expect(await node.store.failed).toMatchObject({ code: 'storageFailed' });
  expect(apply).toThrow(/has stopped writing/);
  expect(node.store.visibleRevision).toBe(1);
  expect(linesOf(node.store, 1)).toEqual(before);
  expect(await leasesOf(node.store)).toEqual([]);
});
