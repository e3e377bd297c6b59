/**
 * Has a budget pay for reads of the disk, each of which takes the time of some visits. The engine counts those that it has not paid
 * itself, as a scan does; before the next step, and at the end, one comparison tells whether there were any.
 */
import type { Engine } from '../../engine/engine.ts';
import { fixed } from '../../limits.ts';
import type { WorkBudget } from '../../work-budget.ts';

export class ColdReads {
  readonly #engine: Pick<Engine, 'coldReadCount'>;
  readonly #budget: WorkBudget;
  #paidCount: number;

  constructor(engine: Pick<Engine, 'coldReadCount'>, budget: WorkBudget) {
    this.#engine = engine;
    this.#budget = budget;
    this.#paidCount = engine.coldReadCount;
  }

  /** What others have read is not for the next to pay. */
  begin(): void {
    this.#paidCount = this.#engine.coldReadCount;
  }

  pay(): void {
    const count = this.#engine.coldReadCount;
    if (count === this.#paidCount) return;
    this.#budget.spendVisits((count - this.#paidCount) * fixed.coldReadVisits);
    this.#paidCount = count;
  }
}
