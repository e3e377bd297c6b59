/** Tells the operator that files of the engine are damaged, now and then: each read that meets the damage is refused with its error. */
import type { Clock } from '../clock.ts';
import { isStoreError } from '../errors.ts';
import { fixed } from '../limits.ts';
import type { OperatorEvent } from './operator-event.ts';

export class DamageTeller {
  readonly #clock: Clock;
  readonly #onEvent: (event: OperatorEvent) => void;
  #toldMs = -Infinity;

  constructor(clock: Clock, onEvent: (event: OperatorEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  /** A call has failed with this. */
  note(error: unknown): void {
    if (!isStoreError(error, 'damaged')) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs < fixed.damageEventMs) return;
    this.#toldMs = nowMs;
    this.#onEvent({ kind: 'storageDamaged', error });
  }
}
