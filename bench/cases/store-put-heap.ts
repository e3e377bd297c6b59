/**
 * Measures the JavaScript heap that a put takes, with the promises that stand for its callers. What it takes the
 * collector has to clear away: the figure depends on neither the machine nor what else that does.
 */
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { randomKeys, Values } from '../load/data.ts';
import { withFilledStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

/** So few that no collection comes between: then the heap has grown by what they took. */
const PUTS = 2000;
const WARM_UP_PUTS = 100_000;

export const storePutHeap: BenchCase = {
  async run(context) {
    const values = new Values();
    await withFilledStore(context, 'never', async (store) => {
      const warmUpCount = operationCount(context, WARM_UP_PUTS);
      for (const concurrency of [1, 256]) {
        const puts = (keys: readonly string[]): Promise<void> =>
          underWay(concurrency, keys.length, (index) => store.put(keys[index] ?? '', values.of(index)));
        await puts(randomKeys(warmUpCount, context.keyCount, 0));
        const samples: number[] = [];
        for (let repetition = 1; repetition <= context.repetitions; repetition++) {
          const keys = randomKeys(operationCount(context, PUTS), context.keyCount, repetition);
          globalThis.gc?.();
          const before = process.memoryUsage().heapUsed;
          await puts(keys);
          samples.push((process.memoryUsage().heapUsed - before) / keys.length);
        }
        context.report({ name: `heap that a put takes, ${concurrency} under way`, unit: 'bytes', samples });
      }
    });
  },
};
