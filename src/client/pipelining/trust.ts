/**
 * Whether streams of batches are answered, as far as is known: not all that stands between client and server passes a stream
 * on before it has ended, or for long.
 *
 *     given --failed--> withdrawn --begin--> on trial --proved--> given
 *                           ^                    |
 *                           +-------failed-------+
 *
 * While it is not given calls go by themselves. A trial costs none of them anything. The first one may begin at once, the next
 * after a pause that doubles with each failure: also when trials succeed and batches fail all the same.
 */
import { client as limits } from '../../limits.ts';

export class Trust {
  isGiven = true;
  #failures = 0;
  /** Before that no trial begins. */
  #pauseEndsAtMs = Number.NEGATIVE_INFINITY;

  /** A stream was not answered, or broke. */
  failed(nowMs: number): void {
    // It has done well for long.
    if (nowMs - this.#pauseEndsAtMs > limits.pipelinePauseMsMax) this.#failures = 0;
    const pauseMs = this.#failures === 0 ? 0 : limits.pipelinePauseMs * 2 ** (this.#failures - 1);
    this.#failures++;
    this.#pauseEndsAtMs = nowMs + Math.min(pauseMs, limits.pipelinePauseMsMax);
    this.isGiven = false;
  }

  mayBeTried(nowMs: number): boolean {
    return !this.isGiven && nowMs >= this.#pauseEndsAtMs;
  }

  proved(): void {
    this.isGiven = true;
  }
}
