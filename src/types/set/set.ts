/**
 * Sets: members without values, as a table of named elements (`collections/element-table.ts` says how they lie).
 *
 *     key → metadata, kind 3
 *     FA id 'm' member → nothing      of a spread one
 */
import type { Version } from '../../engine/version.ts';
import { fixed } from '../../limits.ts';
import { elementKey, subOf, tags } from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { countElements, elementRange, hasElement, type TableType } from '../collections/element-table.ts';
import { isPacked, putMetadata, readCollection, spreadMetadata } from '../collections/metadata.ts';
import { drawPlaces, type Random, RandomSample } from '../collections/random-elements.ts';
import { TableEdit } from '../collections/table-edit.ts';
import { kinds } from '../../store/collections/kinds.ts';

export const setType: TableType = { kind: kinds.set, tag: tags.member, hasValues: false };

/** `undefined`: there is no such set. Throws `wrongType`. */
export function readSet(view: ReadView, key: Uint8Array): Version | undefined {
  return readCollection(view, key, kinds.set);
}

/** Throws `wrongType`. */
export function editSet(view: View, key: Uint8Array): TableEdit {
  return TableEdit.open(view, key, setType);
}

/** Takes a member out by chance. */
export function popMember(edit: TableEdit, random: Random): Uint8Array {
  const member = edit.nameAt(Math.floor(random() * edit.count));
  edit.remove(member);
  return member;
}

/**
 * Takes members out by chance, of a set that has so many: as many as a transaction may change.
 * @returns them, in no order.
 */
export function popMembers(
  view: View,
  version: Version,
  edit: TableEdit,
  count: number,
  random: Random,
): Uint8Array[] {
  if (!isPacked(version)) {
    // More than the transaction may change need not be drawn to be refused.
    const drawnCount = Math.min(count, fixed.txnChangesMax + 1);
    return edit.removeAt(drawPlaces(drawnCount, countMembers(version), random));
  }
  const members: Uint8Array[] = [];
  const sample = new RandomSample(version, setType, count, random);
  const hasMore = sample.visitNext(view, Infinity, (member) => void members.push(new Uint8Array(member)));
  if (hasMore) throw budgetSpent(view.budget);
  for (const member of members) edit.remove(member);
  return members;
}

/**
 * Leaves so many members by chance of a spread set, under a new id: what is left has to be written, and nothing of what goes.
 * @returns the places of those that stay, ascending.
 */
export function keepMembers(
  view: View,
  key: Uint8Array,
  version: Version,
  keptCount: number,
  random: Random,
): Float64Array {
  const places = drawPlaces(keptCount, countMembers(version), random);
  const kept = view.selectAll(elementRange(version, setType), places);
  const id = view.newCollectionId();
  for (const member of kept) view.put(elementKey(id, setType.tag, subOf(member)), NO_BYTES);
  putMetadata(view, key, kinds.set, spreadMetadata(keptCount).value, version, id);
  return places;
}

export type MoveResult = 'moved' | 'notThere' | 'wasInBoth' | 'sameSet';

/**
 * Moves a member from a set to another one.
 * @param isSame whether both keys are one.
 * @returns `sameSet`: the member is there, and nothing has changed; `wasInBoth`: the second set has not changed.
 */
export function moveMember(
  view: View,
  from: Uint8Array,
  to: Uint8Array,
  member: Uint8Array,
): { readonly result: MoveResult; readonly isEmptied: boolean } {
  const source = readSet(view, from);
  if (source === undefined) return { result: 'notThere', isEmptied: false };
  const target = editSet(view, to);
  if (Buffer.compare(from, to) === 0) {
    const isThere = hasElement(view, source, setType, member);
    return { result: isThere ? 'sameSet' : 'notThere', isEmptied: false };
  }
  const edit = TableEdit.of(view, from, setType, source);
  if (!edit.remove(member)) return { result: 'notThere', isEmptied: false };
  edit.save();
  const isNew = target.add(member);
  target.save();
  return { result: isNew ? 'moved' : 'wasInBoth', isEmptied: edit.isEmpty };
}

export function countMembers(version: Version): number {
  return countElements(version, setType);
}
