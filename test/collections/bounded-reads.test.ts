/** Reads of huge collections in process are made in slices: others get their turn, and each slice shows the same revision. */
import { expect, test } from 'vitest';
import type { Store } from '../../src/api.ts';
import { fixed } from '../../src/limits.ts';
import { MemoryHarness } from '../store/model/store-harness.ts';
import { CountedEngine, WorkMeter } from '../store/bounds/counted-engine.ts';

const COUNT = 60_000;
/** Over files, on a busy machine. */
const LONG = { timeout: 120_000 };
const names = Array.from({ length: COUNT }, (_, place) => String(place).padStart(6, '0'));

async function inParts(run: (part: string[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < COUNT; from += 5000) await run(names.slice(from, from + 5000));
}

const reads: readonly (readonly [
  string,
  (store: Store) => Promise<unknown>,
  (store: Store) => Promise<number>,
])[] = [
  [
    'a hash',
    ({ hash }) =>
      inParts((part) =>
        hash.set(
          'k',
          part.map((name) => [name, 'v'] as const),
        ),
      ),
    async ({ hash }) => (await hash.scan('k', { pageSize: 10_000 }).toArray()).length,
  ],
  [
    'a set',
    ({ set }) => inParts((part) => set.add('k', part)),
    async ({ set }) => (await set.scan('k', { pageSize: 10_000 }).toArray()).length,
  ],
  [
    'a sorted set by rank',
    ({ sortedSet }) =>
      inParts((part) =>
        sortedSet.add(
          'k',
          part.map((name) => [name, 1] as const),
        ),
      ),
    async ({ sortedSet }) =>
      (await sortedSet.range('k', { rank: {} }, { pageSize: 10_000 }).toArray()).length,
  ],
];

test.each(reads)('%s is read whole in turns of bounded work', LONG, async (_, fill, readCount) => {
  const meter = new WorkMeter();
  const { store } = await MemoryHarness.open({ makeEngine: () => new CountedEngine(meter), fsync: 'never' });
  await fill(store);
  meter.begin();
  const state = { isOver: false };
  const reading = readCount(store).finally(() => (state.isOver = true));
  while (!state.isOver) {
    await new Promise(setImmediate);
    meter.endTurn();
  }
  expect(await reading).toBe(COUNT);
  // A page may begin when the work of a turn is nearly done.
  expect(meter.most.visits).toBeLessThanOrEqual(fixed.turnVisitsMax + fixed.pageVisitsMax);
  expect(meter.all.visits).toBeGreaterThan(COUNT);
});

test('a long list is read whole while others change it, and others get their turn', LONG, async () => {
  // So that no checkpoint ends the history that is read.
  const limits = { checkpointBytes: 4 * COUNT * 1000 };
  const { store } = await MemoryHarness.open({ fsync: 'never', limits });
  const element = 'x'.repeat(1000);
  for (let count = 0; count < COUNT; count += 1000)
    await store.list.push('l', Array<string>(1000).fill(element));
  const state = { isOver: false };
  const reading = store.list.range('l').finally(() => (state.isOver = true));
  let turns = 0;
  const pushes: Promise<unknown>[] = [];
  while (!state.isOver) {
    // No turn waits for it.
    pushes.push(store.list.push('l', ['another']));
    await new Promise(setImmediate);
    turns++;
  }
  await Promise.all(pushes);
  const { elements, count, revision } = await reading;
  expect([elements.length, count, revision]).toEqual([COUNT, COUNT, COUNT / 1000]);
  expect(elements.every(({ bytes }) => bytes.length === 1000)).toBe(true);
  expect(turns).toBeGreaterThanOrEqual((COUNT * element.length) / (fixed.turnBytesMax + fixed.pageBytesMax));
});

test('what does not fit into one answer is refused, and read page by page', LONG, async () => {
  const { store } = await MemoryHarness.open({ fsync: 'never' });
  const value = new Uint8Array(1024 * 1024);
  for (let place = 0; place < 65; place++) await store.hash.set('h', { [`f${place}`]: value });
  await expect(store.hash.get('h')).rejects.toMatchObject({ code: 'limitReached' });
  let bytes = 0;
  for await (const field of store.hash.scan('h')) bytes += field.value.bytes.length;
  expect(bytes).toBe(65 * value.length);
});

test('a closed store refuses', async () => {
  const { store } = await MemoryHarness.open();
  await store.set.add('s', ['a']);
  await store.close();
  await expect(store.set.scan('s').toArray()).rejects.toMatchObject({ name: 'StoreError', code: 'closed' });
  await expect(store.set.add('s', ['b'])).rejects.toMatchObject({ code: 'closed' });
});
