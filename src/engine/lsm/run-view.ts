/**
 * The runs that make up one state, the newest first: of two records of a key that of the newer run counts. A commit or a merge makes
 * another view; this one never changes, but for how far its places by deadline are known to be stale.
 */
import type { EngineRange } from '../engine.ts';
import type { PlacedChange } from '../version.ts';
import { KeyHash } from '../runs/table/bloom.ts';
import { MergedCursor } from './merged-cursor.ts';
import { ABSENT, FOUND } from './sparse-run.ts';
import type { Piece, SparseRun } from './sparse-run.ts';

/** How far the places of a piece are stale: before this record of this block. */
export interface Front {
  readonly block: number;
  readonly index: number;
}

const BEGIN: Front = { block: 0, index: 0 };

const hash = new KeyHash();

export class RunView {
  readonly runs: readonly SparseRun[];
  readonly #fronts: Map<Piece, Front>;

  /** @param before the view whose state this one follows: what is stale there is so here. */
  constructor(runs: readonly SparseRun[], before: RunView | undefined) {
    this.runs = runs;
    this.#fronts = new Map();
    for (const { pieces } of runs)
      for (const piece of pieces) this.#fronts.set(piece, before?.frontOf(piece) ?? BEGIN);
  }

  frontOf(piece: Piece): Front {
    return this.#fronts.get(piece) ?? BEGIN;
  }

  setFront(piece: Piece, front: Front): void {
    this.#fronts.set(piece, front);
  }

  get pieces(): Iterable<Piece> {
    return this.#fronts.keys();
  }

  find(key: Uint8Array, placed: PlacedChange, withValue: boolean): boolean {
    hash.set(key);
    const { runs } = this;
    for (let age = 0; age < runs.length; age++) {
      const answer = runs[age]!.find(key, hash, placed, withValue);
      if (answer !== ABSENT) return answer === FOUND;
    }
    return false;
  }

  mayHave(key: Uint8Array): boolean {
    hash.set(key);
    return this.runs.some((run) => run.mayHave(key, hash));
  }

  /** Whether the newest record of a key is that of a run. */
  isNewestIn(run: SparseRun, key: Uint8Array): boolean {
    hash.set(key);
    for (const newer of this.runs) {
      if (newer === run) return !run.isHidden(key);
      if (newer.has(key, hash)) return false;
    }
    return false;
  }

  cursor(range: EngineRange, reverse: boolean, withValues: boolean): MergedCursor {
    return new MergedCursor(this.runs, range, reverse, withValues);
  }
}
