/**
 * Measures deletes of keys that exist, one by one; each repetition has keys of its own. Few are made in a repetition,
 * so the spread tells whether the rates mean anything: on a busy machine they are lower bounds.
 */
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { keyOf } from '../load/data.ts';
import { shuffledIndexes } from '../load/random.ts';
import { ratesOf } from '../load/repeat.ts';
import { withFilledStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const SEED = 3;
const LOADS = [
  { concurrency: 1, count: 20_000 },
  { concurrency: 16, count: 50_000 },
  { concurrency: 256, count: 50_000 },
] as const;

export const storeDeletes: BenchCase = {
  async run(context) {
    const { keyCount, repetitions } = context;
    const order = shuffledIndexes(keyCount, SEED);
    const share = Math.floor(keyCount / LOADS.length / (repetitions + 1));
    let first = 0;
    await withFilledStore(context, 'never', async (store) => {
      for (const { concurrency, count: fullCount } of LOADS) {
        const count = Math.min(share, operationCount(context, fullCount));
        const samples = await ratesOf(context, {
          count,
          setUp: () => {
            const keys = Array.from(order.subarray(first, first + count), keyOf);
            first += count;
            return keys;
          },
          run: (keys) => underWay(concurrency, count, (index) => store.delete(keys[index] ?? '')),
        });
        const name = `delete by random key, fsync never, ${concurrency} under way`;
        context.report({ name, unit: 'operations/s', samples });
      }
    });
  },
};
