/** A range with more keys than a transaction may delete is refused by its count: no key of it is looked at. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { fixed } from '../../../src/limits.ts';
import type { View } from '../../../src/store/views/view.ts';
import { ALL, bytesOf, SeamHarness } from './seam-harness.ts';

const MAX = fixed.txnChangesMax;
const FILL = 10_000;
/** The last of them are past their deadline. */
const OVERDUE = 20;

class CountingEngine extends MemoryEngine {
  scans = 0;

  override scan(...given: Parameters<MemoryEngine['scan']>): Uint8Array | undefined {
    this.scans++;
    return super.scan(...given);
  }
}

let engine: CountingEngine;
let harness: SeamHarness;

beforeAll(async () => {
  harness = await SeamHarness.openShared({ makeEngine: () => (engine = new CountingEngine()) });
  for (let from = 0; from < MAX; from += FILL) {
    await harness.decide((view) => {
      for (let index = from; index < from + FILL; index++) view.put(keyOf(index), bytesOf(''));
    });
  }
  await harness.decide((view) => {
    for (let index = MAX; index < MAX + OVERDUE; index++) view.put(keyOf(index), bytesOf(''), { ttlMs: 1 });
  });
}, 120_000);

afterAll(() => harness.close());

it('with none past its deadline, and says how many there are', () => {
  const { visits, message } = refusalOf((view) => view.deleteRange(ALL));
  expect(message).toBe(
    `the range has ${MAX + OVERDUE} keys, and a transaction changes at most ${MAX}: give smaller ranges`,
  );
  expect(visits).toBe(1);
});

it('with changes of the transaction itself in the range', () => {
  const { visits } = refusalOf((view) => {
    for (let index = 0; index < 10; index++) view.delete(keyOf(index));
    view.deleteRange(ALL);
  });
  expect(visits).toBe(11);
});

it('with some past their deadline, which do not count', () => {
  harness.clock.jump(1);
  const { visits, message } = refusalOf((view) => {
    view.put(bytesOf('one more'), bytesOf(''));
    view.deleteRange(ALL);
  });
  expect(message).toMatch(/the transaction changes more than/);
  expect(visits).toBeGreaterThan(MAX);

  // All that are left without those can be deleted.
  expect(() =>
    harness.store.decide((view) => {
      expect(view.deleteRange(ALL)).toEqual({ count: MAX, nextKey: undefined });
      throw undo;
    }),
  ).toThrow(undo);
});

it('with too many beside those past their deadline, which may lie elsewhere', async () => {
  await harness.decide((view) => view.put(keyOf(MAX), bytesOf('')));
  const { visits, message } = refusalOf((view) => view.deleteRange(ALL));
  expect(message).toMatch(`the range has at least ${MAX + 1} keys`);
  expect(visits).toBe(1 + OVERDUE - 1);
});

it('in parts is not refused', () => {
  expect(() =>
    harness.store.decide((view) => {
      const limits = { keysMax: 10, bytesMax: Infinity };
      expect(view.deleteRange(ALL, limits).count).toBe(10);
      throw undo;
    }),
  ).toThrow(undo);
});

/** Nothing of these is committed, so that the tests have the same store. */
const undo = new Error('nothing of this is to stay');

interface Refusal {
  readonly message: string;
  readonly visits: number;
}

function refusalOf(run: (view: View) => void): Refusal {
  let visits = 0;
  const scansBefore = engine.scans;
  try {
    harness.store.decide((view) => {
      const before = view.budget.visitsLeft;
      try {
        run(view);
      } finally {
        visits = before - view.budget.visitsLeft;
      }
    });
  } catch (error) {
    expect(error).toMatchObject({ code: 'limitReached' });
    if (visits < FILL) expect(engine.scans).toBe(scansBefore);
    return { message: (error as Error).message, visits };
  }
  throw new Error('it was not refused');
}

function keyOf(index: number): Uint8Array {
  return bytesOf(`key ${String(index).padStart(8, '0')}`);
}
