/**
 * Measures reads, puts and deletes together, by random key. A rate counts all operations of the mix: read it between
 * those of `store-get` and `store-put`.
 */
import type { FsyncPolicy } from '../../src/index.ts';
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { randomKeys, Values } from '../load/data.ts';
import { ratesOf } from '../load/repeat.ts';
import { withFilledStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const UNDER_WAY = 256;
const POLICIES: readonly FsyncPolicy[] = ['never', 'always'];
/** Of ten operations so many are puts and deletes; the others are gets. */
const MIXES = [
  { puts: 1, deletes: 0, name: '90 % get, 10 % put' },
  { puts: 4, deletes: 1, name: '50 % get, 40 % put, 10 % delete' },
  { puts: 0, deletes: 10, name: 'delete, and what is gone stays so' },
];

export const storeMixed: BenchCase = {
  async run(context) {
    const values = new Values();
    for (const fsync of POLICIES) {
      await withFilledStore(context, fsync, async (store) => {
        for (const { puts, deletes, name } of MIXES) {
          const count = operationCount(context, 200_000);
          const samples = await ratesOf(context, {
            count,
            setUp: (repetition) => randomKeys(count, context.keyCount, repetition),
            run: (keys) =>
              underWay(UNDER_WAY, count, (index) => {
                const key = keys[index] ?? '';
                const kind = index % 10;
                if (kind < puts) return store.put(key, values.of(index));
                return kind < puts + deletes ? store.delete(key) : store.get(key);
              }),
          });
          context.report({
            name: `${name}, fsync ${fsync}, ${UNDER_WAY} under way`,
            unit: 'operations/s',
            samples,
          });
        }
      });
    }
  },
};
