/** The undo ring by itself: its pages, its places up to 2^32, its links and jumps. */
import { describe, expect, it } from 'vitest';
import {
  HEAD,
  KEY,
  NONE,
  REVISION_LOW,
  SHORT_VERSION,
  UNIT_BYTES,
  headOf,
  revisionAt,
  unitsAt,
  writeWide,
} from '../../../src/engine/memory/layout.ts';
import { UndoRing } from '../../../src/engine/memory/undo-ring.ts';
import { memoryOf } from '../../../src/wire/memory.ts';
import { SeededRandom } from '../../support/random.ts';
import { checkUndoRing } from './integrity.ts';

const PAGE_UNITS = 2 ** 15;
/** An entry takes so many units beside the version. */
const ENTRY_UNITS = 3;

interface Entry {
  readonly place: number;
  readonly key: number;
  readonly revision: number;
  readonly replacedBy: number;
}

/** A ring with what was pushed, and the block of each key. */
class Pushed {
  readonly ring: UndoRing;
  readonly entries: Entry[] = [];
  readonly blocks = new Map<number, { revision: number; link: number }>();
  revision = 0;
  dropped = 0;

  constructor(firstPage?: number) {
    this.ring = new UndoRing(firstPage);
  }

  /** The next version of a key; the one before goes into the ring with so many units. */
  put(key: number, units: number): void {
    const revision = ++this.revision;
    const before = this.blocks.get(key);
    if (before === undefined) {
      this.blocks.set(key, { revision, link: 0 });
      return;
    }
    const block = blockOf(key, before.revision, units);
    const isLinked = this.entries.slice(this.dropped).some((entry) => entry.place === before.link >>> 0);
    const place = this.ring.push(memoryOf(block), 0, revision, 0, isLinked ? before.link : NONE);
    this.entries.push({ place, key, revision: before.revision, replacedBy: revision });
    this.blocks.set(key, { revision, link: place });
  }

  drop(): void {
    expect(this.ring.nextRevision()).toBe(this.entries[this.dropped]!.replacedBy);
    this.ring.dropTail();
    this.dropped++;
  }

  verify(): void {
    const places: number[] = [];
    checkUndoRing(this.ring, (place) => places.push(place));
    expect(places).toEqual(this.entries.slice(this.dropped).map(({ place }) => place));
  }

  /** Reads a key at every revision that can still be read. */
  readAll(key: number): void {
    const { revision, link } = this.blocks.get(key)!;
    const compacted = this.entries[this.dropped - 1]?.replacedBy ?? 0;
    const mine = this.entries.slice(this.dropped).filter((entry) => entry.key === key);
    for (let at = Math.max(1, compacted); at < revision; at++) {
      const wanted = mine.findLast((entry) => entry.revision <= at);
      if (!this.ring.seek(link, at)) expect(wanted, `nothing at ${at}`).toBeUndefined();
      else expect(revisionAt(this.ring.memory.words, this.ring.at), `at ${at}`).toBe(wanted?.revision);
    }
  }
}

/** A version of so many units, all of it key. */
function blockOf(key: number, revision: number, units: number): Uint8Array {
  const bytes = new Uint8Array(units * UNIT_BYTES);
  const { words } = memoryOf(bytes);
  words[HEAD] = headOf(SHORT_VERSION, (units * 2 - KEY) * 4, 0);
  writeWide(words, REVISION_LOW, revision);
  words[KEY] = key;
  expect(unitsAt(words, 0)).toBe(units);
  return bytes;
}

/** The pages with which rings begin: the first, and those before half of all places, before the last page, and that one. */
const FIRST_PAGES = [1, 2 ** 16 - 2, 2 ** 17 - 2, 2 ** 17 - 1];

