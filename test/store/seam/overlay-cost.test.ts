/** Ranks and places in a draft cost O(log n + log m): counted in nodes of the overlay and calls of the engine, not in time. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineRange } from '../../../src/engine/engine.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { Draft } from '../../../src/store/views/draft.ts';
import { Overlay } from '../../../src/store/views/overlay.ts';
import type { View } from '../../../src/store/views/view.ts';
import { SeededRandom } from '../../support/random.ts';
import { ALL, bytesOf, SeamHarness } from './seam-harness.ts';

const KEYS = 100_000;
const CHANGES = 10_000;
/** No path of the overlay has more nodes, as its balance has it: log(10,000) / log(4/3). */
const PATH_MAX = Math.ceil(Math.log(CHANGES) / Math.log(4 / 3));
const QUESTIONS = 200;

/** Counts what is asked of the index; each of these calls is O(log n), which the engine's own tests hold it to. */
class CountingEngine extends MemoryEngine {
  calls = 0;

  override rank(range: EngineRange, key: Uint8Array): number {
    this.calls++;
    return super.rank(range, key);
  }

  override select(range: EngineRange, index: number): Uint8Array | undefined {
    this.calls++;
    return super.select(range, index);
  }

  override count(range: EngineRange): number {
    this.calls++;
    return super.count(range);
  }

  override scan(...given: Parameters<MemoryEngine['scan']>): Uint8Array | undefined {
    this.calls += KEYS;
    return super.scan(...given);
  }

  override due(nowMs: number, limit: number): Uint8Array[] {
    this.calls += KEYS;
    return super.due(nowMs, limit);
  }
}

let engine: CountingEngine;
let harness: SeamHarness;

beforeAll(async () => {
  harness = await SeamHarness.openShared({ makeEngine: () => (engine = new CountingEngine()) });
  for (let from = 0; from < KEYS; from += CHANGES) {
    await harness.decide((view) => {
      for (let index = from; index < from + CHANGES; index++) view.put(keyOf(2 * index), bytesOf(''));
    });
  }
}, 120_000);

afterAll(() => harness.close());

describe(`among ${KEYS} keys, with ${CHANGES} changes`, () => {
  const questions: [string, (view: View, random: SeededRandom) => unknown, number][] = [
    ['rank', (view, random) => view.rank(ALL, keyOf(random.below(2 * KEYS))), 3],
    ['rank in a range', (view, random) => view.rank(rangeOf(random), keyOf(random.below(2 * KEYS))), 3],
    ['count', (view, random) => view.count(rangeOf(random)), 3],
    ['select', (view, random) => view.select(ALL, random.below(KEYS / 2)), 3 + PATH_MAX],
    ['select in a range', (view, random) => view.select(rangeOf(random), random.below(100)), 3 + PATH_MAX],
  ];

  it.each(questions)('%s visits few nodes, and asks the engine little', (_, ask, callsMax) => {
    expect(() =>
      harness.store.decide((view) => {
        const visitsOf = overlayOf(view);
        const random = new SeededRandom(1);
        let calls = 0;
        for (let question = 0; question < QUESTIONS; question++) {
          const before = { visits: visitsOf(), calls: engine.calls };
          ask(view, random);
          expect(visitsOf() - before.visits).toBeLessThanOrEqual(3 * PATH_MAX);
          expect(engine.calls - before.calls).toBeLessThanOrEqual(callsMax);
          calls += engine.calls - before.calls;
        }
        // The engine is asked for the rank of a key of the overlay once: less the longer a transaction goes on.
        expect(calls / QUESTIONS).toBeLessThanOrEqual(14);
        throw undo;
      }),
    ).toThrow(undo);
  });

  it('a change costs as little once the overlay is there', () => {
    expect(() =>
      harness.store.decide((view) => {
        const visitsOf = overlayOf(view);
        const random = new SeededRandom(2);
        const savepoint = view.savepoint();
        for (let change = 0; change < QUESTIONS; change++) {
          const before = { visits: visitsOf(), calls: engine.calls };
          const key = keyOf(random.below(2 * KEYS));
          if (random.chance(0.5)) view.put(key, bytesOf(''));
          else view.delete(key);
          expect(visitsOf() - before.visits).toBeLessThanOrEqual(4 * PATH_MAX);
          expect(engine.calls).toBe(before.calls);
        }
        const before = visitsOf();
        view.rollBack(savepoint);
        expect(visitsOf() - before).toBeLessThanOrEqual(QUESTIONS * 4 * PATH_MAX);
        throw undo;
      }),
    ).toThrow(undo);
  });

  it('a scan goes straight to its place, and through all changes for none', () => {
    expect(() =>
      harness.store.decide((view) => {
        const visitsOf = overlayOf(view);
        view.put(keyOf(1), bytesOf(''));
        view.delete(keyOf(1));
        const before = visitsOf();
        const allChanges = vi.spyOn(Draft.prototype, 'changes', 'get');
        for (let question = 0; question < QUESTIONS; question++) {
          view.budget.begin(1);
          view.scan({ start: keyOf(2 * question), end: undefined }, false, () => false);
          view.budget.begin();
        }
        expect(visitsOf() - before).toBeLessThanOrEqual(QUESTIONS * 3 * PATH_MAX);
        expect(allChanges).not.toHaveBeenCalled();
        allChanges.mockRestore();
        throw undo;
      }),
    ).toThrow(undo);
  });
});

/** Nothing is committed, so that every test has the same store. */
const undo = new Error('nothing of this is to stay');

/** Changes keys, has the overlay made, and @returns what tells how many nodes of it were visited. */
function overlayOf(view: View): () => number {
  const random = new SeededRandom(3);
  for (let change = 0; change < CHANGES; change++) {
    // In the order of keys, which makes a row of a tree that is not balanced.
    const key = keyOf(change * ((2 * KEYS) / CHANGES) + random.below(4));
    if (random.chance(0.3)) view.delete(key);
    else view.put(key, bytesOf(''));
  }
  const spy = vi.spyOn(Overlay.prototype, 'deltaBefore');
  view.rank(ALL, keyOf(KEYS));
  const overlay = spy.mock.contexts[0] as Overlay<unknown> | undefined;
  spy.mockRestore();
  if (overlay === undefined) throw new Error('no overlay was made');
  expect(overlay.size).toBeGreaterThan(CHANGES / 2);
  return () => overlay.visits;
}

function keyOf(index: number): Uint8Array {
  return bytesOf(`key ${String(index).padStart(8, '0')}`);
}

function rangeOf(random: SeededRandom): EngineRange {
  const start = random.below(2 * KEYS - 1000);
  return { start: keyOf(start), end: random.chance(0.2) ? undefined : keyOf(start + 1 + random.below(1000)) };
}
