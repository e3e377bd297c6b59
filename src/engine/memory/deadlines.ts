/**
 * The keys whose newest version has a deadline, in the order of deadline, then of key: an ordered index over small blocks
 * of their own, whose key is the deadline (8 bytes, big-endian) and then the key.
 */
import { addBareKey, copyKey } from './block-keys.ts';
import { KEY, UNIT_BYTES, unitsAt } from './layout.ts';
import { OrderedIndex } from './order/ordered-index.ts';
import { Probe } from './probe.ts';
import { Slabs } from './slabs.ts';

export class Deadlines {
  readonly #slabs: Slabs;
  readonly #probe = new Probe();
  readonly index: OrderedIndex;

  constructor(slabs: Slabs, slabBytesMax?: number) {
    this.#slabs = slabs;
    this.index = new OrderedIndex(slabs, this.#probe, slabBytesMax);
  }

  get count(): number {
    return this.index.count;
  }

  /** The key of a block has another deadline now; 0: none. */
  change(words: Int32Array, at: number, fromMs: number, toMs: number): void {
    if (fromMs !== 0) {
      this.#probe.setDeadline(fromMs, words, at);
      const reference = this.index.remove();
      this.#slabs.free(reference, unitsAt(this.#slabs.wordsAt(reference), Slabs.wordOf(reference)));
    }
    if (toMs !== 0) {
      this.#probe.setDeadline(toMs, words, at);
      this.index.insert(addBareKey(this.#slabs, this.#probe), 0);
    }
  }

  next(): number | undefined {
    return this.count === 0 ? undefined : this.#deadlineAt(this.index.select(0));
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    const keys: Uint8Array[] = [];
    for (let place = 0; place < Math.min(limit, this.count); place++) {
      const reference = this.index.select(place);
      if (this.#deadlineAt(reference) > nowMs) break;
      keys.push(copyKey(this.#slabs, reference, UNIT_BYTES));
    }
    return keys;
  }

  /** A block was copied to another place. */
  moved(from: number, to: number): void {
    this.#probe.setFrom(this.#slabs.wordsAt(to), Slabs.wordOf(to));
    this.index.relocate(from, to);
  }

  #deadlineAt(reference: number): number {
    const { bytes } = this.#slabs.memoryAt(reference);
    const start = (Slabs.wordOf(reference) + KEY) << 2;
    let deadlineMs = 0;
    for (let index = 0; index < UNIT_BYTES; index++) deadlineMs = deadlineMs * 256 + bytes[start + index]!;
    return deadlineMs;
  }
}
