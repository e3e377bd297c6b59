/**
 * The sharded map from keys to blocks: open addressing with linear probing, in 1,024 small tables that the high bits of the
 * hash choose between. Each grows by a quarter and shrinks by itself, so that its load stays between 0.64 and 0.8, and
 * never looks at a key for it, since an entry keeps the whole hash. At 10,000,000 keys a table that grows moves 12,000
 * entries; that is the longest step.
 *
 * A table is a block in slabs of the map's own: its head, the number of its shard, then its entries. An entry is two
 * words: the reference (0: the place is empty), the hash. A key's place is the share of the table that its hash is of all
 * hashes, so growing keeps the order of entries. The hash is no identity: keys are compared.
 */
import { assert } from '../../errors.ts';
import { compareBlocks } from './block-keys.ts';
import { NONE, TABLE, UNIT_BITS, UNIT_MASK, spanHead } from './layout.ts';
import type { Probe } from './probe.ts';
import { Slabs } from './slabs.ts';

const SHARD_BITS = 10;
const SHARD_COUNT = 2 ** SHARD_BITS;
const SHARD_SHIFT = 32 - SHARD_BITS;
const PLACE_MASK = 2 ** SHARD_SHIFT - 1;
const PLACE_SCALE = 2 ** -SHARD_SHIFT;

/** Where the number of the shard stands in a table, and where its entries begin. */
const SHARD = 1;
const ENTRIES = 2;

const CAPACITY_MIN = 8;
const LOAD_MAX = 0.8;
const GROWTH = 1.25;
const LOAD_MIN = 0.4;
const LOAD_AFTER_REBUILDING = 0.7;
/** What is put in its shard's place between two yields. */
const FILLED_PER_PIECE = 2 ** 16;

export class KeyMap {
  readonly #blocks: Slabs;
  readonly #slabs: Slabs;
  /** By shard: the block of its table, how many entries that has room for, and how many it has. */
  readonly #tables = new Int32Array(SHARD_COUNT);
  readonly #capacities = new Int32Array(SHARD_COUNT);
  readonly #counts = new Int32Array(SHARD_COUNT);
  #count = 0;

  /** @param blocks those that hold the keys; @param slabs where the tables go. */
  constructor(blocks: Slabs, slabs: Slabs) {
    this.#blocks = blocks;
    this.#slabs = slabs;
  }

  get count(): number {
    return this.#count;
  }

  /** The block of the key in `probe`; `NONE`: there is none. */
  find(probe: Probe, hash: number): number {
    const shard = hash >>> SHARD_SHIFT;
    const capacity = this.#capacities[shard]!;
    if (capacity === 0) return NONE;
    const table = this.#tables[shard]!;
    const words = this.#slabs.words[table >>> UNIT_BITS]!;
    const start = ((table & UNIT_MASK) << 1) + ENTRIES;
    const end = start + (capacity << 1);
    const blocks = this.#blocks.words;
    for (let at = start + (placeOf(hash, capacity) << 1); ;) {
      const reference = words[at]!;
      if (reference === NONE) return NONE;
      if (
        words[at + 1] === hash &&
        probe.isKeyAt(blocks[reference >>> UNIT_BITS]!, (reference & UNIT_MASK) << 1)
      )
        return reference;
      at += 2;
      if (at === end) at = start;
    }
  }

