/**
 * What engines on disk tell of the bytes of their files: what of them is live, which is what a compaction does not give back, and of how many
 * bytes of keys and values they are. The one tells whether to compact, the other is the space amplification.
 */
import { expect, onTestFinished, test } from 'vitest';
import type { StorageStatus } from '../../../src/api.ts';
import { openStore } from '../../../src/index.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

const SEED = 1;
const CHECKPOINTS = 4;
const OVERWRITES = 2;

type OpenStore = Awaited<ReturnType<typeof openStore>>;

async function storageOf(store: OpenStore): Promise<StorageStatus> {
  const { storage } = await store.status();
  if (storage === undefined) throw new Error('the engine has no files');
  return storage;
}

/** Puts all keys, one part behind the other in their order, with a checkpoint behind each. */
async function putAll(
  store: OpenStore,
  keys: readonly string[],
  valueOf: (key: string) => Uint8Array,
): Promise<void> {
  const partKeys = Math.ceil(keys.length / CHECKPOINTS);
  for (let start = 0; start < keys.length; start += partKeys) {
    await Promise.all(keys.slice(start, start + partKeys).map((key) => store.put(key, valueOf(key))));
    await store.snapshot();
  }
}

function shuffled(keys: readonly string[], random: SeededRandom): string[] {
  return keys
    .map((key) => ({ key, place: random.uint32() }))
    .sort((left, right) => left.place - right.place)
    .map(({ key }) => key);
}

const shapes = [
  { keyBytes: 16, valueBytes: 100, count: 5000 },
  { keyBytes: 200, valueBytes: 20, count: 3000 },
  { keyBytes: 1100, valueBytes: 20, count: 1000 },
  { keyBytes: 16, valueBytes: 1000, count: 1000 },
  { keyBytes: 16, valueBytes: 10_000, count: 200 },
];

test.each(shapes)(
  `btree takes at most twice its keys of $keyBytes and values of $valueBytes bytes, and tells so, seed ${SEED}`,
  { timeout: 120_000 },
  async ({ keyBytes, valueBytes, count }) => {
    const random = new SeededRandom(SEED);
    const dataDir = await temporaryDirectory();
    let store = await openStore({ dataDir, engine: 'btree' });
    onTestFinished(() => store.close());
    const keys = Array.from({ length: count }, (_, index) => String(index).padStart(keyBytes, '0'));
    for (let round = 0; round <= OVERWRITES; round++)
      await putAll(store, shuffled(keys, random), () => random.bytes(valueBytes));
    const { diskBytes, liveBytes, dataBytes, runs } = await storageOf(store);
    expect(dataBytes).toBe(count * (keyBytes + valueBytes));
    expect(diskBytes).toBeLessThan(2 * dataBytes);
    expect(diskBytes).toBeLessThan(1.1 * liveBytes);
    expect(runs[0]?.liveBytes).toBe(liveBytes);

    await store.compactStorage();
    const compacted = await storageOf(store);
    expect(compacted.liveBytes).toBe(compacted.diskBytes);

    await store.close();
    store = await openStore({ dataDir, engine: 'btree' });
    const reopened = await storageOf(store);
    expect([reopened.diskBytes, reopened.liveBytes]).toEqual([compacted.diskBytes, compacted.liveBytes]);
    expect(reopened.dataBytes).toBe(dataBytes);
  },
);

test.each(['btree', 'lsm', 'bitcask'] as const)(
  `what %s does not give back is live, and its space is told by keys and values, seed ${SEED}`,
  { timeout: 120_000 },
  async (engine) => {
    const random = new SeededRandom(SEED);
    const store = await openStore({ dataDir: await temporaryDirectory(), engine });
    onTestFinished(() => store.close());
    const keys = Array.from({ length: 5000 }, (_, index) => String(index).padStart(16, '0'));
    await putAll(store, keys, () => random.bytes(20));
    const gone = new Set(keys.filter(() => random.chance(0.6)));
    await Promise.all([...gone].map((key) => store.delete(key)));
    await store.snapshot();
    await store.compactStorage();
    const { diskBytes, liveBytes, dataBytes } = await storageOf(store);
    expect(dataBytes).toBe((keys.length - gone.size) * 36);
    expect(diskBytes).toBeLessThan(1.02 * liveBytes);
    // What the format adds to short keys and values is no waste, and no keys and values; lsm compresses them.
    if (engine !== 'lsm') expect(diskBytes).toBeGreaterThan(1.3 * dataBytes);
  },
);
