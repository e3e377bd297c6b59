/**
 * Overwrites every key ten times with values of all lengths, and compares the memory with that of a process that wrote
 * only the last of them. A ratio of 1 is that of the other process; what is above it is wasted.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { Store } from '../../src/index.ts';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { measureMemory } from '../load/memory.ts';
import { shuffledIndexes } from '../load/random.ts';
import { openBenchStore, warmUpMemory } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const ROUNDS = 10;
const UNDER_WAY = 256;
const VALUE_BYTES_MIN = 10;
const VALUE_BYTES_MAX = 1000;
/** The versions that history keeps would be in the way of both measurements. */
const limits = { historyRevisionsMax: 1000 };
const WAIT_MS = 3000;
const QUICK_WAIT_MS = 100;

export const storeOverwrite: BenchCase = {
  async prepare(context) {
    await withStore(context, 'fresh', async (store) => {
      const { residentBytes: before } = await measureMemory();
      await writeRound(store, context.keyCount, ROUNDS);
      const { residentBytes: after } = await measureMemory();
      await writeFile(freshLoadFile(context), String(after - before));
    });
  },

  async run(context) {
    const freshBytes = Number(await readFile(freshLoadFile(context), 'utf8'));
    await withStore(context, String(process.pid), async (store) => {
      const { residentBytes: before } = await measureMemory();
      const startMs = performance.now();
      for (let round = 0; round <= ROUNDS; round++) await writeRound(store, context.keyCount, round);
      const seconds = (performance.now() - startMs) / 1000;
      const { residentBytes: atOnce } = await measureMemory();
      await new Promise((resolve) => setTimeout(resolve, context.isQuick ? QUICK_WAIT_MS : WAIT_MS));
      const { residentBytes: later } = await measureMemory();
      const name = `after ${ROUNDS} overwrites, values of ${VALUE_BYTES_MIN} to ${VALUE_BYTES_MAX} bytes`;
      const rate = ((ROUNDS + 1) * context.keyCount) / seconds;
      context.report({ name: `${name}: puts`, unit: 'operations/s', samples: [rate] });
      const head = `${name}: memory to a fresh load`;
      context.report({ name: `${head}, at once`, unit: 'ratio', samples: [(atOnce - before) / freshBytes] });
      context.report({ name: `${head}, after 3 s`, unit: 'ratio', samples: [(later - before) / freshBytes] });
    });
  },
};

async function withStore(
  context: CaseContext,
  name: string,
  run: (store: Store) => Promise<void>,
): Promise<void> {
  await warmUpMemory(context, { limits });
  const store = await openBenchStore(context, `${context.directory}/${name}`, 'never', { limits });
  await run(store);
  await store.close();
}

async function writeRound(store: Store, keyCount: number, round: number): Promise<void> {
  const values = new Values(VALUE_BYTES_MIN, VALUE_BYTES_MAX);
  const order = shuffledIndexes(keyCount, round);
  await underWay(UNDER_WAY, keyCount, (index) => {
    const keyIndex = order[index] ?? 0;
    return store.put(keyOf(keyIndex), values.of(keyIndex + round));
  });
}

function freshLoadFile(context: CaseContext): string {
  return `${context.directory}/fresh-load-bytes`;
}
