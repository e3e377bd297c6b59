/** Sorted sets against a model, packed and spread, with the states that they had before. */
import { describe, expect, it } from 'vitest';
import { SortedSetEdit } from '../../../src/types/sorted-set/sorted-set-edit.ts';
import { SortedSet } from '../../../src/types/sorted-set/sorted-set.ts';
import { removeSpan, storeSpan } from '../../../src/types/sorted-set/span-changes.ts';
import { Span } from '../../../src/types/sorted-set/span.ts';
import { SeededRandom } from '../../support/random.ts';
import { bytesOf, SeamHarness, textOf } from '../../store/seam/seam-harness.ts';
import { checkNewest, drawSelection, type Element, readAll, SortedSetModel } from './sorted-set-model.ts';

const KEY = bytesOf('set');
const COPY = bytesOf('copy');
const STEPS = 1500;
const SCORES = [-Infinity, -1e300, -2.5, -1, 0, 0.1, 1, 1.5, 7, 2 ** 53, 1e300, Infinity];

describe('a sorted set', () => {
  for (const [memberCount, seed] of [
    [8, 1],
    [60, 2],
    [150, 3],
  ] as const) {
    it(`has what a model has, with ${memberCount} members and seed ${seed}`, async () => {
      const harness = await SeamHarness.open({ seed });
      const random = new SeededRandom(seed);
      const model = new SortedSetModel();
      const past: { revision: number; elements: Element[] }[] = [];
      const drawMember = (): string => `m${random.below(memberCount)}`;
      const drawScore = (): number => (random.chance(0.5) ? random.pick(SCORES) : random.between(-5, 5));
      for (let step = 0; step < STEPS; step++) {
        const selection = drawSelection(random, drawScore, drawMember);
        const isReversed = random.chance(0.5);
        harness.store.decide((view) => {
          const kind = random.below(20);
          if (kind < 12) {
            const edit = new SortedSetEdit(view, KEY);
            for (let left = random.between(1, 3); left > 0; left--) {
              const member = drawMember();
              const score = drawScore();
              edit.set(bytesOf(member), score);
              model.scores.set(member, score);
            }
            edit.finish();
          } else if (kind < 16) {
            const edit = new SortedSetEdit(view, KEY);
            const member = drawMember();
            expect(edit.remove(bytesOf(member))).toBe(model.scores.delete(member));
            edit.finish();
          } else if (kind < 18) {
            const edit = new SortedSetEdit(view, KEY);
            const count = random.between(0, 4);
            const popped: Element[] = [];
            edit.popEnd(isReversed, count, (member, score) => popped.push([textOf(member), score]));
            edit.finish();
            const expected = model.select({ by: 'index', start: 0, stop: count - 1 }, isReversed);
            expect(popped).toEqual(count === 0 ? [] : expected);
            for (const [member] of popped) model.scores.delete(member);
          } else if (kind === 18) {
            const expected = model.select(selection, false);
            const isEmptied = expected.length > 0 && expected.length === model.scores.size;
            if (expected.length > memberCount / 2 && random.chance(0.8)) return;
            expect(removeSpan(view, KEY, selection)).toEqual({ count: expected.length, isEmptied });
            for (const [member] of expected) model.scores.delete(member);
          } else {
            const set = SortedSet.read(view, KEY);
            const expected = model.select(selection, isReversed);
            storeSpan(view, COPY, set && Span.of(view, set, selection, isReversed));
            const stored = new SortedSetModel();
            for (const [member, score] of expected) stored.scores.set(member, score);
            expect(readAll(view, COPY, 10)).toEqual(stored.elements);
          }
          // What the transaction itself has written is there already.
          if (random.chance(0.3)) checkNewest(view, KEY, model, selection, drawMember(), isReversed, 7);
        });
        harness.store.decide((view) =>
          checkNewest(view, KEY, model, selection, drawMember(), isReversed, random.between(1, 40)),
        );
        if (step % 50 === 0) {
          const revision = harness.store.decide((view) => view.revision).result;
          past.push({ revision, elements: model.elements });
        }
      }
      await harness.durable();
      for (const { revision, elements } of past) {
        harness.store.readAt({ revision, instantMs: 0 }, (view) => {
          expect(readAll(view, KEY, random.between(1, 40))).toEqual(elements);
          for (const [member, score] of elements.slice(0, 5))
            expect(SortedSet.read(view, KEY)?.score(view, bytesOf(member))).toBe(score);
        });
      }
    });
  }

  it('keeps -0 apart from 0 in what it tells, not in its order, once it is spread', async () => {
    const harness = await SeamHarness.open();
    const long = 'x'.repeat(600);
    await harness.decide((view) => {
      const edit = new SortedSetEdit(view, KEY);
      edit.set(bytesOf(long), 0);
      edit.set(bytesOf('a'), -0);
      edit.set(bytesOf('b'), 0);
      edit.finish();
    });
    harness.store.readVisible((view) => {
      expect(readAll(view, KEY, 1)).toEqual([
        ['a', -0],
        ['b', 0],
        [long, 0],
      ]);
      expect(SortedSet.read(view, KEY)?.score(view, bytesOf('a'))).toBe(-0);
    });
  });

  it('takes members of up to 4096 bytes', async () => {
    const harness = await SeamHarness.open();
    const longest = 'x'.repeat(4096);
    await harness.decide((view) => {
      const edit = new SortedSetEdit(view, KEY);
      edit.set(bytesOf(longest), 1);
      expect(() => edit.set(bytesOf(`${longest}x`), 1)).toThrow(/4097 bytes long/);
      expect(edit.remove(bytesOf(`${longest}x`))).toBe(false);
      edit.finish();
    });
    harness.store.readVisible((view) => expect(readAll(view, KEY, 9)).toEqual([[longest, 1]]));
  });
});