  /** Fetches the places of several hashes, and what the first entry there with the hash refers to. */
  fetch(hashes: Int32Array, count: number, references: Int32Array): number {
    const slabs = this.#slabs.words;
    const blocks = this.#blocks.words;
    let sum = 0;
    for (let index = 0; index < count; index++) {
      const shard = hashes[index]! >>> SHARD_SHIFT;
      const table = this.#tables[shard]!;
      const place = placeOf(hashes[index]!, this.#capacities[shard]!);
      sum += slabs[table >>> UNIT_BITS]![((table & UNIT_MASK) << 1) + ENTRIES + (place << 1)]!;
    }
    for (let index = 0; index < count; index++) references[index] = this.#referenceWith(hashes[index]!);
    for (let index = 0; index < count; index++) {
      const reference = references[index]!;
      if (reference !== NONE) sum += blocks[reference >>> UNIT_BITS]![(reference & UNIT_MASK) << 1]!;
    }
    // Only so that the loads can't be left out.
    return sum;
  }

  insert(hash: number, reference: number): void {
    const shard = hash >>> SHARD_SHIFT;
    const capacity = this.#capacities[shard]!;
    const count = ++this.#counts[shard]!;
    this.#count++;
    if (count > capacity * LOAD_MAX)
      this.#rebuild(shard, Math.max(CAPACITY_MIN, Math.ceil(capacity * GROWTH)));
    this.#put(shard, hash, reference, false);
  }

  /**
   * Adds many at once, one table after the other, so that each is made in its last length and stays in the cache.
   * @returns whether all keys are different.
   */
  *fill(hashes: Int32Array, references: Int32Array): Generator<undefined, boolean> {
    const count = hashes.length;
    const ends = new Int32Array(SHARD_COUNT);
    for (let index = 0; index < count; index++) ends[hashes[index]! >>> SHARD_SHIFT]!++;
    for (let shard = 0, sum = 0; shard < SHARD_COUNT; shard++) {
      const start = sum;
      sum += ends[shard]!;
      ends[shard] = start;
    }
    yield;
    const byShard = { hashes: new Int32Array(count), references: new Int32Array(count) };
    for (let start = 0; start < count; start += FILLED_PER_PIECE) {
      const end = Math.min(count, start + FILLED_PER_PIECE);
      for (let index = start; index < end; index++) {
        const place = ends[hashes[index]! >>> SHARD_SHIFT]!++;
        byShard.hashes[place] = hashes[index]!;
        byShard.references[place] = references[index]!;
      }
      yield;
    }
    for (let shard = 0, start = 0; shard < SHARD_COUNT; start = ends[shard++]!) {
      const end = ends[shard]!;
      const entries = this.#counts[shard]! + end - start;
      if (entries > this.#capacities[shard]! * LOAD_MAX)
        this.#rebuild(shard, Math.max(CAPACITY_MIN, Math.ceil(entries / LOAD_AFTER_REBUILDING)));
      for (let index = start; index < end; index++) {
        if (!this.#put(shard, byShard.hashes[index]!, byShard.references[index]!, true)) return false;
      }
      this.#counts[shard] = entries;
      this.#count += end - start;
      yield;
    }
    return true;
  }

  /** The block of a key has moved. */
  replace(hash: number, from: number, to: number): void {
    this.#wordsOf(hash >>> SHARD_SHIFT)[this.#entryOf(hash, from)] = to;
  }

  remove(hash: number, reference: number): void {
    const shard = hash >>> SHARD_SHIFT;
    const words = this.#wordsOf(shard);
    const start = this.#startOf(shard);
    const capacity = this.#capacities[shard]!;
    const end = start + (capacity << 1);
    let hole = this.#entryOf(hash, reference);
    // Knuth, The Art of Computer Programming, volume 3, 6.4, algorithm R: what follows closes the gap.
    for (let at = hole; ;) {
      at = at + 2 === end ? start : at + 2;
      if (words[at] === NONE) break;
      const home = start + (placeOf(words[at + 1]!, capacity) << 1);
      const isBetween = hole <= at ? hole < home && home <= at : hole < home || home <= at;
      if (isBetween) continue;
      words[hole] = words[at]!;
      words[hole + 1] = words[at + 1]!;
      hole = at;
    }
    words[hole] = NONE;
    words[hole + 1] = 0;
    const count = --this.#counts[shard]!;
    this.#count--;
    if (capacity > CAPACITY_MIN && count < capacity * LOAD_MIN)
      this.#rebuild(shard, Math.max(CAPACITY_MIN, Math.ceil(count / LOAD_AFTER_REBUILDING)));
  }

  /** A table has moved. */
  relocateTable(from: number, to: number): void {
    const shard = this.#slabs.wordsAt(to)[Slabs.wordOf(to) + SHARD]!;
    assert(this.#tables[shard] === from, 'a table that moves is that of its shard');
    this.#tables[shard] = to;
  }

  /** Shows every entry. @returns the tables. */
  verifyIntegrity(visit: (hash: number, reference: number) => void): Set<number> {
    const tables = new Set<number>();
    let total = 0;
    for (let shard = 0; shard < SHARD_COUNT; shard++) {
      const capacity = this.#capacities[shard]!;
      if (capacity === 0) continue;
      tables.add(this.#tables[shard]!);
      const words = this.#wordsOf(shard);
      const start = this.#startOf(shard);
      let count = 0;
      for (let at = start; at < start + (capacity << 1); at += 2) {
        const reference = words[at]!;
        if (reference === NONE) continue;
        const hash = words[at + 1]!;
        assert(hash >>> SHARD_SHIFT === shard, 'an entry is in the shard of its hash');
        assert(this.#entryOf(hash, reference) === at, 'an entry is found from its place on');
        visit(hash, reference);
        count++;
      }
      assert(
        count === this.#counts[shard] && count < capacity,
        'a shard counts its entries, and one place is empty',
      );
      total += count;
    }
    assert(total === this.#count, 'all entries are counted');
    return tables;
  }

  #wordsOf(shard: number): Int32Array {
    return this.#slabs.wordsAt(this.#tables[shard]!);
  }

  /** The word where the entries of a shard begin. */
  #startOf(shard: number): number {
    return Slabs.wordOf(this.#tables[shard]!) + ENTRIES;
  }

  /** Where the search for a hash begins. */
  #homeOf(hash: number): number {
    const shard = hash >>> SHARD_SHIFT;
    return this.#startOf(shard) + (placeOf(hash, this.#capacities[shard]!) << 1);
  }

  #behind(shard: number, at: number): number {
    const start = this.#startOf(shard);
    return at + 2 === start + (this.#capacities[shard]! << 1) ? start : at + 2;
  }

  /** The word of the entry of a block. */
  #entryOf(hash: number, reference: number): number {
    const shard = hash >>> SHARD_SHIFT;
    const words = this.#wordsOf(shard);
    for (let at = this.#homeOf(hash); ; at = this.#behind(shard, at)) {
      if (words[at] === reference) return at;
      assert(words[at] !== NONE, 'an entry is in its table');
    }
  }

  /** The word of the first entry with a hash, from a word on; that of an empty place: there is none. */
  #firstWith(hash: number, from: number): number {
    const shard = hash >>> SHARD_SHIFT;
    const words = this.#wordsOf(shard);
    let at = from;
    while (words[at] !== NONE && words[at + 1] !== hash) at = this.#behind(shard, at);
    return at;
  }

  /** The reference of the first entry with a hash. */
  #referenceWith(hash: number): number {
    const shard = hash >>> SHARD_SHIFT;
    return this.#capacities[shard] === 0
      ? NONE
      : this.#wordsOf(shard)[this.#firstWith(hash, this.#homeOf(hash))]!;
  }

  /** Puts an entry into its table, which has room. @returns false when the key has one already, if that `isToCheck`. */
  #put(shard: number, hash: number, reference: number, isToCheck: boolean): boolean {
    const capacity = this.#capacities[shard]!;
    const words = this.#wordsOf(shard);
    const start = this.#startOf(shard);
    const end = start + (capacity << 1);
    let at = start + (placeOf(hash, capacity) << 1);
    while (words[at] !== NONE) {
      if (isToCheck && words[at + 1] === hash && compareBlocks(this.#blocks, words[at]!, reference) === 0)
        return false;
      at += 2;
      if (at === end) at = start;
    }
    words[at] = reference;
    words[at + 1] = hash;
    return true;
  }

  /** Gives a shard a table of another length. */
  #rebuild(shard: number, capacity: number): void {
    const before = this.#tables[shard]!;
    const from = Slabs.wordOf(before) + ENTRIES;
    const end = from + (this.#capacities[shard]! << 1);
    const units = capacity + ENTRIES / 2;
    const table = this.#slabs.allocate(units);
    const words = this.#slabs.wordsAt(table);
    const at = Slabs.wordOf(table);
    words.fill(0, at, at + (units << 1));
    words[at] = spanHead(TABLE, units);
    words[at + SHARD] = shard;
    this.#tables[shard] = table;
    this.#capacities[shard] = capacity;
    if (before === NONE) return;
    const entries = this.#slabs.wordsAt(before);
    for (let entry = from; entry < end; entry += 2) {
      if (entries[entry] !== NONE) this.#put(shard, entries[entry + 1]!, entries[entry]!, false);
    }
    this.#slabs.free(before, (end - from + ENTRIES) >>> 1);
  }
}

/** The place of a hash in a table with room for so many entries. */
function placeOf(hash: number, capacity: number): number {
  return ((hash & PLACE_MASK) * PLACE_SCALE * capacity) | 0;
}
