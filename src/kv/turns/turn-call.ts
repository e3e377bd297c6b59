/** What the calls that a turn gathers (`turn.ts`) have in common. */
import type { Key } from '../../api.ts';
import type { DurableStore } from '../../store/durable-store.ts';
import type { WorkDone } from '../../work-budget.ts';

/** A call that can wait. */
export interface TurnCall {
  /** What it will look at first, if that is one key. */
  readonly key?: Key | undefined;
  /** Must not throw. @returns what it has done. */
  run(store: DurableStore): WorkDone;
}

/** Calls of a queue that went together. */
export interface RowDone extends WorkDone {
  /** The first call that is still to run. */
  readonly end: number;
}
