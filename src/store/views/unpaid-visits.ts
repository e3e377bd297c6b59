/**
 * Has a budget pay for what the engine does without one: reads of the disk, and unpacking. The engine counts that; before the next
 * step, and at the end, one comparison tells whether there were any.
 */
import type { Engine } from '../../engine/engine.ts';
import type { WorkBudget } from '../../work-budget.ts';

export class UnpaidVisits {
  readonly #engine: Pick<Engine, 'unpaidVisits'>;
  readonly #budget: WorkBudget;
  #paid: number;

  constructor(engine: Pick<Engine, 'unpaidVisits'>, budget: WorkBudget) {
    this.#engine = engine;
    this.#budget = budget;
    this.#paid = engine.unpaidVisits;
  }

  /** What others have done is not for the next to pay. */
  begin(): void {
    this.#paid = this.#engine.unpaidVisits;
  }

  pay(): void {
    const visits = this.#engine.unpaidVisits;
    if (visits === this.#paid) return;
    this.#budget.spendVisits(visits - this.#paid);
    this.#paid = visits;
  }
}
