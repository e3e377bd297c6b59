/** The elements that SORT sorts: those of a list, a set or a sorted set, in the order that they have there. */
import { StoreError } from '../../../../errors.ts';
import { serverFixed } from '../../../../limits.ts';
import { budgetSpent } from '../../../../store/views/draft.ts';
import type { ReadView } from '../../../../store/views/view.ts';
import { countElements, visitElements } from '../../../../types/collections/element-table.ts';
import { kinds } from '../../../../store/collections/kinds.ts';
import { List } from '../../../../types/list/list.ts';
import { visitElements as visitListElements } from '../../../../types/list/read.ts';
import { readSet, setType } from '../../../../types/set/set.ts';
import { SortedSet } from '../../../../types/sorted-set/sorted-set.ts';
import { Span } from '../../../../types/sorted-set/span.ts';
import { ReplyError, WRONG_TYPE } from '../../replies/errors.ts';

export interface SortSource {
  readonly kind: number;
  readonly count: number;
  /** Copies of the elements from one index to another (exclusive). Throws `limitReached`. */
  take(from: number, to: number): Uint8Array[];
}

const NOTHING: SortSource = { kind: kinds.list, count: 0, take: () => [] };

/** Throws a `ReplyError` for a key of another type. */
export function sortSource(view: ReadView, key: Uint8Array): SortSource {
  const kind = view.readMeta(key)?.kind;
  if (kind === undefined) return NOTHING;
  if (kind === kinds.list) return listSource(view, key);
  if (kind === kinds.set) return setSource(view, key);
  if (kind === kinds.sortedSet) return sortedSetSource(view, key);
  throw new ReplyError(WRONG_TYPE);
}

function listSource(view: ReadView, key: Uint8Array): SortSource {
  const list = List.read(view, key);
  if (list === undefined) return NOTHING;
  const take = (from: number, to: number): Uint8Array[] => {
    const elements = room(to - from);
    const next = visitListElements(view, list, from, to, (element) => keep(elements, element));
    if (next < to) throw budgetSpent(view.budget);
    return elements;
  };
  return { kind: kinds.list, count: list.count, take };
}

function setSource(view: ReadView, key: Uint8Array): SortSource {
  const version = readSet(view, key);
  if (version === undefined) return NOTHING;
  const count = countElements(version, setType);
  const take = (from: number, to: number): Uint8Array[] => {
    const elements = room(count);
    const next = visitElements(view, version, setType, undefined, (member) => keep(elements, member));
    if (next !== undefined) throw budgetSpent(view.budget);
    return elements.slice(from, to);
  };
  return { kind: kinds.set, count, take };
}

function sortedSetSource(view: ReadView, key: Uint8Array): SortSource {
  const set = SortedSet.read(view, key);
  if (set === undefined) return NOTHING;
  const take = (from: number, to: number): Uint8Array[] => {
    const elements = room(set.count);
    const span = Span.all(set);
    while (span.step(view, serverFixed.sortedElementsMax, (member) => void keep(elements, member)));
    return elements.slice(from, to);
  };
  return { kind: kinds.sortedSet, count: set.count, take };
}

function room(count: number): Uint8Array[] {
  if (count <= serverFixed.sortedElementsMax) return [];
  throw new StoreError(
    'limitReached',
    `there are ${count} elements to sort; at most ${serverFixed.sortedElementsMax} are allowed (sortedElementsMax)`,
  );
}

function keep(elements: Uint8Array[], element: Uint8Array): boolean {
  return elements.push(Uint8Array.prototype.slice.call(element)) > 0;
}
