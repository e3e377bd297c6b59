/**
 * Elements that have a name, for hashes and sets: a field has a value, a member none.
 *
 *     packed   name value name value ...   as items of the metadata (`packed-items.ts`); of a set the names alone
 *     spread   FA id tag name → value      one key for each element; of a set with nothing in it
 *
 * What stays true: no two elements have the same name; the count of a spread one is that of its keys. Packed elements lie in the
 * order of their first writes, spread ones in the order of their bytes.
 *
 * Reads take the version that `readCollection` gave, so that those that go on later, or ask often, look at the metadata once.
 */
import type { EngineRange } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import { fixed } from '../../limits.ts';
import {
  ELEMENT_HEAD_BYTES,
  elementKey,
  elementsWithTag,
  subOf,
  type Tag,
} from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { Kind } from '../../store/collections/kinds.ts';
import { isPacked, ITEMS_START, readCount } from './metadata.ts';
import { ItemCursor } from './packed-items.ts';

export interface TableType {
  readonly kind: Kind;
  readonly tag: Tag;
  readonly hasValues: boolean;
}

/** Name and value are as they are during the visit only. @returns false to stop; the visit then goes on after this element. */
export type ElementVisit = (name: Uint8Array, value: Uint8Array) => boolean;

/** How many elements there are; those past their deadline and not removed yet count (`timed-table.ts`). */
export function countElements(version: Version, { hasValues }: TableType): number {
  if (!isPacked(version)) return readCount(version).count;
  const cursor = new ItemCursor(version.value, ITEMS_START);
  let count = 0;
  while (cursor.next()) count++;
  return hasValues ? count / 2 : count;
}

/** The value of an element; `undefined`: there is no such element. */
export function findElement(
  view: ReadView,
  version: Version,
  type: TableType,
  name: Uint8Array,
): Uint8Array | undefined {
  if (isPacked(version)) {
    const cursor = seekPacked(view, version, type, name);
    if (cursor === undefined) return undefined;
    return type.hasValues && cursor.next() ? cursor.item : NO_BYTES;
  }
  if (name.length > fixed.memberBytesMax) return undefined;
  return view.read(elementKey(version.collectionId, type.tag, name))?.value;
}

export function hasElement(view: ReadView, version: Version, type: TableType, name: Uint8Array): boolean {
  if (isPacked(version)) return seekPacked(view, version, type, name) !== undefined;
  if (name.length > fixed.memberBytesMax) return false;
  return view.readMeta(elementKey(version.collectionId, type.tag, name)) !== undefined;
}

/** When an element's time to live is over; 0: never; `undefined`: there is no such element. */
export function deadlineOfElement(
  view: ReadView,
  version: Version,
  type: TableType,
  name: Uint8Array,
): number | undefined {
  if (isPacked(version)) return seekPacked(view, version, type, name) === undefined ? undefined : 0;
  if (name.length > fixed.memberBytesMax) return undefined;
  return view.readMeta(elementKey(version.collectionId, type.tag, name))?.expireTimeMs;
}

/** Where the spread elements are. */
export function elementRange(version: Version, { tag }: TableType): EngineRange {
  return elementsWithTag(version.collectionId, tag);
}

/**
 * Visits elements until `visit` returns false or the budget is spent.
 * @param start the name to begin at, inclusive; `undefined`: the first element.
 * @param withValues false: the values need not be looked at, and may be empty.
 * @returns the name to go on from; `undefined` at the end.
 */
export function visitElements(
  view: ReadView,
  version: Version,
  type: TableType,
  start: Uint8Array | undefined,
  visit: ElementVisit,
  withValues = type.hasValues,
): Uint8Array | undefined {
  if (isPacked(version)) return visitPacked(view, version, type, start, visit);
  const { budget } = view;
  const all = elementRange(version, type);
  const from = start === undefined ? all.start : elementKey(version.collectionId, type.tag, start);
  const next = view.scan({ start: from, end: all.end }, false, (shown) => {
    const value = withValues ? shown.value : NO_BYTES;
    const name = shown.keyFrom(ELEMENT_HEAD_BYTES);
    budget.spendBytes(name.length + value.length);
    return visit(name, value) && !budget.isSpent;
  });
  return next === undefined ? undefined : subOf(next);
}

function visitPacked(
  view: ReadView,
  version: Version,
  type: TableType,
  start: Uint8Array | undefined,
  visit: ElementVisit,
): Uint8Array | undefined {
  const { budget } = view;
  const cursor = new ItemCursor(version.value, ITEMS_START);
  let isBefore = start !== undefined;
  let isStopped = budget.isSpent;
  while (cursor.next()) {
    const name = cursor.item;
    const value = type.hasValues && cursor.next() ? cursor.item : NO_BYTES;
    if (isBefore && start !== undefined && Buffer.compare(name, start) !== 0) continue;
    isBefore = false;
    if (isStopped) return name;
    budget.spendVisits(1);
    budget.spendBytes(name.length + value.length);
    isStopped = !visit(name, value) || budget.isSpent;
  }
  return undefined;
}

/** Where a name is in a packed row; what the walk costs is paid as one visit. */
function seekPacked(
  view: ReadView,
  version: Version,
  { hasValues }: TableType,
  name: Uint8Array,
): ItemCursor | undefined {
  payVisits(view, 1);
  const cursor = new ItemCursor(version.value, ITEMS_START);
  while (cursor.next()) {
    if (cursor.isItem(name)) return cursor;
    if (hasValues) cursor.next();
  }
  return undefined;
}

/** For work that the view does not pay for by itself. Throws `limitReached` when the budget is spent. */
export function payVisits({ budget }: ReadView, count: number): void {
  budget.spendVisits(count);
  if (budget.isSpent) throw budgetSpent(budget);
}
