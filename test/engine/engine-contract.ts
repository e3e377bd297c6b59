/** One suite for every implementation of the `Engine` contract. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change, Engine, Version, WalkPosition } from '../../src/engine/engine.ts';
import { KEY_BYTES_MAX, WALK_START } from '../../src/engine/engine.ts';
import { placeChange } from '../../src/engine/placed-change.ts';
import { bytes, deletion, put } from './changes.ts';
import { NaiveModel, versionOf } from './naive-model.ts';
import { randomFrom } from './random.ts';

const NEWEST = Number.MAX_SAFE_INTEGER;
const ALL_KEYS = { start: bytes(''), end: undefined };

export function testEngineContract(name: string, create: () => Engine): void {
  describe(`${name} keeps the engine contract`, () => {
    it('reads the newest version at a revision', () => {
      const engine = engineWith(
        put('k', 2, 'two'),
        put('k', 5, 'five'),
        deletion('k', 7),
        put('k', 9, 'nine'),
      );
      const read = (revision: number) => textOf(engine.read(bytes('k'), revision));
      expect([1, 2, 4, 5, 6, 7, 8, 9, NEWEST].map(read)).toEqual([
        undefined,
        'two',
        'two',
        'five',
        'five',
        undefined,
        undefined,
        'nine',
        'nine',
      ]);
      expect(engine.read(bytes('kk'), NEWEST)).toBeUndefined();
    });

    it('keeps every field up to its largest number', () => {
      const fields = {
        kind: 255,
        createRevision: NEWEST - 2,
        modRevision: NEWEST - 1,
        version: NEWEST - 3,
        leaseId: NEWEST - 4,
        ttlMs: NEWEST - 5,
        expireTimeMs: NEWEST - 6,
      };
      const change = put('k', NEWEST, 'v', fields);
      const engine = engineWith(change);
      expect(plain(engine.read(bytes('k'), NEWEST))).toEqual(plain(versionOf(change)));
      expect(engine.nextDeadlineMs()).toBe(fields.expireTimeMs);
      const walked: Change[] = [];
      engine.walk(WALK_START, 0, NEWEST, 10, (each) => walked.push(placeChange(each)));
      expect(walked.map(plainChange)).toEqual([plainChange(change)]);
    });

    it('keeps fields that differ from what is usual', () => {
      const engine = engineWith(
        put('touched', 9, 'v', {
          createRevision: 3,
          modRevision: 7,
          version: 4,
          ttlMs: 1000,
          expireTimeMs: 5000,
        }),
        put('leased', 10, 'v', { leaseId: 77, kind: 3 }),
        put('frequent', 2 ** 40, 'v', { createRevision: 1, version: 2 ** 33 }),
        put('zeroed', 11, '', { createRevision: 0, modRevision: 0, version: 0 }),
      );
      const read = (key: string) => plain(engine.read(bytes(key), NEWEST));
      expect(read('touched')).toMatchObject({
        createRevision: 3,
        modRevision: 7,
        version: 4,
        expireTimeMs: 5000,
      });
      expect(read('leased')).toMatchObject({ leaseId: 77, kind: 3, ttlMs: 0, createRevision: 10 });
      expect(read('frequent')).toMatchObject({ createRevision: 1, version: 2 ** 33, modRevision: 2 ** 40 });
      expect(read('zeroed')).toMatchObject({ createRevision: 0, modRevision: 0, version: 0, revision: 11 });
    });

    it('reads meta data without the value', () => {
      const engine = engineWith(put('k', 3, 'value', { version: 7 }), deletion('gone', 4));
      expect(engine.readMeta(bytes('k'), NEWEST)).toMatchObject({ revision: 3, version: 7 });
      expect(engine.readMeta(bytes('k'), NEWEST)?.value).toHaveLength(0);
      expect(engine.readMeta(bytes('gone'), NEWEST)).toBeUndefined();
      expect(engine.readMeta(bytes('k'), 2)).toBeUndefined();
    });

    it('copies what it is given', () => {
      const engine = create();
      const change = put('key', 1, 'value');
      engine.apply(change);
      change.key.fill(0);
      change.value.fill(0);
      expect(textOf(engine.read(bytes('key'), 1))).toBe('value');
    });

    it('leaves what it handed out as it is', () => {
      const engine = engineWith(put('k', 1, 'before'));
      const version = engine.read(bytes('k'), 1);
      engine.apply(put('k', 2, 'after!'));
      engine.compact(2);
      drain(engine);
      for (let revision = 3; revision < 100; revision++) engine.apply(put('k', revision, 'other!'));
      expect(textOf(version)).toBe('before');
    });

    it('keeps values of any size', () => {
      const engine = create();
      const sizes = [
        0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 255, 256, 4095, 65_535, 65_536, 1_048_576, 3_000_001,
      ];
      const valueOf = (size: number) =>
        Uint8Array.from({ length: size }, (_, index) => (index * 7 + size) & 255);
      sizes.forEach((size, index) => engine.apply({ ...put(`k${size}`, index + 1), value: valueOf(size) }));
      for (const size of sizes) {
        const value = engine.read(bytes(`k${size}`), NEWEST)?.value ?? bytes('none');
        expect(Buffer.compare(value, valueOf(size))).toBe(0);
      }
      engine.verifyIntegrity();
      sizes.forEach((size, index) => engine.apply(deletion(`k${size}`, 100 + index)));
      engine.compact(1000);
      drain(engine);
      engine.verifyIntegrity();
      expect(engine.stats()).toEqual({ keyCount: 0, versionCount: 0, dataBytes: 0 });
    });

    it('keeps keys of any bytes, in the order of their bytes', () => {
      const keys = [
        '\x00',
        '\x00\x00',
        '\x00\xff',
        'a',
        'a\x00',
        'ab',
        'b',
        '\x7f',
        '\x80',
        '\xff',
        '\xff\xff',
      ];
      keys.push('\xff'.repeat(KEY_BYTES_MAX - 1), '\xff'.repeat(KEY_BYTES_MAX));
      const engine = create();
      keys.toReversed().forEach((key, index) => engine.apply(put(key, index + 1, key.slice(0, 3))));
      expect(scanKeys(engine, {}).map(([key]) => key)).toEqual(keys);
      expect(scanKeys(engine, { reverse: true }).map(([key]) => key)).toEqual(keys.toReversed());
      for (const key of keys) expect(textOf(engine.read(bytes(key), NEWEST))).toBe(key.slice(0, 3));
      engine.verifyIntegrity();
    });

    it('refuses keys that are empty or too long, and revisions that do not ascend', () => {
      const engine = engineWith(put('k', 5));
      expect(() => engine.apply(put('', 6))).toThrow(/broken invariant/);
      expect(() => engine.apply(put('x'.repeat(KEY_BYTES_MAX + 1), 6))).toThrow(/broken invariant/);
      expect(() => engine.apply(put('k', 5))).toThrow(/broken invariant/);
      expect(engine.stats().versionCount).toBe(1);
      engine.verifyIntegrity();
    });

    it('refuses reads below the compaction', () => {
      const engine = engineWith(put('k', 5));
      engine.compact(5);
      engine.compact(3);
      expect(() => engine.read(bytes('k'), 4)).toThrow(/broken invariant/);
      expect(() => engine.scan(ALL_KEYS, 4, forward(), () => true)).toThrow(/broken invariant/);
      expect(() => engine.count(ALL_KEYS, 4, 0)).toThrow(/broken invariant/);
      expect(() => engine.walk(WALK_START, 4, 5, 9, () => {})).toThrow(/broken invariant/);
    });

    it('scans a range in both directions, its end excluded', () => {
      const engine = engineWith(
        ...['a', 'b', 'c', 'd'].map((key, index) => put(key, index + 1)),
        deletion('c', 5),
      );
      const keys = (start: string, end: string | undefined, revision: number, reverse: boolean) =>
        scanKeys(engine, { start, end, revision, reverse }).map(([key]) => key);
      expect(keys('', undefined, 5, false)).toEqual(['a', 'b', 'd']);
      expect(keys('', undefined, 4, true)).toEqual(['d', 'c', 'b', 'a']);
      expect(keys('b', 'd', 4, false)).toEqual(['b', 'c']);
      expect(keys('b', 'd', 4, true)).toEqual(['c', 'b']);
      expect(keys('aa', 'bb', 4, false)).toEqual(['b']);
      expect(keys('aa', 'bb', 4, true)).toEqual(['b']);
      expect(keys('d', 'b', 4, false)).toEqual([]);
      expect(keys('d', 'b', 4, true)).toEqual([]);
      expect(keys('', undefined, 1, false)).toEqual(['a']);
    });

    it('says where a scan goes on after its visits are used up or the visitor stops', () => {
      const engine = engineWith(put('a', 1), put('b', 2), put('c', 3), deletion('b', 4));
      const scan = (visitsMax: number, start: string, stopAt?: string) => {
        const seen: string[] = [];
        const next = engine.scan({ start: bytes(start), end: bytes('d') }, 4, forward(visitsMax), (key) => {
          seen.push(asText(key));
          return asText(key) !== stopAt;
        });
        return [seen.join(''), next && asText(next)];
      };
      expect(scan(1, '')).toEqual(['a', 'b']);
      expect(scan(2, '')).toEqual(['a', 'c']);
      expect(scan(3, '')).toEqual(['ac', undefined]);
      expect(scan(1, 'b')).toEqual(['', 'c']);
      expect(scan(9, '', 'c')).toEqual(['ac', undefined]);
      expect(scan(9, 'c')).toEqual(['c', undefined]);
      expect(scan(9, '', 'a')).toEqual(['a', 'b']);
      expect(scan(0, '')).toEqual(['', 'a']);
    });

    it('says where a scan backwards goes on', () => {
      const engine = engineWith(put('a', 1), put('b', 2), put('c', 3));
      const options = { reverse: true, keysOnly: false, visitsMax: 1 };
      expect(asText(engine.scan(ALL_KEYS, 3, options, () => true))).toBe('b');
      expect(asText(engine.scan({ start: bytes('b'), end: undefined }, 3, options, () => true))).toBe('b');
      expect(engine.scan({ start: bytes('c'), end: undefined }, 3, options, () => true)).toBeUndefined();
    });

    it('counts what is not expired', () => {
      const engine = engineWith(
        put('a', 1),
        put('b', 2, '', { expireTimeMs: 1000 }),
        put('c', 3, '', { expireTimeMs: 2000 }),
        deletion('a', 4),
      );
      const counts = (revision: number) =>
        [0, 999, 1000, 1999, 2000].map((nowMs) => engine.count(ALL_KEYS, revision, nowMs));
      expect(counts(3)).toEqual([3, 3, 2, 2, 1]);
      expect(counts(4)).toEqual([2, 2, 1, 1, 0]);
      expect(engine.count({ start: bytes('b'), end: bytes('c') }, 4, 0)).toBe(1);
    });

    it('gives the keys that are due in the order of deadline, then of key', () => {
      const engine = engineWith(
        put('b', 1, '', { expireTimeMs: 10 }),
        put('a', 2, '', { expireTimeMs: 10 }),
        put('z', 3, '', { expireTimeMs: 5 }),
        put('m', 4, '', { expireTimeMs: 20 }),
        put('never', 5),
      );
      const due = (nowMs: number, limit: number) => engine.due(nowMs, limit).map(asText).join('');
      expect(engine.nextDeadlineMs()).toBe(5);
      expect([due(4, 9), due(5, 9), due(10, 9), due(19, 9), due(20, 9)]).toEqual([
        '',
        'z',
        'zab',
        'zab',
        'zabm',
      ]);
      expect([due(20, 0), due(20, 2)]).toEqual(['', 'za']);
      engine.apply(deletion('z', 6));
      engine.apply(put('a', 7, '', { expireTimeMs: 30 }));
      engine.apply(put('b', 8));
      expect(due(100, 9)).toBe('ma');
      engine.apply(put('b', 9, '', { expireTimeMs: 10 }));
      expect(due(100, 9)).toBe('bma');
      expect(engine.nextDeadlineMs()).toBe(10);
      for (const key of ['a', 'b', 'm']) engine.apply(deletion(key, 10));
      expect(engine.nextDeadlineMs()).toBeUndefined();
      engine.verifyIntegrity();
    });

    it('hands out many keys of one deadline in key order, some at a time', () => {
      const engine = create();
      const count = 3000;
      const keys = Array.from({ length: count }, (_, index) => `k${(index * 1009) % count}`.padEnd(6, '.'));
      keys.forEach((key, index) => engine.apply(put(key, index + 1, '', { expireTimeMs: 1000 })));
      const removed: string[] = [];
      for (let revision = count + 1; engine.nextDeadlineMs() !== undefined; revision++) {
        for (const key of engine.due(1000, 100)) {
          removed.push(asText(key));
          engine.apply(deletion(asText(key), revision));
        }
      }
      expect(removed).toEqual(keys.toSorted());
      engine.verifyIntegrity();
    });

    it('walks every version that a window of revisions needs', () => {
      const engine = engineWith(
        put('a', 1, '1'),
        put('a', 3, '3'),
        put('a', 6, '6'),
        put('b', 2, '2'),
        deletion('b', 4),
        put('c', 2, '2'),
        deletion('c', 5),
        put('d', 7, '7'),
      );
      const walk = (oldest: number, newest: number, start = '', visitsMax = 99, aboveRevision = 0) => {
        const seen: string[] = [];
        const from = { key: bytes(start), aboveRevision };
        const next = engine.walk(from, oldest, newest, visitsMax, (change) =>
          seen.push(`${asText(change.key)}${change.revision}${change.deleted ? '-' : asText(change.value)}`),
        );
        return [seen.join(' '), next && `${asText(next.key)}>${next.aboveRevision}`];
      };
      expect(walk(0, 9)).toEqual(['a11 a33 a66 b22 b4- c22 c5- d77', undefined]);
      expect(walk(4, 6)).toEqual(['a33 a66 c22 c5-', undefined]);
      expect(walk(5, 5)).toEqual(['a33', undefined]);
      expect(walk(0, 9, '', 1)).toEqual(['a11', 'a>1']);
      expect(walk(0, 9, 'a', 1, 1)).toEqual(['a33', 'a>3']);
      expect(walk(0, 9, 'a', 9, 3)).toEqual(['a66 b22 b4- c22 c5- d77', undefined]);
      expect(walk(0, 9, '', 4)).toEqual(['a11 a33 a66 b22', 'b>2']);
      expect(walk(0, 9, 'bb', 2)).toEqual(['c22 c5-', 'd>0']);
      // Of another key than the one that it stands for, a position skips nothing.
      expect(walk(0, 9, 'bb', 2, 4)).toEqual(['c22 c5-', 'd>0']);
    });

    it('ends a walk behind the version whose visitor has had enough', () => {
      const engine = engineWith(put('a', 1), put('a', 2), put('b', 3), put('c', 4));
      const stopAt = (stop: number) => {
        const walked: number[] = [];
        const next = engine.walk(WALK_START, 0, 9, 99, ({ revision }) => walked.push(revision) !== stop);
        return [walked, next && `${asText(next.key)}>${next.aboveRevision}`];
      };
      expect(stopAt(1)).toEqual([[1], 'a>1']);
      expect(stopAt(2)).toEqual([[1, 2], 'b>0']);
      expect(stopAt(4)).toEqual([[1, 2, 3, 4], undefined]);
    });

    it('takes the versions of a walk in the order of the walk, as a snapshot is loaded', () => {
      const engine = engineWith(
        put('a', 5),
        put('a', 9),
        deletion('b', 3),
        put('b', 4),
        put('c', 1),
        deletion('c', 2),
      );
      engine.compact(9);
      drain(engine);
      expect(scanKeys(engine, {}).map(([key]) => key)).toEqual(['a', 'b']);
      expect(engine.stats()).toEqual({ keyCount: 2, versionCount: 2, dataBytes: 2 });
      engine.verifyIntegrity();
    });

    it('drops what no reader can see after a compaction, and nothing else', () => {
      const engine = engineWith(
        put('a', 1, 'x'),
        put('a', 2, 'y'),
        put('a', 3, 'z'),
        put('b', 1),
        deletion('b', 2),
      );
      engine.compact(1);
      drain(engine);
      expect(engine.stats()).toEqual({ keyCount: 1, versionCount: 5, dataBytes: 8 });
      engine.compact(2);
      expect(textOf(engine.read(bytes('a'), 2))).toBe('y');
      drain(engine);
      expect(engine.stats()).toEqual({ keyCount: 1, versionCount: 2, dataBytes: 4 });
      expect(textOf(engine.read(bytes('a'), 2))).toBe('y');
      engine.apply(put('b', 4, 'again'));
      expect(textOf(engine.read(bytes('b'), 4))).toBe('again');
      expect(engine.read(bytes('b'), 3)).toBeUndefined();
      engine.verifyIntegrity();
    });

    it('answers like the list of all changes, whatever is done in whatever order', () => {
      fc.assert(
        fc.property(fc.array(stepArbitrary, { maxLength: 60 }), (steps) => {
          const engine = create();
          const model = new NaiveModel();
          for (const step of steps) runStep(engine, model, step);
          engine.verifyIntegrity();
          drain(engine);
          engine.verifyIntegrity();
          expect(engine.stats()).toEqual(model.stats());
        }),
        { numRuns: 400 },
      );
    });

    it('answers like a plain map with thousands of keys that come and go', () => {
      fc.assert(
        fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), (seed, keyLength) => {
          runManyKeys(create(), seed, keyLength);
        }),
        { numRuns: 6 },
      );
    });
  });

  function engineWith(...changes: Change[]): Engine {
    const engine = create();
    for (const change of changes) engine.apply(change);
    return engine;
  }
}

export function drain(engine: Engine): void {
  while (engine.maintain());
}

type Step =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly deadlineMs: number }
  | { readonly kind: 'delete' | 'read'; readonly key: string }
  | { readonly kind: 'compact'; readonly back: number }
  | { readonly kind: 'maintain' }
  | {
      readonly kind: 'scan';
      readonly start: string;
      readonly end: string | undefined;
      readonly reverse: boolean;
    }
  | { readonly kind: 'walk'; readonly start: string; readonly back: number }
  | { readonly kind: 'due'; readonly nowMs: number; readonly limit: number };

const keyArbitrary = fc
  .array(fc.constantFrom(0, 1, 97, 98, 255), { minLength: 1, maxLength: 3 })
  .map((codes) => String.fromCharCode(...codes));
const boundArbitrary = fc.oneof(keyArbitrary, fc.constant(''));

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key: keyArbitrary,
      value: fc.string({ maxLength: 40 }),
      deadlineMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('delete', 'read'), key: keyArbitrary }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), back: fc.nat(10) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('maintain' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('scan' as const),
      start: boundArbitrary,
      end: fc.option(boundArbitrary, { nil: undefined }),
      reverse: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('walk' as const), start: boundArbitrary, back: fc.nat(10) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('due' as const), nowMs: fc.nat(6), limit: fc.nat(5) }),
  },
);

/** Does one step to engine and model; what is read is compared at the newest revision and at one further back. */
function runStep(engine: Engine, model: NaiveModel, step: Step): void {
  const revision = model.newestRevision + 1;
  const apply = (change: Change): void => {
    model.changes.push(change);
    engine.apply(change);
  };
  const backTo = (back: number) => Math.max(model.compactRevision, revision - 1 - back);
  switch (step.kind) {
    case 'put':
      apply(
        put(step.key, revision, step.value, { expireTimeMs: step.deadlineMs, ttlMs: step.deadlineMs * 2 }),
      );
      break;
    case 'delete':
      apply(deletion(step.key, revision));
      break;
    case 'compact':
      model.compactRevision = backTo(step.back);
      engine.compact(model.compactRevision);
      break;
    case 'maintain':
      engine.maintain();
      break;
    case 'read':
      for (const at of [revision, backTo(4)]) {
        expect(plain(engine.read(bytes(step.key), at))).toEqual(plain(model.read(bytes(step.key), at)));
      }
      break;
    case 'scan':
      for (const at of [revision, backTo(4)]) compareScans(engine, model, step, at);
      break;
    case 'walk':
      compareWalks(engine, model, step.start, backTo(step.back), revision);
      compareWalks(engine, model, step.start, backTo(step.back), backTo(step.back / 2));
      break;
    case 'due':
      expect(engine.due(step.nowMs, step.limit).map(asText)).toEqual(
        model.due(step.nowMs).slice(0, step.limit).map(asText),
      );
      expect(engine.nextDeadlineMs()).toBe(model.nextDeadlineMs());
      expect(engine.stats().keyCount).toBe(model.stats().keyCount);
      break;
  }
}

