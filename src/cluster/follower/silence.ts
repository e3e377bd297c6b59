/**
 * For how long nothing has come into the shared log while it answered: the time by which a follower judges its writer.
 *
 * Only the time between two answers that follow each other closely counts. While the log does not answer a writer can't be heard, so
 * its silence means nothing; and what this process has slept through may be all of it.
 */
import type { LogHead } from '../../shared-log/shared-log.ts';

export class Silence {
  /** Answers that are further apart have a pause between them that says nothing. */
  readonly #gapMsMax: number;
  #head: LogHead | undefined;
  #answeredMs = 0;
  #silentMs = 0;

  constructor(gapMsMax: number) {
    this.#gapMsMax = gapMsMax;
  }

  get ms(): number {
    return this.#silentMs;
  }

  /** The log has told its head. @param nowMs by the monotonic clock. */
  answered(head: LogHead, nowMs: number): void {
    const isSame = this.#head?.position === head.position && this.#head.nonce === head.nonce;
    const sinceMs = nowMs - this.#answeredMs;
    if (!isSame || sinceMs > this.#gapMsMax) this.#silentMs = 0;
    else this.#silentMs += sinceMs;
    this.#head = head;
    this.#answeredMs = nowMs;
  }

  /** The log did not answer in time. */
  unanswered(): void {
    this.#head = undefined;
    this.#silentMs = 0;
  }
}
