/**
 * Deletes nine keys of ten and looks what memory comes back. A share of 1 would be all that those keys took; the
 * longest stall is the longest time in which the event loop served no call meanwhile.
 */
import type { BenchCase } from '../bench-case.ts';
import { keyOf } from '../load/data.ts';
import { measureMemory } from '../load/memory.ts';
import { shuffledIndexes } from '../load/random.ts';
import { longestStallMs } from '../load/stall-meter.ts';
import { fillStore, openBenchStore, warmUpMemory } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const DELETE_SEED = 2;
const DELETED_SHARE = 0.9;
const UNDER_WAY = 256;
const WAIT_MS = 10_000;
const QUICK_WAIT_MS = 100;
/** The versions that history keeps would be in the way. */
const limits = { historyRevisionsMax: 1000 };

export const storeDelete: BenchCase = {
  async run(context) {
    const { keyCount } = context;
    const order = shuffledIndexes(keyCount, DELETE_SEED);
    await warmUpMemory(context, { limits });
    const store = await openBenchStore(context, `${context.directory}/${process.pid}`, 'never', { limits });
    const empty = await measureMemory();
    await fillStore(store, keyCount);
    const full = await measureMemory();
    const deletedCount = Math.floor(keyCount * DELETED_SHARE);
    const waitMs = context.isQuick ? QUICK_WAIT_MS : WAIT_MS;
    const stallMs = await longestStallMs(async () => {
      await underWay(UNDER_WAY, deletedCount, (index) => store.delete(keyOf(order[index] ?? 0)));
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    });
    const after = await measureMemory();
    const givenBackShare =
      (full.residentBytes - after.residentBytes) / (full.residentBytes - empty.residentBytes);
    await store.close();
    const head = `${DELETED_SHARE * 100} % deleted`;
    context.report({
      name: `${head}: memory given back after 10 s`,
      unit: 'ratio',
      samples: [givenBackShare],
    });
    context.report({ name: `${head}: longest stall`, unit: 'ms', samples: [stallMs] });
  },
};
