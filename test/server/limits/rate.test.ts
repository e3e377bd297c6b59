/** What a user may do in a second: token buckets by a clock that the test moves. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetryLaterError } from '../../../src/errors.ts';
import { serverFixed } from '../../../src/limits.ts';
import { RateLimits } from '../../../src/server/limits/rate-limits.ts';
import { Rate, noRateCounts } from '../../../src/server/limits/rate.ts';
import { TokenBucket } from '../../../src/server/limits/token-bucket.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const never = new AbortController().signal;

function rateOf(operationsPerSecondMax: number, bytesPerSecondMax = 0) {
  const clock = new ManualClock();
  const counts = noRateCounts();
  return { clock, counts, rate: new Rate({ operationsPerSecondMax, bytesPerSecondMax }, clock, counts) };
}

/** When a call that is refused may be made again; 0: it began. */
function delayOf(rate: Rate, operations = 1): number {
  try {
    rate.begin(operations);
    return 0;
  } catch (error) {
    if (!(error instanceof RetryLaterError)) throw error;
    return error.retryAfterMs;
  }
}

describe('operations', () => {
  test('of one second may begin at once, and then as many as the pace allows', () => {
    const { rate, clock, counts } = rateOf(10);
    expect(Array.from({ length: 12 }, () => delayOf(rate))).toEqual([...Array(10).fill(0), 100, 100]);
    clock.advance(99);
    expect(delayOf(rate)).toBe(1);
    clock.advance(1);
    expect([delayOf(rate), delayOf(rate)]).toEqual([0, 100]);
    expect(counts.operationsPerSecondMax.refusedCount).toBe(4);
  });

  test('that are more than there are make a debt, which is paid before the next', () => {
    const { rate, clock } = rateOf(10);
    expect([delayOf(rate, 50), delayOf(rate)]).toEqual([0, 4100]);
    clock.advance(4100);
    expect(delayOf(rate)).toBe(0);
  });

  test('that are far more than there are hold up the next for a bounded time', () => {
    const { rate, clock } = rateOf(10);
    rate.begin(1_000_000);
    rate.addOperations(1_000_000);
    const longestMs = serverFixed.rateDebtMsMax + 100;
    expect(delayOf(rate)).toBe(longestMs);
    clock.advance(longestMs);
    expect([delayOf(rate), delayOf(rate)]).toEqual([0, 100]);
  });

  test('that are counted alone are never refused, and make no debt', () => {
    const { rate } = rateOf(10);
    rate.countOperations(1000);
    rate.countOperations(1000);
    expect(delayOf(rate)).toBe(100);
  });

  test('are refused by a text that names the limit and the time', () => {
    const { rate } = rateOf(1);
    rate.begin(1);
    expect(() => rate.begin(1)).toThrow(
      'a user may have 1 operations in a second (operations-per-second-max), a connection without one too: try again in 1000 ms',
    );
  });

  test('over any time are no more than the pace allows, the burst and one more', () => {
    const calls = fc.array(fc.record({ waitMs: fc.nat(500), operations: fc.integer({ min: 1, max: 30 }) }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), calls, (perSecond, steps) => {
        const { rate, clock } = rateOf(perSecond);
        let done = 0;
        let last = 0;
        const debtMax = (perSecond * serverFixed.rateDebtMsMax) / 1000;
        for (const step of steps) {
          clock.advance(step.waitMs);
          const operations = Math.min(step.operations, debtMax);
          const delayMs = delayOf(rate, operations);
          if (delayMs === 0) done += last = operations;
          const allowed = perSecond * (1 + clock.monotonicMs() / 1000);
          if (done - last > allowed + 1e-6) return false;
          if (delayMs === 0) continue;
          // What it is told is true.
          clock.advance(delayMs);
          if (delayOf(rate, operations) !== 0) return false;
          done += last = operations;
        }
        return true;
      }),
    );
  });
});

describe('bytes', () => {
  test('that were more than there are hold up what comes next, by the limit that they name', () => {
    const { rate, clock, counts } = rateOf(0, 1000);
    rate.begin(1);
    rate.countBytes(5999);
    expect(() => rate.begin(1)).toThrow(/1000 bytes of requests and replies .* \(bytes-per-second-max\)/);
    expect(delayOf(rate)).toBe(5000);
    clock.advance(5000);
    expect(delayOf(rate)).toBe(0);
    expect(counts.bytesPerSecondMax.refusedCount).toBe(2);
  });
});

