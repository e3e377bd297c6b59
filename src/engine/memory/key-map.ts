/**
 * The sharded map from keys to blocks: open addressing with linear probing, in 1,024 small tables that the high bits of the
 * hash choose between. Each grows by a quarter and shrinks by itself, so that its load stays between 0.64 and 0.8. For that
 * it visits no key, since an entry keeps the whole hash; only keys with the same hash are compared. At 10,000,000 keys a
 * table that grows moves 12,000 entries; that is the longest step.
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
/** The words that are put in the order of shards between two yields. */
const SORTED_PER_PIECE = 2 ** 17;

/** A view of one table after the other. */
class Table {
  words: Int32Array = new Int32Array(0);
  /** The words where the entries begin and end. */
  start = 0;
  end = 0;
  #capacity = 0;

  open(words: Int32Array, at: number, capacity: number): this {
    this.words = words;
    this.start = at + ENTRIES;
    this.end = this.start + (capacity << 1);
    this.#capacity = capacity;
    return this;
  }

  /** Where the search for a hash begins. */
  homeOf(hash: number): number {
    return this.start + (placeOf(hash, this.#capacity) << 1);
  }

  next(entry: number): number {
    return entry + 2 === this.end ? this.start : entry + 2;
  }

  /** The entry of a block. */
  entryOf(hash: number, reference: number): number {
    let entry = this.homeOf(hash);
    while (this.words[entry] !== reference) {
      assert(this.words[entry] !== NONE, 'an entry is in its table');
      entry = this.next(entry);
    }
    return entry;
  }

  /** What the first entry with a hash refers to; `NONE`: there is none. */
  firstWith(hash: number): number {
    if (this.#capacity === 0) return NONE;
    const { words } = this;
    let entry = this.homeOf(hash);
    while (words[entry] !== NONE && words[entry + 1] !== hash) entry = this.next(entry);
    return words[entry]!;
  }

  /** Empties an entry. What follows closes the gap: Knuth, The Art of Computer Programming, volume 3, 6.4, algorithm R. */
  remove(entry: number): void {
    const { words } = this;
    let hole = entry;
    for (let at = this.next(hole); words[at] !== NONE; at = this.next(at)) {
      const home = this.homeOf(words[at + 1]!);
      const isBetween = hole <= at ? hole < home && home <= at : hole < home || home <= at;
      if (isBetween) continue;
      words[hole] = words[at]!;
      words[hole + 1] = words[at + 1]!;
      hole = at;
    }
    words[hole] = NONE;
    words[hole + 1] = 0;
  }
}

export class KeyMap {
  readonly #blocks: Slabs;
  /** Where the tables lie, and nothing else. */
  readonly slabs: Slabs;
  /** By shard: the block of its table, how many entries that has room for (0: there is none), and how many it has. */
  readonly #tables = new Int32Array(SHARD_COUNT);
  readonly #capacities = new Int32Array(SHARD_COUNT);
  readonly counts = new Int32Array(SHARD_COUNT);
  readonly #table = new Table();
  /** How often an entry came, went, or got another reference. */
  changes = 0;

  /** @param blocks those that hold the keys. */
  constructor(blocks: Slabs, slabBytesMax?: number) {
    this.#blocks = blocks;
    this.slabs = new Slabs((from, to) => this.#relocateTable(from, to), slabBytesMax);
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** The block of the key in `probe`, which is used with this map alone; `NONE`: there is none. */
  find(probe: Probe, hash: number): number {
    if (probe.foundAt === this.changes) return probe.found;
    probe.found = NONE;
    probe.foundAt = this.changes;
    const shard = hash >>> SHARD_SHIFT;
    const capacity = this.#capacities[shard]!;
    if (capacity === 0) return NONE;
    const table = this.#tables[shard]!;
    const words = this.slabs.words[table >>> UNIT_BITS]!;
    const start = ((table & UNIT_MASK) << 1) + ENTRIES;
    const end = start + (capacity << 1);
    const blocks = this.#blocks.words;
    for (let at = start + (placeOf(hash, capacity) << 1); ;) {
      const reference = words[at]!;
      if (reference === NONE) return NONE;
      if (
        words[at + 1] === hash &&
        probe.isKeyAt(blocks[reference >>> UNIT_BITS]!, (reference & UNIT_MASK) << 1)
      ) {
        probe.found = reference;
        return reference;
      }
      at += 2;
      if (at === end) at = start;
    }
  }

  /** Fetches the places of several hashes, and what the first entry there with the hash refers to. */
  fetch(hashes: Int32Array, count: number, references: Int32Array): number {
    const slabs = this.slabs.words;
    const blocks = this.#blocks.words;
    let sum = 0;
    for (let index = 0; index < count; index++) {
      const shard = hashes[index]! >>> SHARD_SHIFT;
      const table = this.#tables[shard]!;
      const place = placeOf(hashes[index]!, this.#capacities[shard]!);
      sum += slabs[table >>> UNIT_BITS]![((table & UNIT_MASK) << 1) + ENTRIES + (place << 1)]!;
    }
    for (let index = 0; index < count; index++) {
      references[index] = this.#open(hashes[index]! >>> SHARD_SHIFT).firstWith(hashes[index]!);
    }
    for (let index = 0; index < count; index++) {
      const reference = references[index]!;
      if (reference !== NONE) sum += blocks[reference >>> UNIT_BITS]![(reference & UNIT_MASK) << 1]!;
    }
    // Only so that the loads can't be left out.
    return sum;
  }

  /** What the first entry with a hash refers to; `NONE`: there is none. */
  firstWith(hash: number): number {
    return this.#open(hash >>> SHARD_SHIFT).firstWith(hash);
  }

  insert(hash: number, reference: number): void {
    const shard = hash >>> SHARD_SHIFT;
    this.#changeCount(shard, 1);
    const isNew = this.#put(this.#open(shard), hash, reference);
    assert(isNew, 'a key has one entry');
  }

  /**
   * Adds many at once, one table after the other, so that each is made in its last length and stays in the cache.
   * @param unsorted entries as those of a table. @returns whether all keys are different.
   */
  *fill(unsorted: Int32Array): Generator<undefined, boolean> {
    const ends = startsOfShards(unsorted);
    const entries = new Int32Array(unsorted.length);
    for (let from = 0; from < unsorted.length; from += 2) {
      if (from % SORTED_PER_PIECE === 0) yield;
      const at = ends[unsorted[from + 1]! >>> SHARD_SHIFT]!++ << 1;
      entries[at] = unsorted[from]!;
      entries[at + 1] = unsorted[from + 1]!;
    }
    for (let shard = 0, start = 0; shard < SHARD_COUNT; start = ends[shard++]!) {
      const end = ends[shard]!;
      this.#changeCount(shard, end - start);
      if (!this.#putAll(shard, entries, start << 1, end << 1)) return false;
      yield;
    }
    return true;
  }

  /** The block of a key has moved. */
  replace(hash: number, from: number, to: number): void {
    this.changes++;
    const table = this.#open(hash >>> SHARD_SHIFT);
    table.words[table.entryOf(hash, from)] = to;
  }

  remove(hash: number, reference: number): void {
    const shard = hash >>> SHARD_SHIFT;
    const table = this.#open(shard);
    table.remove(table.entryOf(hash, reference));
    this.#changeCount(shard, -1);
  }

  /** A table has moved. */
  #relocateTable(from: number, to: number): void {
    const shard = this.slabs.wordsAt(to)[Slabs.wordOf(to) + SHARD]!;
    assert(this.#tables[shard] === from, 'a table that moves is that of its shard');
    this.#tables[shard] = to;
  }

  #open(shard: number): Table {
    const table = this.#tables[shard]!;
    return this.#table.open(this.slabs.wordsAt(table), Slabs.wordOf(table), this.#capacities[shard]!);
  }

  /** Entries of a shard come, or have gone: it gets a table of another length when the load leaves its bounds. */
  #changeCount(shard: number, difference: number): void {
    this.changes++;
    const count = (this.counts[shard]! += difference);
    const capacity = this.#capacities[shard]!;
    if (count > capacity * LOAD_MAX) this.#rebuild(shard, capacity * GROWTH);
    else if (count < capacity * LOAD_MIN && capacity > CAPACITY_MIN) this.#rebuild(shard, CAPACITY_MIN);
  }

  /** Gives a shard a table with room for its entries, and for so many at least. */
  #rebuild(shard: number, capacityMin: number): void {
    const before = this.#tables[shard]!;
    const { words, start, end } = this.#open(shard);
    const wanted = Math.max(CAPACITY_MIN, capacityMin, this.counts[shard]! / LOAD_AFTER_REBUILDING);
    const capacity = Math.ceil(wanted);
    const units = capacity + ENTRIES / 2;
    const table = this.slabs.allocate(units);
    const at = Slabs.wordOf(table);
    this.#tables[shard] = table;
    this.#capacities[shard] = capacity;
    this.slabs.wordsAt(table)[at] = spanHead(TABLE, units);
    this.slabs.wordsAt(table)[at + SHARD] = shard;
    this.#putAll(shard, words, start, end);
    if (before !== NONE) this.slabs.free(before, (end - start + ENTRIES) >>> 1);
  }

  /** Puts entries from somewhere into the table of their shard. @returns false when a key has two. */
  #putAll(shard: number, entries: Int32Array, start: number, end: number): boolean {
    const table = this.#open(shard);
    for (let entry = start; entry < end; entry += 2) {
      if (entries[entry] !== NONE && !this.#put(table, entries[entry + 1]!, entries[entry]!)) return false;
    }
    return true;
  }

  /** Puts an entry into a table, which has room. @returns false when the key has one already. */
  #put(table: Table, hash: number, reference: number): boolean {
    const { words } = table;
    let entry = table.homeOf(hash);
    for (; words[entry] !== NONE; entry = table.next(entry)) {
      if (words[entry + 1] === hash && compareBlocks(this.#blocks, words[entry]!, reference) === 0)
        return false;
    }
    words[entry] = reference;
    words[entry + 1] = hash;
    return true;
  }
}

/** The place of a hash in a table with room for so many entries. */
function placeOf(hash: number, capacity: number): number {
  return ((hash & PLACE_MASK) * PLACE_SCALE * capacity) | 0;
}

/** Before how many entries those of each shard begin when they are put in the order of shards. */
function startsOfShards(entries: Int32Array): Int32Array {
  const counts = new Int32Array(SHARD_COUNT);
  for (let hashAt = 1; hashAt < entries.length; hashAt += 2) counts[entries[hashAt]! >>> SHARD_SHIFT]!++;
  let sum = 0;
  return counts.map((count) => (sum += count) - count);
}
