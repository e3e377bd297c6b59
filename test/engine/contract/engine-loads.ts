/** What the `Engine` contract says of loads; for every implementation. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Engine, type EngineLoader, REFUSED_LOAD } from '../../../src/engine/engine.ts';
import { type Change, PlacedChange, placeChange } from '../../../src/engine/version.ts';
import { memoryOf } from '../../../src/wire/memory.ts';
import { bytes, deletion, put } from './changes.ts';
import { wholeWalk } from './whole-walk.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { resultOf } from '../../support/pieces.ts';
import { verifyIntegrity } from '../memory/integrity.ts';

const NEWEST = Number.MAX_SAFE_INTEGER;
const ALL_KEYS = { start: bytes(''), end: undefined };

export function testEngineLoads(name: string, create: () => Engine): void {
  describe(`${name} keeps the contract of loads`, () => {
    it('gives what was loaded as if it had been applied', () => {
      fc.assert(
        fc.property(loadsArbitrary, ({ first, rest }) => expectSameState(create, first, rest)),
        { numRuns: 300 },
      );
    });

    it('sorts thousands of keys, whatever their bytes have in common', () => {
      fc.assert(
        fc.property(manyKeysArbitrary, (keys) => {
          const changes = keys.map((key, index) => put(key, index + 1, `value ${index}`));
          const half = Math.floor(changes.length / 2);
          expectSameState(create, changes.slice(0, half), changes.slice(half));
          expectSameState(create, [], changes);
        }),
        { numRuns: 8 },
      );
    });

    it.each([1, 2, 59, 60, 61, 3600, 3601, 9000])(
      'takes keys before, between and behind %i that were loaded and are alike over many bytes',
      (count) => {
        const engine = create();
        const loader = loaderOf(engine);
        const texts: string[] = [];
        for (let number = 0; number < count; number++) {
          texts.push(`users/${number < count / 2 ? 'm'.repeat(12) : 'n'}${String(number).padStart(6, '0')}`);
          loader.newest(placeChange(put(texts[number]!, number + 1)));
        }
        finish(engine);
        verifyIntegrity(engine);
        // With many bytes where the loaded ones differ, and with none.
        for (const start of [
          '',
          'a',
          'users/',
          'users/a',
          'users/m',
          'users/mmmmmmmmmmmm0',
          'users/mz',
          'users/z',
          'z',
        ])
          for (const rest of ['z'.repeat(40), '\0', '0'.repeat(40)]) {
            texts.push(start + rest);
            engine.apply(put(start + rest, texts.length));
          }
        verifyIntegrity(engine);
        texts.sort();
        for (const reverse of [false, true]) {
          const seen: string[] = [];
          const options = { reverse, budget: new WorkBudget(Infinity) };
          engine.scan(
            ALL_KEYS,
            NEWEST,
            options,
            ({ key }) => seen.push(Buffer.from(key).toString('latin1')) > 0,
          );
          expect(reverse ? seen.reverse() : seen).toEqual(texts);
        }
        for (const [place, text] of texts.entries())
          if (place % 97 === 0) expect(engine.rank(ALL_KEYS, bytes(text))).toBe(place);
      },
    );

    it('finds thousands of keys that lost their deadlines meanwhile, and those that came after', () => {
      const keys = Array.from({ length: 3000 }, (_, index) => `key ${String(index).padStart(4, '0')}`);
      const withDeadline = keys.map((key, index) => put(key, index + 1, 'with', { expireTimeMs: 9 }));
      const ends = keys.slice(300).map((key, index) => deletion(key, index + 3001));
      const others = keys.map((key, index) => put(`other ${key}`, index + 6001, 'other'));
      expectSameState(create, withDeadline, [...ends, ...others]);
      expectSameState(create, [], [...withDeadline, ...ends, ...others]);
    });

    it('finds what was loaded in no order before the load is finished', () => {
      const engine = create();
      const loader = loaderOf(engine);
      loader.newest(placeChange(put('b', 3, 'three')));
      finishNewest(loader);
      loader.next(placeChange(put('a', 4, 'four')));
      loader.next(placeChange(put('b', 5, 'five', { version: 2 })));
      expect(Buffer.from(engine.read(bytes('b'), NEWEST)?.value ?? [])).toEqual(Buffer.from('five'));
      expect(Buffer.from(engine.read(bytes('b'), 4)?.value ?? [])).toEqual(Buffer.from('three'));
      expect(engine.readMeta(bytes('a'), NEWEST)?.revision).toBe(4);
      expect(engine.readMeta(bytes('c'), NEWEST)).toBeUndefined();
    });

    it('tells the lease that a key had before', () => {
      const loader = loaderOf(create());
      const long = 'k'.repeat(70);
      expect(loader.newest(placeChange(put('a', 1, '', { leaseId: 7 })))).toBe(0);
      expect(
        loader.newest(placeChange(put(long, 2, '', { leaseId: 2 ** 40, ttlMs: 5, expireTimeMs: 9 }))),
      ).toBe(0);
      finishNewest(loader);
      const before = [
        put('a', 3, '', { leaseId: 8, createRevision: 1, modRevision: 1, version: 2 }),
        deletion('a', 4),
        put('a', 5, '', { leaseId: 3 }),
        put(long, 6),
        put('b', 7),
        put('b', 8),
      ].map((change) => loader.next(placeChange(change)));
      expect(before).toEqual([7, 8, 0, 2 ** 40, 0, 0]);
    });

    it('refuses what does not follow, and changes nothing', () => {
      const engine = create();
      const loader = loaderOf(engine);
      const newest = (change: Change) => loader.newest(placeChange(change));
      const older = (change: Change, replacedBy: number) => loader.older(placeChange(change, replacedBy));
      const next = (change: Change) => loader.next(placeChange(change));
      expect(newest(put('b', 5))).toBe(0);
      expect(newest(put('a', 9))).toBe(0);
      expect(newest(put('c', 0))).toBe(REFUSED_LOAD);
      expect(finishNewest(loader)).toBe(true);
      // Of a key that is not there, replaced by what it is not older than, or by more than the newest version.
      expect([older(put('x', 1), 2), older(put('b', 3), 3), older(put('b', 3), 6)]).toEqual([
        REFUSED_LOAD,
        REFUSED_LOAD,
        REFUSED_LOAD,
      ]);
      expect(older(put('b', 3), 4)).toBe(0);
      // Out of the order of replacing, or not the version that replaced the one before.
      expect([older(put('a', 1), 3), older(put('b', 2), 5)]).toEqual([REFUSED_LOAD, REFUSED_LOAD]);
      expect(older(put('b', 4), 5)).toBe(0);
      expect([next(put('b', 5)), next(deletion('b', 4)), next(put('d', 8))]).toEqual([
        REFUSED_LOAD,
        REFUSED_LOAD,
        REFUSED_LOAD,
      ]);
      expect(next(put('d', 10))).toBe(0);
      finish(engine);
      expect(engine.stats()).toEqual({ keyCount: 3, versionCount: 5, dataBytes: 5 });
      expect([3, 4, 5].map((revision) => engine.read(bytes('b'), revision)?.revision)).toEqual([3, 4, 5]);
      verifyIntegrity(engine);
    });

    it.each([2, 5000])('finds one of %i keys that came twice', (count) => {
      const loader = loaderOf(create());
      for (let number = 0; number < count; number++)
        expect(loader.newest(placeChange(put(`key ${number}`, number + 1)))).toBe(0);
      loader.newest(placeChange(put(`key ${count >> 1}`, count + 1)));
      expect(finishNewest(loader)).toBe(false);
    });

    it.each<[string, Change, readonly [Change, number][]]>([
      ['an old version before it', put('a', 10), [[put('a', 5), 7]]],
      [
        'all but the last of its old versions',
        put('a', 10),
        [
          [put('a', 5), 7],
          [put('a', 7), 9],
        ],
      ],
      ['what a deletion replaced', deletion('a', 10), []],
      ['what a deletion replaced, with older ones there', deletion('a', 10), [[put('a', 5), 7]]],
    ])('refuses in the end a newest version that lacks %s', (_name, newest, older) => {
      const loader = loaderOf(create());
      expect(loader.newest(placeChange(newest))).toBe(0);
      expect(finishNewest(loader)).toBe(true);
      for (const [change, replacedBy] of older) expect(loader.older(placeChange(change, replacedBy))).toBe(0);
      expect(resultOf(loader.finish())).toBe(false);
    });

    it('walks after a load over what brings an earlier deletion out again', () => {
      const engine = create();
      const loader = loaderOf(engine);
      loader.newest(placeChange(put('a', 7)));
      finishNewest(loader);
      loader.older(placeChange(deletion('a', 0), 5));
      loader.older(placeChange(deletion('a', 5), 7));
      finish(engine);
      const seen: string[] = [];
      const walk = engine.openWalk(0, 6);
      const visit = ({ revision, deleted, replacedBy }: PlacedChange): void => {
        seen.push(`${revision}${deleted ? ' deleted' : ''} ${replacedBy}`);
      };
      while (walk.next(9, visit));
      walk.close();
      expect(seen).toEqual(['5 deleted 0', '0 deleted 5']);
    });

    it('takes keys and values from wherever they lie in a memory, and keeps them', () => {
      const engine = create();
      const place = new PlacedChange();
      const lengths = [0, 1, 3, 4, 5, 100, 255, 256, 257, 1000];
      const source = Buffer.from(Array.from({ length: 1099 }, (_, index) => (index * 7) % 251));
      // Not a whole number of words, and values that reach its very end.
      place.clear(memoryOf(new Uint8Array(source)));
      const expected: string[] = [];
      let revision = 0;
      for (const valueBytes of lengths) {
        for (let shift = 0; shift < 4; shift++) {
          revision++;
          place.revision = place.createRevision = place.modRevision = revision;
          place.version = 1;
          place.keyStart = shift;
          place.keyEnd = shift + 40 + revision;
          place.valueEnd = source.length - shift;
          place.valueStart = place.valueEnd - valueBytes;
          loaderOf(engine).newest(place);
          const [key, value] = [place.key, place.value].map((part) => Buffer.from(part).toString('hex'));
          expected.push(`${key} ${value}`);
        }
      }
      place.keyMemory.bytes.fill(0);
      finish(engine);
      const scanned: string[] = [];
      const options = { reverse: false, budget: new WorkBudget(Infinity) };
      engine.scan(ALL_KEYS, NEWEST, options, ({ key, value }) => {
        scanned.push(`${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`);
        return true;
      });
      expect(scanned).toEqual(expected.sort());
    });
  });
}

function loaderOf(engine: Engine): EngineLoader {
  if (engine.loader === undefined) throw new Error('the engine loads nothing');
  return engine.loader;
}

function finishNewest(loader: EngineLoader): boolean {
  return resultOf(loader.finishNewest());
}

function finish(engine: Engine): void {
  expect(finishNewest(loaderOf(engine))).toBe(true);
  expect(resultOf(loaderOf(engine).finish())).toBe(true);
}

/**
 * Applies to one engine; loads into another what a walk over the first half shows, as a snapshot has it, and the rest as a log
 * has it; goes on with both, and compares.
 */
