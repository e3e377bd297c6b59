/**
 * Lines of the log that many clients bring about, for each of which the first is worth a line: one for each key in a window of time,
 * and no more than so many in it altogether, from all sources. What is left out is counted.
 */
import type { Logger } from 'pino';

export interface RareLinesOptions {
  readonly windowMs: number;
  readonly linesMax: number;
}

export class RareLines {
  readonly #logger: Logger;
  readonly #options: RareLinesOptions;
  readonly #nowMs: () => number;
  readonly #told = new Set<string>();
  #beganAtMs = Number.NEGATIVE_INFINITY;
  #untoldCount = 0;

  /** @param nowMs by a clock that never goes back. */
  constructor(logger: Logger, options: RareLinesOptions, nowMs: () => number) {
    this.#logger = logger;
    this.#options = options;
    this.#nowMs = nowMs;
  }

  /** @param fields `untoldCount` is added: lines that were left out since the one before. */
  tell(key: string, fields: object, message: string): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#beganAtMs >= this.#options.windowMs) {
      this.#beganAtMs = nowMs;
      this.#told.clear();
    }
    if (this.#told.has(key) || this.#told.size >= this.#options.linesMax) {
      this.#untoldCount++;
      return;
    }
    this.#told.add(key);
    this.#logger.info({ ...fields, untoldCount: this.#untoldCount }, message);
    this.#untoldCount = 0;
  }
}
