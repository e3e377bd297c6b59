/** The sharded map by itself, with hashes that are chosen to collide. */
import { describe, expect, it } from 'vitest';
import { KeyMap } from '../../../src/engine/memory/key-map.ts';
import { NONE, UNIT_BYTES, unitsAt } from '../../../src/engine/memory/layout.ts';
import { Probe } from '../../../src/engine/memory/probe.ts';
import { SeededRandom } from '../../support/random.ts';
import { resultOf } from '../../support/pieces.ts';
import { addBlock, fixedSlabs } from './blocks.ts';
import { bytes } from '../contract/changes.ts';
import { checkKeyMap } from './check-key-map.ts';
import { checkSlabs } from './check-slabs.ts';

/** Hashes of one shard: their places are shares of 2^22. */
const SHARD = 5 << 22;
const LAST_PLACE = 2 ** 22 - 1;

class Filled {
  readonly slabs = fixedSlabs();
  readonly map = new KeyMap(this.slabs);
  readonly #probe = new Probe();
  readonly entries = new Map<string, { readonly hash: number; reference: number }>();

  find(text: string, hash: number): number {
    this.#probe.set(bytes(text));
    return this.map.find(this.#probe, hash);
  }

  add(text: string, hash: number): void {
    const reference = addBlock(this.slabs, text);
    this.map.insert(hash, reference);
    this.entries.set(text, { hash, reference });
  }

  /** @returns whether all keys are different. */
  addAll(hashByText: ReadonlyMap<string, number>): boolean {
    const unsorted: number[] = [];
    for (const [text, hash] of hashByText) {
      const reference = addBlock(this.slabs, text);
      unsorted.push(reference, hash);
      this.entries.set(text, { hash, reference });
    }
    return resultOf(this.map.fill(Int32Array.from(unsorted)));
  }

  remove(text: string): void {
    const { hash, reference } = this.entries.get(text)!;
    this.map.remove(hash, reference);
    this.entries.delete(text);
    expect(this.find(text, hash)).toBe(NONE);
  }

  /** The length of all tables without their heads. */
  get tableBytes(): number {
    let units = 0;
    checkSlabs(this.map.slabs, (_reference, words, at) => (units += unitsAt(words, at) - 1));
    return units * UNIT_BYTES;
  }

  verify(): void {
    const seen: number[] = [];
    checkKeyMap(this.map, this.slabs, (_hash, reference) => seen.push(reference));
    const references = Array.from(this.entries.values(), ({ reference }) => reference);
    expect(new Set(seen)).toEqual(new Set(references));
    expect(seen.length).toBe(references.length);
    expect(this.map.count).toBe(this.entries.size);
    const lost = [...this.entries].filter(
      ([text, { hash, reference }]) => this.find(text, hash) !== reference,
    );
    expect(lost).toEqual([]);
  }
}

describe('the sharded map', () => {
  it.each([
    ['anywhere', () => LAST_PLACE],
    ['at the end of a table, so that entries stand at its beginning', () => 40],
    ['all alike', () => 1],
  ])('finds what was added and removed, with hashes %s', (_name, spread) => {
    const random = new SeededRandom(3);
    const filled = new Filled();
    for (const removeShare of [0.2, 0.5, 0.9]) {
      for (let round = 0; round < 400; round++) {
        const text = `key ${random.below(150)}`;
        const exists = filled.entries.has(text);
        if (exists && random.chance(removeShare)) filled.remove(text);
        else if (!exists && random.chance(1 - removeShare))
          filled.add(text, SHARD | (LAST_PLACE - random.below(spread())));
        if (round % 20 === 0) filled.verify();
      }
    }
    for (const text of filled.entries.keys()) filled.remove(text);
    filled.verify();
  });

  it('compares keys, since hashes are no identity, and follows blocks that move', () => {
    const filled = new Filled();
    for (const text of ['a', 'b', 'a\0', 'ab', 'a\0\0\0\0']) filled.add(text, SHARD | 7);
    filled.verify();
    expect(filled.find('c', SHARD | 7)).toBe(NONE);
    const entry = filled.entries.get('ab')!;
    const to = addBlock(filled.slabs, 'ab');
    filled.map.replace(entry.hash, entry.reference, to);
    entry.reference = to;
    filled.verify();
  });

  it('grows and shrinks with what is in it, a quarter at a time', () => {
    const filled = new Filled();
    const random = new SeededRandom(4);
    const bytesAt: number[] = [];
    for (let number = 0; number < 2000; number++) {
      const before = filled.tableBytes;
      filled.add(`key ${number}`, SHARD | random.below(LAST_PLACE));
      bytesAt.push(filled.tableBytes);
      expect(filled.tableBytes).toBeLessThanOrEqual(Math.max(64, before * 1.25 + 8));
      expect(filled.tableBytes).toBeLessThanOrEqual(Math.max(64, ((number + 1) * 8) / 0.63));
    }
    for (let number = 1999; number > 0; number--) {
      filled.remove(`key ${number}`);
      expect(filled.tableBytes).toBeLessThanOrEqual(Math.max(88, (number * 8) / 0.39));
    }
    filled.verify();
  });

  it('fetches the first entry with each hash', () => {
    const filled = new Filled();
    const random = new SeededRandom(9);
    for (let number = 0; number < 500; number++) filled.add(`key ${number}`, random.uint32() | 0 || 1);
    const entries = [...filled.entries.values()];
    const hashes = Int32Array.from([...entries.slice(0, 60).map(({ hash }) => hash), 12345, SHARD]);
    const references = new Int32Array(hashes.length);
    filled.map.fetch(hashes, hashes.length, references);
    expect([...references]).toEqual([...entries.slice(0, 60).map(({ reference }) => reference), NONE, NONE]);
  });

  it('follows its tables when they move, as it grows and shrinks', () => {
    const random = new SeededRandom(12);
    const filled = new Filled();
    const expectGivesBack = (): void => {
      const before = filled.map.slabs.memoryBytes;
      while (filled.map.slabs.giveBack(true));
      expect(filled.map.slabs.memoryBytes).toBeLessThan(0.8 * before);
      filled.verify();
    };
    for (let number = 0; number < 20_000; number++) filled.add(`key ${number}`, random.uint32() | 0 || 1);
    expectGivesBack();
    for (let number = 0; number < 15_000; number++) filled.remove(`key ${number}`);
    expectGivesBack();
  });

  it('is filled with many at once, table after table, beside what is in it', () => {
    const random = new SeededRandom(11);
    const filled = new Filled();
    for (let number = 0; number < 100; number++)
      filled.add(`first ${number}`, SHARD | random.below(LAST_PLACE));
    // More than a piece; every count of entries from 1 on in one shard or another, some at the end of their table.
    const hashByText = new Map<string, number>();
    for (let shard = 0; shard < 380; shard++) {
      for (let number = 0; number < shard; number++) {
        const place = number % 3 === 0 ? LAST_PLACE - random.below(40) : random.below(LAST_PLACE);
        hashByText.set(`${shard} ${number}`, (shard << 22) | place);
      }
    }
    expect(hashByText.size).toBeGreaterThan(2 ** 16);
    expect(filled.addAll(hashByText)).toBe(true);
    filled.verify();
    for (let shard = 0; shard < 1024; shard++)
      expect(filled.find('not there', (shard << 22) | 12_345)).toBe(NONE);
    for (const text of hashByText.keys()) if (random.chance(0.05)) filled.remove(text);
    filled.verify();
  });

  it.each([
    ['alone', 0, 0],
    ['behind others of the same hash', 30, 0],
    ['behind others, at the end of a table and at its beginning', 30, 1],
  ])('finds a key that comes twice in what it is filled with, %s', (_name, others, step) => {
    const filled = new Filled();
    const hash = SHARD | LAST_PLACE;
    const hashByText = new Map<string, number>();
    for (let number = 0; number < others; number++) hashByText.set(`key ${number}`, hash - step * number);
    hashByText.set('twice', hash);
    expect(filled.addAll(hashByText)).toBe(true);
    expect(filled.addAll(new Map([['another', hash]]))).toBe(true);
    filled.verify();
    expect(filled.addAll(new Map([['twice', hash]]))).toBe(false);
    expect(() => filled.add('another', hash)).toThrow('a key has one entry');
  });
});
