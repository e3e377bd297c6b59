import type { BenchCase } from '../bench-case.ts';
import { dataBytes, measureMemory, toMegabytes } from '../load/memory.ts';
import { fillStore, openBenchStore } from '../load/store.ts';

/** What a fill takes besides its keys and values. */
export const storeMemory: BenchCase = {
  async run(context) {
    const { keyCount } = context;
    const store = await openBenchStore(context, `${context.directory}/${process.pid}`, 'never', {
      // The versions that history keeps are no cost of a key.
      limits: { historyRevisionsMax: 1 },
    });
    const before = await measureMemory();
    await fillStore(store, keyCount);
    const after = await measureMemory();
    const overheadBytes = after.residentBytes - before.residentBytes - dataBytes(keyCount);
    context.report({
      name: 'resident memory over keys and values',
      unit: 'bytes/key',
      samples: [overheadBytes / keyCount],
    });
    const heapGrowthMegabytes = toMegabytes(after.heapBytes - before.heapBytes);
    context.report({ name: 'growth of the JavaScript heap', unit: 'MB', samples: [heapGrowthMegabytes] });
    await store.close();
  },
};
