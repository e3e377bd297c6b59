/**
 * Opens a store that lies on disk, in a fresh process, as after a crash: from its log alone, and from a snapshot. The
 * files are in the system's cache, so the rates are those of the processor, not of the disk.
 */
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { shuffledIndexes } from '../load/random.ts';
import { fillStore, openBenchStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const FILL_SEED = 1;
const FILL_UNDER_WAY = 1024;

export const storeRecovery: BenchCase = {
  async prepare(context) {
    const { keyCount } = context;
    const withSnapshot = await openBenchStore(context, snapshotDirectory(context), 'never');
    await fillStore(withSnapshot, keyCount);
    await withSnapshot.snapshot();
    await withSnapshot.close();

    // One put is one record, and nothing but the log has it.
    const limits = { snapshotLogBytes: Number.MAX_SAFE_INTEGER };
    const withLog = await openBenchStore(context, logDirectory(context), 'never', { limits });
    const values = new Values();
    const order = shuffledIndexes(keyCount, FILL_SEED);
    await underWay(FILL_UNDER_WAY, keyCount, (index) =>
      withLog.put(keyOf(order[index] ?? 0), values.of(index)),
    );
    await withLog.close();
  },

  async run(context) {
    const { keyCount } = context;
    const fromLog = await openSeconds(context, logDirectory(context));
    context.report({ name: 'open from the log alone', unit: 'records/s', samples: [keyCount / fromLog] });
    const fromSnapshot = await openSeconds(context, snapshotDirectory(context));
    context.report({ name: 'open from a snapshot', unit: 'keys/s', samples: [keyCount / fromSnapshot] });
  },
};

async function openSeconds(context: CaseContext, dataDir: string): Promise<number> {
  globalThis.gc?.();
  const startMs = performance.now();
  const store = await openBenchStore(context, dataDir, 'never');
  const seconds = (performance.now() - startMs) / 1000;
  const { keyCount } = await store.status();
  if (keyCount !== context.keyCount)
    throw new Error(`${keyCount} keys of ${context.keyCount} were recovered`);
  await store.close();
  return seconds;
}

function snapshotDirectory(context: CaseContext): string {
  return `${context.directory}/snapshot`;
}

function logDirectory(context: CaseContext): string {
  return `${context.directory}/log`;
}
