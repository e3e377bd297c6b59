/**
 * The holes of slabs that a new block of just their length may take, the newest first: what was freed last is in the cache.
 *
 * A hole is named in a row of its length, and marked by a bit for its unit. It is there as long as the mark stands: a block that
 * grows over a hole takes the mark away, and a slab that is emptied or given back all of its own. Names that are left behind are
 * passed over, so nothing is ever searched for. What lies in the memory of a slab decides nothing by itself: it may be what a client
 * wrote.
 */
import { HOLE, NONE, UNIT_BITS, UNIT_MASK, spanHead } from './layout.ts';

/** The shortest block, and the longest whose hole is kept here: the others are left to the emptying of slabs. */
const UNITS_MIN = 3;
const UNITS_MAX = 32;
/** The holes of one length that are known: there are more only where much goes at once, and then slabs are emptied. */
const NAMES_MAX = 2 ** 14;
const FIRST_NAMES = 64;

const NO_WORDS = new Int32Array(0);

export class Holes {
  /** What is kept here, in bytes. */
  memoryBytes = 0;
  /** By length. */
  readonly #names: Int32Array[] = Array.from({ length: UNITS_MAX + 1 }, () => NO_WORDS);
  readonly #counts = new Int32Array(UNITS_MAX + 1);
  /** By slab: a bit for each unit. */
  readonly #marks: Int32Array[] = [];

  /** @param slabUnits how long its slab is. */
  add(reference: number, units: number, slabUnits: number): void {
    if (units < UNITS_MIN || units > UNITS_MAX) return;
    const count = this.#counts[units]!;
    if (count === NAMES_MAX) return;
    if (count === this.#names[units]!.length) this.#grow(units);
    this.#names[units]![count] = reference;
    this.#counts[units] = count + 1;
    const marks = this.#marksOf(reference >>> UNIT_BITS, slabUnits);
    const unit = reference & UNIT_MASK;
    marks[unit >>> 5]! |= 1 << unit;
  }

  /** Takes the newest hole of a length. @param slabs the words of each. @returns `NONE`: none is known. */
  take(units: number, slabs: readonly Int32Array[]): number {
    if (units > UNITS_MAX) return NONE;
    while (this.#counts[units]! > 0) {
      const reference = this.#names[units]![--this.#counts[units]!]!;
      // Another hole may begin there by now, which has a name of its own.
      const isOfLength =
        slabs[reference >>> UNIT_BITS]![(reference & UNIT_MASK) << 1] === spanHead(HOLE, units);
      if (isOfLength && this.remove(reference)) return reference;
    }
    return NONE;
  }

  /** A hole is not there any more. @returns whether it was known. */
  remove(reference: number): boolean {
    const unit = reference & UNIT_MASK;
    const marks = this.#marks[reference >>> UNIT_BITS] ?? NO_WORDS;
    const word = unit >>> 5;
    const mark = 1 << unit;
    if (word >= marks.length || (marks[word]! & mark) === 0) return false;
    marks[word]! &= ~mark;
    return true;
  }

  /** No hole of a slab is there any more. */
  removeAll(slab: number): void {
    const marks = this.#marks[slab];
    if (marks === undefined) return;
    this.memoryBytes -= marks.byteLength;
    this.#marks[slab] = NO_WORDS;
  }

  #grow(units: number): void {
    const before = this.#names[units]!;
    const names = new Int32Array(Math.max(FIRST_NAMES, 2 * before.length));
    names.set(before);
    this.#names[units] = names;
    this.memoryBytes += names.byteLength - before.byteLength;
  }

  #marksOf(slab: number, slabUnits: number): Int32Array {
    const known = this.#marks[slab];
    if (known !== undefined && known.length > 0) return known;
    const marks = new Int32Array((slabUnits + 31) >>> 5);
    this.#marks[slab] = marks;
    this.memoryBytes += marks.byteLength;
    return marks;
  }
}
