/**
 * Which runs are merged next: a pure choice from what is known of them.
 *
 * - **Dead bytes.** Runs of which less than two thirds is needed, several together: a byte of what lies on disk is of no use for
 *   each two that are, at most. A merge copies two bytes at most for each that it frees. What lies there is longer than keys and
 *   values, by heads and hints: so at a half, it came to 2.15 times the data.
 * - **Deletions.** A deletion may go when no run outside the merge has an older record of its key that was dead when that run was
 *   made (`cleanRevision`, see `merge.ts`). That holds for all deletions of the runs with the lowest clean revisions, and these
 *   are merged when deletions take too much of the disk. Where nothing but new keys comes and goes, they are all that stays.
 *   It is the same runs that keep forgotten ranges in the manifest, which are not to become too many.
 * - **Small runs.** A run is an open file, and a flush may be small: so many of about the same length become one.
 */
export interface RunState {
  readonly number: number;
  /** Of all records. */
  readonly recordBytes: number;
  /** Of records that are the newest of their keys. */
  readonly liveBytes: number;
  /** Of deletions. */
  readonly deletionBytes: number;
  /** As of this revision all its records were live. */
  readonly cleanRevision: number;
}

export interface MergeBounds {
  /** A merge takes no more runs than have so many needed bytes together, but one at least. */
  readonly mergeBytesMax: number;
  /** Runs of fewer bytes are small. */
  readonly smallRunBytes: number;
}

const NEEDED_SHARE_MIN = 2 / 3;
const DELETION_SHARE_MAX = 1 / 4;
/** A manifest tells of some more: it is written anew with each flush and merge. */
const FORGOTTEN_MAX = 256;
/** So many small runs become one. Those of a class are at most so many times as long as its shortest. */
const SMALL_RUNS_MAX = 8;
const RUNS_PER_MERGE_MAX = 64;

export interface BaseState {
  readonly revision: number;
  /** The ranges that the manifest tells of as forgotten. */
  readonly forgottenCount: number;
}

/**
 * @returns the numbers of the runs to merge; empty: none is to be.
 */
export function chooseMerge(runs: readonly RunState[], bounds: MergeBounds, base: BaseState): number[] {
  const dead = takeDead(runs, bounds);
  if (dead.length > 0) return dead;
  const deletions = takeUnclean(runs, bounds, base);
  return deletions.length > 0 ? deletions : takeSmall(runs, bounds);
}

/**
 * What is left to merge by hand: runs with anything that is not live, those that block the deletions of others first.
 * @param before runs made by this merge have higher numbers, and are not taken again.
 */
export function chooseByHand(runs: readonly RunState[], bounds: MergeBounds, before: number): number[] {
  const unclean = runs.filter((run) => run.number < before && run.liveBytes < run.recordBytes);
  return take(unclean.sort(byCleanRevision), bounds);
}

function takeDead(runs: readonly RunState[], bounds: MergeBounds): number[] {
  const dead = runs.filter((run) => neededBytes(run) < run.recordBytes * NEEDED_SHARE_MIN);
  return take(
    dead.sort((a, b) => neededBytes(a) / a.recordBytes - neededBytes(b) / b.recordBytes),
    bounds,
  );
}

function takeUnclean(
  runs: readonly RunState[],
  bounds: MergeBounds,
  { revision, forgottenCount }: BaseState,
): number[] {
  const recordBytes = sum(runs, (run) => run.recordBytes);
  const deletionBytes = sum(runs, (run) => run.deletionBytes);
  const isTooMuch = deletionBytes > recordBytes * DELETION_SHARE_MAX || forgottenCount > FORGOTTEN_MAX;
  if (!isTooMuch) return [];
  // What is as clean as a merge would make it is left alone.
  const unclean = runs.filter((run) => run.cleanRevision < revision || run.deletionBytes > 0);
  return take(unclean.sort(byCleanRevision), bounds);
}

function takeSmall(runs: readonly RunState[], bounds: MergeBounds): number[] {
  const small = runs.filter((run) => run.recordBytes < bounds.smallRunBytes);
  small.sort((a, b) => a.recordBytes - b.recordBytes);
  for (let first = 0; first + SMALL_RUNS_MAX <= small.length; first++) {
    const last = small[first + SMALL_RUNS_MAX - 1];
    const shortest = small[first];
    if (last === undefined || shortest === undefined) break;
    if (last.recordBytes > shortest.recordBytes * SMALL_RUNS_MAX) continue;
    return take(small.slice(first, first + SMALL_RUNS_MAX), bounds);
  }
  return [];
}

/** The first of some runs, as far as a merge takes them. */
function take(runs: readonly RunState[], { mergeBytesMax }: MergeBounds): number[] {
  const taken: number[] = [];
  let bytes = 0;
  for (const run of runs) {
    bytes += neededBytes(run);
    if (taken.length > 0 && (bytes > mergeBytesMax || taken.length === RUNS_PER_MERGE_MAX)) break;
    taken.push(run.number);
  }
  return taken;
}

/** Of two runs of the same clean revision the one with deletions comes first. */
function byCleanRevision(a: RunState, b: RunState): number {
  return a.cleanRevision - b.cleanRevision || b.deletionBytes - a.deletionBytes;
}

function neededBytes(run: RunState): number {
  return run.liveBytes + run.deletionBytes;
}

function sum(runs: readonly RunState[], bytesOf: (run: RunState) => number): number {
  return runs.reduce((total, run) => total + bytesOf(run), 0);
}
