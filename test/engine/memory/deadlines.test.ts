/** The index of deadlines by itself, beside a sorted list. */
import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../../src/engine/memory/deadlines.ts';
import { Slabs } from '../../../src/engine/memory/slabs.ts';
import { SeededRandom } from '../../support/random.ts';
import { addBlock, fixedSlabs } from './blocks.ts';
import { checkOrder } from './check-order.ts';

const TIMES = [1, 2, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53 - 1];

describe('the index of deadlines', () => {
  it('has them in the order of time, then of key, whatever their bytes', () => {
    const random = new SeededRandom(1);
    const slabs = fixedSlabs();
    const deadlines = new Deadlines(slabs, () => 0);
    const keys = Array.from(
      { length: 800 },
      (_, number) => `k${'\0'.repeat(number % 5)}${Math.floor(number / 5)}`,
    );
    const references = new Map(keys.map((key) => [key, addBlock(slabs, key)]));
    const times = new Map<string, number>();
    for (const dropShare of [0.1, 0.5, 0.95]) {
      for (let round = 0; round < 2500; round++) {
        const key = random.pick(keys);
        const reference = references.get(key)!;
        const before = times.get(key) ?? 0;
        const after = random.chance(dropShare) ? 0 : random.pick(TIMES);
        if (before === after) continue;
        const [words, at] = [slabs.wordsAt(reference), Slabs.wordOf(reference)];
        deadlines.change(words, at, before, after);
        if (after === 0) times.delete(key);
        else times.set(key, after);
        expect(deadlines.count).toBe(times.size);
        if (round % 50 === 0) {
          const sumMs = [...times.values()].reduce((sum, ms) => sum + BigInt(ms), 0n);
          expect(deadlines.sums(0)).toEqual({ count: times.size, sumMs });
        }
        if (round % 250 !== 0) continue;
        checkOrder(deadlines.index);
        const waiting = [...times].sort(([a, aMs], [b, bMs]) => aMs - bMs || (a < b ? -1 : 1));
        expect(deadlines.next()).toBe(waiting[0]?.[1]);
        for (const nowMs of TIMES) {
          const due = waiting.filter(([, ms]) => ms <= nowMs).map(([each]) => each);
          for (const limit of [0, 1, 100, 1000]) {
            const seen = deadlines.due(nowMs, limit).map((each) => Buffer.from(each).toString('latin1'));
            expect(seen).toEqual(due.slice(0, limit));
          }
        }
      }
    }
    for (const [key, ms] of times)
      deadlines.change(slabs.wordsAt(references.get(key)!), Slabs.wordOf(references.get(key)!), ms, 0);
    expect(deadlines.next()).toBeUndefined();
    expect(deadlines.due(2 ** 53, 9)).toEqual([]);
    while (deadlines.index.nodes.giveBack(true));
    expect(deadlines.index.nodes.memoryBytes).toBeLessThan(20_000);
    checkOrder(deadlines.index);
  });

  it('has keys in order after all that were there before were of one time, and have gone', () => {
    const slabs = fixedSlabs();
    const deadlines = new Deadlines(slabs, () => 0);
    const change = (reference: number, fromMs: number, toMs: number): void =>
      deadlines.change(slabs.wordsAt(reference), Slabs.wordOf(reference), fromMs, toMs);
    // More than a leaf holds, so that leaves leave out the time and what else all have in common.
    const alike = Array.from({ length: 200 }, (_, number) => addBlock(slabs, `all sessions ${number}`));
    // The first is short, and all others begin with it: what they have in common is not looked at anew.
    const texts = ['a', 'abcd0000000000000000001', 'abca0000000000000000009', 'abcz', 'abcda'];
    const others = texts.map((text) => addBlock(slabs, text));
    for (const ms of TIMES) {
      for (const reference of others) change(reference, 0, ms);
      const seen = deadlines.due(ms, 100).map((key) => Buffer.from(key).toString('latin1'));
      expect(seen).toEqual(texts.toSorted());
      checkOrder(deadlines.index);
      for (const reference of others) change(reference, ms, 0);
      for (const reference of alike) change(reference, 0, ms);
      checkOrder(deadlines.index);
      for (const reference of alike) change(reference, ms, 0);
      expect(deadlines.count).toBe(0);
    }
  });
});
