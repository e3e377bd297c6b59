/** A line of the log that clients bring about: one that comes again and again fills no log, it is counted. */
import type { Logger } from 'pino';

export class RareLine {
  readonly #logger: Logger;
  readonly #intervalMs: number;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #untoldCount = 0;

  /** @param intervalMs the least time between two lines. */
  constructor(logger: Logger, intervalMs: number) {
    this.#logger = logger;
    this.#intervalMs = intervalMs;
  }

  tell(fields: object, message: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs < this.#intervalMs) {
      this.#untoldCount++;
      return;
    }
    this.#logger.info({ ...fields, untoldCount: this.#untoldCount }, message);
    this.#toldAtMs = nowMs;
    this.#untoldCount = 0;
  }
}
