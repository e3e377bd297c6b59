/** What memory a process takes. */
import { KEY_BYTES, VALUE_BYTES } from './data.ts';

interface MemoryUse {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

const BYTES_PER_MB = 1_000_000;
/** Buffers are freed in the round after the one that finds that nobody holds them. */
const COLLECTIONS = 3;

/** The memory in use once what nobody needs is gone. */
export async function measureMemory(): Promise<MemoryUse> {
  for (let round = 0; round < COLLECTIONS; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed };
}

/** What `keyCount` keys and their values themselves have. */
export function dataBytes(keyCount: number): number {
  return keyCount * (KEY_BYTES + VALUE_BYTES);
}

export function toMegabytes(bytes: number): number {
  return bytes / BYTES_PER_MB;
}
