/**
 * Measures reads of keys of a store in this process, one at a time and many under way; callers and their promises are
 * part of it. `getMany` counts keys, not calls.
 */
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { randomKeys } from '../load/data.ts';
import { ratesOf } from '../load/repeat.ts';
import { withFilledStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const CONCURRENCIES = [1, 256];
const MANY = 100;

export const storeGet: BenchCase = {
  async run(context) {
    await withFilledStore(context, 'never', async (store) => {
      const count = operationCount(context, 300_000);
      for (const concurrency of CONCURRENCIES) {
        const samples = await ratesOf(context, {
          count,
          setUp: (repetition) => randomKeys(count, context.keyCount, repetition),
          run: (keys) => underWay(concurrency, count, (index) => store.get(keys[index] ?? '')),
        });
        context.report({
          name: `get by random key, ${concurrency} under way`,
          unit: 'operations/s',
          samples,
        });
      }
      const samples = await ratesOf(context, {
        count,
        setUp: (repetition) => randomKeys(count, context.keyCount, repetition),
        run: async (keys) => {
          for (let first = 0; first < count; first += MANY)
            await store.getMany(keys.slice(first, first + MANY));
        },
      });
      context.report({ name: `getMany of ${MANY} random keys`, unit: 'keys/s', samples });
    });
  },
};