describe('the undo ring', () => {
  it.each(FIRST_PAGES)('reads every version of few keys over page borders, from page %i on', (firstPage) => {
    const random = new SeededRandom(firstPage);
    const pushed = new Pushed(firstPage);
    for (let round = 0; round < 2500; round++) {
      pushed.put(random.below(5), random.chance(0.9) ? 3 + random.below(40) : 3 + random.below(500));
      if (pushed.entries.length - pushed.dropped > 900)
        while (random.chance(0.97)) {
          if (pushed.dropped === pushed.entries.length) break;
          pushed.drop();
        }
      if (round % 250 !== 249) continue;
      pushed.verify();
      for (const key of pushed.blocks.keys()) pushed.readAll(key);
    }
    while (pushed.dropped < pushed.entries.length) pushed.drop();
    pushed.ring.trim();
    pushed.verify();
    expect(pushed.ring.memoryBytes).toBe(0);
  });

  it.each(FIRST_PAGES)('fills pages to their last unit but one, from page %i on', (firstPage) => {
    const pushed = new Pushed(firstPage);
    pushed.put(1, 3);
    // The last unit of a page stays free, so an entry of 1024 finds no room behind 31 others, but one of 1023 does.
    for (let pages = 0; pages < 4; pages += 2) {
      for (let count = 0; count < 31 + 31; count++) pushed.put(1, 1024 - ENTRY_UNITS);
      pushed.put(1, 1023 - ENTRY_UNITS);
    }
    const unitsOfTwo = Array.from({ length: 31 + 32 }, (_, number) => (number % 31) * 1024);
    unitsOfTwo[31 + 31] = 31 * 1024;
    const units = pushed.entries.map(({ place }) => place % PAGE_UNITS);
    expect(units).toEqual([...unitsOfTwo, ...unitsOfTwo]);
    pushed.verify();
    pushed.readAll(1);
    while (pushed.dropped < pushed.entries.length) {
      pushed.drop();
      if (pushed.dropped % 16 === 0) pushed.verify();
    }
    expect(pushed.ring.isEmpty).toBe(true);
    pushed.put(1, 100);
    pushed.verify();
  });

  it('leaves a page that is empty when the next entry does not fit the rest of it', () => {
    const pushed = new Pushed();
    pushed.put(1, 3);
    pushed.put(1, 3000);
    pushed.drop();
    // Nothing is in the ring; an entry that the rest of the page can't take opens the next.
    for (let count = 0; count < 40; count++) {
      pushed.put(1, 3000);
      pushed.verify();
      pushed.drop();
      pushed.verify();
    }
    pushed.ring.trim();
    expect(pushed.ring.memoryBytes).toBe(0);
  });

  it('finds a version among many in few steps, also when half of them were dropped', () => {
    const pushed = new Pushed();
    const count = 4000;
    for (let number = 0; number < count; number++) pushed.put(1, 4);
    expect(stepsOf(pushed, 1)).toBeLessThan(60);
    for (let number = 0; number < count / 2; number++) pushed.drop();
    expect(stepsOf(pushed, count / 2 + 1)).toBeLessThan(60);
    for (let number = 0; number < 100; number++) pushed.put(1, 4);
    for (let at = count / 2 + 1; at < count + 100; at += 17) {
      expect(pushed.ring.seek(pushed.blocks.get(1)!.link, at)).toBe(true);
      expect(revisionAt(pushed.ring.memory.words, pushed.ring.at)).toBe(at);
    }
  });

  it('tells which entries are on the way back from another one', () => {
    const random = new SeededRandom(5);
    const pushed = new Pushed(2 ** 17 - 1);
    for (let number = 0; number < 400; number++) pushed.put(random.below(3), 4 + random.below(400));
    while (pushed.dropped < 200) pushed.drop();
    for (const { place, key } of pushed.entries.slice(pushed.dropped)) {
      for (const [from, { link }] of pushed.blocks)
        expect(pushed.ring.leadsTo(link, place)).toBe(from === key);
    }
  });
});

/** How many entries are gone to until a revision is found. */
function stepsOf({ ring, blocks }: Pushed, revision: number): number {
  let steps = 0;
  const goTo = ring.goTo.bind(ring);
  ring.goTo = (place) => {
    steps++;
    goTo(place);
  };
  expect(ring.seek(blocks.get(1)!.link, revision)).toBe(true);
  ring.goTo = goTo;
  return steps;
}