function compareScans(
  engine: Engine,
  model: NaiveModel,
  step: Step & { kind: 'scan' },
  revision: number,
): void {
  const end = step.end === undefined ? undefined : bytes(step.end);
  const entries = model.entries(bytes(step.start), end, revision);
  const expected = entries.map(([key, version]) => [asText(key), plain(version)]);
  if (step.reverse) expected.reverse();
  const { start, reverse } = step;
  for (const visitsMax of [1, 3, 1000]) {
    expect(scanKeys(engine, { start, end: step.end, reverse, revision, visitsMax })).toEqual(expected);
  }
  const alive = entries.filter(([, { expireTimeMs }]) => expireTimeMs === 0 || expireTimeMs > 3);
  expect(engine.count({ start: bytes(start), end }, revision, 3)).toBe(alive.length);
}

function compareWalks(
  engine: Engine,
  model: NaiveModel,
  start: string,
  oldest: number,
  newest: number,
): void {
  const expected = model.needed(oldest, newest).filter(({ key }) => Buffer.compare(key, bytes(start)) >= 0);
  for (const visitsMax of [1, 4, 1000]) {
    const walked: Change[] = [];
    const from: WalkPosition = { key: bytes(start), aboveRevision: 0 };
    for (let next: WalkPosition | undefined = from; next !== undefined;) {
      next = engine.walk(next, oldest, newest, visitsMax, (change) => walked.push(placeChange(change)));
    }
    expect(walked.map(plainChange)).toEqual(expected.map(plainChange));
  }
}

