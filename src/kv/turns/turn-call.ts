/** What the calls that a turn gathers (`turn.ts`) have in common. */
import type { Key } from '../../api.ts';
import type { DurableStore } from '../../store/durable-store.ts';

/** A call that can wait. */
export interface TurnCall {
  /** What it will look at first. */
  readonly key: Key;
  /** Must not throw. */
  run(store: DurableStore): void;
}
