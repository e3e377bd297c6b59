/** Walks every structure of the memory engine and breaks where one does not hold together. */
import { assert } from '../../errors.ts';
import type { Keyspace } from './keyspace.ts';
import { DEADLINE, KEY_BYTES_MASK, NONE, UNDO, isVersion, kindOf, revisionAt } from './layout.ts';
import { Slabs } from './slabs.ts';
import { deadlineAt, isDeletedAt, longValueAt, valueBytesAt } from './version-codec.ts';

export function verifyKeyspace(keyspace: Keyspace): void {
  const { blocks: slabs, map, keys, deadlines, undo, longValues, probe } = keyspace;
  const blocks = new Map<number, number>();
  slabs.verifyIntegrity((reference, words, at) => void blocks.set(reference, kindOf(words[at]!)));
  const take = (reference: number, isRight: (kind: number) => boolean, message: string): void => {
    const kind = blocks.get(reference);
    assert(kind !== undefined && isRight(kind), message);
    blocks.delete(reference);
  };

  let keyCount = 0;
  let versionCount = 0;
  let dataBytes = 0;
  let deadlineCount = 0;
  const used = new Set<number>();
  /** A key whose newest version is a deletion must be brought out by an entry of the undo ring. */
  const deletions = new Set<number>();
  const count = (words: Int32Array, at: number): void => {
    versionCount++;
    dataBytes += (words[at]! & KEY_BYTES_MASK) + valueBytesAt(words, at);
    const long = longValueAt(words, at);
    if (long === undefined) return;
    assert(!used.has(long), 'a long value belongs to one version');
    used.add(long);
  };
  map.verifyIntegrity((hash, reference) => {
    const words = slabs.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    assert(isVersion(words[at]!), 'the map leads to versions');
    probe.setFrom(words, at);
    assert(keyspace.hash() === hash, 'an entry of the map has the hash of its key');
    count(words, at);
    if (isDeletedAt(words, at)) deletions.add(reference);
    else keyCount++;
    const deadlineMs = deadlineAt(words, at);
    if (deadlineMs === 0) return;
    deadlineCount++;
    assert(deadlines.has(words, at, deadlineMs), 'a deadline is in its index');
  });
  assert(deadlineCount === deadlines.count, 'every deadline is that of a newest version');

  keys.verifyIntegrity((reference, isLive) => {
    take(reference, (kind) => kind < DEADLINE, 'the order of keys leads to versions');
    assert(isLive === !deletions.has(reference), 'what is live in the order of keys is not deleted');
  });
  deadlines.verifyIntegrity((reference) =>
    take(reference, (kind) => kind === DEADLINE, 'a deadline has its block'),
  );
  assert(blocks.size === 0, 'every block belongs to something');
  assert(keys.count === map.count, 'the map and the order hold the same keys');

  const replacedBy = new Map<number, number>();
  undo.verifyIntegrity((place) => {
    const { words } = undo.memory;
    const { at } = undo;
    replacedBy.set(place | 0, undo.replacedBy);
    if (undo.hasVersion) count(words, at);
    const older = words[at + UNDO]!;
    const isNeeded = older !== NONE && revisionAt(words, at) > keyspace.compactRevision;
    if (isNeeded)
      assert(replacedBy.get(older) === revisionAt(words, at), 'a link leads to the version before');
    const isDeletion = undo.isReplacedByDeletion;
    const revision = undo.replacedBy;
    probe.setFrom(words, at);
    const newest = map.find(probe, keyspace.hash());
    if (isDeletion && deletions.has(newest)) {
      const newestWords = slabs.wordsAt(newest);
      if (revisionAt(newestWords, Slabs.wordOf(newest)) === revision) deletions.delete(newest);
    }
  });
  assert(deletions.size === 0, 'a deletion is dropped with the version that it replaced');
  map.verifyIntegrity((_hash, reference) => {
    const words = slabs.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    const older = words[at + UNDO]!;
    if (older === NONE || revisionAt(words, at) <= keyspace.compactRevision) return;
    assert(
      replacedBy.get(older) === revisionAt(words, at),
      'the link of a block leads to the version before',
    );
  });
  longValues.verifyIntegrity(used);
  assert(
    keyCount === keyspace.keyCount &&
      versionCount === keyspace.versionCount &&
      dataBytes === keyspace.dataBytes,
    'the counts are true',
  );
}
