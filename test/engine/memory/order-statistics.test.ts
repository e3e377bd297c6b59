/** Ranks, places and counts of tens of thousands of keys, held against a sorted array. */
import { describe, expect, it, vi } from 'vitest';
import { ENTRIES_MAX } from '../../../src/engine/memory/order/node.ts';
import { OrderedIndex } from '../../../src/engine/memory/order/ordered-index.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { Probe } from '../../../src/engine/memory/probe.ts';
import { placeChange } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { KEY_SHAPES, type KeyShape, keyOfShape } from '../contract/key-shapes.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { resultOf } from '../../support/pieces.ts';
import { verifyIntegrity } from './integrity.ts';

const KEY_COUNT = 12_000;
const NEWEST = Number.MAX_SAFE_INTEGER;
const ALL = { start: bytes(''), end: undefined };

class Ordered {
  readonly engine = new MemoryEngine();
  readonly live = new Set<string>();
  readonly #random: SeededRandom;
  readonly #shape: KeyShape;
  revision = 0;

  constructor(shape: KeyShape, seed: number) {
    this.#shape = shape;
    this.#random = new SeededRandom(seed);
  }

  key(number: number): string {
    return keyOfShape(this.#shape, number, KEY_COUNT);
  }

  put(text: string): void {
    this.engine.apply(put(text, ++this.revision));
    this.live.add(text);
  }

  delete(text: string): void {
    this.engine.apply(deletion(text, ++this.revision));
    this.live.delete(text);
  }

  compact(): void {
    this.engine.compact(this.revision);
    while (this.engine.maintain());
  }

  verify(isThorough = false): void {
    const { engine } = this;
    if (isThorough) verifyIntegrity(engine);
    const sorted = [...this.live].sort();
    expect(engine.count(ALL)).toBe(sorted.length);
    expect(engine.select(ALL, sorted.length)).toBeUndefined();
    for (let round = 0; round < 150; round++) {
      const [start, end, key] = [0, 0, 0].map(() => this.key(this.#random.below(KEY_COUNT + 10))) as [
        string,
        string,
        string,
      ];
      const range = { start: bytes(start), end: bytes(end) };
      const from = placeOf(sorted, start);
      const to = Math.max(from, placeOf(sorted, end));
      expect(engine.count(range)).toBe(to - from);
      expect(engine.rank(range, bytes(key))).toBe(Math.min(to, Math.max(from, placeOf(sorted, key))) - from);
      expect(engine.rank(ALL, bytes(key))).toBe(placeOf(sorted, key));
      const index = this.#random.below(sorted.length + 1);
      expect(textOf(engine.select(ALL, index))).toBe(sorted[index]);
      expect(textOf(engine.select(range, index))).toBe(from + index < to ? sorted[from + index] : undefined);
    }
  }
}

describe('the order of keys', () => {
  it.each(KEY_SHAPES)(
    'knows ranks, places and counts of keys of the shape "%s" that come and go',
    (shape) => {
      const ordered = new Ordered(shape, 1 + KEY_SHAPES.indexOf(shape));
      const random = new SeededRandom(7);
      for (let number = 0; number < KEY_COUNT; number++) ordered.put(ordered.key(number));
      ordered.verify(true);
      // A tenth stays, all over the keys; then whole parts of the order go.
      for (let number = 0; number < KEY_COUNT; number++)
        if (random.below(10) > 0) ordered.delete(ordered.key(number));
      ordered.verify();
      ordered.compact();
      ordered.verify();
      for (let count = 0; count < KEY_COUNT / 2; count++) ordered.put(ordered.key(random.below(KEY_COUNT)));
      ordered.verify();
      const sorted = [...ordered.live].sort();
      for (const text of sorted.slice(1000, 4000)) ordered.delete(text);
      ordered.verify();
      const range = { start: bytes(sorted[500]!), end: bytes(sorted[900]!) };
      expect(ordered.engine.forget(range, 300)).toBe(300);
      expect(ordered.engine.forget(range, 300)).toBe(100);
      for (const text of sorted.slice(500, 900)) ordered.live.delete(text);
      ordered.verify();
      for (const text of sorted.slice(1000, 4000)) if (random.below(2) === 0) ordered.put(text);
      ordered.compact();
      ordered.verify(true);
    },
  );

  it('orders keys that begin otherwise than all did that are gone', () => {
    const ordered = new Ordered('ascending', 1);
    const fill = (texts: readonly string[]): void => {
      for (const text of texts) ordered.put(text);
      ordered.verify(true);
      for (const text of texts) ordered.delete(text);
      ordered.compact();
      verifyIntegrity(ordered.engine);
    };
    // So many that the tree grows beyond one leaf, and shrinks to it again.
    fill(Array.from({ length: 300 }, (_, number) => `all begin like this ${number + 1000}`));
    fill(['abc', 'abcd0000000000000000001', 'abca0000000000000000009', 'abcz', 'abcda']);
    fill(['z', 'a', '', 'zz\0', 'z\0', 'a'.repeat(300), 'a'.repeat(299)].filter((text) => text !== ''));
    fill(Array.from({ length: 300 }, (_, number) => `${number}`));
  });

  it('passes over what is deleted without a visit, at the newest revision and between', () => {
    const ordered = new Ordered('ascending', 1);
    for (let number = 0; number < KEY_COUNT; number++) ordered.put(ordered.key(number));
    const whole = ordered.revision;
    for (let number = 0; number < KEY_COUNT - 5; number++)
      if (number !== 9000) ordered.delete(ordered.key(number));
    const firsts = (revision: number, reverse: boolean, end?: string): string[] => {
      const seen: string[] = [];
      // Of the leaves at both ends, and of those with a live key, 64 entries each may be visited.
      const options = { reverse, budget: new WorkBudget(4 * 64) };
      const range = { start: bytes(''), end: end === undefined ? undefined : bytes(end) };
      ordered.engine.scan(range, revision, options, ({ key }) => seen.push(textOf(key)!) < 2);
      return seen;
    };
    expect(firsts(ordered.revision, false)).toEqual(
      [9000, KEY_COUNT - 5].map((number) => ordered.key(number)),
    );
    expect(firsts(ordered.revision, true, ordered.key(KEY_COUNT - 5))).toEqual([ordered.key(9000)]);
    expect(firsts(whole, false)).toEqual([0, 1].map((number) => ordered.key(number)));
    expect(firsts(whole, true, ordered.key(KEY_COUNT - 5))).toEqual(
      [6, 7].map((less) => ordered.key(KEY_COUNT - less)),
    );
    // At a revision in the middle of the deletions, what was deleted later exists.
    expect(firsts(whole + 8000, false)).toEqual([8000, 8001].map((number) => ordered.key(number)));
    // A key that was deleted again, later: its earlier state counts.
    const again = ordered.key(50);
    ordered.put(again);
    const between = ordered.revision;
    ordered.delete(again);
    expect(firsts(between, false)).toEqual([again, ordered.key(9000)]);
    expect(firsts(ordered.revision, false)).toEqual(
      [9000, KEY_COUNT - 5].map((number) => ordered.key(number)),
    );
  });

  it.each([2, 100])(
    'visits live keys only when all but each %i-th is deleted between them',
    { timeout: 60_000 },
    (stride) => {
      const count = 100_000;
      const texts = Array.from({ length: count }, (_, number) => String(number).padStart(7, '0'));
      const live = texts.filter((_, number) => number % stride === 0);
      const engine = new MemoryEngine();
      for (const [index, text] of texts.entries()) engine.apply(put(text, index + 1));
      const gone = texts.filter((_, number) => number % stride !== 0);
      for (const [index, text] of gone.entries()) engine.apply(deletion(text, count + index + 1));
      const revision = 2 * count - live.length;
      // What is deleted later, far away, changes nothing for who reads before it.
      engine.apply(deletion(live[0]!, revision + 1));
      for (const [reverse, readRevision] of [
        [false, revision],
        [true, revision],
        [false, revision + 1],
        [true, NEWEST],
      ] as const) {
        const expected = readRevision > revision ? live.slice(1) : live;
        const seen: string[] = [];
        const budget = new WorkBudget(2 * count);
        const next = engine.scan(ALL, readRevision, { reverse, budget }, ({ key }) => {
          return seen.push(textOf(key)!) > 0;
        });
        expect(next).toBeUndefined();
        expect((reverse ? seen.toReversed() : seen).join()).toBe(expected.join());
        const visits = 2 * count - budget.visitsLeft;
        expect(visits).toBeGreaterThanOrEqual(live.length - 1);
        expect(visits).toBeLessThanOrEqual(live.length * 1.1 + 2 * ENTRIES_MAX);
      }
      // Before the deletions there were all; each is looked at.
      const budget = new WorkBudget(2 * count);
      let seenCount = 0;
      engine.scan(ALL, count, { reverse: false, budget }, () => ++seenCount > 0);
      expect(seenCount).toBe(count);
      expect(budget.visitsLeft).toBeLessThanOrEqual(count);
    },
  );

  it('goes on paying from one budget over several scans, and does nothing when it is spent', () => {
    const ordered = new Ordered('ascending', 1);
    for (let number = 0; number < 1000; number++) ordered.put(ordered.key(number));
    const budget = new WorkBudget(250);
    const pages: number[] = [];
    for (let start: Uint8Array | undefined = ALL.start; start !== undefined && pages.length < 4;) {
      let seen = 0;
      start = ordered.engine.scan(
        { start, end: undefined },
        NEWEST,
        { reverse: false, budget },
        () => ++seen < 100,
      );
      pages.push(seen);
    }
    expect(pages).toEqual([100, 100, 50, 0]);
    expect(budget.isSpent).toBe(true);
  });

  it('pays for the nodes that it passes over, though it visits none of their keys', () => {
    const ordered = new Ordered('ascending', 1);
    for (let number = 0; number < KEY_COUNT; number++) ordered.put(ordered.key(number));
    for (let number = 1; number < KEY_COUNT - 1; number++) ordered.delete(ordered.key(number));
    const budget = new WorkBudget(1000);
    let seen = 0;
    ordered.engine.scan(ALL, NEWEST, { reverse: false, budget }, () => ++seen > 0);
    expect(seen).toBe(2);
    // Some hundred leaves, so a few nodes above them.
    expect(budget.visitsLeft).toBeLessThan(1000 - 2);
    expect(budget.visitsLeft).toBeGreaterThan(1000 - 20);
  });

  it('passes over what was deleted by one change at its revision, not before it', () => {
    const ordered = new Ordered('ascending', 1);
    for (let number = 0; number < 2000; number++) ordered.put(ordered.key(number));
    const whole = ordered.revision++;
    const gone = Array.from({ length: 1999 }, (_, number) => deletion(ordered.key(number), ordered.revision));
    for (const change of gone) ordered.engine.apply(change);
    const first = (revision: number): string[] => {
      const seen: string[] = [];
      ordered.engine.scan(ALL, revision, { reverse: false, budget: new WorkBudget(2 * 64) }, ({ key }) => {
        seen.push(textOf(key)!);
        return false;
      });
      return seen;
    };
    expect(first(ordered.revision)).toEqual([ordered.key(1999)]);
    expect(first(whole)).toEqual([ordered.key(0)]);
  });

  it.each([1, 2])(
    'keeps its order where whole stretches of full nodes go and other keys come (seed %i)',
    (seed) => {
      const random = new SeededRandom(seed);
      const engine = new MemoryEngine();
      const live = new Set<string>();
      let revision = 0;
      const add = (text: string): void => {
        engine.apply(put(text, ++revision));
        live.add(text);
      };
      const digits = (number: number) => String(number).padStart(4, '0');
      // Groups whose keys share more and more: nodes that leave out 20 bytes lie beside those that leave out none.
      const groups = Array.from(
        { length: 24 },
        (_, group) => `${'g'.repeat(group % 5 ? 12 : 3)}${digits(group)}/${'s'.repeat((group % 3) * 9)}`,
      );
      for (let round = 0; round < 7; round++) {
        // In order, so that nodes are full.
        const group = groups.toSorted()[random.below(groups.length)]!;
        if (round === 0)
          for (const each of groups.toSorted())
            for (let number = 0; number < 140; number++) add(`${each}${digits(number)}`);
        else
          for (let number = 0; number < 140; number++)
            add(`${group}${digits(number)}${random.chance(0.1) ? '\0' : ''}`);
        for (let stretch = 0; stretch < 9; stretch++) {
          const sorted = [...live].sort();
          const from = random.below(sorted.length);
          const gone = sorted.slice(from, from + 20 + random.below(random.chance(0.2) ? 1000 : 200));
          expect(engine.forget({ start: bytes(gone[0]!), end: undefined }, gone.length)).toBe(gone.length);
          for (const text of gone) live.delete(text);
          verifyIntegrity(engine);
          const left = [...live].sort();
          for (const place of [from - 1, from, from + 1]) {
            if (place < 0 || place >= left.length) continue;
            expect(engine.rank(ALL, bytes(left[place]!))).toBe(place);
            expect(textOf(engine.select(ALL, place))).toBe(left[place]);
          }
          if (live.size < 700) break;
        }
      }
    },
  );

  it.each([1, 2, 5])(
    'keeps its order when %i whole nodes go, wherever they stand in the node above',
    (gone) => {
      // Keys in order fill nodes: 64 keys to a leaf, 64 leaves to a node. What leaves share changes from one to the next.
      const starts = Array.from({ length: 3 * 64 + 5 }, (_, leaf) => {
        const group = 'a group '.repeat(leaf % 3) + String(leaf >>> (leaf & 1)).padStart(4, '0');
        return `${String(leaf).padStart(3, '0')} ${group} of keys of keys `;
      });
      const texts = starts.flatMap((start) =>
        Array.from({ length: 64 }, (_, number) => start + String(number).padStart(9, '0')),
      );
      for (const first of [0, 1, 63, 64, 65, 127, 128, 192, starts.length - gone]) {
        const engine = new MemoryEngine();
        for (const [index, text] of texts.entries()) engine.apply(put(text, index + 1));
        const range = { start: bytes(starts[first]!), end: undefined };
        expect(engine.forget(range, gone * 64)).toBe(gone * 64);
        verifyIntegrity(engine);
        // What comes to the gap goes to one side of it or the other.
        const others = starts
          .slice(first, first + gone)
          .flatMap((start) => [start, `${start}0`, `${start}z`]);
        for (const text of others) engine.apply(put(text, texts.length + 1));
        verifyIntegrity(engine);
        const left = [...texts.slice(0, first * 64), ...others, ...texts.slice((first + gone) * 64)].sort();
        for (let place = 0; place < left.length; place += 31)
          expect(engine.rank(ALL, bytes(left[place]!))).toBe(place);
      }
    },
  );

  it('keeps its order when the first nodes of several levels go, and keys come before what is left', () => {
    const ordered = new Ordered('ascending', 1);
    for (let number = 0; number < KEY_COUNT; number++) ordered.put(ordered.key(number));
    for (let first = 0; first < KEY_COUNT - 100; first += 50) {
      expect(ordered.engine.forget(ALL, 50)).toBe(50);
      if (first % 200 === 0 || (first > 3800 && first < 4300)) verifyIntegrity(ordered.engine);
      for (let number = first; number < first + 50; number++) ordered.live.delete(ordered.key(number));
    }
    for (const text of ['z', '!', '0', `${ordered.key(KEY_COUNT - 1)}\0`, '000']) ordered.put(text);
    ordered.verify(true);
  });

  it.each(['ascending', 'random bytes'] as const)(
    'finds at an earlier revision what is deleted by now, however its nodes were split and put together (%s)',
    (shape) => {
      const ordered = new Ordered(shape, 1);
      const { engine } = ordered;
      const count = 5000;
      const existsAt = (revision: number, text: string): void => {
        const seen: string[] = [];
        const options = { reverse: false, budget: new WorkBudget(Infinity) };
        engine.scan(ALL, revision, options, ({ key }) => seen.push(textOf(key)!) > 0);
        expect(seen).toContain(text);
      };
      // No key lives longer than until the next: nodes are split in which nothing is live.
      for (let number = 0; number < count; number++) {
        ordered.put(ordered.key(number));
        ordered.delete(ordered.key(number));
        if (number === 100 || number === 1000) verifyIntegrity(engine);
      }
      verifyIntegrity(engine);
      for (const number of [0, 30, 63, 64, 65, 127, 2000, 4095, 4096, 4999])
        existsAt(2 * number + 1, ordered.key(number));
      // All exist and go again, one in sixteen at last; compaction drops the others, and few stay in each node.
      for (let number = 0; number < count; number++) ordered.put(ordered.key(number));
      for (let number = 0; number < count; number++)
        if (number % 16 !== 0) ordered.delete(ordered.key(number));
      const rest = ordered.revision;
      for (let number = 0; number < count; number += 16) ordered.delete(ordered.key(number));
      engine.compact(rest);
      while (engine.maintain());
      verifyIntegrity(engine);
      for (let number = 0; number < count; number += 160) existsAt(rest + number / 16, ordered.key(number));
    },
  );

  it.each([50, 60, 1800, 3600])(
    'finds %i keys that were deleted before the tree grew with others that live',
    (count) => {
      const ordered = new Ordered('random bytes', 1);
      for (let number = 0; number < count; number++) ordered.put(ordered.key(number));
      const whole = ordered.revision;
      for (let number = 0; number < count; number++) ordered.delete(ordered.key(number));
      // Nothing is deleted any more that would tell the nodes again.
      for (let number = count; number < 3 * count; number++) {
        ordered.put(ordered.key(number));
        if (count > 100 ? number % 500 === 0 : number < 100) verifyIntegrity(ordered.engine);
      }
      verifyIntegrity(ordered.engine);
      for (const reverse of [false, true]) {
        let seen = 0;
        ordered.engine.scan(ALL, whole, { reverse, budget: new WorkBudget(Infinity) }, () => ++seen > 0);
        expect(seen).toBe(count);
      }
    },
  );

  it('forgets deleted keys, too, though whole leaves hold no others', () => {
    const ordered = new Ordered('ascending', 1);
    for (let number = 0; number < 320; number++) ordered.put(ordered.key(number));
    for (let number = 64; number < 256; number++) ordered.delete(ordered.key(number));
    const range = { start: bytes(ordered.key(63)), end: bytes(ordered.key(256)) };
    expect(ordered.engine.forget(range, 1000)).toBe(193);
    ordered.live.delete(ordered.key(63));
    ordered.verify(true);
  });

  it('goes over all keys of a tree of four levels, and leaves its order whole when stretches of them go', () => {
    const engine = new MemoryEngine();
    // Descending keys leave nodes that are half full: 65 times 32 times 32 of them make the fourth level.
    const count = 67_000;
    const texts = Array.from({ length: count }, (_, number) => String(200_000 - number));
    for (const [index, text] of texts.entries()) engine.apply(put(text, index + 1));
    texts.reverse();
    const expectWhole = (): void => {
      for (const reverse of [false, true]) {
        const seen: string[] = [];
        engine.scan(
          ALL,
          count,
          { reverse, budget: new WorkBudget(Infinity) },
          ({ key }) => seen.push(textOf(key)!) > 0,
        );
        expect((reverse ? seen.toReversed() : seen).join()).toBe(texts.join());
      }
      for (let place = 0; place < texts.length; place += 997) {
        expect(engine.rank(ALL, bytes(texts[place]!))).toBe(place);
        expect(textOf(engine.select(ALL, place))).toBe(texts[place]);
      }
      verifyIntegrity(engine);
    };
    expectWhole();
    for (const [from, length] of [
      [33_000, 3000],
      [0, 20_000],
      [10_000, 33_000],
    ] as const) {
      expect(engine.forget({ start: bytes(texts[from]!), end: undefined }, length)).toBe(length);
      texts.splice(from, length);
      expectWhole();
    }
  });

  it('looks at no leaf behind the end of a range', () => {
    const ordered = new Ordered('ascending', 1);
    for (let number = 0; number < 4000; number++) ordered.put(ordered.key(number));
    const nextLeaf = vi.spyOn(OrderedIndex.prototype, 'nextLeaf');
    for (const reverse of [false, true]) {
      for (let first = 0; first < 3900; first += 61) {
        const range = { start: bytes(ordered.key(first)), end: bytes(ordered.key(first + 10)) };
        let seen = 0;
        ordered.engine.scan(
          range,
          ordered.revision,
          { reverse, budget: new WorkBudget(100) },
          () => ++seen > 0,
        );
        expect(seen).toBe(10);
      }
    }
    // A range of ten may lie in two leaves, and end where one does.
    expect(nextLeaf.mock.calls.length).toBeLessThan(128);
    nextLeaf.mockRestore();
  });

  it.each([
    ['applied', 'begin alike', 6],
    ['loaded', 'begin alike', 2],
    ['applied', 'begin alike in two ways', 9],
    ['loaded', 'begin alike in two ways', 5],
  ] as const)(
    'compares few keys as a whole, since heads tell them apart (%s, keys that %s)',
    (how, which, most) => {
      for (const count of [130, 12_000]) {
        const engine = new MemoryEngine();
        const keys = Array.from({ length: count }, (_, number) => {
          const isLonger = which === 'begin alike in two ways' && number % 2 === 0;
          const group = isLonger ? `b${'of the longer ones'.repeat(2)}` : 'a';
          return `what all keys begin with/${group}/${String(number).padStart(6, '0')}`;
        });
        for (const [index, key] of keys.entries()) {
          if (how === 'applied') engine.apply(put(key, index + 1));
          else engine.loader.newest(placeChange(put(key, index + 1)));
        }
        if (how === 'loaded') {
          resultOf(engine.loader.finishNewest());
          resultOf(engine.loader.finish());
        }
        const compare = vi.spyOn(Probe.prototype, 'compareWith');
        for (const key of keys) engine.rank(ALL, bytes(key));
        // A search without heads compares with 7 keys, or 14.
        expect(compare.mock.calls.length / count).toBeLessThan(most);
        compare.mockRestore();
      }
    },
  );
});

function textOf(key: Uint8Array | undefined): string | undefined {
  return key && Buffer.from(key).toString('latin1');
}

function placeOf(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
