/**
 * The members of a sorted set of places that lie within an area, gathered in pieces on one state, and given out in order: `step` until it
 * is done, then `sort` until it is done, then `next`. Of each cell (`area.ts`) the scores are walked, and each place in it is measured.
 * What is given out is held no longer.
 *
 * They come as Redis finds them, or by their distance; those at one distance in the order in which they were found.
 */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { fromKeyText, type KeyText, toKeyText } from '../../store/views/keys.ts';
import type { ReadView } from '../../store/views/view.ts';
import type { SortedSet } from '../sorted-set/sorted-set.ts';
import { SortedRuns } from '../sorted-set/sorted-runs.ts';
import { walk } from '../sorted-set/walk.ts';
import { type Area, type CellScores, cellsOfArea, distanceWithinM } from './area.ts';
import { type Position, positionOfScore } from './geohash.ts';

export type FoundOrder = 'asFound' | 'nearestFirst' | 'farthestFirst';

export interface FoundLimit {
  /** 0: all. */
  readonly count: number;
  /** Any that are found first will do, and end the search. */
  readonly isAny: boolean;
}

export interface FoundPlace {
  readonly member: Uint8Array;
  readonly score: number;
  readonly position: Position;
  /** From the centre, in metres. */
  readonly distanceM: number;
}

interface Kept extends Omit<FoundPlace, 'member'> {
  readonly text: KeyText;
  /** How many were found before it. */
  readonly index: number;
}

export class GeoSearch {
  readonly #set: SortedSet;
  readonly #area: Area;
  readonly #order: FoundOrder;
  readonly #limit: FoundLimit;
  readonly #cells: readonly CellScores[];
  #cellAt = 0;
  /** How many members are looked at before the piece ends. */
  #pieceLeft = 0;
  /** Where to go on in the cell. */
  #place: Uint8Array | undefined;
  /** Those that are not sorted, or given out, yet. */
  readonly #found: Kept[] = [];
  #foundCount = 0;
  /** Of the members that are held. */
  #bytes = 0;
  readonly #sorted: SortedRuns<Kept>;
  /** Those that are sorted, and not given out yet. */
  #sortedCount = 0;
  #givenCount = 0;

  constructor(set: SortedSet, area: Area, order: FoundOrder, limit: FoundLimit) {
    this.#set = set;
    this.#area = area;
    this.#order = order;
    this.#limit = limit;
    this.#cells = cellsOfArea(area);
    this.#sorted = new SortedRuns(comparison(order));
  }

  /** How many are given out, once the search is over. */
  get count(): number {
    const { count } = this.#limit;
    const keptCount = this.#heldCount + this.#givenCount;
    return count === 0 ? keptCount : Math.min(count, keptCount);
  }

  /** Its memory, roughly. */
  get heldBytes(): number {
    return this.#bytes + this.#heldCount * HELD_PER_PLACE;
  }

  get #heldCount(): number {
    return this.#found.length + this.#sortedCount;
  }

  /**
   * Goes on, looking at `countMax` members.
   * @returns whether there is more. Throws `limitReached`.
   */
  step(view: ReadView, countMax: number): boolean {
    const { budget } = view;
    this.#pieceLeft = countMax;
    while (this.#cellAt < this.#cells.length && this.#pieceLeft > 0) {
      if (budget.isSpent) throw budgetSpent(budget);
      const { min = 0, end = 0 } = this.#cells[this.#cellAt] ?? {};
      const scores = { min, max: end, isMinExcluded: false, isMaxExcluded: true };
      this.#place = walk(view, this.#set, { by: 'score', scores }, false, this.#place, (member, score) => {
        this.#measure(member, score);
        return --this.#pieceLeft > 0 && !this.#hasEnough;
      });
      if (this.#hasEnough) this.#cellAt = this.#cells.length;
      else if (this.#place === undefined) this.#cellAt++;
    }
    return this.#cellAt < this.#cells.length;
  }

  /** Sorts a piece. @returns whether there is more to sort. */
  sort(countMax: number): boolean {
    if (this.#order === 'asFound') return false;
    const part = this.#found.splice(-countMax);
    this.#sortedCount += part.length;
    this.#sorted.add(part);
    return this.#found.length > 0;
  }

  /** Gives out the next ones. @returns whether there are more. */
  next(countMax: number, visit: (place: FoundPlace) => void): boolean {
    const give = ({ text, score, position, distanceM }: Kept): void => {
      this.#bytes -= text.length;
      visit({ member: fromKeyText(text), score, position, distanceM });
    };
    const count = Math.min(countMax, this.count - this.#givenCount);
    if (this.#order === 'asFound') for (const kept of this.#found.splice(0, count)) give(kept);
    else {
      this.#sorted.next(count, give);
      this.#sortedCount -= count;
    }
    this.#givenCount += count;
    return this.#givenCount < this.count;
  }

  get #hasEnough(): boolean {
    return this.#limit.isAny && this.#found.length >= this.#limit.count;
  }

  #measure(member: Uint8Array, score: number): void {
    const position = positionOfScore(score);
    const distanceM = distanceWithinM(this.#area, position);
    if (distanceM === undefined) return;
    this.#found.push({ text: toKeyText(member), score, position, distanceM, index: this.#foundCount++ });
    this.#bytes += member.length;
    if (this.#isWorthPruning) this.#prune();
    if (this.#found.length <= fixed.foundPlacesMax && this.#bytes <= fixed.foundPlacesBytesMax) return;
    throw new StoreError(
      'limitReached',
      `the search finds more than ${fixed.foundPlacesMax} members, or ${fixed.foundPlacesBytesMax} bytes of them; search a smaller area, or with COUNT`,
    );
  }

  /** Of a search for the nearest ones twice as many are kept, and some more, so that each is sorted a few times at most. */
  get #isWorthPruning(): boolean {
    const { count, isAny } = this.#limit;
    return (
      count > 0 && count <= fixed.nearestPlacesMax && !isAny && this.#found.length >= 2 * count + PRUNED_MIN
    );
  }

  #prune(): void {
    this.#found.sort(comparison(this.#order));
    this.#found.length = this.#limit.count;
    this.#bytes = this.#found.reduce((bytes, { text }) => bytes + text.length, 0);
  }
}

const PRUNED_MIN = 1000;

/** Its text, its numbers, and its position. */
const HELD_PER_PLACE = 250;

function comparison(order: FoundOrder): (a: Kept, b: Kept) => number {
  const sign = order === 'farthestFirst' ? -1 : 1;
  return (a, b) => {
    if (a.distanceM !== b.distanceM) return a.distanceM < b.distanceM ? -sign : sign;
    return a.index - b.index;
  };
}
