import { describe, expect, it } from 'vitest';
import { IndexCursor } from '../../../src/engine/bitcask/index/index-cursor.ts';
import { KeyIndex, RecordPlace } from '../../../src/engine/bitcask/index/key-index.ts';
import { deletionOf, PlacedChange, placeChange, type Change } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';

const SEED = [1, 2] as const;

interface Known {
  readonly change: Change;
  readonly place: RecordPlace;
}

function placeAt(run: number, offset: number, length: number, valueBytes: number): RecordPlace {
  const place = new RecordPlace();
  place.set(run, offset, length, valueBytes);
  return place;
}

/** A key of few letters, so that many come again and have much in common. */
function randomKey(random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: random.between(1, 7) }, () => 97 + random.below(3));
}

function randomChange(random: SeededRandom, key: Uint8Array): Change {
  const revision = random.between(1, 2 ** 40);
  return {
    ...deletionOf(key, revision),
    deleted: false,
    createRevision: random.between(1, revision),
    modRevision: revision,
    version: random.between(1, 1000),
    leaseId: random.below(2),
    expireTimeMs: random.below(3) * 1000,
  };
}

function keysOf(index: KeyIndex, start: string, end: string | undefined, reverse: boolean): string[] {
  const range = { start: Buffer.from(start), end: end === undefined ? undefined : Buffer.from(end) };
  const cursor = new IndexCursor(index.keyspace, range, reverse);
  const placed = new PlacedChange();
  const keys: string[] = [];
  for (let block = cursor.next(); block !== 0; block = cursor.next()) {
    index.showAt(block, placed);
    keys.push(Buffer.from(placed.key).toString());
  }
  return keys;
}

function expectSame(index: KeyIndex, model: ReadonlyMap<string, Known>, random: SeededRandom): void {
  const placed = new PlacedChange();
  for (const [text, { change, place }] of model) {
    expect(index.find(Buffer.from(text), placed)).toBe(true);
    expect(index.place).toEqual(place);
    expect(placed.revision).toBe(change.revision);
    expect(placed.createRevision).toBe(change.createRevision);
    expect(placed.version).toBe(change.version);
    expect(placed.leaseId).toBe(change.leaseId);
    expect(placed.expireTimeMs).toBe(change.expireTimeMs);
    expect(placed.valueEnd - placed.valueStart).toBe(place.valueBytes);
  }
  expect(index.keyCount).toBe(model.size);
  const sorted = [...model.keys()].sort();
  const [start, end] = [randomKey(random), randomKey(random)].map((key) => Buffer.from(key).toString());
  const inRange = sorted.filter((key) => key >= start! && key < end!);
  expect(keysOf(index, start!, end, false)).toEqual(inRange);
  expect(keysOf(index, start!, end, true)).toEqual(inRange.toReversed());
  expect(keysOf(index, '', undefined, false)).toEqual(sorted);
  expect(keysOf(index, '', undefined, true)).toEqual(sorted.toReversed());
}

describe('the index of keys in memory', () => {
  it.each([1, 2, 3, 4])(
    'holds the newest record of each key, in any order of revisions (seed %d)',
    (seed) => {
      const random = new SeededRandom(seed);
      const index = new KeyIndex(SEED);
      const model = new Map<string, Known>();
      for (let step = 0; step < 3000; step++) {
        const key = randomKey(random);
        const text = Buffer.from(key).toString();
        const before = model.get(text);
        if (random.chance(0.3)) {
          expect(index.remove(placeChange(deletionOf(key, 1)))).toBe(before !== undefined);
          model.delete(text);
        } else {
          const change = randomChange(random, key);
          const place = placeAt(
            random.between(1, 9),
            random.uint32(),
            random.between(1, 9999),
            random.below(99),
          );
          expect(index.set(placeChange(change), place)).toBe(before !== undefined);
          model.set(text, { change, place });
        }
        if (before !== undefined) expect(index.place).toEqual(before.place);
        if (step % 100 === 0) {
          index.maintain();
          expectSame(index, model, random);
        }
      }
      expectSame(index, model, random);
    },
  );

  it('holds what was loaded, and gives it back by ranges', () => {
    const random = new SeededRandom(7);
    const index = new KeyIndex(SEED);
    const model = new Map<string, Known>();
    for (let count = 0; count < 500; count++) {
      const key = randomKey(random);
      if (model.has(Buffer.from(key).toString())) continue;
      const change = randomChange(random, key);
      const place = placeAt(count, count, 10, 5);
      model.set(Buffer.from(key).toString(), { change, place });
      expect(index.load(placeChange(change), place)).toBe(true);
    }
    for (const piece of index.finishLoad()) expect(piece).toBeUndefined();
    expectSame(index, model, random);
    const range = { start: Buffer.from('b'), end: Buffer.from('c') };
    const forgotten = [...model.keys()].filter((key) => key.startsWith('b') && key !== 'bb');
    const runs: number[] = [];
    const newer = { ...deletionOf(Buffer.from('bb'), 2 ** 45), deleted: false };
    const newerPlace = placeAt(9999, 0, 10, 5);
    index.set(placeChange(newer), newerPlace);
    let start: Uint8Array | undefined = range.start;
    while (start !== undefined)
      start = index.forget({ start, end: range.end }, 2 ** 41, 7, ({ run }) => runs.push(run));
    expect(new Set(runs)).toEqual(new Set(forgotten.map((key) => model.get(key)!.place.run)));
    expect(runs.length).toBe(forgotten.length);
    for (const key of forgotten) model.delete(key);
    // What came later stays.
    model.set('bb', { change: newer, place: newerPlace });
    expectSame(index, model, random);
  });

  it('moves a record only while the version is the newest of its key', () => {
    const index = new KeyIndex(SEED);
    const change = { ...deletionOf(Buffer.from('a'), 5), deleted: false, createRevision: 5, version: 1 };
    const newer = { ...change, revision: 6 };
    index.set(placeChange(change), placeAt(1, 0, 10, 3));
    expect(index.move(placeChange(change), placeAt(2, 7, 10, 3))).toBe(true);
    expect(index.place.run).toBe(1);
    expect(index.isAt(placeChange(change), 2, 7)).toBe(true);
    expect(index.isAt(placeChange(change), 1, 0)).toBe(false);
    // What lies there already is not moved a second time.
    expect(index.move(placeChange(change), placeAt(2, 7, 10, 3))).toBe(false);
    index.set(placeChange(newer), placeAt(3, 0, 10, 3));
    expect(index.move(placeChange(change), placeAt(4, 0, 10, 3))).toBe(false);
    expect(index.isAt(placeChange(newer), 3, 0)).toBe(true);
    index.remove(placeChange(newer));
    expect(index.move(placeChange(newer), placeAt(4, 0, 10, 3))).toBe(false);
    expect(index.has(Buffer.from('a'))).toBe(false);
  });

  it('takes memory for one version of a key, however often it changes', () => {
    const index = new KeyIndex(SEED);
    const keys = Array.from({ length: 1000 }, (_, number) => Buffer.from(`key/${number}`));
    let afterFirst = 0;
    for (let round = 1; round <= 50; round++) {
      for (const key of keys) {
        const change = { ...deletionOf(key, round), deleted: false, createRevision: 1, version: round };
        index.set(placeChange(change), placeAt(round, 0, 10, 3));
      }
      while (index.maintain());
      if (round === 1) afterFirst = index.memoryBytes;
    }
    expect(index.memoryBytes).toBeLessThan(2 * afterFirst + 2 ** 20);
    expect(index.keyspace.versionCount).toBe(1000);
  });
});
