/** The sharded map by itself, with hashes that are chosen to collide. */
import { describe, expect, it } from 'vitest';
import { KeyMap } from '../../src/engine/memory/key-map.ts';
import { NONE, UNIT_BYTES, unitsAt } from '../../src/engine/memory/layout.ts';
import { Slabs } from '../../src/engine/memory/slabs.ts';
import { SeededRandom } from '../support/random.ts';
import { addBlock, probeOf } from './blocks.ts';

/** Hashes of one shard: their places are shares of 2^22. */
const SHARD = 5 << 22;
const LAST_PLACE = 2 ** 22 - 1;

class Filled {
  readonly slabs = new Slabs();
  readonly tables = new Slabs();
  readonly map = new KeyMap(this.slabs, this.tables);
  readonly entries = new Map<string, { readonly hash: number; reference: number }>();

  add(text: string, hash: number): void {
    const reference = addBlock(this.slabs, text);
    this.map.insert(hash, reference);
    this.entries.set(text, { hash, reference });
  }

  remove(text: string): void {
    const { hash, reference } = this.entries.get(text)!;
    this.map.remove(hash, reference);
    this.entries.delete(text);
    expect(this.map.find(probeOf(text), hash)).toBe(NONE);
  }

  /** The length of all tables without their heads. */
  get tableBytes(): number {
    let units = 0;
    this.tables.verifyIntegrity((_reference, words, at) => (units += unitsAt(words, at) - 1));
    return units * UNIT_BYTES;
  }

  verify(): void {
    const seen: number[] = [];
    this.map.verifyIntegrity((_hash, reference) => seen.push(reference));
    const references = Array.from(this.entries.values(), ({ reference }) => reference);
    expect(new Set(seen)).toEqual(new Set(references));
    expect(seen.length).toBe(references.length);
    expect(this.map.count).toBe(this.entries.size);
    for (const [text, { hash, reference }] of this.entries)
      expect(this.map.find(probeOf(text), hash)).toBe(reference);
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
    expect(filled.map.find(probeOf('c'), SHARD | 7)).toBe(NONE);
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

  it('is filled at once as by one key after the other, unless a key comes twice', () => {
    const filled = new Filled();
    const random = new SeededRandom(11);
    const hashes: number[] = [];
    for (let number = 0; number < 3000; number++) {
      const text = `key ${number}`;
      const hash = random.chance(0.5) ? SHARD | (LAST_PLACE - random.below(9)) : random.uint32() | 0 || 1;
      filled.entries.set(text, { hash, reference: addBlock(filled.slabs, text) });
      hashes.push(hash);
    }
    const references = Array.from(filled.entries.values(), ({ reference }) => reference);
    const fill = (map: KeyMap): boolean => {
      const filling = map.fill(Int32Array.from(hashes), Int32Array.from(references));
      for (;;) {
        const { done, value } = filling.next();
        if (done === true) return value;
      }
    };
    expect(fill(filled.map)).toBe(true);
    filled.verify();
    hashes.push(hashes[7]!);
    references.push(addBlock(filled.slabs, 'key 7'));
    expect(fill(new KeyMap(filled.slabs, new Slabs()))).toBe(false);
    expect(() => filled.map.insert(hashes.at(-1)!, references.at(-1)!)).toThrow('a key has one entry');
  });
});