function expectSameState(create: () => Engine, first: readonly Change[], rest: readonly Change[]): void {
  const loaded = create();
  const loader = loaderOf(loaded);
  const applied = create();
  for (const change of first) applied.apply(change);
  const walk = applied.openWalk(0, NEWEST);
  const take = (change: PlacedChange): void => {
    if (change.replacedBy !== 0) finishNewest(loader);
    const lease = change.replacedBy === 0 ? loader.newest(change) : loader.older(change);
    expect(lease).toBe(0);
  };
  while (walk.next(100, take));
  walk.close();
  finishNewest(loader);
  for (const change of rest) {
    expect(loader.next(placeChange(change))).not.toBe(REFUSED_LOAD);
    applied.apply(change);
  }
  finish(loaded);
  verifyIntegrity(loaded);
  expect(stateOf(loaded, 0)).toEqual(stateOf(applied, 0));
  // What was loaded can be changed, compacted and removed.
  const changes = [...first, ...rest];
  const next = Math.max(0, ...changes.map(({ revision }) => revision)) + 1;
  const keys = new Map(changes.map(({ key }) => [Buffer.from(key).toString('latin1'), key]));
  let index = 0;
  for (const key of keys.keys()) {
    const change = index++ % 3 === 0 ? put(`${key}+`, next) : deletion(key, next);
    for (const engine of [loaded, applied]) engine.apply(change);
  }
  for (const engine of [loaded, applied]) {
    engine.compact(next);
    while (engine.maintain());
    verifyIntegrity(engine);
  }
  expect(stateOf(loaded, next)).toEqual(stateOf(applied, next));
}

