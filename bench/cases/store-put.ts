/**
 * Measures writes of keys that exist of a store in this process, under one fsync policy. With one under way and
 * `always` it is the disk's time for a flush; with many it is the processor's, and the log's when the disk is slow
 * (`log`).
 */
import type { FsyncPolicy } from '../../src/index.ts';
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { randomKeys, Values } from '../load/data.ts';
import { ratesOf } from '../load/repeat.ts';
import { withFilledStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

interface Load {
  readonly concurrency: number;
  /** Puts of one repetition: a single writer who waits for the disk does far fewer in the same time. */
  readonly count: number;
}

const LOADS: { readonly [policy in FsyncPolicy]: readonly Load[] } = {
  always: [
    { concurrency: 1, count: 2000 },
    { concurrency: 16, count: 10_000 },
    { concurrency: 256, count: 50_000 },
  ],
  interval: [
    { concurrency: 1, count: 20_000 },
    { concurrency: 16, count: 100_000 },
    { concurrency: 256, count: 200_000 },
  ],
  never: [
    { concurrency: 1, count: 20_000 },
    { concurrency: 16, count: 100_000 },
    { concurrency: 256, count: 200_000 },
  ],
};

export function storePut(fsync: FsyncPolicy): BenchCase {
  return {
    async run(context) {
      const values = new Values();
      await withFilledStore(context, fsync, async (store) => {
        for (const { concurrency, count: fullCount } of LOADS[fsync]) {
          const count = operationCount(context, fullCount);
          const samples = await ratesOf(context, {
            count,
            setUp: (repetition) => randomKeys(count, context.keyCount, repetition),
            run: (keys) =>
              underWay(concurrency, count, (index) => store.put(keys[index] ?? '', values.of(index))),
          });
          const name = `put by random key, fsync ${fsync}, ${concurrency} under way`;
          context.report({ name, unit: 'operations/s', samples });
        }
      });
    },
  };
}
