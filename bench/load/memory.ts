/** What memory a process takes. */
import type { CaseContext } from '../bench-case.ts';
import { KEY_BYTES, VALUE_BYTES } from './data.ts';

export interface MemoryUse {
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** Of buffers, which lie outside of the heap. */
  readonly bufferBytes: number;
}

const BYTES_PER_MB = 1_000_000;
/** Buffers are freed in the round after the one that finds that they are not held any more. */
const COLLECTIONS = 3;

/**
 * The memory in use once what is not needed any more is gone. A collection of the kind that V8 does before it gives up also hands
 * back the pages that it holds ready for the garbage of a busy program (34 to 130 MB, however many keys there are).
 */
export async function measureMemory(): Promise<MemoryUse> {
  for (let round = 0; round < COLLECTIONS; round++) {
    await globalThis.gc?.({ type: 'major', flavor: 'last-resort', execution: 'async' });
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed, bufferBytes: external };
}

/** What `keyCount` keys and their values themselves have. */
export function dataBytes(keyCount: number): number {
  return keyCount * (KEY_BYTES + VALUE_BYTES);
}

/** Reports what keys took besides their own bytes, and what of it the garbage collector has to look at. */
export function reportMemory(context: CaseContext, before: MemoryUse, after: MemoryUse): void {
  const { keyCount } = context;
  const overheadBytes = after.residentBytes - before.residentBytes - dataBytes(keyCount);
  context.report({
    name: 'resident memory over keys and values',
    unit: 'bytes/key',
    samples: [overheadBytes / keyCount],
  });
  const heapGrowthMegabytes = (after.heapBytes - before.heapBytes) / BYTES_PER_MB;
  context.report({ name: 'growth of the JavaScript heap', unit: 'MB', samples: [heapGrowthMegabytes] });
}
