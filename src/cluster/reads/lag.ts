/** For how long a node has not held all that it knows to be in the shared log. */
import type { Clock } from '../../clock.ts';
import { cluster as limits } from '../../limits.ts';
import type { ClusterEvent } from '../cluster-event.ts';

export class Lag {
  readonly #clock: Clock;
  readonly #onEvent: (event: ClusterEvent) => void;
  #logPosition: number;
  #position: number;
  /** Since when it is behind, by the monotonic clock. */
  #sinceMs: number | undefined;
  #isTold = false;

  constructor(clock: Clock, position: number, onEvent: (event: ClusterEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#position = position;
    this.#logPosition = position;
  }

  /** Of the newest batch that is known to be in the shared log. */
  get logPosition(): number {
    return this.#logPosition;
  }

  /** 0: the node holds all. */
  get ms(): number {
    return this.#sinceMs === undefined ? 0 : this.#clock.monotonicMs() - this.#sinceMs;
  }

  /** Up to there the shared log has batches. */
  heard(position: number): void {
    this.#logPosition = Math.max(this.#logPosition, position);
    if (this.#position >= this.#logPosition) return;
    this.#sinceMs ??= this.#clock.monotonicMs();
    if (this.#isTold || this.ms < limits.lagToldMs) return;
    this.#isTold = true;
    this.#onEvent({
      kind: 'lagging',
      position: this.#position,
      logPosition: this.#logPosition,
      lagMs: this.ms,
    });
  }

  /** Up to there the batches are visible here. */
  reached(position: number): void {
    this.#position = position;
    if (position < this.#logPosition) return;
    if (this.#isTold) this.#onEvent({ kind: 'caughtUp', position, lagMs: this.ms });
    this.#isTold = false;
    this.#sinceMs = undefined;
  }
}
