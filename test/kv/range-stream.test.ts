/** A range that is read in chunks at one state: what the chunks hold, and what becomes of the state while nobody reads. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ScanPage } from '../../src/api.ts';
import { fixed } from '../../src/limits.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import type { RangeStreamOptions } from '../../src/kv/reads/range-stream.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { SeamHarness } from '../store/seam/seam-harness.ts';
import { DATA_DIR } from '../store/model/store-harness.ts';

const MiB = 1024 * 1024;
const KEYS = Array.from({ length: 25 }, (_, index) => `k${String(index).padStart(2, '0')}`);

function options(given: Partial<RangeStreamOptions> = {}): RangeStreamOptions {
  const { signal } = new AbortController();
  return { chunkLimit: 10, chunkBytesMax: 64 * 1024, admit: () => true, signal, ...given };
}

async function filled(given: Parameters<typeof SeamHarness.open>[0] = {}) {
  const harness = await SeamHarness.open(given);
  const store = harness.calls;
  await Promise.all(KEYS.map((key) => store.put(key, `value of ${key}`)));
  return { harness, store, clock: harness.clock };
}

async function chunksOf(store: KvStore, given: Partial<RangeStreamOptions> = {}, range = {}) {
  const chunks: ScanPage[] = [];
  for await (const chunk of store.scanStream(range, options(given))) chunks.push(chunk);
  return chunks;
}

const keysOf = (chunks: readonly ScanPage[]): string[] =>
  chunks.flatMap(({ entries }) => entries.map(({ key }) => key));

describe('a stream of a range', () => {
  it('has all entries at one revision, in chunks of as many as were asked for', async () => {
    const { store } = await filled();
    const chunks = await chunksOf(store);
    expect(chunks.map(({ entries }) => entries.length)).toEqual([10, 10, 5]);
    expect(keysOf(chunks)).toEqual(KEYS);
    expect(new Set(chunks.map(({ revision }) => revision))).toEqual(new Set([KEYS.length]));
    expect(chunks.map(({ nextPageToken }) => nextPageToken === '')).toEqual([false, false, true]);
    const page = await store.scan({});
    expect(chunks.flatMap(({ entries }) => entries)).toEqual(page.entries);
    expect(chunks[0]?.incarnation).toBe(page.incarnation);
  });

  it('shows the state at which it began, whatever is written meanwhile', async () => {
    const { store, clock } = await filled({ limits: { historyRevisionsMax: 5, historyAgeMs: 10_000_000 } });
    const stream = store.scanStream({}, options());
    const chunks = [(await stream.next()).value as ScanPage];
    for (let round = 0; round < 20; round++) {
      for (const key of KEYS) await store.put(key, 'new');
      await store.put('k99', 'new');
    }
    await clock.settled();
    for await (const chunk of stream) chunks.push(chunk);
    expect(keysOf(chunks)).toEqual(KEYS);
    expect(
      chunks.flatMap(({ entries }) => entries.map(({ value }) => Buffer.from(value).toString())),
    ).toEqual(KEYS.map((key) => `value of ${key}`));
    // Nothing holds history back any more.
    await store.put('k99', 'newer');
    const { revision, oldestRevision } = await store.status();
    expect(oldestRevision).toBe(revision - 5);
  });

  it('goes backwards, without values, at a revision, within its limit', async () => {
    const { store } = await filled();
    await store.delete('k24');
    const reverse = await chunksOf(store, {
      reverse: true,
      keysOnly: true,
      revision: KEYS.length,
      limit: 12,
    });
    expect(keysOf(reverse)).toEqual(KEYS.toReversed().slice(0, 12));
    expect(reverse.map(({ entries }) => entries.length)).toEqual([10, 2]);
    expect(reverse.flatMap(({ entries }) => entries.map(({ value }) => value.length))).toEqual(
      Array.from({ length: 12 }, () => 0),
    );
    // There is more, and it can be had.
    const pageToken = reverse.at(-1)?.nextPageToken ?? '';
    const rest = await chunksOf(store, { reverse: true, keysOnly: true, revision: KEYS.length, pageToken });
    expect(keysOf([...reverse, ...rest])).toEqual(KEYS.toReversed());
  });

  it('goes on from the token of any chunk, and of a page', async () => {
    const { store } = await filled();
    const chunks = await chunksOf(store, { chunkLimit: 3 });
    for (const [index, { nextPageToken }] of chunks.slice(0, -1).entries()) {
      const rest = await chunksOf(store, { pageToken: nextPageToken });
      expect(keysOf([...chunks.slice(0, index + 1), ...rest])).toEqual(KEYS);
      const page = await store.scan({}, { pageToken: nextPageToken });
      expect(keysOf([page])).toEqual(keysOf(rest));
    }
    const first = await store.scan({}, { limit: 7 });
    expect(keysOf([first, ...(await chunksOf(store, { pageToken: first.nextPageToken }))])).toEqual(KEYS);
  });

  it('has one chunk without entries for a range without keys', async () => {
    const { store } = await filled();
    const chunks = await chunksOf(store, {}, { prefix: 'none' });
    expect(chunks).toMatchObject([{ entries: [], nextPageToken: '', revision: KEYS.length }]);
  });

  it('takes memory before a chunk, as much as the chunk may hold, and more for one entry that is longer', async () => {
    const { store } = await filled();
    await store.put('k05', 'v'.repeat(3000));
    const admitted: number[] = [];
    const chunks = await chunksOf(store, {
      chunkLimit: 1000,
      chunkBytesMax: 1000,
      admit: (bytes) => admitted.push(bytes) > 0,
    });
    expect(keysOf(chunks)).toEqual(KEYS);
    expect(admitted.length).toBe(chunks.length + 1);
    const larger = admitted.filter((bytes) => bytes !== 1000);
    expect(larger).toEqual([expect.any(Number)]);
    expect(larger[0]).toBeGreaterThan(3000);
    for (const { entries } of chunks) {
      if (entries.some(({ key }) => key === 'k05')) expect(entries).toHaveLength(1);
      const bytes = entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
      if (entries.length > 1) expect(bytes).toBeLessThan(1000);
    }
  });

  it('ends when there is no memory and never will be, and with the reason of its signal', async () => {
    const { store } = await filled();
    expect(await chunksOf(store, { admit: () => Promise.resolve(false) })).toEqual([]);
    const controller = new AbortController();
    const stream = store.scanStream({}, options({ signal: controller.signal }));
    await stream.next();
    controller.abort(new Error('enough'));
    await expect(stream.next()).rejects.toThrow('enough');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('refuses what a scan refuses, a range at once and the rest when it is read', async () => {
    const { store } = await filled();
    const failure = (given: Partial<RangeStreamOptions>, range = {}): Promise<unknown> =>
      store.scanStream(range, options(given)).next();
    await expect(failure({ revision: 1000 })).rejects.toMatchObject({ code: 'revisionFuture' });
    await expect(failure({ pageToken: 'none' })).rejects.toMatchObject({ code: 'invalidArgument' });
    expect(() => failure({}, { start: 'b', end: 'a' })).toThrow(/the end of the range/);
    const page = await store.scan({}, { limit: 1 });
    await expect(failure({ pageToken: page.nextPageToken, reverse: true })).rejects.toMatchObject({
      code: 'invalidArgument',
    });
  });

  it('leaves the event loop free between two chunks', async () => {
    const { store } = await filled();
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const chunks = await chunksOf(store, { chunkLimit: 1 });
    isOver = true;
    expect(chunks).toHaveLength(KEYS.length);
    expect(turns).toBeGreaterThanOrEqual(KEYS.length - 1);
  });
});

describe('a stream of a range that is read slowly', () => {
  it('ends when its state was kept for the longest time, and says what to do', async () => {
    const limits = { historyRevisionsMax: 5, historyAgeMs: 10_000_000 };
    const { store, clock } = await filled({ limits });
    const stream = store.scanStream({}, options());
    await stream.next();
    await clock.pass(fixed.pinMsMax - 20_000);
    for (let round = 0; round < 10; round++) await store.put('k00', 'new');
    expect(await stream.next()).toMatchObject({ done: false });
    await clock.pass(20_001);
    for (let round = 0; round < 10; round++) await store.put('k00', 'new');
    await expect(stream.next()).rejects.toMatchObject({
      code: 'revisionCompacted',
      message: expect.stringMatching(/It was kept for 60 seconds; begin again, and read faster/),
      details: { requestedRevision: KEYS.length },
    });
  });

  it('gives way to writes that find no room a while after it began, however fast it is read, and says so', async () => {
    const { store, clock, stream, large } = await openFull();
    for (let second = 0; second < fixed.fullPinMs / 1000; second++) {
      await expect(store.put('large', large)).rejects.toThrow(/kept for a long reply.*within 5 seconds/);
      expect(await stream.next()).toMatchObject({ done: false });
      await clock.pass(1000);
    }
    for (let round = 0; round < 3; round++) await store.put('large', large);
    await expect(stream.next()).rejects.toMatchObject({
      code: 'revisionCompacted',
      message: expect.stringMatching(/A write found no room while it was kept.*after 5 seconds.*begin again/),
    });
  });

  it('is not begun again where others alone keep its state, which would keep it for ever', async () => {
    const { store, clock, stream, large, revision } = await openFull();
    await expect(store.put('large', large)).rejects.toThrow(/kept for a long reply/);
    await clock.pass(fixed.fullPinMs - 1000);
    const again = store.scanStream({}, options({ revision, chunkLimit: 1 }));
    await expect(again.next()).rejects.toMatchObject({ code: 'revisionCompacted' });
    // Of the newest state it may be.
    const newest = store.scanStream({}, options({ keysOnly: true, chunkLimit: 1 }));
    await newest.next();
    await clock.pass(1000);
    await store.put('large', large);
    expect(await newest.next()).toMatchObject({ done: false });
    await stream.return?.();
    await newest.return?.();
  });

  /** A store whose memory is full, with a stream that keeps what was overwritten since. */
  async function openFull() {
    const clock = new ManualClock();
    const store = await openUncheckedStore({
      dataDir: DATA_DIR,
      clock,
      random: new SeededRandom(1),
      disk: new SimulatedDisk({ seed: 1 }),
      memoryBytesMax: 32 * MiB,
    });
    onTestFinished(() => store.close());
    const large = Buffer.alloc(12_000_000, 1);
    await store.put('large', large);
    for (const key of KEYS) await store.put(key, '');
    const stream = store.scanStream({}, options({ chunkBytesMax: 1, chunkLimit: 1 }));
    const { revision } = (await stream.next()).value as ScanPage;
    await store.put('large', large);
    return { store, clock, stream, large, revision };
  }
});
