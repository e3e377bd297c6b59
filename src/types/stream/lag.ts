/**
 * How far a group is behind its stream, by the rules of Redis 7.0: the entries that there ever were are counted, and a group knows how
 * many of them it has read as long as none was removed from the middle in front of it; else it is found out again at the ends.
 */
import { type Group, UNKNOWN } from './groups.ts';
import type { Stream } from './stream.ts';
import { compareIds, isZero } from './stream-id.ts';

/** How many of all entries that there ever were come up to an id; or `UNKNOWN`. */
export function entriesUpTo(
  {
    added,
    count,
    lastId,
    firstId,
    maxDeletedId,
  }: Pick<Stream, 'added' | 'count' | 'lastId' | 'firstId' | 'maxDeletedId'>,
  id: Uint8Array,
): number {
  if (added === 0) return 0;
  const behindLast = compareIds(id, lastId);
  if (count === 0 && behindLast <= 0) return added;
  if (behindLast === 0) return added;
  if (behindLast > 0) return UNKNOWN;
  if (!isZero(maxDeletedId) && compareIds(maxDeletedId, firstId) >= 0) return UNKNOWN;
  const behindFirst = compareIds(id, firstId);
  if (behindFirst > 0) return UNKNOWN;
  return behindFirst === 0 ? added - count + 1 : added - count;
}

/** Whether an entry may have been removed from the middle at an id, or behind it. */
export function hasGapFrom({ count, maxDeletedId, firstId }: Stream, id: Uint8Array): boolean {
  if (count === 0 || isZero(maxDeletedId) || compareIds(firstId, maxDeletedId) > 0) return false;
  return compareIds(id, maxDeletedId) <= 0;
}

/** A group is about to have read an entry. */
export function countRead(stream: Stream, group: Group, id: Uint8Array): void {
  if (compareIds(id, group.lastId) <= 0) return;
  if (group.entriesRead !== UNKNOWN && !hasGapFrom(stream, id)) group.entriesRead++;
  else if (stream.added > 0) group.entriesRead = entriesUpTo(stream, id);
  group.lastId = id;
}

/** How many entries are still to be delivered; `undefined`: it is not known. */
export function lagOf(stream: Stream, group: Group): number | undefined {
  if (stream.added === 0) return 0;
  if (group.entriesRead !== UNKNOWN && !hasGapFrom(stream, group.lastId))
    return stream.added - group.entriesRead;
  const read = entriesUpTo(stream, group.lastId);
  return read === UNKNOWN ? undefined : stream.added - read;
}
