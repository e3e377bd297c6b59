/** The entries of a stream: their keys and values, what adds and removes them, and a part of them in order. */
import type { EngineRange } from '../../engine/engine.ts';
import { assert } from '../../errors.ts';
import {
  ELEMENT_HEAD_BYTES,
  elementKey,
  elementsWithTag,
  subOf,
  tags,
} from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { keyAfter } from '../../store/views/keys.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { ItemCursor, sizeOfItem, writeItem } from '../collections/packed-items.ts';
import type { Stream } from './stream.ts';
import { compareIds, ID_ZERO, idAfter } from './stream-id.ts';

export function entryKey(streamId: number, id: Uint8Array): Uint8Array {
  return elementKey(streamId, tags.entry, id);
}

/** The keys of the entries from one id to another, both inclusive. */
export function entryRange(streamId: number, from: Uint8Array, to: Uint8Array): EngineRange {
  const behind = idAfter(to);
  const end = behind === undefined ? elementsWithTag(streamId, tags.entry).end : entryKey(streamId, behind);
  return { start: entryKey(streamId, from), end };
}

/** The value of an entry. @param items fields and values in turn. */
export function packFields(items: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const item of items) size += sizeOfItem(item);
  const fields = Buffer.allocUnsafe(size);
  let at = 0;
  for (const item of items) at = writeItem(fields, at, item);
  return fields;
}

/** How many fields and values an entry has together. */
export function countFields(fields: Uint8Array): number {
  let count = 0;
  for (const cursor = new ItemCursor(fields); cursor.next();) count++;
  return count;
}

/** Adds an entry behind all others. @param id above `lastId`. @param fields what `packFields` has made. */
export function addEntry(view: View, stream: Stream, id: Uint8Array, fields: Uint8Array): void {
  assert(compareIds(id, stream.lastId) > 0, 'an entry comes behind all that there were');
  view.put(entryKey(stream.id, id), fields);
  noteAdded(stream, id);
}

/** An entry has come behind all others. */
export function noteAdded(stream: Stream, id: Uint8Array): void {
  if (stream.count === 0) stream.firstId = id;
  stream.count++;
  stream.added++;
  stream.lastId = id;
}

/** The fields and values of an entry; `undefined`: there is none. */
export function readEntry(view: ReadView, stream: Stream, id: Uint8Array): Uint8Array | undefined {
  return view.read(entryKey(stream.id, id))?.value;
}

/** Removes single entries. @returns how many of them there were. */
export function removeEntries(view: View, stream: Stream, ids: readonly Uint8Array[]): number {
  let removedCount = 0;
  let isFirstGone = false;
  for (const id of ids) {
    if (view.delete(entryKey(stream.id, id)) === undefined) continue;
    removedCount++;
    stream.count--;
    isFirstGone ||= compareIds(id, stream.firstId) === 0;
    if (compareIds(id, stream.maxDeletedId) > 0) stream.maxDeletedId = id;
  }
  if (isFirstGone) stream.firstId = stream.count === 0 ? ID_ZERO : edgeId(view, stream, false);
  return removedCount;
}

/** The id of the first entry that there is, or of the last one. The stream has entries. */
export function edgeId(view: ReadView, stream: Stream, isLast: boolean): Uint8Array {
  let id: Uint8Array | undefined;
  view.scan(entryRange(stream.id, stream.firstId, stream.lastId), isLast, (shown) => {
    id = subOf(shown.copyKey());
    return false;
  });
  if (id === undefined) throw budgetSpent(view.budget);
  return id;
}

/** What is shown holds during the visit only. */
export type VisitEntry = (id: Uint8Array, fields: Uint8Array) => unknown;

/** A part of a stream's entries in order, gone through in pieces of one state; its length is known from the beginning. */
export class EntrySpan {
  /** How many entries it has. */
  readonly count: number;
  readonly #isReversed: boolean;
  /** What is left to go through. */
  #range: EngineRange;
  #left: number;

  /** @param from, to both inclusive. @param countMax of its entries, in the direction. */
  constructor(
    view: View,
    stream: Stream,
    from: Uint8Array,
    to: Uint8Array,
    isReversed = false,
    countMax = Infinity,
  ) {
    this.#isReversed = isReversed;
    const first = compareIds(from, stream.firstId) < 0 ? stream.firstId : from;
    const last = compareIds(to, stream.lastId) > 0 ? stream.lastId : to;
    this.#range = entryRange(stream.id, first, last);
    const isEmpty = stream.count === 0 || compareIds(first, last) > 0;
    this.count = this.#left = isEmpty ? 0 : Math.min(view.count(this.#range), countMax);
  }

  /**
   * Visits as many entries as are left, `countMax` at most and of about so many bytes, and as the budget allows.
   * @returns whether there are more.
   */
  step(view: ReadView, countMax: number, visit: VisitEntry, bytesMax = Infinity): boolean {
    if (this.#left === 0) return false;
    const { budget } = view;
    if (budget.isSpent) throw budgetSpent(budget);
    let pieceLeft = Math.min(countMax, this.#left);
    let bytesLeft = bytesMax;
    const next = view.scan(this.#range, this.#isReversed, (shown) => {
      const { value } = shown;
      budget.spendBytes(value.length);
      bytesLeft -= value.length;
      visit(shown.keyFrom(ELEMENT_HEAD_BYTES), value);
      this.#left--;
      return --pieceLeft > 0 && bytesLeft > 0 && !budget.isSpent;
    });
    if (this.#left === 0) return false;
    assert(next !== undefined, 'a stream has as many entries as were counted');
    const { start, end } = this.#range;
    this.#range = this.#isReversed ? { start, end: keyAfter(next) } : { start: next, end };
    return true;
  }

  /** Visits all that is left. Throws `limitReached`. */
  visitAll(view: ReadView, visit: VisitEntry): void {
    while (this.step(view, Infinity, visit));
  }
}

/** So many entries, or of about so many bytes, are read before something is written for them: a scan may not write. */
const GATHERED_MAX = 256;
const GATHERED_BYTES_MAX = 1024 * 1024;

export interface Entry {
  readonly id: Uint8Array;
  readonly fields: Uint8Array;
}

/** The next entries of a part, in memory of their own: some of them, none at the end. Throws `limitReached`. */
export function gatherEntries(view: View, span: EntrySpan): readonly Entry[] {
  const gathered: Entry[] = [];
  span.step(
    view,
    GATHERED_MAX,
    (id, fields) => gathered.push({ id: new Uint8Array(id), fields: new Uint8Array(fields) }),
    GATHERED_BYTES_MAX,
  );
  return gathered;
}
