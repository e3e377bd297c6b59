/** Collections as they lie on disk: whatever call of the disk a crash comes at, each has its elements, and the sweep goes on. */
import { describe, expect, it } from 'vitest';
import { verifyDirectory } from '../../../src/offline/verify.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { openDurableStore } from '../../../src/store/open-durable-store.ts';
import { NO_PROGRESS } from '../../offline/folders.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { bytesOf } from '../seam/seam-harness.ts';
import { checkStates, checkSwept, counts, create, goOn, rename, resize } from './collections.ts';

const DATA = '/data';
const [a, b, c] = [bytesOf('a'), bytesOf('b'), bytesOf('c')];

type Step = (store: DurableStore, clock: ManualClock) => Promise<unknown>;

function decided(run: Parameters<DurableStore['decide']>[0]): Step {
  return (store) => {
    const { result, hasChanged } = store.decide(run);
    return store.whenDurable(result, hasChanged);
  };
}

/** With a snapshot before a delete, one before its sweep, and one after. */
const steps: readonly Step[] = [
  decided((view) => {
    create(view, a, 3);
    create(view, b, 4, { ttlMs: 1000 });
  }),
  (store) => store.snapshot(),
  decided((view) => resize(view, a, 1)),
  decided((view) => rename(view, a, c)),
  (_, clock) => clock.pass(3000),
  (store) => store.snapshot(),
  decided((view) => void create(view, c, 2)),
  (store, clock) => goOn(store, clock, 3),
  decided((view) => void view.delete(c)),
  (store, clock) => goOn(store, clock, 3),
  (store) => store.snapshot(),
  decided((view) => void create(view, a, 2)),
];

async function openOn(disk: SimulatedDisk): Promise<{ store: DurableStore; clock: ManualClock }> {
  const clock = new ManualClock();
  const random = new SeededRandom(2);
  const limits = { historyRevisionsMax: 2 };
  const store = await openDurableStore({
    dataDir: DATA,
    disk,
    clock,
    random,
    limits,
    onEvent: () => undefined,
  });
  return { store, clock };
}

describe.each(['losePower', 'endProcess'] as const)('after a crash (%s) at any call of the disk', (end) => {
  it('each collection has its elements at every revision, and all else is swept', async () => {
    const marked = new Set<number>();
    const found = new Set<number>();
    for (let calls = 0, hasCrashed = true; hasCrashed; calls++) {
      let callsLeft = Number.POSITIVE_INFINITY;
      let after: SimulatedDisk | undefined;
      const disk = new SimulatedDisk({
        seed: calls,
        schedule: (action) =>
          queueMicrotask(() => {
            if (callsLeft-- === 0) after = disk[end]();
            action();
          }),
      });
      const { store, clock } = await openOn(disk);
      callsLeft = calls;
      let done = 0;
      try {
        for (; done < steps.length; done++) await steps[done]?.(store, clock);
      } catch {
        // The disk is gone.
      }
      callsLeft = Number.POSITIVE_INFINITY;
      await store.close().catch(() => undefined);
      hasCrashed = after !== undefined;
      const left = after ?? disk[end]();
      const again = await openOn(left);
      checkStates(again.store);
      marked.add(counts(again.store).marks);
      found.add(done);
      await checkSwept(again.store, again.clock);
      await again.store.close();
      expect((await verifyDirectory(DATA, NO_PROGRESS, left)).damages).toEqual([]);
    }
    expect(found.size).toBeGreaterThan(steps.length - 3);
    expect(marked.size).toBeGreaterThan(1);
  });
});
