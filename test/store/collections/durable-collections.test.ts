/** Collections as they lie on disk: whatever call of the disk a crash comes at, each has its elements, and the sweep goes on. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeBackupFile } from '../../../src/offline/backup-file.ts';
import { restore } from '../../../src/offline/restore.ts';
import type { Disk } from '../../../src/disk/disk.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { verifyDirectory } from '../../../src/offline/verify/verify.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { openDurableStore } from '../../../src/store/open-durable-store.ts';
import { NO_PROGRESS } from '../../offline/folders.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
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

async function openIn(
  dataDir: string,
  disk: Disk = nodeDisk,
): Promise<{ readonly store: DurableStore; readonly clock: ManualClock }> {
  const clock = new ManualClock();
  const parts = { clock, random: new SeededRandom(2), disk, onEvent: () => undefined };
  const store = await openDurableStore({ dataDir, limits: { historyRevisionsMax: 2 }, ...parts });
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
      const { store, clock } = await openIn(DATA, disk);
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
      const again = await openIn(DATA, left);
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

describe('a backup that is made between a delete and its sweep', () => {
  it('is restored with all collections, alone or with the log behind it, and swept then', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const backupPath = `${dataDir}.backup`;
    const { store, clock } = await openIn(dataDir);
    await decided((view) => {
      create(view, a, 3);
      create(view, b, 500);
    })(store, clock);
    await decided((view) => void view.delete(b))(store, clock);
    await writeBackupFile(backupPath, store.backup(), NO_PROGRESS);
    await goOn(store, clock, 4);
    await decided((view) => resize(view, a, 1))(store, clock);
    await store.close({ snapshotMsMax: 0 });
    for (const [name, logPaths, elements] of [
      ['alone', [], 3],
      ['with-log', [dataDir], 4],
    ] as const) {
      const restoredDir = `${dataDir}-${name}`;
      await restore({ backupPath, dataDir: restoredDir, logPaths: [...logPaths] }, NO_PROGRESS);
      const again = await openIn(restoredDir);
      checkStates(again.store);
      await checkSwept(again.store, again.clock);
      expect(counts(again.store)).toEqual({ elements, marks: 0 });
      await again.store.close();
      expect((await verifyDirectory(restoredDir, NO_PROGRESS)).damages).toEqual([]);
    }
  });
});
