/** Operations on sets. */
import type { CollectionAnswers, CollectionArguments } from '../../api-collections.ts';
import { encodeKey } from '../../store/views/keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView } from '../../store/views/view.ts';
import { Combination, storeCombination } from '../../types/set/combination.ts';
import { countMembers, editSet, popMembers, readSet } from '../../types/set/set.ts';
import { combinedKeys, creating, type Preparers, someBytes, takenCount } from './prepared.ts';

export const setPreparers: Preparers<'setAdd' | 'setRemove' | 'setPop' | 'setCombine'> = {
  setAdd({ key: named, members, ttlMs }) {
    const key = encodeKey(named);
    const given = someBytes('members', members);
    return (view) =>
      creating(view, key, ttlMs, () => {
        const edit = editSet(view, key);
        let addedCount = 0;
        for (const member of given) if (edit.add(member)) addedCount++;
        edit.save();
        return { addedCount, count: edit.count };
      });
  },

  setRemove({ key: named, members }) {
    const key = encodeKey(named);
    const given = someBytes('members', members);
    return (view) => {
      const edit = editSet(view, key);
      let removedCount = 0;
      for (const member of given) if (edit.remove(member)) removedCount++;
      edit.save();
      return { removedCount, count: edit.count };
    };
  },

  setPop({ key: named, limit }, chance) {
    const key = encodeKey(named);
    const wanted = takenCount(limit);
    return (view) => {
      const version = readSet(view, key);
      if (version === undefined) return { members: [], count: 0 };
      const edit = editSet(view, key);
      const taken = popMembers(view, version, edit, Math.min(wanted, countMembers(version)), chance);
      edit.save();
      return { members: taken.map((member) => new Uint8Array(member)), count: edit.count };
    };
  },

  setCombine(given) {
    const { destination } = given;
    if (destination === undefined) return prepareSetCombination(given);
    const { operation, limit = 0 } = given;
    const keys = combinedKeys('keys', given.keys, 1);
    const target = encodeKey(destination);
    return (view) => {
      const combination = Combination.read(view, operation, keys);
      const { count } = storeCombination(view, combination, target, limit === 0 ? Infinity : limit);
      return { members: [], count };
    };
  },
};

/** One that is told, on any state. */
export function prepareSetCombination({
  keys: named,
  operation,
  limit = 0,
}: CollectionArguments['setCombine']): (view: ReadView) => CollectionAnswers['setCombine'] {
  const keys = combinedKeys('keys', named, 1);
  const countMax = limit === 0 ? Infinity : limit;
  return (view) => {
    const members: Uint8Array[] = [];
    const next = Combination.read(view, operation, keys).visit(view, undefined, Infinity, (member) => {
      members.push(new Uint8Array(member));
      return members.length < countMax;
    });
    if (next !== undefined && members.length < countMax) throw budgetSpent(view.budget);
    return { members, count: members.length };
  };
}