/** All that can be read at a revision from `oldest` on. */
function stateOf(engine: Engine, oldest: number) {
  const { newest, older } = wholeWalk(engine, oldest, NEWEST, 100);
  const textOf = (change: Change) => {
    const { key, value, revision, deleted, version, leaseId, ttlMs, expireTimeMs } = change;
    const [keyText, valueText] = [key, value].map((part) => Buffer.from(part).toString('latin1'));
    const numbers = [change.createRevision, change.modRevision, version, leaseId, ttlMs, expireTimeMs];
    return JSON.stringify([keyText, revision, deleted || [valueText, change.kind, ...numbers]]);
  };
  const versions = [
    ...newest.map(textOf),
    ...older.map(({ change, replacedBy }) => `${replacedBy} ${textOf(change)}`),
  ];
  const due = engine.due(NEWEST, 10_000).map((key) => Buffer.from(key).toString('latin1'));
  return { versions, due, stats: engine.stats() };
}

const keyArbitrary = fc
  .array(fc.constantFrom(0, 1, 97, 98, 255), { minLength: 1, maxLength: 3 })
  .map((codes) => String.fromCharCode(...codes));

const changeArbitrary = fc.record({
  key: fc.oneof(
    keyArbitrary,
    keyArbitrary.map((key) => `${'shared '.repeat(12)}${key}`),
  ),
  isDeletion: fc.boolean(),
  value: fc.string({ maxLength: 20 }),
  expireTimeMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 })),
  leaseId: fc.nat(2),
});

