/**
 * Trimming: the first entries go, until so many are left or until an id. What is told to do so about (`~`) goes by hundreds, or as a whole,
 * so that a stream which is held at a length is trimmed once for a hundred entries, and not with each.
 */
import type { EngineRange } from '../../engine/engine.ts';
import { fixed } from '../../limits.ts';
import { elementsOf, elementsWithTag, subOf, tags } from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { View } from '../../store/views/view.ts';
import { copyRange } from '../keys/copying.ts';
import { edgeId, entryRange } from './entries.ts';
import type { Stream } from './stream.ts';
import { compareIds, ID_BYTES, ID_ZERO, idBefore } from './stream-id.ts';

export type TrimBound =
  /** So many are left. */
  | { readonly by: 'count'; readonly count: number }
  /** Those with lower ids go. */
  | { readonly by: 'id'; readonly id: Uint8Array };

export interface Trim {
  readonly bound: TrimBound;
  readonly isAbout: boolean;
  /** The most entries that go; infinite: all. */
  readonly removedMax: number;
}

const HUNDRED = 100;
/** When more entries go than this, and than elements stay, what stays is written anew, and all from before are swept later. */
const REWRITTEN_ELEMENTS_MIN = 1024;

export interface Trimmed {
  /** So many entries are gone. */
  readonly count: number;
  readonly hasMore: boolean;
}

/**
 * @param isWhole whether all has to go in this transaction: throws `limitReached` where that is too much. Else what is too much is
 * left for later.
 */
export function trim(
  view: View,
  stream: Stream,
  { bound, isAbout, removedMax }: Trim,
  isWhole: boolean,
): Trimmed {
  const wanted = Math.min(surplusOf(view, stream, bound), removedMax);
  const count = isAbout && wanted < stream.count ? wanted - (wanted % HUNDRED) : wanted;
  const removedCount = count > 0 ? removeFirst(view, stream, count, isWhole) : 0;
  return { count: removedCount, hasMore: removedCount < count };
}

function surplusOf(view: View, stream: Stream, bound: TrimBound): number {
  if (bound.by === 'count') return Math.max(0, stream.count - bound.count);
  const last = idBefore(bound.id);
  if (stream.count === 0 || last === undefined || compareIds(last, stream.firstId) < 0) return 0;
  return compareIds(last, stream.lastId) >= 0
    ? stream.count
    : view.count(entryRange(stream.id, stream.firstId, last));
}

/** @returns how many are gone. */
function removeFirst(view: View, stream: Stream, countMax: number, isWhole: boolean): number {
  if (countMax > REWRITTEN_ELEMENTS_MIN) {
    const leftCount = view.count(elementsOf(stream.id)) - countMax;
    if (countMax > leftCount) {
      const left = rangeBehind(view, stream, countMax);
      if (isWhole || (leftCount <= fixed.streamTrimmedMax && isShort(view, left))) {
        rewrite(view, stream, countMax, left);
        return countMax;
      }
    }
  }
  const count = isWhole ? countMax : Math.min(countMax, fixed.streamTrimmedMax);
  const range = entryRange(stream.id, stream.firstId, stream.lastId);
  const deleted = view.deleteRange(range, { keysMax: count, bytesMax: Infinity });
  if (deleted.count < count) throw budgetSpent(view.budget);
  stream.count -= count;
  if (stream.count === 0) {
    stream.firstId = ID_ZERO;
    return count;
  }
  // Where the first one is looked for: not again among those that are gone.
  if (deleted.nextKey !== undefined) stream.firstId = subOf(deleted.nextKey).slice(0, ID_BYTES);
  stream.firstId = edgeId(view, stream, false);
  return count;
}

/** What stays when so many entries go: they have the lowest keys of all, so that it is one range. */
function rangeBehind(view: View, { id, count, firstId, lastId }: Stream, removedCount: number): EngineRange {
  const firstKey =
    removedCount < count ? view.select(entryRange(id, firstId, lastId), removedCount) : undefined;
  return { start: firstKey ?? elementsWithTag(id, tags.group).start, end: elementsOf(id).end };
}

/** Whether what stays has few bytes. */
function isShort(view: View, left: EngineRange): boolean {
  let bytesLeft: number = fixed.streamRewrittenBytesMax;
  const next = view.scan(left, false, ({ key, value }) => {
    bytesLeft -= key.length + value.length;
    return bytesLeft >= 0;
  });
  return next === undefined && bytesLeft >= 0;
}

/** All that stays gets another id. */
function rewrite(view: View, stream: Stream, removedCount: number, left: EngineRange): void {
  stream.id = view.newCollectionId();
  stream.count -= removedCount;
  stream.firstId = stream.count === 0 ? ID_ZERO : subOf(left.start).slice();
  copyRange(view, left, stream.id);
}
