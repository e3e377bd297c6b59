/** What `btree` tells of the share of its file that is live: rows that are gone leave pages partly empty, and count no more. */
import { expect, onTestFinished, test } from 'vitest';
import type { StorageStatus } from '../../../src/api.ts';
import { openStore } from '../../../src/index.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

const SEED = 1;
const KEYS = 20_000;

type OpenStore = Awaited<ReturnType<typeof openStore>>;

async function storageOf(store: OpenStore): Promise<StorageStatus> {
  await store.snapshot();
  const { storage } = await store.status();
  if (storage === undefined) throw new Error('the engine has no files');
  return storage;
}

/** How much longer the file is than what is live. */
function amplificationOf({ diskBytes, liveBytes }: StorageStatus): number {
  return diskBytes / liveBytes;
}

test(`what is live is told by keys and values, seed ${SEED}`, { timeout: 60_000 }, async () => {
  const random = new SeededRandom(SEED);
  const dataDir = await temporaryDirectory();
  let store = await openStore({ dataDir, engine: 'btree' });
  onTestFinished(() => store.close());
  const keys = Array.from({ length: KEYS }, (_, index) => `key ${1_000_000 + index}`);
  await Promise.all(keys.map((key) => store.put(key, random.bytes(100))));
  const full = await storageOf(store);
  expect(amplificationOf(full)).toBeGreaterThanOrEqual(1);
  expect(amplificationOf(full)).toBeLessThan(1.3);

  const gone = keys.filter(() => random.chance(0.6));
  await Promise.all(gone.map((key) => store.delete(key)));
  const thin = await storageOf(store);
  const share = (KEYS - gone.length) / KEYS;
  expect(thin.liveBytes).toBeGreaterThan(0.9 * share * full.liveBytes);
  expect(thin.liveBytes).toBeLessThan(1.1 * share * full.liveBytes);
  expect(amplificationOf(thin)).toBeGreaterThan(2);
  expect(thin.runs[0]?.liveBytes).toBe(thin.liveBytes);

  await store.close();
  store = await openStore({ dataDir, engine: 'btree' });
  expect((await store.status()).storage?.liveBytes).toBe(thin.liveBytes);
});
