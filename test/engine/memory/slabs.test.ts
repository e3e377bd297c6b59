/** Slabs by themselves: blocks that change their length over holes, cursors between them, memory that is given back, moving. */
import { describe, expect, it } from 'vitest';
import {
  HOLE,
  NONE,
  BARE_KEY,
  NODE,
  UNIT_BITS,
  UNIT_BYTES,
  UNIT_MASK,
  headOf,
  kindOf,
  spanHead,
  unitsAt,
} from '../../../src/engine/memory/layout.ts';
import { Holes } from '../../../src/engine/memory/holes.ts';
import { type SlabCursor, Slabs } from '../../../src/engine/memory/slabs.ts';
import { SeededRandom } from '../../support/random.ts';
import { fixedSlabs } from './blocks.ts';
import { checkSlabs } from './check-slabs.ts';

const SLAB_BYTES = 16 * 1024;

/** Writes a block of so many units: all of it is head and key. */
function write(slabs: Slabs, reference: number, units: number, mark: number): void {
  const words = slabs.wordsAt(reference);
  const at = Slabs.wordOf(reference);
  words.fill(0, at, at + 5);
  words[at] = headOf(BARE_KEY, (units * 2 - 5) * 4, 0);
  words.fill(mark, at + 5, at + units * 2);
}

class Blocks {
  readonly slabs: Slabs;
  readonly units = new Map<number, { units: number; mark: number }>();
  #mark = 0;

  /** @param holes left out: new blocks go into none. */
  constructor(holes?: Holes) {
    this.slabs = fixedSlabs(SLAB_BYTES, holes);
  }

  add(units: number): number {
    const reference = this.slabs.allocate(units);
    const at = Slabs.wordOf(reference);
    expect(
      this.slabs
        .wordsAt(reference)
        .subarray(at, at + units * 2)
        .some(Boolean),
    ).toBe(false);
    const mark = ++this.#mark;
    write(this.slabs, reference, units, mark);
    this.units.set(reference, { units, mark });
    return reference;
  }

  resize(reference: number, units: number): boolean {
    const block = this.units.get(reference)!;
    if (!this.slabs.resize(reference, block.units, units)) return false;
    block.units = units;
    write(this.slabs, reference, units, block.mark);
    return true;
  }

  free(reference: number): void {
    this.slabs.free(reference, this.units.get(reference)!.units);
    this.units.delete(reference);
  }

  /** Has what comes next go into another slab. */
  seal(): void {
    this.free(this.add(SLAB_BYTES / UNIT_BYTES - 1));
  }

  verify(): void {
    let count = 0;
    checkSlabs(this.slabs, (reference, words, at) => {
      const block = this.units.get(reference);
      expect(unitsAt(words, at)).toBe(block?.units);
      const body = words.subarray(at + 5, at + block!.units * 2);
      expect(body.every((word) => word === block!.mark)).toBe(true);
      count++;
    });
    expect(count).toBe(this.units.size);
  }
}