/** Changes with ascending revisions, cut in two. */
export const loadsArbitrary = fc
  .tuple(fc.array(changeArbitrary, { maxLength: 40 }), fc.nat(40))
  .map(([items, firstCount]) => {
    const changes = items.map(({ key, isDeletion, value, expireTimeMs, leaseId }, index) =>
      isDeletion ? deletion(key, index + 1) : put(key, index + 1, value, { expireTimeMs, leaseId }),
    );
    return { first: changes.slice(0, firstCount), rest: changes.slice(firstCount) };
  });

/** So many keys that they are sorted by several bytes, fill several nodes and segments, and end within each other. */
export const manyKeysArbitrary = fc
  .record({
    count: fc.integer({ min: 1000, max: 4000 }),
    head: fc.constantFrom('', 'k', 'users/', 'a longer head of each key/'),
    digits: fc.integer({ min: 1, max: 12 }),
    tail: fc.constantFrom('', '\0', '/profile of the user', '\0'.repeat(9)),
  })
  .map(({ count, head, digits, tail }) => {
    const keys = Array.from({ length: count }, (_, index) => {
      const number = String((index * 7919) % 5003).padStart(digits, index % 5 === 0 ? '\0' : '0');
      return `${head}${number}${tail.slice(0, index % (tail.length + 1))}`;
    });
    return [...new Set(keys)];
  });
