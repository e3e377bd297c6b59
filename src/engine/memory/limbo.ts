/**
 * Things by number (pages, segments, nodes, slots) that were taken out of a structure while readers of other threads
 * may still look at them: a queue in the order of the epochs in which they were retired.
 */
import type { Epochs } from './epochs.ts';

/** The front of the queue is cut off once it is this long and at least half of the whole. */
const CUT_COUNT_MIN = 1024;

export class Limbo {
  readonly #epochs: Epochs;
  readonly #free: (item: number) => void;
  #items: number[] = [];
  #retired: number[] = [];
  #head = 0;

  /** @param free is called with each item once nobody can look at it any more. */
  constructor(epochs: Epochs, free: (item: number) => void) {
    this.#epochs = epochs;
    this.#free = free;
  }

  get count(): number {
    return this.#items.length - this.#head;
  }

  retire(item: number): void {
    if (!this.#epochs.hasReaders && this.count === 0) {
      this.#free(item);
      return;
    }
    this.#items.push(item);
    this.#retired.push(this.#epochs.current);
  }

  /** Frees what was retired before `oldestEpoch`, at most `countMax` of it. */
  reclaim(oldestEpoch: number, countMax: number): void {
    for (let count = 0; count < countMax && this.#head < this.#items.length; count++) {
      if ((this.#retired[this.#head] ?? 0) >= oldestEpoch) break;
      const item = this.#items[this.#head++];
      if (item !== undefined) this.#free(item);
    }
    if (this.#head < CUT_COUNT_MIN || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#retired = this.#retired.slice(this.#head);
    this.#head = 0;
  }
}
