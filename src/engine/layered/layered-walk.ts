/**
 * A walk over the state at one revision, in key order: a scan that goes on by key. So nothing is kept between two of its steps, and a
 * checkpoint that is committed meanwhile does not matter: its revision is one that nothing reads below of (`DurableState`), and at or
 * above it the old and the new layers answer alike.
 */
import { fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { WorkBudget } from '../../work-budget.ts';
import type { Engine, Walk, WalkVisit } from '../engine.ts';

export class LayeredWalk implements Walk {
  readonly #engine: Pick<Engine, 'scan'>;
  readonly #revision: number;
  readonly #closed: () => void;
  readonly #budget = new WorkBudget();
  /** The key that is next; `undefined`: there is none. */
  #next: Uint8Array | undefined = NO_BYTES;

  constructor(engine: Pick<Engine, 'scan'>, revision: number, closed: () => void) {
    this.#engine = engine;
    this.#revision = revision;
    this.#closed = closed;
  }

  next(visitsMax: number, visit: WalkVisit): boolean {
    if (this.#next === undefined) return false;
    this.#budget.begin(visitsMax, fixed.integerMax);
    const range = { start: this.#next, end: undefined };
    const options = { reverse: false, budget: this.#budget };
    this.#next = this.#engine.scan(range, this.#revision, options, (version) => {
      version.replacedBy = 0;
      return visit(version) !== false;
    });
    return this.#next !== undefined;
  }

  close(): void {
    this.#closed();
  }
}
