/**
 * For how long this thread was ready to run and had no core, in nanoseconds, since it began: Linux keeps it as the second number of
 * `schedstat`. To read it takes 1.5 µs.
 */
import { openSync, readSync } from 'node:fs';

const PATH = '/proc/thread-self/schedstat';

export class RunQueueClock {
  readonly #file: number;
  readonly #text = Buffer.alloc(64);

  private constructor(file: number) {
    this.#file = file;
  }

  /** @returns undefined where the system does not keep it. Call it in the thread that is looked at. */
  static open(): RunQueueClock | undefined {
    try {
      return new RunQueueClock(openSync(PATH, 'r'));
    } catch {
      return undefined;
    }
  }

  waitedNanos(): number {
    const length = readSync(this.#file, this.#text, 0, this.#text.length, 0);
    return Number(this.#text.toString('latin1', 0, length).split(' ')[1]);
  }
}
