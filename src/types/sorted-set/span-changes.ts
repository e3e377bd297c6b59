/** Changes by parts of a sorted set: taking one out, or putting one in the place of another key. */
import { budgetSpent } from '../../store/views/draft.ts';
import type { View } from '../../store/views/view.ts';
import { SortedSet } from './sorted-set.ts';
import { SortedSetEdit } from './sorted-set-edit.ts';
import { type Selection, Span } from './span.ts';

export interface RemovedSpan {
  readonly count: number;
  /** Whether nothing is left. */
  readonly isEmptied: boolean;
}

/** Throws `wrongType`, and `limitReached` for more than a transaction may change: all of a set goes at any size. */
export function removeSpan(view: View, key: Uint8Array, selection: Selection): RemovedSpan {
  const set = SortedSet.read(view, key);
  const span = set && Span.of(view, set, selection, false);
  if (set === undefined || span === undefined || span.count === 0) return { count: 0, isEmptied: false };
  const isEmptied = span.count === set.count;
  if (isEmptied) view.delete(key);
  else {
    const edit = new SortedSetEdit(view, key);
    for (const { member } of readSpan(view, span)) edit.remove(member);
    edit.finish();
  }
  return { count: span.count, isEmptied };
}

/** Puts a part of a sorted set at a key, whatever that holds; an empty one deletes it. */
export function storeSpan(view: View, key: Uint8Array, span: Span | undefined): StoredSet {
  const elements = span === undefined ? [] : readSpan(view, span);
  const edit = new SortedSetEdit(view, key, true);
  for (const { member, score } of elements) edit.set(member, score);
  return finishStored(view, key, edit);
}

export interface StoredSet {
  readonly count: number;
  /** Whether the key held something that is gone, and holds nothing. */
  readonly isDeleted: boolean;
}

/** Ends the making of a set that takes the place of what its key holds. */
export function finishStored(view: View, key: Uint8Array, edit: SortedSetEdit): StoredSet {
  const { count } = edit;
  if (count === 0) return { count, isDeleted: view.delete(key) !== undefined };
  edit.finish();
  return { count, isDeleted: false };
}

/** All of it: a copy, since nothing may be written while it is gone through. */
function readSpan(view: View, span: Span): { readonly member: Uint8Array; readonly score: number }[] {
  const elements: { member: Uint8Array; score: number }[] = [];
  const hasMore = span.step(view, Infinity, (member, score) => {
    elements.push({ member: Uint8Array.prototype.slice.call(member), score });
  });
  if (hasMore) throw budgetSpent(view.budget);
  return elements;
}
