/** The keys of a range, forwards and backwards. */
import { signal } from '@preact/signals';
import { type Range, bytesOf, keyAfter } from '../bytes/key-name.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { limits } from '../page/limits.ts';
import type { KeyRow, KeySource } from './key-source.ts';

export interface PageOfKeys {
  /** In the order in which they were asked for. */
  readonly rows: readonly KeyRow[];
  readonly isLast: boolean;
}

/** Reads the first page of a range, or from its end. */
export type ReadKeys = (range: Range, isReverse: boolean, signal: AbortSignal) => Promise<PageOfKeys>;

export class RangedKeys implements KeySource {
  readonly rows = signal<readonly KeyRow[]>([]);
  readonly shift = signal(0);
  readonly hasMore = signal(false);
  readonly isReading = signal(false);
  readonly failure = signal<Failure | undefined>(undefined);
  readonly #range: Range;
  readonly #read: ReadKeys;
  readonly #closing = new AbortController();
  readonly #rowsMax: number;
  #hasBefore = false;
  #turn = 0;

  constructor(range: Range, read: ReadKeys, rowsMax: number = limits.pageKeys * limits.keptPages) {
    this.#range = range;
    this.#read = read;
    this.#rowsMax = rowsMax;
  }

  async show(end: 'first' | 'last'): Promise<void> {
    const isReverse = end === 'last';
    await this.#take(this.#range, isReverse, ({ rows, isLast }) => {
      this.rows.value = isReverse ? rows.toReversed() : rows;
      this.shift.value = 0;
      this.#hasBefore = isReverse && !isLast;
      this.hasMore.value = !isReverse && !isLast;
    });
  }

  async readAfter(): Promise<void> {
    const last = this.rows.peek().at(-1);
    if (last === undefined || this.isReading.peek() || !this.hasMore.peek()) return;
    await this.#take({ ...this.#range, start: keyAfter(last.key) }, false, ({ rows, isLast }) => {
      const all = [...this.rows.peek(), ...rows];
      const dropped = Math.max(0, all.length - this.#rowsMax);
      this.rows.value = all.slice(dropped);
      this.shift.value += dropped;
      this.#hasBefore ||= dropped > 0;
      this.hasMore.value = !isLast;
    });
  }

  async readBefore(): Promise<void> {
    const [first] = this.rows.peek();
    if (first === undefined || this.isReading.peek() || !this.#hasBefore) return;
    await this.#take({ ...this.#range, end: bytesOf(first.key) }, true, ({ rows, isLast }) => {
      const all = [...rows.toReversed(), ...this.rows.peek()];
      this.rows.value = all.slice(0, this.#rowsMax);
      this.shift.value -= rows.length;
      this.#hasBefore = !isLast;
      this.hasMore.value ||= all.length > this.#rowsMax;
    });
  }

  close(): void {
    this.#closing.abort();
  }

  /** What was asked for before, and comes later than what is asked for now, is left aside. */
  async #take(range: Range, isReverse: boolean, use: (page: PageOfKeys) => void): Promise<void> {
    const turn = ++this.#turn;
    this.isReading.value = true;
    try {
      const page = await this.#read(range, isReverse, this.#closing.signal);
      if (turn !== this.#turn) return;
      this.failure.value = undefined;
      use(page);
    } catch (error) {
      if (turn === this.#turn && !this.#closing.signal.aborted) this.failure.value = failureOf(error);
    } finally {
      if (turn === this.#turn) this.isReading.value = false;
    }
  }
}
