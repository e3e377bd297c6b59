/**
 * What the suite of loads (`contract/engine-loads.ts`) asks of engines in memory, of those on disk: there the state of a snapshot goes another
 * way (`DurableState.load`), at one revision and without what was before, and only the log above it goes through the engine's
 * loader. So nothing is tried of older versions here, nor of what lacks some.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REFUSED_LOAD } from '../../../src/engine/engine.ts';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { type Change, PlacedChange, placeChange } from '../../../src/engine/version.ts';
import { memoryOf } from '../../../src/wire/memory.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { rounds, timeLimitMs } from '../../support/share.ts';
import { deletion, put } from '../contract/changes.ts';
import { loadsArbitrary, manyKeysArbitrary } from '../contract/engine-loads.ts';
import { asText } from '../contract/forms.ts';
import { HeapEngine } from '../contract/heap-engine.ts';
import { MirrorEngine } from '../contract/mirror-engine.ts';
import { readWholeState } from '../contract/recorded/whole-state.ts';
import { type BasePlace, newPlaceByName } from './base-places.ts';

const NOTES = Uint8Array.of(1, 2, 3);
/** So little that many keys are sorted in several pieces. */
const LOAD_BYTES_MAX = 60_000;
/** A load is of some revision. */
const stateAndLog = loadsArbitrary.filter(({ first }) => first.length > 0);

describe.each(['btree', 'lsm', 'bitcask'] as const)('a load into %s', (name) => {
  /** Once for a property, many times. */
  const inPlace = async (test: (place: BasePlace) => Promise<void>): Promise<void> => {
    const place = await newPlaceByName[name]();
    try {
      await test(place);
    } finally {
      await place.remove();
    }
  };

  it(
    'gives what was loaded as if it had been applied',
    () =>
      fc.assert(
        fc.asyncProperty(stateAndLog, fc.integer(), ({ first, rest }, seed) =>
          inPlace((place) => expectSameState(place, first, rest, seed)),
        ),
        { numRuns: rounds(name === 'btree' ? 60 : 300) },
      ),
    timeLimitMs(120_000),
  );

  it(
    'takes thousands of keys in any order, whatever their bytes have in common',
    () =>
      fc.assert(
        fc.asyncProperty(manyKeysArbitrary, fc.integer(), (keys, seed) => {
          const changes = keys.map((key, index) => put(key, index + 1, `value ${index}`));
          const half = Math.floor(changes.length / 2);
          return inPlace((place) =>
            expectSameState(place, changes.slice(0, half), changes.slice(half), seed),
          );
        }),
        { numRuns: rounds(8) },
      ),
    timeLimitMs(120_000),
  );

  it('finds keys that lost their deadlines meanwhile, and those that came after', () =>
    inPlace((place) => {
      const keys = Array.from({ length: 1000 }, (_, index) => `key ${String(index).padStart(4, '0')}`);
      const withDeadline = keys.map((key, index) => put(key, index + 1, 'with', { expireTimeMs: 9 }));
      const ends = keys.slice(300).map((key, index) => deletion(key, index + 1001));
      const others = keys.map((key, index) => put(`other ${key}`, index + 2001, 'other'));
      return expectSameState(place, withDeadline, [...ends, ...others], 1);
    }));

  it('takes keys and values from wherever they lie in a memory, and keeps them', () =>
    inPlace(async (place) => {
      const engine = await opened(place);
      const load = engine.durable.load(100);
      const source = Buffer.from(Array.from({ length: 1099 }, (_, index) => (index * 7) % 251));
      const placed = new PlacedChange();
      placed.clear(memoryOf(new Uint8Array(source)));
      const expected: string[] = [];
      let revision = 0;
      for (const valueBytes of [0, 1, 3, 4, 5, 100, 255, 256, 257, 1000]) {
        for (let shift = 0; shift < 4; shift++) {
          placed.revision = placed.createRevision = placed.modRevision = ++revision;
          placed.version = 1;
          placed.keyStart = shift;
          placed.keyEnd = shift + 40 + revision;
          placed.valueEnd = source.length - shift;
          placed.valueStart = placed.valueEnd - valueBytes;
          load.add(placed);
          expected.push(`${asText(placed.key)} ${asText(placed.value)}`);
        }
      }
      placed.keyMemory.bytes.fill(0);
      await load.commit(NOTES);
      const seen: string[] = [];
      const walk = engine.openWalk(100, 100);
      while (walk.next(10, ({ key, value }) => seen.push(`${asText(key)} ${asText(value)}`)));
      walk.close();
      expect(seen.sort()).toEqual(expected.sort());
      await engine.durable.close();
    }));

  it('tells with each change of the log the lease that the key had before', () =>
    inPlace(async (place) => {
      const engine = await opened(place);
      const long = 'k'.repeat(70);
      const state = [
        put('a', 1, '', { leaseId: 7 }),
        put(long, 2, '', { leaseId: 2 ** 40, ttlMs: 5, expireTimeMs: 9 }),
      ];
      await loadAll(engine, state, 2);
      const leased = [...engine.durable.leasedKeys()].map(([leaseId, key]) => `${asText(key)} ${leaseId}`);
      expect(leased.sort()).toEqual(['a 7', `${long} ${2 ** 40}`]);
      const before = [
        put('a', 3, '', { leaseId: 8, createRevision: 1, modRevision: 1, version: 2 }),
        deletion('a', 4),
        put('a', 5, '', { leaseId: 3 }),
        put(long, 6),
        put('b', 7),
        put('b', 8),
      ].map((change) => engine.loader.next(placeChange(change)));
      expect(before).toEqual([7, 8, 0, 2 ** 40, 0, 0]);
      await engine.durable.close();
    }));

  it('refuses what does not follow, and changes nothing', () =>
    inPlace(async (place) => {
      const engine = await opened(place);
      await loadAll(engine, [put('b', 5), put('a', 9)], 9);
      const { loader } = engine;
      const refused = [
        loader.newest(placeChange(put('c', 10))),
        loader.older(placeChange(put('b', 3), 4)),
        loader.next(placeChange(put('b', 5))),
        loader.next(placeChange(put('d', 9))),
      ];
      expect(refused).toEqual([REFUSED_LOAD, REFUSED_LOAD, REFUSED_LOAD, REFUSED_LOAD]);
      expect(loader.next(placeChange(put('d', 10)))).toBe(0);
      expect(loader.next(placeChange(put('e', 9)))).toBe(REFUSED_LOAD);
      expect(engine.stats().keyCount).toBe(3);
      await engine.durable.close();
    }));

  it('finds a key that came twice, and then, as when it is given up, leaves an empty state', () =>
    inPlace(async (place) => {
      let engine = await opened(place);
      const twice = engine.durable.load(9);
      for (const key of ['a', 'b', 'a']) twice.add(placeChange(put(key, 5)));
      await expect(twice.commit(NOTES)).rejects.toMatchObject({ code: 'damaged' });
      await twice.abort();
      const half = engine.durable.load(9);
      half.add(placeChange(put('c', 5)));
      await half.drain();
      half.add(placeChange(put('d', 5)));
      await half.abort();
      for (let round = 0; round < 2; round++) {
        expect(engine.durable.revision).toBe(0);
        readWholeState(new MirrorEngine(engine, new HeapEngine()), 1);
        await engine.durable.close();
        engine = await opened(place);
      }
      await loadAll(engine, [put('a', 5)], 9);
      expect(engine.stats().keyCount).toBe(1);
      await engine.durable.close();
    }));
});

