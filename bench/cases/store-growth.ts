/**
 * Grows a store from nothing, put by put, and looks for the longest pause: of a call, of the wait for its answer, of
 * the event loop. These are times by the clock, so one that is long may be another process's doing: `engine-growth` has
 * those of the engine without that.
 */
import type { BenchCase } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { shuffledIndexes } from '../load/random.ts';
import { longestStallMs } from '../load/stall-meter.ts';
import { openBenchStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const FILL_SEED = 1;
const UNDER_WAY = 256;

export const storeGrowth: BenchCase = {
  async run(context) {
    const { keyCount } = context;
    const store = await openBenchStore(context, `${context.directory}/${process.pid}`, 'never');
    const values = new Values();
    const order = shuffledIndexes(keyCount, FILL_SEED);
    let longestCallMs = 0;
    let longestPutMs = 0;
    const startMs = performance.now();
    const stallMs = await longestStallMs(() =>
      underWay(UNDER_WAY, keyCount, async (index) => {
        const key = keyOf(order[index] ?? 0);
        const beforeMs = performance.now();
        const done = store.put(key, values.of(index));
        longestCallMs = Math.max(longestCallMs, performance.now() - beforeMs);
        await done;
        longestPutMs = Math.max(longestPutMs, performance.now() - beforeMs);
      }),
    );
    const seconds = (performance.now() - startMs) / 1000;
    await store.close();
    const head = `put of a new key, fsync never, ${UNDER_WAY} under way`;
    context.report({ name: head, unit: 'operations/s', samples: [keyCount / seconds] });
    context.report({ name: `${head}: longest call`, unit: 'ms', samples: [longestCallMs] });
    context.report({ name: `${head}: longest until acknowledged`, unit: 'ms', samples: [longestPutMs] });
    context.report({ name: `${head}: longest stall`, unit: 'ms', samples: [stallMs] });
  },
};
