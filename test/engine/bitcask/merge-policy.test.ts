import { describe, expect, it } from 'vitest';
import { chooseByHand, chooseMerge, type RunState } from '../../../src/engine/bitcask/merge/merge-policy.ts';

const base = { revision: 10, forgottenCount: 0 };
const bounds = { mergeBytesMax: 1000, smallRunBytes: 60 };

function run(number: number, recordBytes: number, state: Partial<RunState> = {}): RunState {
  return { number, recordBytes, liveBytes: recordBytes, deletionBytes: 0, cleanRevision: number, ...state };
}

describe('the choice of runs to merge', () => {
  it('leaves runs alone of which two thirds are live', () => {
    expect(chooseMerge([run(1, 99, { liveBytes: 66 }), run(2, 100)], bounds, base)).toEqual([]);
  });

  it('takes those together of which less is live, the least first, up to a length', () => {
    const runs = [
      run(1, 1000, { liveBytes: 499 }),
      run(2, 1000, { liveBytes: 10 }),
      run(3, 1000),
      run(4, 1000, { liveBytes: 400 }),
      run(5, 1000, { liveBytes: 495 }),
    ];
    expect(chooseMerge(runs, bounds, base)).toEqual([2, 4, 5]);
  });

  it('takes one run that is longer than a merge', () => {
    expect(chooseMerge([run(1, 9000, { liveBytes: 4000 }), run(2, 9000)], bounds, base)).toEqual([1]);
  });

  it('takes deletions for needed, until they are more than a quarter of all', () => {
    const few = [run(1, 900), run(2, 100, { liveBytes: 0, deletionBytes: 100 })];
    expect(chooseMerge(few, bounds, base)).toEqual([]);
    const many = [
      run(3, 400, { cleanRevision: 3 }),
      run(4, 300, { liveBytes: 0, deletionBytes: 300, cleanRevision: 9 }),
      run(5, 400, { cleanRevision: 5 }),
    ];
    expect(chooseMerge(many, bounds, base)).toEqual([3, 5]);
  });

  it('takes deletions before runs that are as clean and have none', () => {
    const runs = [run(1, 600), run(2, 500, { liveBytes: 0, deletionBytes: 500, cleanRevision: 1 })];
    expect(chooseMerge(runs, bounds, base)).toEqual([2]);
  });

  it('takes the least clean runs while too many forgotten ranges are kept, but none that is as clean as can be', () => {
    const runs = [
      run(1, 600, { cleanRevision: 7 }),
      run(2, 600, { cleanRevision: 4 }),
      run(3, 600, { cleanRevision: 10 }),
    ];
    expect(chooseMerge(runs, bounds, { revision: 10, forgottenCount: 256 })).toEqual([]);
    expect(chooseMerge(runs, bounds, { revision: 10, forgottenCount: 257 })).toEqual([2]);
    expect(chooseMerge(runs.slice(2), bounds, { revision: 10, forgottenCount: 257 })).toEqual([]);
  });

  it('takes eight small runs of about a length, and none that is much longer', () => {
    const small = [1, 2, 3, 4, 5, 6, 7].map((number) => run(number, number));
    expect(chooseMerge(small, bounds, base)).toEqual([]);
    expect(chooseMerge([...small, run(8, 59)], bounds, base)).toEqual([]);
    expect(chooseMerge([...small, run(8, 8)], bounds, base)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(
      chooseMerge(small.map(({ number }) => run(number, 600)).concat(run(8, 600)), bounds, base),
    ).toEqual([]);
  });

  it('takes by hand all that has anything dead, and nothing that it has made', () => {
    const runs = [
      run(1, 500, { liveBytes: 499 }),
      run(2, 100),
      run(3, 100, { liveBytes: 99, cleanRevision: 0 }),
    ];
    expect(chooseByHand(runs, bounds, 9)).toEqual([3, 1]);
    expect(chooseByHand(runs, bounds, 2)).toEqual([1]);
  });
});
