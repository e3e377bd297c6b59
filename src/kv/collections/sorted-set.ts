/** Operations on sorted sets. */
import type {
  CollectionAnswers,
  CollectionArguments,
  ScoredMember,
  SortedSetRange,
} from '../../api-collections.ts';
import { bytesOf } from '../../arguments/value.ts';
import { StoreError } from '../../errors.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { encodeKey } from '../../store/views/keys.ts';
import type { ReadView } from '../../store/views/view.ts';
import { Combination } from '../../types/sorted-set/combination.ts';
import { Gathered } from '../../types/sorted-set/gathered.ts';
import type { MemberBound } from '../../types/sorted-set/intervals.ts';
import { putScore } from '../../types/sorted-set/put-score.ts';
import { readScoredTable } from '../../types/sorted-set/scored-table.ts';
import { SortedSet } from '../../types/sorted-set/sorted-set.ts';
import { SortedSetEdit } from '../../types/sorted-set/sorted-set-edit.ts';
import type { Selection } from '../../types/sorted-set/span.ts';
import { removeSpan } from '../../types/sorted-set/span-changes.ts';
import { storeGathered } from '../../types/sorted-set/store-gathered.ts';
import { checkSome, combinedKeys, creating, type Preparers, someBytes, takenCount } from './prepared.ts';

type SortedSetKind =
  'sortedSetAdd' | 'sortedSetRemove' | 'sortedSetRemoveRange' | 'sortedSetPop' | 'sortedSetCombine';

export const sortedSetPreparers: Preparers<SortedSetKind> = {
  sortedSetAdd(given) {
    const { onlyIfAbsent = false, onlyIfExists = false, onlyIfGreater = false, onlyIfLess = false } = given;
    const { increment = false, ttlMs } = given;
    const key = encodeKey(given.key);
    checkSome('members', given.members);
    if (onlyIfAbsent && (onlyIfExists || onlyIfGreater || onlyIfLess)) {
      throw new StoreError(
        'invalidArgument',
        'onlyIfAbsent is of members that are not there; onlyIfExists, onlyIfGreater and onlyIfLess contradict it',
      );
    }
    if (onlyIfGreater && onlyIfLess)
      throw new StoreError('invalidArgument', 'onlyIfGreater and onlyIfLess contradict each other');
    const members = given.members.map(({ member, score }) => ({ member: bytesOf(member), score }));
    const rules = {
      isOnlyNew: onlyIfAbsent,
      isOnlyExisting: onlyIfExists,
      isOnlyHigher: onlyIfGreater,
      isOnlyLower: onlyIfLess,
      isIncrement: increment,
    };
    return (view) =>
      creating(view, key, ttlMs, () => {
        const edit = new SortedSetEdit(view, key);
        let addedCount = 0;
        let changedCount = 0;
        const scores: (number | undefined)[] = [];
        for (const { member, score } of members) {
          const result = putScore(edit, member, score, rules);
          if (result === 'notANumber')
            throw new StoreError('notANumber', 'the sum of two infinite scores is not a number');
          if (result === 'added') addedCount++;
          if (result === 'updated') changedCount++;
          if (increment) scores.push(result === 'refused' ? undefined : edit.score(member));
        }
        edit.finish();
        return { addedCount, changedCount, count: edit.count, scores };
      });
  },

  sortedSetRemove({ key: named, members }) {
    const key = encodeKey(named);
    const given = someBytes('members', members);
    return (view) => {
      const edit = new SortedSetEdit(view, key);
      let removedCount = 0;
      for (const member of given) if (edit.remove(member)) removedCount++;
      edit.finish();
      return { removedCount, count: edit.count };
    };
  },

  sortedSetRemoveRange({ key: named, range }) {
    const key = encodeKey(named);
    const selection = selectionOf(range);
    return (view) => {
      const { count: removedCount } = removeSpan(view, key, selection);
      return { removedCount, count: SortedSet.read(view, key)?.count ?? 0 };
    };
  },

  sortedSetPop({ key: named, highest = false, limit }) {
    const key = encodeKey(named);
    const wanted = takenCount(limit);
    return (view) => {
      const edit = new SortedSetEdit(view, key);
      const members: ScoredMember[] = [];
      edit.popEnd(highest, wanted, (member, score) => {
        members.push({ member: new Uint8Array(member), score });
      });
      edit.finish();
      return { members, count: edit.count };
    };
  },

  sortedSetCombine(given) {
    const { destination } = given;
    if (destination === undefined) return prepareSortedSetCombination(given);
    const gather = prepareGathered(given);
    const target = encodeKey(destination);
    return (view) => ({ members: [], count: storeGathered(view, target, gather(view)).count });
  },
};

/** One that is told, on any state. */
export function prepareSortedSetCombination(
  given: CollectionArguments['sortedSetCombine'],
): (view: ReadView) => CollectionAnswers['sortedSetCombine'] {
  const gather = prepareGathered(given);
  return (view) => {
    const gathered = gather(view);
    // To sort them costs about as much as to find them.
    view.budget.spendVisits(gathered.count);
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    while (gathered.sort(Infinity));
    const members: ScoredMember[] = [];
    gathered.next(Infinity, (member, score) => members.push({ member, score }));
    return { members, count: members.length };
  };
}

function prepareGathered(given: CollectionArguments['sortedSetCombine']): (view: ReadView) => Gathered {
  const { operation, weights = [], aggregate = 'sum' } = given;
  const keys = combinedKeys('keys', given.keys, 1);
  if (weights.length > 0 && weights.length !== keys.length) {
    throw new StoreError(
      'invalidArgument',
      `weights has ${weights.length} numbers, but keys has ${keys.length} keys; there is one for each, or none`,
    );
  }
  if (weights.length > 0 && operation === 'difference')
    throw new StoreError('invalidArgument', 'weights do nothing in a difference; leave them out');
  return (view) => {
    const sources = keys.map((key, index) => ({
      table: readScoredTable(view, key),
      weight: weights[index] ?? 1,
    }));
    const combination = new Combination(operation, sources, aggregate);
    const gathered = new Gathered(aggregate);
    const add = (member: Uint8Array, score: number): boolean => {
      gathered.add(member, score);
      return true;
    };
    while (combination.step(view, Infinity, add));
    return gathered;
  };
}

/** A range as the type has it. */
export function selectionOf(range: SortedSetRange): Selection {
  if ('rank' in range) {
    const { start = 0, stop = -1 } = range.rank;
    return { by: 'index', start, stop };
  }
  if ('score' in range) {
    const { min = -Infinity, max = Infinity, minExclusive = false, maxExclusive = false } = range.score;
    return {
      by: 'score',
      scores: { min, max, isMinExcluded: minExclusive, isMaxExcluded: maxExclusive },
    };
  }
  const { min, max, minExclusive = false, maxExclusive = false } = range.member;
  const bound = (given: typeof min, isExcluded: boolean, none: MemberBound): MemberBound =>
    given === undefined ? none : { member: bytesOf(given), isExcluded };
  return {
    by: 'member',
    members: { min: bound(min, minExclusive, 'low'), max: bound(max, maxExclusive, 'high') },
  };
}
