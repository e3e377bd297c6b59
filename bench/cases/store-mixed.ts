import type { FsyncPolicy } from '../../src/index.ts';
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { randomKeys, Values } from '../load/data.ts';
import { ratesOf } from '../load/repeat.ts';
import { withFilledStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const UNDER_WAY = 256;
const POLICIES: readonly FsyncPolicy[] = ['never', 'always'];
/** Every so many operations one is a put. */
const PUT_EVERY = 10;

/** Nine reads for one write, as most uses are. */
export const storeMixed: BenchCase = {
  async run(context) {
    const values = new Values();
    for (const fsync of POLICIES) {
      await withFilledStore(context, fsync, async (store) => {
        const count = operationCount(context, 200_000);
        const samples = await ratesOf(context, {
          count,
          setUp: (repetition) => randomKeys(count, context.keyCount, repetition),
          run: (keys) =>
            underWay(UNDER_WAY, count, (index) => {
              const key = keys[index] ?? '';
              return index % PUT_EVERY === 0 ? store.put(key, values.of(index)) : store.get(key);
            }),
        });
        const name = `90 % get, 10 % put, fsync ${fsync}, ${UNDER_WAY} under way`;
        context.report({ name, unit: 'operations/s', samples });
      });
    }
  },
};
