import { describe, expect, it } from 'vitest';
import { Overlay, type OverlayEntry } from '../../src/store/views/overlay.ts';
import { SeededRandom } from '../support/random.ts';

interface ModelEntry {
  readonly key: Buffer;
  readonly delta: number;
  readonly item: number;
  readonly rankBefore: number;
}

/** The same as an overlay: a sorted array. */
class Model {
  readonly entries: ModelEntry[] = [];

  /** How many keys are below one. */
  below(key: Uint8Array): number {
    const index = this.entries.findIndex((entry) => Buffer.compare(entry.key, key) >= 0);
    return index === -1 ? this.entries.length : index;
  }

  get(key: Uint8Array): ModelEntry | undefined {
    return this.entries.find((entry) => entry.key.equals(key));
  }

  set(entry: ModelEntry): void {
    this.entries.splice(this.below(entry.key), this.get(entry.key) === undefined ? 0 : 1, entry);
  }

  delete(key: Uint8Array): boolean {
    const isThere = this.get(key) !== undefined;
    if (isThere) this.entries.splice(this.below(key), 1);
    return isThere;
  }

  deltaBefore(index: number): number {
    return this.entries.slice(0, index).reduce((sum, { delta }) => sum + delta, 0);
  }
}

/** No path of a tree of so many nodes is longer, whose children weigh at most three times what the other does. */
function pathMax(size: number): number {
  return Math.floor(Math.log(size + 1) / Math.log(4 / 3));
}

/** How much of that a tree's longest path is with the orders of keys below. */
const PATH_SHARE = 0.7;

function shown(entry: OverlayEntry<number> | undefined): ModelEntry | undefined {
  if (entry === undefined) return undefined;
  const { key, delta, item, rankBefore } = entry;
  return { key: Buffer.from(key), delta, item, rankBefore };
}

function forward(overlay: Overlay<number>): (ModelEntry | undefined)[] {
  const all: (ModelEntry | undefined)[] = [];
  for (let at = overlay.firstFrom(Buffer.of()); at !== undefined; at = overlay.next(at)) all.push(shown(at));
  return all;
}

function backward(overlay: Overlay<number>): (ModelEntry | undefined)[] {
  const all: (ModelEntry | undefined)[] = [];
  for (let at = overlay.lastBelow(); at !== undefined; at = overlay.previous(at)) all.push(shown(at));
  return all;
}

/** Keys of which many are one another's beginnings, or differ late, or in the highest bit. */
function randomKey(random: SeededRandom): Buffer {
  const shared = Buffer.alloc(random.pick([0, 0, 0, 1, 31, 32, 33, 40]), 0x61);
  return Buffer.concat([
    shared,
    ...Array.from({ length: random.below(4) }, () => Buffer.of(random.pick([0, 1, 0x7f, 0x80, 0xff]))),
  ]);
}

function keyOf(number: number): Buffer {
  return Buffer.from(`key:${String(number).padStart(8, '0')}`);
}

