/** A store whose values are compressed in memory: what it answers, what it tells of it, and what a start makes of it. */
import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../src/api.ts';
import { MemoryDisk } from '../../src/disk/memory-disk.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import type { StoreOptions } from '../../src/store/store-options.ts';

const DOCUMENT = JSON.stringify({ name: 'kelp', colour: 'brown', length_m: 45 }).repeat(40);
const NOISE = randomBytes(2000);

async function openOn(disk: MemoryDisk, valueCompression: boolean): ReturnType<typeof openUncheckedStore> {
  const options: StoreOptions = { dataDir: 'data', disk, valueCompression };
  const store = await openUncheckedStore(options);
  onTestFinished(() => store.close());
  return store;
}

/** Two revisions of each of ten documents, noise, and a short value. */
async function fill(store: Store): Promise<void> {
  for (const text of [`${DOCUMENT}1`, `${DOCUMENT}2`]) {
    for (let key = 0; key < 10; key++) await store.put(`document ${key}`, text);
  }
  await store.put('noise', NOISE);
  await store.put('short', 'value');
}

async function checkAnswers(store: Store): Promise<void> {
  const { entries } = await store.scan({ prefix: 'document' });
  expect(entries.map(({ value }) => Buffer.from(value).toString())).toEqual(
    Array.from({ length: 10 }, () => `${DOCUMENT}2`),
  );
  const before = await store.get('document 3', { revision: 10 });
  expect(Buffer.from(before.entry?.value ?? []).toString()).toBe(`${DOCUMENT}1`);
  const noise = await store.get('noise');
  expect(Buffer.compare(noise.entry?.value ?? NOISE.subarray(1), NOISE)).toBe(0);
}

it('answers as without compression, and tells what was saved', async () => {
  const store = await openOn(new MemoryDisk(), true);
  await fill(store);
  await checkAnswers(store);
  const { dataBytes, compressedPlainBytes, compressedStoredBytes } = await store.status();
  expect(compressedPlainBytes).toBe(20 * (DOCUMENT.length + 1));
  expect(compressedStoredBytes).toBeLessThan(compressedPlainBytes / 5);
  expect(compressedStoredBytes).toBeGreaterThan(0);
  expect(dataBytes).toBeGreaterThan(compressedPlainBytes + NOISE.length);
  expect(store.figures().compressionCounts).toEqual({ kept: 20, in_vain: 0, not_tried: 1 });
});

it('keeps values as they are unless it is told to', async () => {
  const store = await openOn(new MemoryDisk(), false);
  await fill(store);
  await checkAnswers(store);
  expect(await store.status()).toMatchObject({ compressedPlainBytes: 0, compressedStoredBytes: 0 });
  expect(store.figures().compressionCounts).toEqual({ kept: 0, in_vain: 0, not_tried: 0 });
});

it('a snapshot and a log are the same with and without: either start reads what the other wrote', async () => {
  const disk = new MemoryDisk();
  for (const valueCompression of [true, false, true]) {
    const store = await openOn(disk, valueCompression);
    if ((await store.status()).revision === 0) await fill(store);
    await checkAnswers(store);
    const { compressedPlainBytes } = await store.status();
    expect(compressedPlainBytes > 0).toBe(valueCompression);
    await store.snapshot();
    await store.close();
  }
});

it.each(['bitcask', 'btree'] as const)(
  'is refused with %s, which has no values in memory',
  async (engine) => {
    const options: StoreOptions = { dataDir: 'data', disk: new MemoryDisk(), engine };
    await expect(openUncheckedStore({ ...options, valueCompression: true })).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringMatching(
        /^valueCompression: it is for the engine memory; (bitcask|btree) compresses /,
      ),
    });
  },
);
