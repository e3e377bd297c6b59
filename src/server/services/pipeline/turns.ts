/**
 * The turns of the event loop, as the pipelines of a store share them: what has come for many streams would else be run in one.
 * All of them draw on the same budget; when it is spent, those that would go on wait for the next turn, in their order.
 */
import type { KvStore } from '../../../kv/kv-store.ts';
import { serverFixed } from '../../../limits.ts';
import { TurnTime } from '../../../turn-time.ts';
import { WorkBudget } from '../../../work-budget.ts';

const { pipelineTurnVisitsMax, pipelineTurnBytesMax } = serverFixed;

const turnsByStore = new WeakMap<KvStore, PipelineTurns>();

export function turnsOf(store: KvStore): PipelineTurns {
  let turns = turnsByStore.get(store);
  if (turns === undefined) {
    turns = new PipelineTurns(store);
    turnsByStore.set(store, turns);
  }
  return turns;
}

export class PipelineTurns {
  /** Of this turn. */
  readonly budget = new WorkBudget(pipelineTurnVisitsMax, pipelineTurnBytesMax);
  readonly #time: TurnTime;
  readonly #store: KvStore;
  #pause: Promise<void> | undefined;
  /** How often the budget was spent. */
  restCount = 0;

  constructor(store: KvStore) {
    this.#store = store;
    this.#time = new TurnTime(store.clock);
  }

  /** Operations begin to run. */
  begin(): void {
    this.#time.begin();
  }

  /** To be called while they run, and when they have: what takes too long spends the budget. */
  look(): void {
    if (this.#time.isOver()) this.budget.spendVisits(pipelineTurnVisitsMax);
  }

  /** Resolves in the next turn, whose budget may be spent again by those that waited before. */
  next(): Promise<void> {
    this.#pause ??= this.#paused();
    return this.#pause;
  }

  async #paused(): Promise<void> {
    this.restCount++;
    try {
      await this.#store.pause();
    } finally {
      this.budget.begin(pipelineTurnVisitsMax, pipelineTurnBytesMax);
      this.#pause = undefined;
    }
  }
}