describe('an overlay', () => {
  it.each([1, 2, 3, 4, 5, 6])('holds what a sorted array holds: seed %i', (seed) => {
    const random = new SeededRandom(seed);
    const overlay = new Overlay<number>();
    const model = new Model();
    for (let round = 0; round < 3000; round++) {
      const key = randomKey(random);
      // It grows, then shrinks, and so on.
      if (random.chance(round % 1000 < 500 ? 0.8 : 0.3)) {
        const rankBefore = model.get(key)?.rankBefore ?? -1;
        const entry = { key, delta: random.between(-1, 1), item: round, rankBefore };
        model.set(entry);
        expect(shown(overlay.set(key, entry.delta, entry.item))).toEqual(entry);
      } else {
        const chosen = random.chance(0.5)
          ? key
          : (model.entries[random.below(model.entries.length)]?.key ?? key);
        expect(overlay.delete(chosen)).toBe(model.delete(chosen));
      }
      const { entries } = model;
      const probe = randomKey(random);
      const index = model.below(probe);
      expect(shown(overlay.get(probe))).toEqual(model.get(probe));
      const first = overlay.firstFrom(probe);
      expect(shown(first)).toEqual(entries[index]);
      if (first !== undefined) {
        expect(shown(overlay.next(first))).toEqual(entries[index + 1]);
        expect(shown(overlay.previous(first))).toEqual(entries[index - 1]);
        first.rankBefore = round;
        entries[index] = { ...entries[index]!, rankBefore: round };
      }
      expect(shown(overlay.lastBelow(probe))).toEqual(entries[index - 1]);
      expect(overlay.deltaBefore(probe)).toBe(model.deltaBefore(index));
      expect(overlay.size).toBe(entries.length);
      expect(overlay.deltaSum).toBe(model.deltaBefore(entries.length));
      const found = overlay.findLast((entry, deltaBefore) => {
        const at = model.below(entry.key);
        expect(deltaBefore).toBe(model.deltaBefore(at));
        return at < index;
      });
      expect(shown(found)).toEqual(entries[index - 1]);
      if (round % 50 === 0) {
        expect(forward(overlay)).toEqual(entries);
        expect(backward(overlay)).toEqual(entries.toReversed());
      }
    }
  });

  it('keeps an entry the same object, to step from, while others come and go', () => {
    const overlay = new Overlay<number>();
    const entries = Array.from({ length: 1000 }, (_, number) => overlay.set(keyOf(number), 1, number));
    for (let number = 0; number < 1000; number += 3) overlay.delete(keyOf(number));
    for (let number = 1; number < 999; number += 3) {
      expect(overlay.get(keyOf(number))).toBe(entries[number]);
      expect(overlay.next(entries[number]!)).toBe(entries[number + 1]);
      expect(overlay.previous(entries[number + 1]!)).toBe(entries[number]);
    }
    expect(overlay.set(keyOf(1), -1, 7)).toBe(entries[1]);
    expect(entries[1]).toMatchObject({ delta: -1, item: 7 });
  });

  const COUNT = 20_000;
  const random = new SeededRandom(1);
  const shuffled = Array.from({ length: COUNT }, (_, number) => ({ number, order: random.uint32() }))
    .sort((a, b) => a.order - b.order)
    .map(({ number }) => number);
  const orders: readonly (readonly [string, (place: number) => number])[] = [
    ['ascending', (place) => place],
    ['descending', (place) => COUNT - 1 - place],
    ['from both ends', (place) => (place % 2 === 0 ? place / 2 : COUNT - (place + 1) / 2)],
    ['from the middle', (place) => COUNT / 2 + (place % 2 === 0 ? place / 2 : -(place + 1) / 2)],
    ['random', (place) => shuffled[place] ?? 0],
  ];
  for (const [index, [added, addedAt]] of orders.entries()) {
    const [gone, goneAt] = orders[(index + 2) % orders.length]!;
    it(`visits few nodes of keys whose order is ${added} as they come and ${gone} as they go`, () => {
      const overlay = new Overlay<number>();
      /** The nodes that one call visits are no more than `paths` paths. */
      const expectPaths = (paths: number, call: () => void): void => {
        const before = overlay.visits;
        const most = paths * pathMax(overlay.size + 1);
        call();
        if (overlay.visits - before > most) expect.fail(`${overlay.visits - before} visits, not ${most}`);
      };
      for (let place = 0; place < COUNT; place++)
        expectPaths(2, () => overlay.set(keyOf(addedAt(place)), 1, place));
      expect(overlay.size).toBe(COUNT);
      for (let place = 0; place < COUNT; place++)
        expectPaths(PATH_SHARE, () => overlay.deltaBefore(keyOf(place)));
      for (let place = 0; place < COUNT; place += 97) {
        const key = keyOf(place);
        expectPaths(PATH_SHARE, () => expect(overlay.get(key)).toBeDefined());
        expectPaths(PATH_SHARE, () => expect(overlay.firstFrom(key)?.key).toEqual(key));
        expectPaths(PATH_SHARE, () => expect(overlay.deltaBefore(key)).toBe(place));
        expectPaths(PATH_SHARE, () =>
          expect(overlay.lastBelow(key)?.key).toEqual(place === 0 ? undefined : keyOf(place - 1)),
        );
        expectPaths(PATH_SHARE, () =>
          expect(overlay.findLast((_, before) => before <= place)?.key).toEqual(key),
        );
      }
      const before = overlay.visits;
      expect(forward(overlay)).toHaveLength(COUNT);
      expect(backward(overlay)).toHaveLength(COUNT);
      expect(overlay.visits - before).toBeGreaterThanOrEqual(2 * COUNT);
      expect(overlay.visits - before).toBeLessThanOrEqual(4 * COUNT + 4 * pathMax(COUNT));
      for (let place = 0; place < COUNT; place++)
        expectPaths(3, () => expect(overlay.delete(keyOf(goneAt(place)))).toBe(true));
      expect(overlay.size).toBe(0);
      expect(overlay.lastBelow()).toBeUndefined();
    });
  }

  it('holds 100,000 keys that come in key order', () => {
    const overlay = new Overlay<number>();
    for (let number = 0; number < 100_000; number++) overlay.set(keyOf(number), -1, number);
    expect(overlay.deltaBefore(keyOf(77_777))).toBe(-77_777);
    expect(overlay.visits).toBeLessThanOrEqual(100_001 * 2 * pathMax(100_000));
  });
});
