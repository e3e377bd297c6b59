import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { measureMemory, reportMemory } from '../load/memory.ts';
import { fillStore, openBenchStore } from '../load/store.ts';

const WARM_UP_KEYS = 100_000;
/** The versions that history keeps are no cost of a key. */
const limits = { historyRevisionsMax: 1 };

/** What a fill takes besides its keys and values. */
export const storeMemory: BenchCase = {
  async run(context) {
    const { keyCount } = context;
    // Compiled code and the young generation of the heap are what a process costs, not what its keys do.
    const warmUp = await openBenchStore(context, `${context.directory}/${process.pid}-warm-up`, 'never', {
      limits,
    });
    await fillStore(warmUp, operationCount(context, WARM_UP_KEYS));
    await warmUp.close();

    const store = await openBenchStore(context, `${context.directory}/${process.pid}`, 'never', { limits });
    const before = await measureMemory();
    await fillStore(store, keyCount);
    const after = await measureMemory();
    reportMemory(context, before, after);
    await store.close();
  },
};
