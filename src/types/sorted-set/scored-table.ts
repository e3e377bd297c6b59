/**
 * Sorted sets and sets as tables of members by their bytes (`collections/element-table.ts`): for what looks at members in no order of
 * scores. A member of a set has the score 1.
 */
import type { Version } from '../../engine/version.ts';
import { tags } from '../../store/collections/collection-keys.ts';
import type { ReadView } from '../../store/views/view.ts';
import { countElements, findElement, type TableType } from '../collections/element-table.ts';
import { expectKind } from '../collections/metadata.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { setType } from '../set/set.ts';
import { readScore } from './score.ts';

export const sortedSetType: TableType = { kind: kinds.sortedSet, tag: tags.member, hasValues: true };

/** One that a combination is made of. */
export interface ScoredTable {
  readonly version: Version;
  readonly type: TableType;
  readonly count: number;
}

/** `undefined`: there is none. Throws `wrongType` unless it is a sorted set or a set. */
export function readScoredTable(view: ReadView, key: Uint8Array): ScoredTable | undefined {
  const version = view.read(key);
  if (version === undefined) return undefined;
  const isSet = version.kind === kinds.set;
  if (!isSet) expectKind(version, kinds.sortedSet);
  const type = isSet ? setType : sortedSetType;
  return { version, type, count: countElements(version, type) };
}

/** @param value as the table has it. */
export function scoreOfElement(value: Uint8Array): number {
  return value.length === 0 ? 1 : readScore(value, 0);
}

export function findScore(
  view: ReadView,
  { version, type }: ScoredTable,
  member: Uint8Array,
): number | undefined {
  const value = findElement(view, version, type, member);
  return value && scoreOfElement(value);
}