describe('slabs', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'keep every block as it is while others grow, shrink and go (seed %i)',
    (seed) => {
      const random = new SeededRandom(seed);
      const blocks = new Blocks(seed > 3 ? new Holes() : undefined);
      for (let round = 0; round < 3000; round++) {
        const references = [...blocks.units.keys()];
        const dice = random.below(10);
        if (references.length < 100 || dice < 3)
          blocks.add(3 + random.below(random.chance(0.02) ? 3000 : 20));
        else if (dice < 7) blocks.resize(random.pick(references), 3 + random.below(30));
        else if (dice < 9 || references.length > 400) blocks.free(random.pick(references));
        else if (random.chance(0.05)) blocks.seal();
        if (round % 100 === 0) blocks.verify();
      }
      for (const reference of blocks.units.keys()) blocks.free(reference);
      blocks.seal();
      blocks.verify();
      expect(blocks.slabs.memoryBytes).toBeLessThanOrEqual(SLAB_BYTES);
    },
  );

  it('let a block grow into the hole behind it, to its last unit and no further', () => {
    const blocks = new Blocks();
    const [first, second, third] = [blocks.add(10), blocks.add(7), blocks.add(10)];
    expect(blocks.resize(first, 11)).toBe(false);
    blocks.free(second);
    expect(blocks.resize(first, 18)).toBe(false);
    expect(blocks.resize(first, 13)).toBe(true);
    blocks.verify();
    expect(blocks.resize(first, 17)).toBe(true);
    blocks.verify();
    expect(blocks.resize(first, 4)).toBe(true);
    blocks.verify();
    // The newest block has the rest of its slab before it, and nothing behind.
    const rest = SLAB_BYTES / 8 - (third & UNIT_MASK);
    expect(blocks.resize(third, rest + 1)).toBe(false);
    expect(blocks.resize(third, rest)).toBe(true);
    blocks.verify();
    expect(blocks.resize(third, 20)).toBe(true);
    blocks.seal();
    blocks.verify();
    // Behind the end of a slab there is no hole.
    expect(blocks.resize(third, rest)).toBe(true);
    expect(blocks.resize(third, rest + 1)).toBe(false);
    blocks.verify();
  });

  it('put a new block into the newest hole of just its length, and into none while a cursor is open', () => {
    const blocks = new Blocks(new Holes());
    const [first, second, third, fourth] = [blocks.add(10), blocks.add(7), blocks.add(10), blocks.add(7)];
    for (const reference of [first, second, fourth]) blocks.free(reference);
    const cursor = blocks.slabs.openCursor();
    const [behind, further] = [blocks.add(7), blocks.add(10)];
    expect(Math.min(behind, further)).toBeGreaterThan(fourth);
    blocks.slabs.closeCursor(cursor);
    expect(blocks.add(6)).toBeGreaterThan(further);
    expect(blocks.add(7)).toBe(fourth);
    // The block before it has grown over a part of the hole; what is left is one of its own.
    blocks.free(third);
    expect(blocks.add(10)).toBe(third);
    blocks.free(third);
    blocks.verify();
    expect([blocks.add(10), blocks.add(10)]).toEqual([third, first]);
    expect(blocks.resize(first, 13)).toBe(true);
    expect(blocks.add(7)).toBeGreaterThan(further);
    expect(blocks.add(4)).toBe(first + 13);
    blocks.verify();
  });

  it('put no block into what lies where a hole was, and looks like one', () => {
    const blocks = new Blocks(new Holes());
    const [first, second] = [blocks.add(8), blocks.add(8)];
    blocks.add(8);
    blocks.free(second);
    expect(blocks.resize(first, 16)).toBe(true);
    const words = blocks.slabs.wordsAt(second);
    words[Slabs.wordOf(second)] = spanHead(HOLE, 8);
    expect(blocks.add(8)).toBeGreaterThan(second + 8);
    expect(words[Slabs.wordOf(second)]).toBe(spanHead(HOLE, 8));
  });

  it('use the number of a slab again, and know it from the one before', () => {
    const blocks = new Blocks();
    const references = Array.from({ length: 20 }, () => blocks.add(1000));
    const slab = references[6]! >>> UNIT_BITS;
    const before = blocks.slabs.openCursor(slab);
    expect(blocks.slabs.isAhead(before, references[6]!)).toBe(true);
    for (const reference of references) if (reference >>> UNIT_BITS === slab) blocks.free(reference);
    expect(blocks.slabs.isAhead(before, references[6]!)).toBe(false);
    while (blocks.slabs.words[slab]!.length === 0) blocks.add(1000);
    expect(blocks.slabs.isAhead(before, references[6]!)).toBe(false);
    expect(blocks.slabs.advance(before)).toBe(NONE);
    const after = blocks.slabs.openCursor(slab);
    expect(blocks.slabs.isAhead(after, references[6]!)).toBe(true);
    expect(blocks.slabs.advance(after)).toBe(slab << UNIT_BITS);
    blocks.verify();
  });

  it.each([1, 2, 3, 4])(
    'keep cursors between blocks, whatever grows and shrinks about them (seed %i)',
    (seed) => {
      const random = new SeededRandom(seed);
      const blocks = new Blocks();
      while (blocks.slabs.words.length < 3) blocks.add(3 + random.below(30));
      blocks.seal();
      const first = [...blocks.units.keys()];
      const kept = new Set(first);
      const cursors = Array.from({ length: 4 }, () => ({
        cursor: blocks.slabs.openCursor(),
        seen: new Set<number>(),
      }));
      const change = (): void => {
        const reference = random.pick(first);
        if (!kept.has(reference)) return;
        if (random.chance(0.7)) blocks.resize(reference, 3 + random.below(40));
        else if (blocks.units.size > 50) {
          blocks.free(reference);
          kept.delete(reference);
        }
      };
      for (let isMore = true; isMore;) {
        isMore = false;
        for (const { cursor, seen } of cursors) {
          for (let steps = random.below(6); steps > 0; steps--) {
            const reference = blocks.slabs.advance(cursor);
            if (reference === NONE) break;
            const head = blocks.slabs.wordsAt(reference)[Slabs.wordOf(reference)]!;
            const isHole = kindOf(head) === HOLE;
            expect(isHole || blocks.units.has(reference), 'a cursor stands at a block').toBe(true);
            expect(seen.has(reference), 'a block comes once').toBe(false);
            if (!isHole) seen.add(reference);
          }
          if (cursor.slab < cursor.slabsEnd) isMore = true;
        }
        for (let count = random.below(20); count > 0; count--) change();
      }
      for (const { cursor, seen } of cursors) {
        for (const reference of kept) expect(seen.has(reference)).toBe(true);
        blocks.slabs.closeCursor(cursor);
      }
      blocks.verify();
    },
  );
});

