/** What ranks, counts, places and pops of a large set cost, in visits: no more behind many deletions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import type { View } from '../../../src/store/views/view.ts';
import { SortedSetEdit } from '../../../src/types/sorted-set/sorted-set-edit.ts';
import { SortedSet } from '../../../src/types/sorted-set/sorted-set.ts';
import { Span } from '../../../src/types/sorted-set/span.ts';
import { hiddenVisitsOfEngine } from '../../support/test-engine.ts';
import { bytesOf, SeamHarness, textOf } from '../../store/seam/seam-harness.ts';

const KEY = bytesOf('set');
const MEMBERS = 60_000;
const POPPED = 15_000;
const PIECE = 5000;
const HIDDEN = hiddenVisitsOfEngine();

let harness: SeamHarness;

beforeAll(async () => {
  harness = await SeamHarness.openShared();
  for (let from = 0; from < MEMBERS; from += PIECE) {
    await harness.decide((view) => {
      const edit = new SortedSetEdit(view, KEY);
      for (let index = from; index < from + PIECE; index++) edit.set(bytesOf(`m${index}`), index);
      edit.finish();
    });
  }
  for (let from = 0; from < POPPED; from += PIECE) {
    await harness.decide((view) => {
      const edit = new SortedSetEdit(view, KEY);
      edit.popEnd(false, PIECE, () => undefined);
      edit.finish();
    });
  }
}, 120_000);

afterAll(() => harness.close());

/** The visits that something takes. */
function visitsOf(run: (view: View) => void): number {
  return harness.store.decide((view) => {
    const before = view.budget.visitsLeft;
    run(view);
    return before - view.budget.visitsLeft;
  }).result;
}

describe('behind 15,000 members that were popped', () => {
  it('a pop looks at a few keys', () => {
    for (const isHighest of [false, true]) {
      const visits = visitsOf((view) => {
        const edit = new SortedSetEdit(view, KEY);
        edit.popEnd(isHighest, 1, () => undefined);
        edit.finish();
      });
      expect(visits).toBeLessThan(12 + HIDDEN);
    }
  });

  it('so do a rank, a count and a part by index', () => {
    const visits = visitsOf((view) => {
      const set = SortedSet.read(view, KEY);
      expect(set?.rank(view, bytesOf('m50000'))).toBe(50_000 - POPPED - 1);
      const scores = { min: 40_000, max: 55_000, isMinExcluded: false, isMaxExcluded: true };
      expect(set?.countScores(view, scores)).toBe(15_000);
      const span = set && Span.of(view, set, { by: 'index', start: 10_000, stop: 10_004 }, true);
      const found: number[] = [];
      span?.step(view, 10, (_, score) => found.push(score));
      expect(found).toEqual([49_998, 49_997, 49_996, 49_995, 49_994]);
    });
    expect(visits).toBeLessThan(30 + HIDDEN);
  });

  it('keys elsewhere that are past their deadline are not looked at', async () => {
    const own = await SeamHarness.open();
    await own.decide((view) => {
      const edit = new SortedSetEdit(view, KEY);
      for (let index = 0; index < 100; index++) edit.set(bytesOf(`m${index}`), index);
      edit.finish();
      for (let index = 0; index <= fixed.overdueCountedMax; index++)
        view.put(bytesOf(`overdue${index}`), bytesOf(''), { ttlMs: 1000 });
    });
    own.clock.jump(2000);
    own.store.decide((view) => {
      const before = view.budget.visitsLeft;
      const set = SortedSet.read(view, KEY);
      expect(set?.rank(view, bytesOf('m70'))).toBe(70);
      const edit = new SortedSetEdit(view, KEY);
      edit.remove(bytesOf('m20'));
      edit.finish();
      expect(set?.rank(view, bytesOf('m70'))).toBe(69);
      const scores = { min: 10, max: 30, isMinExcluded: false, isMaxExcluded: false };
      expect(set?.countScores(view, scores)).toBe(20);
      const span = set && Span.of(view, set, { by: 'index', start: 90, stop: 90 }, false);
      span?.step(view, 1, (member) => expect(textOf(member)).toBe('m91'));
      expect(before - view.budget.visitsLeft).toBeLessThan(30 + HIDDEN);
    });
  });

  it('a member that gets another score takes as few', () => {
    const visits = visitsOf((view) => {
      const edit = new SortedSetEdit(view, KEY);
      edit.set(bytesOf('m50000'), 1);
      edit.finish();
    });
    expect(visits).toBeLessThan(12 + HIDDEN);
  });

  it('more than a transaction may do is refused before anything has changed', () => {
    const countNow = (): number | undefined =>
      harness.store.decide((view) => SortedSet.read(view, KEY)?.count).result;
    const before = countNow();
    expect(() =>
      harness.store.decide((view) => {
        const edit = new SortedSetEdit(view, KEY);
        edit.popEnd(false, edit.count - 1, () => undefined);
        edit.finish();
      }),
    ).toThrow(/looks at more than/);
    expect(countNow()).toBe(before);
  });
});
