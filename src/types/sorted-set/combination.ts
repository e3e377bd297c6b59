/**
 * What several sorted sets and sets have together, with scores made of theirs: union, intersection and difference, gone through in
 * pieces on one state.
 *
 * Of an intersection the smallest set is walked and all others are asked for each of its members; of a difference so is the first one;
 * of a union all are walked, and a member is met once for each set that has it. A score that is not a number (0 * Infinity, or
 * Infinity - Infinity) is 0.
 */
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView } from '../../store/views/view.ts';
import { visitElements } from '../collections/element-table.ts';
import { findScore, type ScoredTable, scoreOfElement } from './scored-table.ts';

export type Combining = 'union' | 'intersection' | 'difference';
export type Aggregate = 'sum' | 'min' | 'max';

export interface Weighted {
  /** `undefined`: an empty one. */
  readonly table: ScoredTable | undefined;
  readonly weight: number;
}

/** @param member is good during the visit. @returns false to stop for good. */
export type VisitCombined = (member: Uint8Array, score: number) => boolean;

export class Combination {
  readonly combining: Combining;
  readonly aggregate: Aggregate;
  readonly #sources: readonly Weighted[];
  /** Which sources are walked. */
  readonly #walkedCount: number;
  #walked = 0;
  /** The member to go on from in the one that is walked. */
  #start: Uint8Array | undefined;

  constructor(combining: Combining, sources: readonly Weighted[], aggregate: Aggregate = 'sum') {
    this.combining = combining;
    this.aggregate = aggregate;
    this.#sources =
      combining === 'difference' ? sources : sources.toSorted((a, b) => countOf(a) - countOf(b));
    this.#walkedCount = combining === 'union' ? sources.length : 1;
  }

  /**
   * Goes on, looking at about `countMax` elements of all sources.
   * @returns whether there is more.
   */
  step(view: ReadView, countMax: number, visit: VisitCombined): boolean {
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    const asked = this.combining === 'union' ? 1 : this.#sources.length;
    let left = Math.max(1, Math.floor(countMax / asked));
    while (this.#walked < this.#walkedCount) {
      const source = this.#sources[this.#walked];
      if (source?.table !== undefined) {
        const { table, weight } = source;
        let isOver = false;
        this.#start = visitElements(view, table.version, table.type, this.#start, (member, value) => {
          const score = this.#combined(view, member, orZero(scoreOfElement(value) * weight));
          if (score !== undefined && !visit(member, score)) isOver = true;
          return --left > 0 && !isOver;
        });
        if (isOver) this.#walked = this.#walkedCount;
        else if (this.#start !== undefined) return true;
      }
      this.#start = undefined;
      this.#walked++;
      if (left <= 0) break;
    }
    return this.#walked < this.#walkedCount;
  }

  /** The score of a member that was met; `undefined`: it does not belong to it. */
  #combined(view: ReadView, member: Uint8Array, own: number): number | undefined {
    if (this.combining === 'union') return own;
    let score = own;
    for (let index = 1; index < this.#sources.length; index++) {
      const { table, weight = 1 } = this.#sources[index] ?? {};
      const found = table && findScore(view, table, member);
      if (this.combining === 'difference') {
        if (found !== undefined) return undefined;
      } else if (found === undefined) return undefined;
      else score = aggregated(score, found * weight, this.aggregate);
    }
    return score;
  }
}

/** @param by may be NaN. */
export function aggregated(score: number, by: number, aggregate: Aggregate): number {
  if (aggregate === 'sum') return orZero(score + by);
  if (aggregate === 'min') return by < score ? by : score;
  return by > score ? by : score;
}

function orZero(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}

function countOf({ table }: Weighted): number {
  return table?.count ?? 0;
}
