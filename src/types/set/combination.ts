/**
 * Sets made of several: what all have, what any has, what the first one alone has.
 *
 * One set is walked after the other, and of each member the others are asked: of an intersection the smallest set and all others, of a
 * difference the first and all others, of a union each and those before it. So the work goes on from any place, on the same state,
 * and takes no memory.
 */
import type { Version } from '../../engine/version.ts';
import { fixed } from '../../limits.ts';
import { ELEMENT_HEAD_BYTES } from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { hasElement, visitElements } from '../collections/element-table.ts';
import { TableEdit } from '../collections/table-edit.ts';
import { countMembers, readSet, setType } from './set.ts';

export type Combining = 'intersection' | 'union' | 'difference';

/** Where a walk goes on: at a member of a set. */
export interface CombinationPlace {
  readonly set: number;
  readonly member: Uint8Array | undefined;
}

export class Combination {
  readonly #sets: readonly Version[];
  readonly #combining: Combining;

  private constructor(sets: readonly Version[], combining: Combining) {
    this.#sets = sets;
    this.#combining = combining;
  }

  /** Throws `wrongType`, for each of the keys. */
  static read(view: ReadView, combining: Combining, keys: Iterable<Uint8Array>): Combination {
    const found: (Version | undefined)[] = [];
    for (const key of keys) found.push(readSet(view, key));
    const sets = found.filter((version) => version !== undefined);
    if (combining === 'intersection') {
      if (sets.length < found.length) return new Combination([], combining);
      return new Combination(smallestFirst(sets), combining);
    }
    if (combining === 'difference' && found[0] === undefined) return new Combination([], combining);
    return new Combination(sets, combining);
  }

  /**
   * Visits members until so many were looked at, each set that is asked for one counted too, or the budget is nearly spent, or
   * `visit` returns false; at least one is looked at.
   * @param place to begin at; `undefined`: the beginning.
   * @returns where to go on; `undefined` at the end.
   */
  visit(
    view: ReadView,
    place: CombinationPlace | undefined,
    lookedAtMax: number,
    visit: (member: Uint8Array) => boolean,
  ): CombinationPlace | undefined {
    const walkedCount = this.#combining === 'union' ? this.#sets.length : Math.min(1, this.#sets.length);
    let start = place?.member;
    let lookedAt = 0;
    for (let set = place?.set ?? 0; set < walkedCount; set++) {
      const walked = this.#sets[set];
      if (walked === undefined) break;
      let notLookedAt: Uint8Array | undefined;
      let isStopped = false;
      const next = visitElements(view, walked, setType, start, (member) => {
        if (lookedAt > 0 && !this.#canAsk(view, set, member)) {
          notLookedAt = new Uint8Array(member);
          return false;
        }
        const visitsBefore = view.budget.visitsLeft;
        isStopped = this.#has(view, set, member) && !visit(member);
        lookedAt += 1 + visitsBefore - view.budget.visitsLeft;
        isStopped ||= lookedAt >= lookedAtMax;
        return !isStopped;
      });
      const member = notLookedAt ?? next;
      if (member !== undefined) return { set, member };
      start = undefined;
      if ((isStopped || view.budget.isSpent) && set + 1 < walkedCount)
        return { set: set + 1, member: undefined };
    }
    return undefined;
  }

  /** Whether a member of a set is one of the result, and has not come before. */
  #has(view: ReadView, set: number, member: Uint8Array): boolean {
    const isIntersection = this.#combining === 'intersection';
    const end = this.#combining === 'union' ? set : this.#sets.length;
    for (let other = this.#combining === 'union' ? 0 : 1; other < end; other++) {
      const asked = this.#sets[other];
      if (asked !== undefined && hasElement(view, asked, setType, member) !== isIntersection) return false;
    }
    return true;
  }

  /** Whether the budget has enough for asking all others of a member. */
  #canAsk({ budget }: ReadView, set: number, member: Uint8Array): boolean {
    const askedMax = this.#combining === 'union' ? set : this.#sets.length - 1;
    const keyVisits = Math.floor((ELEMENT_HEAD_BYTES + member.length) / fixed.visitKeyBytes);
    return budget.visitsLeft > askedMax * (1 + keyVisits) && budget.bytesLeft > 0;
  }
}

/** Each is counted once: the packed ones are walked for that. */
function smallestFirst(sets: readonly Version[]): Version[] {
  const counted = sets.map((version) => ({ version, count: countMembers(version) }));
  return counted.sort((a, b) => a.count - b.count).map(({ version }) => version);
}

/**
 * Writes a combination to a key, in place of what is there; an empty one deletes that.
 * @param countMax the most members that are written, from 1.
 * @returns how many members it has, and whether a key was deleted. Throws `limitReached` for one that is too much for a request.
 */
export function storeCombination(
  view: View,
  combination: Combination,
  key: Uint8Array,
  countMax = Infinity,
): { readonly count: number; readonly isDeleted: boolean } {
  // All before any is written: a scan over what the transaction itself has changed is slower.
  const members: Uint8Array[] = [];
  const next = combination.visit(view, undefined, Infinity, (member) => {
    members.push(new Uint8Array(member));
    return members.length < countMax;
  });
  if (next !== undefined && members.length < countMax) throw budgetSpent(view.budget);
  const edit = TableEdit.replace(view, key, setType);
  for (const member of members) edit.add(member);
  if (edit.count === 0) return { count: 0, isDeleted: view.delete(key) !== undefined };
  edit.save();
  return { count: edit.count, isDeleted: false };
}
