/** Tells the operator that files of the engine are damaged, or that the disk fails to read them, now and then: each call is told itself. */
import type { Clock } from '../clock.ts';
import { isUnreadable } from '../errors.ts';
import { fixed } from '../limits.ts';
import type { OperatorEvent } from './operator-event.ts';

const kindByCode = { damaged: 'storageDamaged', readFailed: 'readFailed' } as const;

export class UnreadableTeller {
  readonly #clock: Clock;
  readonly #onEvent: (event: OperatorEvent) => void;
  readonly #toldMs = { damaged: -Infinity, readFailed: -Infinity };

  constructor(clock: Clock, onEvent: (event: OperatorEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  /** A call has failed with this. */
  note(error: unknown): void {
    if (!isUnreadable(error)) return;
    const { code } = error;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs[code] < fixed.damageEventMs) return;
    this.#toldMs[code] = nowMs;
    this.#onEvent({ kind: kindByCode[code], error });
  }
}
