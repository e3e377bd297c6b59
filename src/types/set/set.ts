/**
 * Sets: members without values, as a table of named elements (`collections/element-table.ts` says how they lie).
 *
 *     key → metadata, kind 3
 *     FA id 'm' member → nothing      of a spread one
 */
import type { Version } from '../../engine/version.ts';
import { tags } from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { countElements, hasElement, type TableType } from '../collections/element-table.ts';
import { readCollection } from '../collections/metadata.ts';
import { type Random, RandomSample } from '../collections/random-elements.ts';
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
 * Takes members out by chance, of a set that has more of them.
 * @returns them, in no order.
 */
export function popMembers(
  view: View,
  version: Version,
  edit: TableEdit,
  count: number,
  random: Random,
): Uint8Array[] {
  const sample = new RandomSample(version, setType, count, random);
  const members: Uint8Array[] = [];
  if (sample.isSparse) sample.visitSparse(view, (member) => void members.push(member));
  else {
    const hasMore = sample.visitNext(view, Infinity, (member) => void members.push(new Uint8Array(member)));
    if (hasMore) throw budgetSpent(view.budget);
  }
  for (const member of members) edit.remove(member);
  return members;
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
