/** Disks by which a test sees, or holds back, what a log asks of them. */
import type { Disk } from '../../src/disk/disk.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { withFiles } from '../support/wrapped-disk.ts';
import { framesOf } from './segment-dump.ts';
import { FIRST_SEGMENT, TestLog } from './test-log.ts';

/** Counts the calls that cost time. */
export class CountingDisk {
  syncs = 0;
  writes = 0;
  /** A flush ends only when this has been resolved. */
  syncGate: Promise<void> | undefined;
  readonly disk: Disk;

  constructor(inner: SimulatedDisk) {
    this.disk = withFiles(inner, (file) => ({
      write: (buffer, position) => {
        this.writes++;
        return file.write(buffer, position);
      },
      writeNow: (buffer, position) => {
        this.writes++;
        file.writeNow(buffer, position);
      },
      sync: async () => {
        this.syncs++;
        await file.sync();
        await this.syncGate;
      },
    }));
  }

  reset(): void {
    this.syncs = 0;
    this.writes = 0;
  }
}

/** A disk on which each call takes a turn of the event loop. */
export function slowDisk(): SimulatedDisk {
  return new SimulatedDisk({ seed: 1, schedule: (action) => void setImmediate(action) });
}

/** A disk whose calls by the thread pool come to no end while it is held. */
export function heldPool(): { readonly disk: SimulatedDisk; hold(): void; release(): void } {
  let held: (() => void)[] | undefined;
  const disk = new SimulatedDisk({
    seed: 1,
    schedule: (action) => {
      if (held === undefined) queueMicrotask(action);
      else held.push(action);
    },
  });
  return {
    disk,
    hold: () => {
      held = [];
    },
    release: () => {
      for (const action of held ?? []) queueMicrotask(action);
      held = undefined;
    },
  };
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A log whose writes and flushes are counted from after its creation on. */
export async function countedLog(
  fsync: 'always' | 'interval' | 'never',
): Promise<{ test: TestLog; counts: CountingDisk }> {
  const disk = slowDisk();
  const counts = new CountingDisk(disk);
  const test = await TestLog.create({ disk: counts.disk, fsync }, disk);
  counts.reset();
  return { test, counts };
}

export function kindsOf(disk: SimulatedDisk): number[] {
  return framesOf(disk.contentOf(FIRST_SEGMENT)).map(({ header }) => header.kind);
}
