import { describe, expect, it } from 'vitest';
import { chooseByHand, chooseMerge, type RunState } from '../../../src/engine/bitcask/merge-policy.ts';

const bounds = { mergeBytesMax: 1000, smallRunBytes: 60 };

function run(number: number, recordBytes: number, state: Partial<RunState> = {}): RunState {
  return { number, recordBytes, liveBytes: recordBytes, deletionBytes: 0, cleanRevision: number, ...state };
}

describe('the choice of runs to merge', () => {
  it('leaves runs alone of which a half is live', () => {
    expect(chooseMerge([run(1, 100, { liveBytes: 50 }), run(2, 100)], bounds, 0)).toEqual([]);
  });

  it('takes those together of which less is live, the least first, up to a length', () => {
    const runs = [
      run(1, 1000, { liveBytes: 499 }),
      run(2, 1000, { liveBytes: 10 }),
      run(3, 1000),
      run(4, 1000, { liveBytes: 400 }),
      run(5, 1000, { liveBytes: 495 }),
    ];
    expect(chooseMerge(runs, bounds, 0)).toEqual([2, 4, 5]);
  });

  it('takes one run that is longer than a merge', () => {
    expect(chooseMerge([run(1, 9000, { liveBytes: 4000 }), run(2, 9000)], bounds, 0)).toEqual([1]);
  });

  it('takes deletions for needed, until they are more than a quarter of all', () => {
    const few = [run(1, 900), run(2, 100, { liveBytes: 0, deletionBytes: 100 })];
    expect(chooseMerge(few, bounds, 0)).toEqual([]);
    const many = [
      run(3, 400, { cleanRevision: 3 }),
      run(4, 300, { liveBytes: 0, deletionBytes: 300, cleanRevision: 9 }),
      run(5, 400, { cleanRevision: 5 }),
    ];
    expect(chooseMerge(many, bounds, 0)).toEqual([3, 5]);
  });

  it('takes deletions before runs that are as clean and have none', () => {
    const runs = [run(1, 600), run(2, 500, { liveBytes: 0, deletionBytes: 500, cleanRevision: 1 })];
    expect(chooseMerge(runs, bounds, 0)).toEqual([2]);
  });

  it('takes eight small runs of about a length, and none that is much longer', () => {
    const small = [1, 2, 3, 4, 5, 6, 7].map((number) => run(number, number));
    expect(chooseMerge(small, bounds, 0)).toEqual([]);
    expect(chooseMerge([...small, run(8, 59)], bounds, 0)).toEqual([]);
    expect(chooseMerge([...small, run(8, 8)], bounds, 0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(chooseMerge(small.map(({ number }) => run(number, 600)).concat(run(8, 600)), bounds, 0)).toEqual(
      [],
    );
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
