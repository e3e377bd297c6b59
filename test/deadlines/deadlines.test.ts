import { describe, expect, test } from 'vitest';
import { Deadlines, Timed } from '../../src/deadlines.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';

class Entry extends Timed {
  expiredAtMs: number | undefined;
  readonly #clock: ManualClock;
  readonly #onExpire: () => void;

  constructor(clock: ManualClock, onExpire = (): void => undefined) {
    super();
    this.#clock = clock;
    this.#onExpire = onExpire;
  }

  override expire(): void {
    this.expiredAtMs = this.#clock.monotonicMs();
    this.#onExpire();
  }
}

/** Counts the timers that are set. */
class CountingClock extends ManualClock {
  timerCount = 0;

  override setTimer(...parts: Parameters<ManualClock['setTimer']>): ReturnType<ManualClock['setTimer']> {
    this.timerCount++;
    return super.setTimer(...parts);
  }
}

/** A hundredth of how far away it was, and a few milliseconds. */
function lateBy(delayMs: number): number {
  return delayMs / 100 + 4;
}

describe('deadlines', () => {
  test('end never early, and late by no more than a hundredth, in any order of setting', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const random = new SeededRandom(1);
    const delays = [0, 1, 3, 9, 100, 512, 10_000, 60_000, 24 * 3_600_000, 24 * 24 * 3_600_000];
    const set = Array.from({ length: 300 }, () => {
      const entry = new Entry(clock);
      const delayMs = random.pick(delays) * (random.below(100) / 100);
      const atMs = clock.monotonicMs() + delayMs;
      deadlines.set(entry, delayMs);
      clock.advance(random.below(20));
      return { entry, delayMs, atMs };
    });

    clock.advance(25 * 24 * 3_600_000);

    for (const { entry, delayMs, atMs } of set) {
      expect(entry.expiredAtMs).toBeGreaterThanOrEqual(atMs);
      expect(entry.expiredAtMs).toBeLessThanOrEqual(atMs + lateBy(delayMs));
    }
  });

  test('that are over before never end, whatever else is in their list', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const entries = Array.from({ length: 9 }, () => new Entry(clock));
    for (const entry of entries) deadlines.set(entry, 1000);

    for (const index of [0, 4, 8, 4]) deadlines.cancel(entries[index] as Entry);
    clock.advance(2000);

    const isOver = entries.map(({ expiredAtMs }) => expiredAtMs !== undefined);
    expect(isOver).toEqual([false, true, true, true, false, true, true, true, false]);
  });

  test('that are set anew end by the new time alone', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const entry = new Entry(clock);
    deadlines.set(entry, 100);
    clock.advance(50);

    deadlines.set(entry, 100);
    clock.advance(90);
    expect(entry.expiredAtMs).toBeUndefined();
    clock.advance(20);

    expect(entry.expiredAtMs).toBeDefined();
  });

  test('may be set and taken back by one that ends', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const neighbour = new Entry(clock);
    const later = new Entry(clock);
    const first = new Entry(clock, () => {
      deadlines.cancel(neighbour);
      deadlines.set(later, 10);
    });
    // The last that is set ends first.
    deadlines.set(neighbour, 100);
    deadlines.set(first, 100);

    clock.advance(200);

    expect([first, neighbour, later].map(({ expiredAtMs }) => expiredAtMs !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('an earlier one does not wait for the timer of a later one, nor a later one for ever', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const [later, earlier] = [new Entry(clock), new Entry(clock)];
    deadlines.set(later, 10_000);
    deadlines.set(earlier, 10);

    clock.advance(20);
    expect([earlier.expiredAtMs !== undefined, later.expiredAtMs]).toEqual([true, undefined]);
    clock.advance(10_100);

    expect(later.expiredAtMs).toBeDefined();
  });

  test('a list that was emptied takes entries again, and they end', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const [over, other, entry] = [new Entry(clock), new Entry(clock), new Entry(clock)];
    deadlines.set(over, 1000);
    deadlines.cancel(over);
    deadlines.set(other, 10);
    clock.advance(50);
    deadlines.set(entry, 950);

    clock.advance(1100);

    expect(entry.expiredAtMs).toBeDefined();
  });

  test('a million calls that end at once set a timer now and then, and leave nothing behind', () => {
    const clock = new CountingClock();
    const deadlines = new Deadlines(clock);
    const entry = new Entry(clock);
    for (let count = 0; count < 1_000_000; count++) {
      deadlines.set(entry, 10_000);
      deadlines.cancel(entry);
      if (count % 1000 === 0) clock.advance(1);
    }

    // A thousandth of a second for each thousand calls: 1 s in all, at a list for each 64 ms.
    expect(clock.timerCount).toBeLessThan(20);
    expect(deadlines.listCount).toBeLessThanOrEqual(1);
  });
});
