/**
 * Which runs are merged next: a pure choice from what is known of them. Only neighbours in age are merged, so that of two records of a
 * key the newer one stays the newer.
 *
 * - **Space.** All runs are merged when those above the oldest one are two thirds as long as that, or have as many deletions as would empty so
 *   much of it, or when many ranges were forgotten. The oldest run was all there was when it was made. As long as keys are written over,
 *   all runs together take at most five thirds of what is live; with what a record takes besides key and value, below twice the data.
 * - **Tiers.** A run is of tier t when it is about 4^t times as long as the shortest that count. Four runs of one tier, with what
 *   is newer and shorter, become one of a higher tier, unless they had the same keys; then they are one run where there were four.
 *   So what a flush writes is written again once for each tier on its way, and once when all is merged.
 * - **Count.** Beyond `RUNS_MAX` the neighbours are merged that are the shortest together.
 *
 * Written for each byte flushed, with D the length of all and F that of a flush: 1 for the flush, log4(D / F) for tiers, and 2.5 for
 * merges of all. For D of 1 TiB and F of 64 MiB that is 7 + 3.5 = 10.5.
 */

/** Runs of one tier that are merged. */
const TIER_RUNS = 4;
/** The shortest run that counts: shorter ones are of the lowest tier, too. */
const TIER_BYTES_MIN = 1024 * 1024;
/** What lies above the oldest run may be so long, in parts of that. */
const NEWER_SHARE = 2 / 3;
/** Ranges that lookups and cursors heed; more are dropped by merging all. */
const FORGOTTEN_MAX = 1000;

/**
 * The tiers of runs between 1 MiB and 16 TiB are 12, with up to 3 runs each that wait for a fourth, and the oldest. Runs that older and
 * longer ones have hidden behind newer, longer ones are why it can come to more.
 */
export const RUNS_MAX: number = 12 * (TIER_RUNS - 1) + 1;

/** While so many runs are there a commit waits for the merge that is under way. */
export const RUNS_WAIT: number = RUNS_MAX + 16;

export interface RunSize {
  readonly bytes: number;
  readonly recordCount: number;
  readonly deletedCount: number;
}

/** Runs from `start` to `end` (exclusive), where 0 is the oldest. */
export interface MergePlan {
  readonly start: number;
  readonly end: number;
}

/** @param runs oldest first. @returns `undefined`: nothing is to be merged. */
export function planMerge(runs: readonly RunSize[], forgottenCount: number): MergePlan | undefined {
  if (forgottenCount > FORGOTTEN_MAX && runs.length > 0) return { start: 0, end: runs.length };
  if (runs.length < 2) return undefined;
  return planAll(runs) ?? planTier(runs) ?? planCount(runs);
}

function planAll(runs: readonly RunSize[]): MergePlan | undefined {
  const [oldest, ...newer] = runs;
  if (oldest === undefined) return undefined;
  const bytesPerRecord = oldest.bytes / Math.max(1, oldest.recordCount);
  let deadBytes = 0;
  for (const { bytes, deletedCount } of newer) deadBytes += bytes + deletedCount * bytesPerRecord;
  // What is short is left to the tiers: it would be merged by each flush.
  return deadBytes > NEWER_SHARE * oldest.bytes && totalBytes(runs) >= TIER_BYTES_MIN * TIER_RUNS
    ? { start: 0, end: runs.length }
    : undefined;
}

function planTier(runs: readonly RunSize[]): MergePlan | undefined {
  const tiers = runs.map(({ bytes }) => tierOf(bytes));
  for (let tier = 0; tier <= Math.max(...tiers); tier++) {
    // The newest runs that are not of a higher tier, and those of this tier among them.
    let start = runs.length;
    let count = 0;
    let oldest = start;
    while (start > 0 && tiers[start - 1]! <= tier) {
      start--;
      if (tiers[start] !== tier) continue;
      oldest = start;
      count++;
    }
    if (count >= TIER_RUNS) return { start: oldest, end: runs.length };
  }
  return undefined;
}

function planCount(runs: readonly RunSize[]): MergePlan | undefined {
  if (runs.length <= RUNS_MAX) return undefined;
  let best: MergePlan | undefined;
  let bestBytes = Infinity;
  for (let start = 0; start + TIER_RUNS <= runs.length; start++) {
    const bytes = totalBytes(runs.slice(start, start + TIER_RUNS));
    if (bytes >= bestBytes) continue;
    bestBytes = bytes;
    best = { start, end: start + TIER_RUNS };
  }
  return best;
}

function tierOf(bytes: number): number {
  return Math.max(0, Math.floor(Math.log2(bytes / TIER_BYTES_MIN) / 2));
}

function totalBytes(runs: readonly RunSize[]): number {
  return runs.reduce((sum, { bytes }) => sum + bytes, 0);
}