/** Knows how many cursors are open. */
class WatchedSlabs extends Slabs {
  readonly open = new Set<SlabCursor>();

  override openCursor(slab?: number): SlabCursor {
    const cursor = super.openCursor(slab);
    this.open.add(cursor);
    return cursor;
  }

  override closeCursor(cursor: SlabCursor): void {
    super.closeCursor(cursor);
    this.open.delete(cursor);
  }
}

describe('emptying', () => {
  it('moves a bounded piece at a time, tells of each block once, and leaves no cursor open', () => {
    const places = new Set<number>();
    let moved = 0;
    const slabs = new WatchedSlabs((from, to) => {
      moved++;
      expect(places.delete(from)).toBe(true);
      expect(numberAt(to)).toBe(numberAt(from));
      places.add(to);
    }, 512 * 1024);
    const units = 64;
    for (let number = 0; number < 4000; number++) {
      const reference = slabs.allocate(units);
      slabs.wordsAt(reference)[Slabs.wordOf(reference)] = spanHead(NODE, units);
      slabs.wordsAt(reference)[Slabs.wordOf(reference) + 1] = number;
      places.add(reference);
    }
    const random = new SeededRandom(5);
    const numberAt = (place: number) => slabs.wordsAt(place)[Slabs.wordOf(place) + 1]!;
    for (const place of places) {
      if (!random.chance(0.5)) continue;
      places.delete(place);
      slabs.free(place, units);
    }
    const numbers = [...places].map(numberAt).sort((a, b) => a - b);
    const before = slabs.memoryBytes;
    for (let isMore = true; isMore; moved = 0) {
      isMore = slabs.giveBack(true);
      // What is there twice counts once, so that writes are not refused for want of memory that is about to be given back.
      expect(slabs.memoryBytes).toBeLessThanOrEqual(before);
      expect(moved * units * UNIT_BYTES).toBeLessThanOrEqual(64 * 1024);
    }
    expect(slabs.open.size).toBe(0);
    expect(slabs.memoryBytes).toBeLessThan(0.6 * before);
    expect([...places].map(numberAt).sort((a, b) => a - b)).toEqual(numbers);
    checkSlabs(slabs, (place) => expect(places.delete(place)).toBe(true));
    expect(places.size).toBe(0);
  });

  it('goes on in no slab that took the number of the one it emptied', () => {
    const places = new Set<number>();
    const slabs = new Slabs((from, to) => {
      expect(places.delete(from), 'a block is moved').toBe(true);
      places.add(to);
    }, 128 * 1024);
    const add = (units: number): number => {
      const reference = slabs.allocate(units);
      slabs.wordsAt(reference)[Slabs.wordOf(reference)] = spanHead(NODE, units);
      places.add(reference);
      return reference;
    };
    // So much that the slabs behind it have their full length, and then three of them.
    add((4 * 1024 * 1024) / UNIT_BYTES);
    const blocks = Array.from({ length: 3 * 256 + 1 }, () => add(64));
    expect(blocks[256]! >>> UNIT_BITS).toBe(2);
    // The last block of a slab is at the end of what one step goes over; holes follow.
    for (const [index, block] of blocks.entries()) {
      if (index === 3 * 256 || index % 256 === 0 || index % 256 === 127) continue;
      places.delete(block);
      slabs.free(block, 64);
    }
    expect(slabs.giveBack(true)).toBe(true);
    expect(slabs.words[1]).toHaveLength(0);
    while (slabs.endOf(1) < 12_000) add(100);
    while (slabs.giveBack(true));
    checkSlabs(slabs, (place) => expect(places.delete(place)).toBe(true));
    expect(places.size).toBe(0);
  });
});