/** Thousands of keys, so that every structure grows, splits, shrinks and merges; compared with a plain map. */
function runManyKeys(engine: Engine, seed: number, keyLength: number): void {
  const random = randomFrom(seed);
  const valueByKey = new Map<string, string>();
  const keys = Array.from({ length: 4000 }, (_, index) => `${index * 7919}`.padStart(keyLength, '0'));
  let revision = 0;
  // Grow, stay, shrink: the share of deletions among the changes.
  for (const deleteShare of [0, 0.3, 0.9]) {
    for (let index = 0; index < 6000; index++) {
      const key = keys[random(keys.length)] ?? '';
      revision++;
      if (random(100) < deleteShare * 100) {
        if (!valueByKey.delete(key)) continue;
        engine.apply(deletion(key, revision));
      } else {
        const value = 'v'.repeat(random(4) === 0 ? random(2000) : random(50));
        valueByKey.set(key, value);
        engine.apply(put(key, revision, value, { expireTimeMs: random(3) * random(1000) }));
      }
      if (index % 50 === 0) engine.compact(revision - 20);
      if (index % 10 === 0) engine.maintain();
    }
    engine.verifyIntegrity();
    const expected = [...valueByKey].sort(([a], [b]) => (a < b ? -1 : 1));
    const visitsMax = 1 + random(500);
    for (const reverse of [false, true]) {
      const scanned = scanKeys(engine, { revision, visitsMax, reverse });
      expect(scanned.map(([key, version]) => [key, version?.value])).toEqual(
        reverse ? expected.toReversed() : expected,
      );
    }
    for (const key of keys) expect(textOf(engine.read(bytes(key), revision))).toBe(valueByKey.get(key));
    const deadlines = engine.due(NEWEST, NEWEST).map((key) => engine.read(key, revision)?.expireTimeMs ?? 0);
    expect(deadlines).toEqual(deadlines.toSorted((a, b) => a - b));
  }
  for (const key of valueByKey.keys()) engine.apply(deletion(key, ++revision));
  engine.compact(revision);
  drain(engine);
  engine.verifyIntegrity();
  expect(engine.stats()).toEqual({ keyCount: 0, versionCount: 0, dataBytes: 0 });
}

