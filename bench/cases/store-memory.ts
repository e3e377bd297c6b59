/**
 * Measures what a fill takes besides its keys and values, in bytes for each key: resident memory, and the JavaScript
 * heap's part of it. With few keys it says nothing, since compiled code and the first pages of a process count too.
 */
import type { BenchCase } from '../bench-case.ts';
import { measureMemory, reportMemory } from '../load/memory.ts';
import { fillStore, openBenchStore, warmUpMemory } from '../load/store.ts';

/** The versions that history keeps are no cost of a key. */
const limits = { historyRevisionsMax: 1 };

export const storeMemory: BenchCase = {
  async run(context) {
    const { keyCount } = context;
    await warmUpMemory(context, { limits });
    const store = await openBenchStore(context, `${context.directory}/${process.pid}`, 'never', { limits });
    const before = await measureMemory();
    await fillStore(store, keyCount);
    const after = await measureMemory();
    reportMemory(context, before, after);
    await store.close();
  },
};
