/** Pieces of work that share what one turn of the event loop has time for. */
import { expect, test } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import { TurnWork } from '../../../src/server/json/turn-work.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('go on until the time of a turn is over, then in the next turns, in their order', async () => {
  const clock = new ManualClock();
  const work = new TurnWork(clock);
  const done: number[] = [];
  const takes = fixed.timeSliceMs / 2;
  const all = Array.from({ length: 7 }, (_, index) =>
    work.run(() => {
      clock.advance(takes);
      done.push(index);
      return index;
    }),
  );

  const counts = [done.length];
  while (done.length < all.length) {
    await nextTurn();
    counts.push(done.length);
  }

  expect(counts.slice(0, 4)).toEqual([2, 4, 6, 7]);
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(done).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('a piece that comes while others wait goes behind them', async () => {
  const clock = new ManualClock();
  const work = new TurnWork(clock);
  const done: string[] = [];
  const add = (name: string, ms: number): Promise<number> =>
    work.run(() => {
      clock.advance(ms);
      return done.push(name);
    });

  void add('long', 10 * fixed.timeSliceMs);
  void add('next', 10 * fixed.timeSliceMs);
  const last = add('last', 0);
  expect(done).toEqual(['long']);
  await last;

  expect(done).toEqual(['long', 'next', 'last']);
});

test('a piece that fails, or what it has begun, fails alone', async () => {
  const work = new TurnWork(new ManualClock());
  const refuse = (): never => {
    throw new Error('no');
  };

  await expect(work.run(refuse)).rejects.toThrow('no');
  await expect(work.run(() => Promise.reject(new Error('later')))).rejects.toThrow('later');
  expect(await work.run(() => Promise.resolve(7))).toBe(7);
});
