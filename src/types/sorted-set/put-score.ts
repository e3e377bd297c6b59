/** Gives a member a score on conditions: what ZADD and its like, and `SortedSetService.Add`, have in common. */
import type { SortedSetEdit } from './sorted-set-edit.ts';

export interface PutRules {
  /** Members that are there are left alone. */
  readonly isOnlyNew: boolean;
  /** Members that are not there are left out. */
  readonly isOnlyExisting: boolean;
  /** A member that is there takes a higher score only, or a lower one only. */
  readonly isOnlyHigher: boolean;
  readonly isOnlyLower: boolean;
  /** The score is added to the one that is there. */
  readonly isIncrement: boolean;
}

/** `same`: the score that it has already. `notANumber`: infinities have met, and nothing has changed. */
export type PutResult = 'added' | 'updated' | 'same' | 'refused' | 'notANumber';

export function putScore(edit: SortedSetEdit, member: Uint8Array, score: number, rules: PutRules): PutResult {
  const before = edit.score(member);
  if (before === undefined) {
    if (rules.isOnlyExisting) return 'refused';
    edit.set(member, score);
    return 'added';
  }
  if (rules.isOnlyNew) return 'refused';
  const wanted = rules.isIncrement ? before + score : score;
  if (Number.isNaN(wanted)) return 'notANumber';
  if ((rules.isOnlyLower && wanted >= before) || (rules.isOnlyHigher && wanted <= before)) return 'refused';
  if (wanted === before) return 'same';
  edit.set(member, wanted);
  return 'updated';
}
