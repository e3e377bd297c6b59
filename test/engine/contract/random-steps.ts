/** Random operations beside models that are too simple to be wrong. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Change } from '../../../src/engine/version.ts';
import { PutRow } from '../../../src/engine/put-row.ts';
import { bytes, deletion, put } from './changes.ts';
import { NaiveModel } from './naive-model.ts';
import { randomFrom } from './random.ts';
import { wholeWalk } from './whole-walk.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import {
  type EngineForm,
  expectStats,
  NEWEST,
  drain,
  scanKeys,
  asText,
  textOf,
  plain,
  plainWalk,
} from './forms.ts';

export function testRandomSteps(create: () => Engine, form: EngineForm): void {
  it('answers like the list of all changes, whatever is done in whatever order', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 60 }), (steps) => {
        const engine = create();
        const model = new NaiveModel();
        for (const step of steps) runStep(engine, model, step, form);
        verifyIntegrity(engine);
        drain(engine);
        verifyIntegrity(engine);
        expectStats(engine, form, model.stats());
      }),
      { numRuns: 400 },
    );
  });

  it('answers like a plain map with thousands of keys that come and go', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), (seed, keyLength) => {
        runManyKeys(create(), seed, keyLength, form);
      }),
      { numRuns: 6 },
    );
  }, 120_000);
}

type Step =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly deadlineMs: number }
  | { readonly kind: 'delete' | 'read'; readonly key: string }
  | { readonly kind: 'compact'; readonly back: number }
  | { readonly kind: 'maintain' }
  | { readonly kind: 'row'; readonly puts: readonly { readonly key: string; readonly value: string }[] }
  | {
      readonly kind: 'scan';
      readonly start: string;
      readonly end: string | undefined;
      readonly reverse: boolean;
    }
  | { readonly kind: 'walk'; readonly back: number }
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
      kind: fc.constant('row' as const),
      puts: fc.array(fc.record({ key: keyArbitrary, value: fc.string({ maxLength: 40 }) }), { maxLength: 8 }),
    }),
  },
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
    arbitrary: fc.record({ kind: fc.constant('walk' as const), back: fc.nat(10) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('due' as const), nowMs: fc.nat(6), limit: fc.nat(5) }),
  },
);

/** Does one step to engine and model; what is read is compared at the newest revision and at one further back. */
function runStep(engine: Engine, model: NaiveModel, step: Step, form: EngineForm): void {
  const revision = model.newestRevision + 1;
  const apply = (change: Change): void => {
    // Whether the deletion of a key that comes back is dropped before, or counted as a version until it is, is open.
    if (model.dropDeleted(change.key)) drain(engine);
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
    case 'row':
      putRow(engine, model, step.puts, revision);
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
      if (form.walksOneRevision === true) {
        for (const at of [revision, backTo(step.back)]) compareWalks(engine, model, at, at);
        break;
      }
      compareWalks(engine, model, backTo(step.back), revision);
      compareWalks(engine, model, backTo(step.back), backTo(Math.floor(step.back / 2)));
      break;
    case 'due':
      expect(engine.due(step.nowMs, step.limit).map(asText)).toEqual(
        model.due(step.nowMs).slice(0, step.limit).map(asText),
      );
      expect(engine.nextDeadlineMs()).toBe(model.nextDeadlineMs());
      expect(engine.deadlineSums(0)).toEqual(model.deadlineSums());
      expect(engine.stats().keyCount).toBe(model.stats().keyCount);
      break;
  }
}

function putRow(
  engine: Engine,
  model: NaiveModel,
  puts: readonly { readonly key: string; readonly value: string }[],
  firstRevision: number,
): void {
  const row = new PutRow();
  row.firstRevision = firstRevision;
  let count = 0;
  let isOver = false;
  for (const { key, value } of puts) {
    row.add(bytes(key), bytes(value));
    const before = model.read(bytes(key), NEWEST);
    isOver ||= before !== undefined && before.expireTimeMs !== 0;
    if (isOver) continue;
    if (model.dropDeleted(bytes(key))) drain(engine);
    const revision = firstRevision + count++;
    const createRevision = before?.createRevision ?? revision;
    model.changes.push(put(key, revision, value, { createRevision, version: (before?.version ?? 0) + 1 }));
  }
  expect(engine.putAll(row)).toBe(count);
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
  const existing = model.entries(bytes(step.start), end, NEWEST).map(([key]) => asText(key));
  const range = { start: bytes(start), end };
  expect(engine.count(range)).toBe(existing.length);
  expect(existing.map((_, index) => asText(engine.select(range, index)))).toEqual(existing);
  expect(engine.select(range, existing.length)).toBeUndefined();
  for (const key of ['', 'a', 'b\xff', '\xff\xff\xff']) {
    expect(engine.rank(range, bytes(key))).toBe(existing.filter((each) => each < key).length);
  }
}

function compareWalks(engine: Engine, model: NaiveModel, oldest: number, newest: number): void {
  const expected = plainWalk(model.walked(oldest, newest));
  for (const visitsMax of [1, 4, 1000]) {
    expect(plainWalk(wholeWalk(engine, oldest, newest, visitsMax))).toEqual(expected);
  }
}

/** Thousands of keys, so that every structure grows, splits, shrinks and merges; compared with a plain map. */
function runManyKeys(engine: Engine, seed: number, keyLength: number, form: EngineForm): void {
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
    verifyIntegrity(engine);
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
  verifyIntegrity(engine);
  expectStats(engine, form, { keyCount: 0, versionCount: 0, dataBytes: 0 });
}
