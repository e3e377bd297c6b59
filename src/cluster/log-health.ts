/** Whether the shared log answers this node, for its operator: told when that changes. */
import type { Clock } from '../clock.ts';
import type { ClusterEvent } from './cluster-event.ts';

export class LogHealth {
  readonly #clock: Clock;
  readonly #onEvent: (event: ClusterEvent) => void;
  /** Since when it does not answer. */
  #silentSinceMs: number | undefined;

  constructor(clock: Clock, onEvent: (event: ClusterEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  answered(): void {
    if (this.#silentSinceMs === undefined) return;
    const afterMs = this.#clock.monotonicMs() - this.#silentSinceMs;
    this.#silentSinceMs = undefined;
    this.#onEvent({ kind: 'logReachable', afterMs });
  }

  silent(error: Error): void {
    if (this.#silentSinceMs !== undefined) return;
    this.#silentSinceMs = this.#clock.monotonicMs();
    this.#onEvent({ kind: 'logUnreachable', error });
  }
}
