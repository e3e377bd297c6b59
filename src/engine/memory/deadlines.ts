/**
 * The keys whose newest version has a deadline, in the order of deadline, then of key: an ordered index over small blocks
 * of their own, whose key is the deadline (8 bytes, big-endian) and then the key.
 *
 * Of each group of keys it has the number and the sum of the deadlines. That is kept in two parts, of which each stays a whole number
 * for 2^26 keys.
 */
import { type DeadlineSums, type GroupOfKey, KEY_GROUPS_MAX } from '../engine.ts';
import { addBareKey, copyKey } from './block-keys.ts';
import { KEY, UNIT_BYTES, unitsAt } from './layout.ts';
import { OrderedIndex } from './order/ordered-index.ts';
import { Probe } from './probe.ts';
import { Slabs } from './slabs.ts';

const LOW_PART = 2 ** 26;

export class Deadlines {
  readonly #groupOf: GroupOfKey;
  readonly #counts = new Float64Array(KEY_GROUPS_MAX);
  readonly #lowSums = new Float64Array(KEY_GROUPS_MAX);
  readonly #highSums = new Float64Array(KEY_GROUPS_MAX);
  readonly #slabs: Slabs;
  readonly #probe = new Probe();
  readonly index: OrderedIndex;

  constructor(slabs: Slabs, groupOf: GroupOfKey, slabBytesMax?: number) {
    this.#groupOf = groupOf;
    this.#slabs = slabs;
    this.index = new OrderedIndex(slabs, this.#probe, slabBytesMax);
  }

  get count(): number {
    return this.index.count;
  }

  /** The key of a block has another deadline now; 0: none. */
  change(words: Int32Array, at: number, fromMs: number, toMs: number): void {
    const start = words[at + KEY]!;
    const group = this.#groupOf(start & 0xff, (start >>> 8) & 0xff);
    if (fromMs !== 0) {
      this.#probe.setDeadline(fromMs, words, at);
      const reference = this.index.take();
      this.#slabs.free(reference, unitsAt(this.#slabs.wordsAt(reference), Slabs.wordOf(reference)));
    }
    if (toMs !== 0) {
      this.#probe.setDeadline(toMs, words, at);
      this.index.insert(addBareKey(this.#slabs, this.#probe), 0);
    }
    if (group === -1) return;
    if (fromMs !== 0) this.#count(group, fromMs, -1);
    if (toMs !== 0) this.#count(group, toMs, 1);
  }

  sums(group: number): DeadlineSums {
    const sumMs = BigInt(this.#highSums[group]!) * BigInt(LOW_PART) + BigInt(this.#lowSums[group]!);
    return { count: this.#counts[group]!, sumMs };
  }

  next(): number | undefined {
    return this.count === 0 ? undefined : this.#deadlineAt(this.index.select(0));
  }

  /** The deadline at a place of their order, ... */
  at(place: number): number | undefined {
    return place < this.count ? this.#deadlineAt(this.index.select(place)) : undefined;
  }

  /** ... and the key of it. */
  keyAt(place: number): Uint8Array {
    return copyKey(this.#slabs, this.index.select(place), UNIT_BYTES);
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

  /** The first place of their order that lies behind a deadline and key. */
  placeBehind(deadlineMs: number, key: Uint8Array): number {
    const behind = new Uint8Array(UNIT_BYTES + key.length + 1);
    new DataView(behind.buffer).setBigUint64(0, BigInt(deadlineMs));
    // The next key after any is that with a zero at its end.
    behind.set(key, UNIT_BYTES);
    this.#probe.set(behind);
    return this.index.rank();
  }

  /** A block was copied to another place. */
  moved(from: number, to: number): void {
    this.#probe.setFrom(this.#slabs.wordsAt(to), Slabs.wordOf(to));
    this.index.relocate(from, to);
  }

  #count(group: number, deadlineMs: number, sign: 1 | -1): void {
    const lowMs = deadlineMs % LOW_PART;
    this.#counts[group]! += sign;
    this.#lowSums[group]! += sign * lowMs;
    this.#highSums[group]! += (sign * (deadlineMs - lowMs)) / LOW_PART;
  }

  #deadlineAt(reference: number): number {
    const { bytes } = this.#slabs.memoryAt(reference);
    const start = (Slabs.wordOf(reference) + KEY) << 2;
    let deadlineMs = 0;
    for (let index = 0; index < UNIT_BYTES; index++) deadlineMs = deadlineMs * 256 + bytes[start + index]!;
    return deadlineMs;
  }
}
