/** What the `Engine` contract says of loads; for every implementation. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Change,
  type Engine,
  REFUSED_LOAD,
  WALK_START,
  type WalkPosition,
} from '../../src/engine/engine.ts';
import { PlacedChange, placeChange } from '../../src/engine/placed-change.ts';
import { memoryOf } from '../../src/wire/memory.ts';
import { bytes, deletion, put } from './changes.ts';

const NEWEST = Number.MAX_SAFE_INTEGER;
const ALL_KEYS = { start: bytes(''), end: undefined };

export function testEngineLoads(name: string, create: () => Engine): void {
  describe(`${name} keeps the contract of loads`, () => {
    it('gives what was loaded as if it had been applied', () => {
      fc.assert(
        fc.property(loadsArbitrary, ({ ascending, mixed }) => expectSameState(create, ascending, mixed)),
        { numRuns: 300 },
      );
    });

    it('sorts thousands of keys, whatever their bytes have in common', () => {
      fc.assert(
        fc.property(manyKeysArbitrary, (keys) => {
          const changes = keys.map((key, index) => put(key, index + 1, `value ${index}`));
          const half = Math.floor(changes.length / 2);
          expectSameState(create, inWalkOrder(changes.slice(0, half)), changes.slice(half));
          expectSameState(create, [], changes);
        }),
        { numRuns: 8 },
      );
    });

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
      engine.load(placeChange(put('b', 1, 'one')));
      engine.load(placeChange(put('a', 2, 'two')));
      engine.load(placeChange(put('b', 3, 'three', { version: 2 })));
      expect(Buffer.from(engine.read(bytes('b'), NEWEST)?.value ?? [])).toEqual(Buffer.from('three'));
      expect(engine.readMeta(bytes('a'), NEWEST)?.revision).toBe(2);
      expect(engine.readMeta(bytes('c'), NEWEST)).toBeUndefined();
    });

    it('tells the lease that a key had before', () => {
      const engine = create();
      const leases = [
        put('a', 1, '', { leaseId: 7 }),
        put('a', 2, '', { leaseId: 8, createRevision: 1, modRevision: 1, version: 2 }),
        deletion('a', 3),
        put('b', 1),
      ].map((change) => engine.loadAscending(placeChange(change)));
      expect(leases).toEqual([0, 7, 8, 0]);
      finish(engine);
      const key = 'k'.repeat(70);
      const moreLeases = [
        put('b', 4, '', { leaseId: 2 ** 40, ttlMs: 5, expireTimeMs: 9 }),
        put('b', 5),
        put(key, 6, '', { leaseId: 9 }),
        put(key, 7),
      ].map((change) => engine.load(placeChange(change)));
      expect(moreLeases).toEqual([0, 2 ** 40, 0, 9]);
    });

    it('refuses what does not follow, and changes nothing', () => {
      const engine = create();
      expect(engine.loadAscending(placeChange(put('b', 5)))).toBe(0);
      expect(engine.loadAscending(placeChange(put('a', 6)))).toBe(REFUSED_LOAD);
      expect(engine.loadAscending(placeChange(put('b', 5)))).toBe(REFUSED_LOAD);
      expect(engine.loadAscending(placeChange(put('b', 4)))).toBe(REFUSED_LOAD);
      expect(engine.loadAscending(placeChange(put('c', 0)))).toBe(REFUSED_LOAD);
      finish(engine);
      expect(engine.load(placeChange(put('b', 5)))).toBe(REFUSED_LOAD);
      expect(engine.load(placeChange(deletion('b', 5)))).toBe(REFUSED_LOAD);
      expect(engine.load(placeChange(put('a', 1)))).toBe(0);
      finish(engine);
      expect(engine.stats()).toEqual({ keyCount: 2, versionCount: 2, dataBytes: 2 });
      engine.verifyIntegrity();
    });

    it('takes keys and values from wherever they lie in a memory, and keeps them', () => {
      const engine = create();
      const place = new PlacedChange();
      const lengths = [0, 1, 3, 4, 5, 100, 255, 256, 257, 1000];
      const source = Buffer.from(Array.from({ length: 1099 }, (_, index) => (index * 7) % 251));
      // Not a whole number of words, and values that reach its very end.
      place.memory = memoryOf(new Uint8Array(source));
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
          engine.load(place);
          const [key, value] = [place.key, place.value].map((part) => Buffer.from(part).toString('hex'));
          expected.push(`${key} ${value}`);
        }
      }
      place.memory.bytes.fill(0);
      finish(engine);
      const scanned: string[] = [];
      const options = { reverse: false, keysOnly: false, visitsMax: Infinity };
      engine.scan(ALL_KEYS, NEWEST, options, (key, { value }) => {
        scanned.push(`${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`);
        return true;
      });
      expect(scanned).toEqual(expected.sort());
    });
  });
}

function finish(engine: Engine): void {
  while (engine.finishLoad());
}

/** Loads into one engine, applies to another, goes on with both, and compares. */
function expectSameState(create: () => Engine, ascending: readonly Change[], mixed: readonly Change[]): void {
  const loaded = create();
  const applied = create();
  for (const change of ascending) {
    expect(loaded.loadAscending(placeChange(change))).not.toBe(REFUSED_LOAD);
    applied.apply(change);
  }
  finish(loaded);
  for (const change of mixed) {
    expect(loaded.load(placeChange(change))).not.toBe(REFUSED_LOAD);
    applied.apply(change);
  }
  finish(loaded);
  loaded.verifyIntegrity();
  expect(stateOf(loaded, 0)).toEqual(stateOf(applied, 0));
  // What was loaded can be changed, compacted and removed.
  const changes = [...ascending, ...mixed];
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
    engine.verifyIntegrity();
  }
  expect(stateOf(loaded, next)).toEqual(stateOf(applied, next));
}

/** All that can be read at a revision from `oldest` on. */
function stateOf(engine: Engine, oldest: number) {
  const versions: string[] = [];
  let next: WalkPosition | undefined = WALK_START;
  while (next !== undefined) {
    next = engine.walk(next, oldest, NEWEST, 100, (change) => {
      const { key, value, revision, deleted, version, leaseId, ttlMs, expireTimeMs } = change;
      const [keyText, valueText] = [key, value].map((part) => Buffer.from(part).toString('latin1'));
      const numbers = [change.createRevision, change.modRevision, version, leaseId, ttlMs, expireTimeMs];
      versions.push(JSON.stringify([keyText, revision, deleted || [valueText, change.kind, ...numbers]]));
    });
  }
  const due = engine.due(NEWEST, 10_000).map((key) => Buffer.from(key).toString('latin1'));
  return { versions, due, stats: engine.stats() };
}

/** As a snapshot has them: by key, then by revision. */
function inWalkOrder(changes: readonly Change[]): Change[] {
  return changes.toSorted((a, b) => Buffer.compare(a.key, b.key) || a.revision - b.revision);
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

/** Changes with ascending revisions; those of the first part in the order of a walk. */
const loadsArbitrary = fc
  .tuple(fc.array(changeArbitrary, { maxLength: 40 }), fc.nat(40))
  .map(([items, ascendingCount]) => {
    const changes = items.map(({ key, isDeletion, value, expireTimeMs, leaseId }, index) =>
      isDeletion ? deletion(key, index + 1) : put(key, index + 1, value, { expireTimeMs, leaseId }),
    );
    const ascending = inWalkOrder(changes.slice(0, ascendingCount));
    return { ascending, mixed: changes.slice(ascendingCount) };
  });

/** So many keys that they are sorted by several bytes, fill several nodes and segments, and end within each other. */
const manyKeysArbitrary = fc
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