interface ScanRequest {
  readonly start?: string;
  readonly end?: string | undefined;
  readonly revision?: number;
  readonly reverse?: boolean;
  readonly visitsMax?: number;
}

/** All pages of a scan: the keys and their versions. */
function scanKeys(engine: Engine, request: ScanRequest): [string, ReturnType<typeof plain>][] {
  const { start = '', end, revision = NEWEST, reverse = false, visitsMax = NEWEST } = request;
  const found: [string, ReturnType<typeof plain>][] = [];
  let range = { start: bytes(start), end: end === undefined ? undefined : bytes(end) };
  for (;;) {
    const options = { reverse, keysOnly: false, visitsMax };
    const next = engine.scan(range, revision, options, (key, version) => {
      found.push([asText(key), plain(version)]);
      return true;
    });
    if (next === undefined) return found;
    range = reverse ? { ...range, end: bytes(`${asText(next)}\0`) } : { ...range, start: next };
  }
}

function forward(visitsMax = NEWEST) {
  return { reverse: false, keysOnly: false, visitsMax };
}

function asText(key: Uint8Array | undefined): string {
  return Buffer.from(key ?? []).toString('latin1');
}

function textOf(version: Version | undefined): string | undefined {
  return version && asText(version.value);
}

/** A version with its value as text and its fields in one order, whatever else its object carries. */
function plain(version: Version | undefined) {
  if (version === undefined) return undefined;
  const { revision, value, kind, createRevision, modRevision, leaseId, ttlMs, expireTimeMs } = version;
  return {
    revision,
    value: asText(value),
    kind,
    createRevision,
    modRevision,
    version: version.version,
    leaseId,
    ttlMs,
    expireTimeMs,
  };
}

function plainChange(change: Change) {
  const { deleted, revision } = change;
  const key = asText(change.key);
  return deleted ? { key, deleted, revision } : { key, deleted, ...plain(change) };
}