async function opened(place: BasePlace): Promise<LayeredEngine> {
  const base = await place.open();
  return new LayeredEngine(base, { clock: new ManualClock(), loadBytesMax: LOAD_BYTES_MAX }).open();
}

async function loadAll(engine: LayeredEngine, state: readonly Change[], revision: number): Promise<void> {
  const load = engine.durable.load(revision);
  for (const change of state) {
    load.add(placeChange(change));
    if (load.isFull) await load.drain();
  }
  await load.commit(NOTES);
}

/**
 * Loads what the first changes come to, in any order of keys; the others come as a log has them, and then some that are applied. All is held
 * against a model, also behind a checkpoint and a start.
 */
async function expectSameState(
  place: BasePlace,
  first: readonly Change[],
  rest: readonly Change[],
  seed: number,
): Promise<void> {
  const random = new SeededRandom(seed);
  const model = new HeapEngine();
  for (const change of first) model.apply(change);
  const revision = Math.max(...first.map((change) => change.revision));
  model.compact(revision);
  const state = [...new Map(first.map((change) => [asText(change.key), change])).values()];
  const shuffled = state
    .map((change) => ({ change, place: random.uint32() }))
    .sort((a, b) => a.place - b.place)
    .map(({ change }) => change);
  let engine = await opened(place);
  try {
    await loadAll(engine, shuffled, revision);
    expect([engine.durable.revision, engine.durable.notes]).toEqual([revision, NOTES]);
    if (random.chance(0.5)) engine = await again(engine, place);
    let mirror = new MirrorEngine(engine, model);
    readWholeState(mirror, revision);
    for (const change of rest) expect(mirror.loader.next(placeChange(change))).not.toBe(REFUSED_LOAD);
    const last = Math.max(revision, ...rest.map((change) => change.revision));
    readWholeState(mirror, last);

    // What was loaded can be changed, compacted and removed.
    const keys = new Set([...first, ...rest].map(({ key }) => asText(key)));
    for (const [index, key] of [...keys].entries())
      mirror.apply(index % 3 === 0 ? put(`${key}+`, last + 1) : deletion(key, last + 1));
    mirror.compact(last + 1);
    while (mirror.maintain());
    readWholeState(mirror, last + 1);
    engine.durable.seal(last + 1);
    await engine.durable.commit(NOTES);
    readWholeState(mirror, last + 1);
    engine = await again(engine, place);
    mirror = new MirrorEngine(engine, model);
    readWholeState(mirror, last + 1);
  } finally {
    await engine.durable.close();
  }
}

async function again(engine: LayeredEngine, place: BasePlace): Promise<LayeredEngine> {
  await engine.durable.close();
  return opened(place);
}
