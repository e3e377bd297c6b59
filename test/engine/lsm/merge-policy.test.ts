import { describe, expect, it } from 'vitest';
import { planMerge, RUNS_MAX } from '../../../src/engine/lsm/merge-policy.ts';
import type { MergePlan, RunSize } from '../../../src/engine/lsm/merge-policy.ts';

const MiB = 1024 * 1024;
const RECORD_BYTES = 100;

function run(bytes: number, deletedCount = 0): RunSize {
  return { bytes, deletedCount, recordCount: Math.round(bytes / RECORD_BYTES) };
}

/** Random keys of so many are written over, in flushes of one length; a run has a share of all keys. */
class Overwrites {
  readonly #totalBytes: number;
  readonly #flushBytes: number;
  #shares: number[] = [];
  writtenBytes = 0;
  runsMax = 0;
  spaceMax = 0;
  flushCount = 0;

  constructor(totalBytes: number, flushBytes: number) {
    this.#totalBytes = totalBytes;
    this.#flushBytes = flushBytes;
    this.#shares = [1];
  }

  flush(): void {
    this.flushCount++;
    this.writtenBytes += this.#flushBytes;
    this.#shares.push(this.#flushBytes / this.#totalBytes);
    for (let plan = this.#plan(); plan !== undefined; plan = this.#plan()) this.#merge(plan);
    this.runsMax = Math.max(this.runsMax, this.#shares.length);
    this.spaceMax = Math.max(
      this.spaceMax,
      this.#shares.reduce((sum, share) => sum + share, 0),
    );
  }

  get writtenForEachFlushed(): number {
    return this.writtenBytes / (this.flushCount * this.#flushBytes);
  }

  #plan(): MergePlan | undefined {
    return planMerge(
      this.#shares.map((share) => run(share * this.#totalBytes)),
      0,
    );
  }

  #merge({ start, end }: MergePlan): void {
    // Keys are random: a share of those of one run is also in the other.
    const missing = this.#shares.slice(start, end).reduce((product, share) => product * (1 - share), 1);
    this.writtenBytes += (1 - missing) * this.#totalBytes;
    this.#shares.splice(start, end - start, 1 - missing);
  }
}

describe('random keys that are written over', () => {
  it.each([2, 10, 100, 1000, 10_000])('are written few times, with %i flushes as long as all', (flushes) => {
    const overwrites = new Overwrites(flushes * 64 * MiB, 64 * MiB);
    for (let count = 0; count < Math.min(5 * flushes, 20_000); count++) overwrites.flush();
    expect(overwrites.writtenForEachFlushed).toBeLessThanOrEqual(12);
    expect(overwrites.spaceMax).toBeLessThanOrEqual(1.75);
    expect(overwrites.runsMax).toBeLessThanOrEqual(RUNS_MAX);
  });
});

describe('a plan of merges', () => {
  it('leaves one run, and few short ones, as they are', () => {
    expect(planMerge([], 0)).toBeUndefined();
    expect(planMerge([run(100 * MiB)], 0)).toBeUndefined();
    expect(planMerge([run(100 * MiB), run(10_000), run(10_000), run(10_000)], 0)).toBeUndefined();
  });

  it('merges four of a tier with what is newer, and nothing older', () => {
    const runs = [run(900 * MiB), run(70 * MiB), run(65 * MiB), run(80 * MiB), run(64 * MiB), run(1000)];
    expect(planMerge(runs, 0)).toEqual({ start: 1, end: 6 });
    expect(planMerge(runs.slice(0, 4), 0)).toBeUndefined();
  });

  it('merges all when the newer ones are two thirds as long as the oldest, or empty it', () => {
    expect(planMerge([run(100 * MiB), run(67 * MiB)], 0)).toEqual({ start: 0, end: 2 });
    expect(planMerge([run(100 * MiB), run(66 * MiB)], 0)).toBeUndefined();
    const emptying = run(30 * MiB, Math.round((90 * MiB) / RECORD_BYTES));
    expect(planMerge([run(100 * MiB), emptying], 0)).toEqual({ start: 0, end: 2 });
  });

  it('merges all, also a single run, when many ranges were forgotten', () => {
    expect(planMerge([run(100 * MiB)], 1000)).toBeUndefined();
    expect(planMerge([run(100 * MiB)], 1001)).toEqual({ start: 0, end: 1 });
  });

  it('bounds the runs, whatever their lengths', () => {
    const runs: RunSize[] = [run(2 ** 50)];
    for (let count = 0; count < 2000; count++) {
      // Each is longer than those before, so that no four of a tier are the newest.
      runs.push(run(MiB * (1 + count)));
      for (let plan = planMerge(runs, 0); plan !== undefined; plan = planMerge(runs, 0)) {
        const merged = runs.slice(plan.start, plan.end).reduce((sum, { bytes }) => sum + bytes, 0);
        runs.splice(plan.start, plan.end - plan.start, run(merged));
      }
      expect(runs.length).toBeLessThanOrEqual(RUNS_MAX);
    }
  });
});