describe('what waits in place of being refused', () => {
  test('begins at once while nothing holds it up', () => {
    const { rate } = rateOf(10);
    expect(rate.beginWhenFree(10, never)).toBeUndefined();
    expect(delayOf(rate)).toBe(100);
  });

  test('begins in its order, each when the one before is paid for', async () => {
    const { rate, clock, counts } = rateOf(10);
    const begun: string[] = [];
    const begin = async (name: string, operations: number): Promise<void> => {
      await rate.beginWhenFree(operations, never);
      begun.push(name);
    };
    const all = [begin('a', 30), begin('b', 10), begin('c', 1)];
    await clock.settled();
    expect(begun).toEqual(['a']);
    await clock.pass(2099);
    expect(begun).toEqual(['a']);
    await clock.pass(1);
    expect(begun).toEqual(['a', 'b']);
    await clock.pass(1000);
    await Promise.all(all);
    expect([begun, counts.operationsPerSecondMax.waitedCount]).toEqual([['a', 'b', 'c'], 2]);
  });

  /** One behind the other, each as soon as it may. @returns how many have begun. */
  function batchesWithoutEnd(rate: Rate, operations: number): { count: number } {
    const begun = { count: 0 };
    const goOn = async (): Promise<void> => {
      for (;;) {
        await rate.beginWhenFree(operations, never);
        begun.count++;
      }
    };
    // Two, so that there is always one that waits.
    for (let index = 0; index < 2; index++) void goOn();
    return begun;
  }

  test('leaves time to calls that were refused, which come when they were told to', async () => {
    const { rate, clock } = rateOf(10);
    batchesWithoutEnd(rate, 30);
    await clock.settled();
    for (let round = 0; round < 10; round++) {
      const delayMs = delayOf(rate);
      expect(delayMs).toBeGreaterThan(0);
      // A client that backs off comes a little later.
      await clock.pass(delayMs + 100);
      expect(delayOf(rate)).toBe(0);
      await clock.pass(1000);
    }
  });

  test('has its turn among calls without end', async () => {
    const { rate, clock } = rateOf(10);
    rate.begin(10);
    const begun = batchesWithoutEnd(rate, 1);
    let calls = 0;
    for (let step = 0; step < 10_000; step++) {
      if (delayOf(rate) === 0) calls++;
      await clock.pass(1);
    }
    // Together what the pace allows.
    expect(calls + begun.count).toBeGreaterThanOrEqual(95);
    expect(calls + begun.count).toBeLessThanOrEqual(101);
    expect(Math.min(calls, begun.count)).toBeGreaterThan(10);
  });

  test('is let go when its signal is aborted, and leaves no timer', async () => {
    const { rate, clock } = rateOf(10);
    rate.begin(20);
    const controller = new AbortController();
    const waiting = rate.beginWhenFree(5, controller.signal);
    controller.abort();
    expect(await waiting).toBe(false);
    expect(await rate.beginWhenFree(5, controller.signal)).toBe(false);
    // It has taken nothing.
    clock.advance(1100);
    expect([delayOf(rate), delayOf(rate), rate.isIdle]).toEqual([0, 100, false]);
    clock.advance(1000);
    expect(rate.isIdle).toBe(true);
  });
});

describe('rates', () => {
  const maxima = { operationsPerSecondMax: 1, bytesPerSecondMax: 0 };

  test('are one for each user whatever its connection, and one for each connection without a user', () => {
    const rates = new RateLimits(maxima, new ManualClock());
    const [one, two] = [{}, {}];
    expect(rates.of('ann', one)).toBe(rates.of('ann', two));
    expect(rates.of('', one)).toBe(rates.of('', one));
    expect(
      new Set([rates.of('ann', one), rates.of('bob', one), rates.of('', one), rates.of('', two)]).size,
    ).toBe(4);
  });

  test('of users that did nothing of late are dropped, those in debt are not', () => {
    const clock = new ManualClock();
    const rates = new RateLimits(maxima, clock);
    const connection = {};
    rates.of('debtor', connection).begin(1_000_000);
    for (let user = 0; user < 3 * serverFixed.idleRatesMax; user++) {
      rates.of(`user ${user}`, connection).begin(1);
      clock.advance(1);
    }
    expect(rates.userCount).toBeLessThan(2 * serverFixed.idleRatesMax + 1);
    clock.advance(1000);
    for (let user = 0; user < 3 * serverFixed.idleRatesMax; user++) rates.of(`late ${user}`, connection);
    expect(rates.userCount).toBeLessThanOrEqual(serverFixed.idleRatesMax + 1);
    expect(delayOf(rates.of('debtor', connection))).toBeGreaterThan(0);
  });

  test('are on when there is a limit of either', () => {
    const isOn = (operationsPerSecondMax: number, bytesPerSecondMax: number): boolean =>
      new RateLimits({ operationsPerSecondMax, bytesPerSecondMax }, new ManualClock()).isOn;
    expect([isOn(0, 0), isOn(1, 0), isOn(0, 1)]).toEqual([false, true, true]);
  });
});

test('a bucket that is left alone for long holds what comes in a second', () => {
  const bucket = new TokenBucket(5, 0);
  bucket.spend(5, 1_000_000);
  expect([bucket.delayMs(1_000_000), bucket.isFull(1_000_999), bucket.isFull(1_001_000)]).toEqual([
    200,
    false,
    true,
  ]);
});
