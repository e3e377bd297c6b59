/** What places and ranks cost over a base: counted in visits, which pay for the keys of buckets that are gone through. */
import { expect, test } from 'vitest';
import { SPLIT_ABOVE, SPLIT_INTO } from '../../../src/engine/layered/census/census.ts';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { fixed } from '../../../src/limits.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { put } from '../contract/changes.ts';
import { MapBase } from './map-base.ts';

const KEYS = 130_000;
const ALL = { start: new Uint8Array(0), end: undefined };
/** Of a bucket, with the one key behind which a scan ends. */
const BUCKET_VISITS_MAX = Math.ceil((SPLIT_ABOVE + 1) / fixed.censusStepsPerVisit);

test('a rank, a place and a count take the visits of a bucket for each end', () => {
  const engine = filled();
  let sum = 0;
  for (let index = 7; index < KEYS; index += 1301) {
    sum += visitsOf(engine, () => expect(engine.rank(ALL, keyOf(index))).toBe(index));
    const place = visitsOf(engine, () => expect(engine.select(ALL, index)).toEqual(keyOf(index)));
    expect(place).toBeLessThanOrEqual(BUCKET_VISITS_MAX);
    const range = { start: keyOf(index), end: keyOf(index + 3) };
    expect(visitsOf(engine, () => engine.count(range))).toBeLessThanOrEqual(2 * BUCKET_VISITS_MAX);
  }
  const mean = sum / 100;
  expect(mean).toBeGreaterThan(SPLIT_INTO / 4 / fixed.censusStepsPerVisit);
  expect(mean).toBeLessThan(BUCKET_VISITS_MAX);
});

test('many places take each bucket once, and no more than their own visits where these are more', () => {
  const engine = filled();
  const drawn = Float64Array.from({ length: 20_000 }, (_, at) => Math.floor((at * KEYS) / 20_000));
  const budget = new WorkBudget();
  expect(engine.selectAll(drawn, budget, () => undefined)).toBe(drawn.length);
  // The caller pays one for each.
  expect(budget.visitsSpent + drawn.length).toBeLessThanOrEqual(KEYS / fixed.censusStepsPerVisit + 100);
  expect(budget.visitsSpent + drawn.length).toBeGreaterThan((0.8 * KEYS) / fixed.censusStepsPerVisit);
  const each = Float64Array.from({ length: KEYS }, (_, at) => at);
  const whole = new WorkBudget();
  engine.selectAll(each, whole, () => undefined);
  expect(whole.visitsSpent).toBeLessThan(100);
});

test('many ranks take each bucket once', () => {
  const engine = filled();
  const keys = Array.from({ length: 20_000 }, (_, at) => keyOf(Math.floor((at * KEYS) / 20_000)));
  const budget = new WorkBudget();
  const ranks: number[] = [];
  expect(engine.rankAll(keys, budget, (rank) => ranks.push(rank))).toBe(keys.length);
  expect(ranks[19_999]).toBe(Math.floor((19_999 * KEYS) / 20_000));
  expect(budget.visitsSpent + keys.length).toBeLessThanOrEqual(KEYS / fixed.censusStepsPerVisit + 100);
});

test('places and ranks end with the bucket in which the budget is spent', () => {
  const engine = filled();
  const far = Float64Array.from({ length: 1000 }, (_, at) => at * 130 + 129);
  const budget = new WorkBudget(1000);
  const found = engine.selectAll(far, budget, () => undefined);
  expect(found).toBeGreaterThan(10);
  expect(found).toBeLessThan(far.length);
  expect(budget.visitsSpent).toBeLessThan(1000 + BUCKET_VISITS_MAX);
  const keys = [...far].map(keyOf);
  const other = new WorkBudget(1000);
  expect(engine.rankAll(keys, other, () => undefined)).toBeLessThan(keys.length);
  expect(other.visitsSpent).toBeLessThan(1000 + BUCKET_VISITS_MAX);
});

function filled(): LayeredEngine {
  const engine = new LayeredEngine(new MapBase(), { clock: new ManualClock(), hashSeed: [1, 2] });
  for (let index = 0; index < KEYS; index++)
    engine.apply(put(Buffer.from(keyOf(index)).toString('latin1'), index + 1));
  return engine;
}

function keyOf(index: number): Uint8Array {
  return Uint8Array.from(Buffer.from(`k${1_000_000 + index}`));
}

function visitsOf(engine: LayeredEngine, run: () => unknown): number {
  const before = engine.unpaidVisits;
  run();
  return engine.unpaidVisits - before;
}
