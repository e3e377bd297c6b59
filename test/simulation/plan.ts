/** What a schedule is like as a whole; the seed decides. */
import type { Limits } from '../../src/limits.ts';
import type { FsyncPolicy } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const NEVER_MS = 3650 * DAY_MS;
const HUGE = 1_000_000_000;

export interface Plan {
  readonly fsync: FsyncPolicy;
  readonly limits: Partial<Limits>;
  /** The lives of the store before the last one. */
  readonly generations: number;
  readonly clients: number;
  readonly watchers: number;
  /** The operations of one client in one life. */
  readonly operationsMax: number;
  readonly hasDiskFaults: boolean;
  /** Reads of files that calls wait for fail now and then. */
  readonly hasFailedReads: boolean;
  /** The log's buffer is so small that writes are refused, or they are when a read fails. */
  readonly isTight: boolean;
  /** History is bounded by a number of revisions at most, so how far it reaches is known. */
  readonly isHistoryKept: boolean;
  /** The log is kept for watches unless somebody compacts. */
  readonly isLogKept: boolean;
}

export function drawPlan(random: SeededRandom): Plan {
  const isTight = random.chance(0.1);
  const isHistoryKept = random.chance(0.7);
  const isLogKept = random.chance(0.6);
  const limits: Partial<Limits> = {
    segmentBytes: random.pick([4096, 4096, 8192, 65_536]),
    snapshotLogBytes: random.pick([1500, 6000, HUGE]),
    snapshotIntervalMs: random.pick([2000, NEVER_MS]),
    closeSnapshotLogBytes: random.pick([1, 1000, HUGE]),
    snapshotsKept: random.pick([1, 2, 2, 3]),
    historyRevisionsMax: random.pick([3, 20, HUGE]),
    historyBytesMax: HUGE,
    historyAgeMs: isHistoryKept ? NEVER_MS : random.pick([1, 20_000]),
    logRetentionBytes: isLogKept ? HUGE : random.pick([1, 10_000]),
    logRetentionMs: isLogKept ? NEVER_MS : random.pick([1, 20_000]),
    unflushedBytesMax: isTight ? random.between(100, 2000) : HUGE,
    fsyncIntervalMs: random.pick([10, 1000]),
  };
  return {
    fsync: random.chance(0.8) ? 'always' : random.pick(['interval', 'never']),
    limits,
    generations: random.between(1, 4),
    clients: random.between(1, 4),
    watchers: random.below(4),
    operationsMax: random.pick([5, 15, 40]),
    hasDiskFaults: random.chance(0.25),
    hasFailedReads: false,
    isTight,
    isHistoryKept,
    isLogKept,
  };
}

/** The plan with reads that fail: as with writes that are refused there are no leases, whose notes could not be told apart. */
export function withFailedReads(plan: Plan): Plan {
  return { ...plan, hasFailedReads: true, isTight: true };
}

/**
 * The plan for an engine on disk: checkpoints are frequent, and wait for no more history than comes about in a life. A restart finds
 * history only from the newest checkpoint on.
 */
export function withCheckpoints(plan: Plan, random: SeededRandom): Plan {
  const checkpointBytes = random.pick([1, 2000, 20_000]);
  const historyRevisionsMax = random.pick([1, 3, 20, 60]);
  return { ...plan, limits: { ...plan.limits, checkpointBytes, historyRevisionsMax }, isHistoryKept: false };
}
