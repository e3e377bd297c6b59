/**
 * The sharded map from keys to blocks: open addressing with linear probing, in 1,024 small tables that the high bits of the
 * hash choose between. Each grows by a quarter and shrinks by itself, so that its load stays between 0.64 and 0.8, and
 * never looks at a key for it, since an entry keeps the whole hash. At 10,000,000 keys a table that grows moves 12,000
 * entries; that is the longest step.
 *
 * An entry is two words: the reference (0: the place is empty), the hash. A key's place is the share of the table that its
 * hash is of all hashes, so growing keeps the order of entries. The hash is no identity: keys are compared.
 */
import { assert } from '../../errors.ts';
import { NONE, UNIT_BITS, UNIT_MASK } from './layout.ts';
import type { Probe } from './probe.ts';
import type { Slabs } from './slabs.ts';

const SHARD_BITS = 10;
const SHARD_COUNT = 2 ** SHARD_BITS;
const SHARD_SHIFT = 32 - SHARD_BITS;
const PLACE_MASK = 2 ** SHARD_SHIFT - 1;
const PLACE_SCALE = 2 ** -SHARD_SHIFT;

const CAPACITY_MIN = 8;
const LOAD_MAX = 0.8;
const GROWTH = 1.25;
const LOAD_MIN = 0.4;
const LOAD_AFTER_SHRINKING = 0.7;

/** A table in which nothing is. */
const EMPTY = new Int32Array(2);

export class KeyMap {
  readonly #slabs: Slabs;
  readonly #tables: Int32Array[] = Array.from({ length: SHARD_COUNT }, () => EMPTY);
  readonly #counts = new Int32Array(SHARD_COUNT);
  #wordCount = 0;
  #count = 0;

  constructor(slabs: Slabs) {
    this.#slabs = slabs;
  }

  get count(): number {
    return this.#count;
  }

  get memoryBytes(): number {
    return this.#wordCount * Int32Array.BYTES_PER_ELEMENT;
  }

  /** The block of the key in `probe`; `NONE`: there is none. */
  find(probe: Probe, hash: number): number {
    const table = this.#tables[hash >>> SHARD_SHIFT]!;
    const slabs = this.#slabs.words;
    for (let at = placeOf(hash, table); ;) {
      const reference = table[at]!;
      if (reference === NONE) return NONE;
      if (
        table[at + 1] === hash &&
        probe.isKeyAt(slabs[reference >>> UNIT_BITS]!, (reference & UNIT_MASK) << 1)
      )
        return reference;
      at += 2;
      if (at === table.length) at = 0;
    }
  }

  /** Fetches the places of several hashes, and what the first entry there with the hash refers to. */
  fetch(hashes: Int32Array, count: number, references: Int32Array): number {
    const slabs = this.#slabs.words;
    let sum = 0;
    for (let index = 0; index < count; index++) {
      const table = this.#tables[hashes[index]! >>> SHARD_SHIFT]!;
      sum += table[placeOf(hashes[index]!, table)]!;
    }
    for (let index = 0; index < count; index++) {
      const hash = hashes[index]!;
      const table = this.#tables[hash >>> SHARD_SHIFT]!;
      let at = placeOf(hash, table);
      while (table[at] !== NONE && table[at + 1] !== hash) at = at + 2 === table.length ? 0 : at + 2;
      references[index] = table[at]!;
    }
    for (let index = 0; index < count; index++) {
      const reference = references[index]!;
      if (reference !== NONE) sum += slabs[reference >>> UNIT_BITS]![(reference & UNIT_MASK) << 1]!;
    }
    // Only so that the loads can't be left out.
    return sum;
  }

  insert(hash: number, reference: number): void {
    const shard = hash >>> SHARD_SHIFT;
    const count = ++this.#counts[shard]!;
    this.#count++;
    let table = this.#tables[shard]!;
    const capacity = table.length >>> 1;
    if (count > capacity * LOAD_MAX)
      table = this.#rebuild(shard, Math.max(CAPACITY_MIN, Math.ceil(capacity * GROWTH)));
    put(table, hash, reference);
  }

  /** The block of a key has moved. */
  replace(hash: number, from: number, to: number): void {
    const table = this.#tables[hash >>> SHARD_SHIFT]!;
    table[this.#placeOfEntry(table, hash, from)] = to;
  }

  remove(hash: number, reference: number): void {
    const shard = hash >>> SHARD_SHIFT;
    const table = this.#tables[shard]!;
    let hole = this.#placeOfEntry(table, hash, reference);
    // Knuth, The Art of Computer Programming, volume 3, 6.4, algorithm R: what follows closes the gap.
    for (let at = hole; ;) {
      at = at + 2 === table.length ? 0 : at + 2;
      if (table[at] === NONE) break;
      const home = placeOf(table[at + 1]!, table);
      const isBetween = hole <= at ? hole < home && home <= at : hole < home || home <= at;
      if (isBetween) continue;
      table[hole] = table[at]!;
      table[hole + 1] = table[at + 1]!;
      hole = at;
    }
    table[hole] = NONE;
    table[hole + 1] = 0;
    const count = --this.#counts[shard]!;
    this.#count--;
    const capacity = table.length >>> 1;
    if (capacity > CAPACITY_MIN && count < capacity * LOAD_MIN)
      this.#rebuild(shard, Math.max(CAPACITY_MIN, Math.ceil(count / LOAD_AFTER_SHRINKING)));
  }

  /** Shows every entry. */
  verifyIntegrity(visit: (hash: number, reference: number) => void): void {
    let total = 0;
    let wordCount = 0;
    for (const [shard, table] of this.#tables.entries()) {
      let count = 0;
      for (let at = 0; at < table.length; at += 2) {
        const reference = table[at]!;
        if (reference === NONE) continue;
        const hash = table[at + 1]!;
        assert(hash >>> SHARD_SHIFT === shard, 'an entry is in the shard of its hash');
        assert(this.#placeOfEntry(table, hash, reference) === at, 'an entry is found from its place on');
        visit(hash, reference);
        count++;
      }
      assert(count === this.#counts[shard], 'the entries of a shard are counted');
      assert(count < table.length >>> 1 || table === EMPTY, 'a table has an empty place');
      total += count;
      if (table !== EMPTY) wordCount += table.length;
    }
    assert(total === this.#count && wordCount === this.#wordCount, 'all entries are counted');
  }

  #placeOfEntry(table: Int32Array, hash: number, reference: number): number {
    for (let at = placeOf(hash, table); ;) {
      const found = table[at]!;
      if (found === reference) return at;
      assert(found !== NONE, 'an entry is in its table');
      at += 2;
      if (at === table.length) at = 0;
    }
  }

  #rebuild(shard: number, capacity: number): Int32Array {
    const before = this.#tables[shard]!;
    const table = new Int32Array(capacity << 1);
    for (let at = 0; at < before.length; at += 2) {
      const reference = before[at]!;
      if (reference !== NONE) put(table, before[at + 1]!, reference);
    }
    this.#tables[shard] = table;
    this.#wordCount += table.length - (before === EMPTY ? 0 : before.length);
    return table;
  }
}

/** Where the search for a hash begins. */
function placeOf(hash: number, table: Int32Array): number {
  return (((hash & PLACE_MASK) * PLACE_SCALE * (table.length >>> 1)) | 0) << 1;
}

function put(table: Int32Array, hash: number, reference: number): void {
  let at = placeOf(hash, table);
  while (table[at] !== NONE) {
    at += 2;
    if (at === table.length) at = 0;
  }
  table[at] = reference;
  table[at + 1] = hash;
}
