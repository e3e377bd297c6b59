/** What keys begin with that are read and written most: sampled, bounded, and gone when it is old. */
import { describe, expect, test } from 'vitest';
import { serverFixed } from '../../../src/limits.ts';
import { Busiest } from '../../../src/server/metrics/activity/busiest.ts';
import { type PrefixCounts, PrefixActivity } from '../../../src/server/metrics/activity/prefix-activity.ts';
import { encodeKey } from '../../../src/store/views/keys.ts';
import { SeededRandom } from '../../support/random.ts';

describe('the busiest of very many', () => {
  test('none is missing that is more than its part of all, and no count is too low', () => {
    const busiest = new Busiest(10);
    for (let round = 0; round < 1000; round++) {
      busiest.add('often', 2);
      busiest.add('sometimes', 1);
      for (let one = 0; one < 4; one++) busiest.add(`once ${round} ${one}`, 1);
    }
    const { counts } = busiest;
    expect(counts.size).toBe(10);
    expect(counts.get('often')).toBeGreaterThanOrEqual(2000);
    expect(counts.get('sometimes')).toBeGreaterThanOrEqual(1000);
    // Of 7000 in all, none is counted too high by more than a tenth.
    expect(counts.get('often')).toBeLessThanOrEqual(2700);
  });
});

class Activity {
  nowMs = 5000;
  readonly activity = new PrefixActivity(new SeededRandom(7), () => this.nowMs);

  read(key: string | Uint8Array, count: number): void {
    const engineKey = encodeKey(key);
    for (let left = count; left > 0; left--) this.activity.keyRead(engineKey);
  }

  write(key: string | Uint8Array, count: number): void {
    const engineKey = encodeKey(key);
    for (let left = count; left > 0; left--) this.activity.keyWritten(engineKey);
  }

  get prefixes(): readonly PrefixCounts[] {
    return this.activity.recent().prefixes;
  }

  get names(): string[] {
    return this.prefixes.map(({ prefix }) => prefix);
  }
}

const MANY = 100_000;

test('reads and writes are counted apart, to a few hundredths, the busiest first', () => {
  const counted = new Activity();
  for (let round = 0; round < 1000; round++) {
    counted.read('user:1', 60);
    counted.write('order/7', 30);
    counted.read('order/7', 10);
  }
  const [first, second, ...rest] = counted.prefixes;
  expect([first?.prefix, second?.prefix, rest]).toEqual(['user:', 'order/', []]);
  expect(first?.writeCount).toBe(0);
  for (const [counts, expected] of [
    [first?.readCount, 60_000],
    [second?.writeCount, 30_000],
    [second?.readCount, 10_000],
  ] as const) {
    expect((counts ?? 0) / expected).toBeGreaterThan(0.9);
    expect((counts ?? 0) / expected).toBeLessThan(1.1);
  }
});

test('keys that come in a pattern are counted as others are', () => {
  const counted = new Activity();
  const rounds = 20_000;
  for (let round = 0; round < rounds; round++) {
    counted.read('a:1', 1);
    counted.read('b:1', 31);
  }
  const share = (counted.prefixes.find(({ prefix }) => prefix === 'a:')?.readCount ?? 0) / rounds;
  expect(share).toBeGreaterThan(0.8);
  expect(share).toBeLessThan(1.2);
});

test('while little is done every operation is counted', () => {
  const counted = new Activity();
  counted.read('a:1', 700);
  counted.write('b:1', 3);
  expect(counted.prefixes).toEqual([
    { prefix: 'a:', readCount: 700, writeCount: 0 },
    { prefix: 'b:', readCount: 0, writeCount: 3 },
  ]);
  // After much was done, too, once it is over.
  counted.read('a:1', 10 * MANY);
  counted.nowMs += 2 * serverFixed.prefixWindowMs;
  counted.read('a:1', 10 * serverFixed.prefixSamplesMax);
  for (let window = 0; window < 10; window++) {
    counted.nowMs += serverFixed.prefixWindowMs;
    counted.read('c:1', 100);
  }
  expect(counted.prefixes).toEqual([{ prefix: 'c:', readCount: 200, writeCount: 0 }]);
});

test('a prefix ends at the first separator near the beginning; keys without one go together', () => {
  const counted = new Activity();
  const long = 'x'.repeat(serverFixed.prefixBytesMax);
  for (const [key, times] of [
    ['a/b:c', 5],
    ['a:b/c', 4],
    ['plain', 3],
    [`${long}/tail`, 1],
    [Uint8Array.of(0xff, 0x3a, 0x00), 2],
  ] as const) {
    counted.read(key, times * MANY);
  }
  expect(counted.names).toEqual(['a/', 'a:', '', '\u00ff:']);
});

test('what the store keeps for itself is not told', () => {
  const counted = new Activity();
  for (let left = MANY; left > 0; left--) counted.activity.keyRead(Uint8Array.of(0xf9, 0x3a));
  expect(counted.prefixes).toEqual([]);
});

test('counts are of the last one to two windows, and none are of longer ago', () => {
  const counted = new Activity();
  const { prefixWindowMs } = serverFixed;
  expect(counted.activity.recent()).toEqual({ windowMs: 0, prefixes: [] });
  counted.read('first:1', MANY);
  counted.nowMs += prefixWindowMs;
  counted.read('second:1', MANY);
  counted.nowMs += 1;
  expect(counted.names.toSorted()).toEqual(['first:', 'second:']);
  expect(counted.activity.recent().windowMs).toBe(prefixWindowMs + 1);
  counted.nowMs += prefixWindowMs;
  expect(counted.names).toEqual(['second:']);
  counted.nowMs += 2 * prefixWindowMs;
  expect(counted.names).toEqual([]);
});

test('any number of prefixes takes a table of fixed size', () => {
  const counted = new Activity();
  for (let one = 0; one < MANY; one++) counted.read(`p${one}:`, 40);
  expect(counted.prefixes.length).toBe(serverFixed.prefixesMax);
});
