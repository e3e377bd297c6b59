/**
 * A place is a revision with the incarnation that wrote it. What goes on from a place does so in the history that it is of,
 * or is told that this is another one, whatever happened to the files of the store.
 */
import { describe, expect, it } from 'vitest';
import {
  type EffectShape,
  emptyRecord,
  sizeOfRecord,
  writeRecord,
} from '../../../gen/kelp/storage/v1/log_codec.ts';
import type { HistoryDetails } from '../../../src/errors.ts';
import { isStoreError } from '../../../src/errors.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import type { Store, WatchMessage } from '../../../src/api.ts';
import { Log } from '../../../src/wal/log.ts';
import { diskWith, readFiles } from '../../offline/small-stores.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { refused, Watching } from '../model/readable.ts';
import { DATA_DIR, LOG_DIR, MemoryHarness, SNAPSHOT_DIR } from '../model/store-harness.ts';

interface Place {
  readonly revision: number;
  readonly incarnation: string;
}

/** No store ever drew it. */
const noLogin = 'f'.repeat(32);

async function placeOf(store: Store): Promise<Place> {
  const { revision, incarnation } = await store.status();
  return { revision, incarnation };
}

async function write(store: Store, ...keys: string[]): Promise<Place> {
  for (const key of keys) await store.put(key, '');
  return placeOf(store);
}

/** The keys that were put behind a place, up to now. */
async function keysBehind(store: Store, { revision, incarnation }: Place): Promise<string[]> {
  const watching = new Watching(store, { startRevision: revision + 1, incarnation });
  const keys: string[] = [];
  for (;;) {
    const message = await watching.next();
    if (message.kind === 'events') {
      for (const event of message.events) keys.push(event.type === 'delete' ? event.key : event.entry.key);
    }
    if (message.kind !== 'synced') continue;
    await watching.stop();
    return keys;
  }
}

/** What a watch behind a place is told that can't go on there. */
async function differenceAt(store: Store, place: Place): Promise<HistoryDetails> {
  try {
    await keysBehind(store, place);
  } catch (error) {
    if (isStoreError(error, 'historyDiffers')) return error.details;
    throw error;
  }
  throw new Error(`revision ${place.revision} of ${place.incarnation} is in this history`);
}

/** The incarnations that wrote the revisions from 1 on, as a place that nobody wrote is told. */
async function writers(store: Store): Promise<string[]> {
  const { revision: newest } = await store.status();
  const ids: string[] = [];
  for (let revision = 1; revision <= newest; revision++)
    ids.push((await differenceAt(store, { revision, incarnation: noLogin })).incarnation);
  return ids;
}

describe('what names a place', () => {
  it('is told with every message of a watch, every page, and by status', async () => {
    const harness = await MemoryHarness.open();
    expect(await placeOf(harness.store)).toEqual({ revision: 0, incarnation: '' });
    const first = await write(harness.store, 'a', 'b');
    await harness.reopen();
    expect(await placeOf(harness.store)).toEqual(first);
    await harness.reopen();
    const second = await write(harness.store, 'c');
    expect(second.incarnation).not.toBe(first.incarnation);
    const { store } = harness;
    expect(await store.scan({}, { limit: 1 })).toMatchObject(second);
    expect(await store.scan({}, { revision: 2 })).toMatchObject(first);
    expect(await store.keys('*')).toMatchObject(second);
    const watching = new Watching(store, { startRevision: 1, progressIntervalMs: 1000 });
    const messages: WatchMessage[] = [];
    while (messages.length < 4) messages.push(await watching.next());
    const progress = watching.next();
    await harness.clock.settled();
    harness.clock.advance(1000);
    messages.push(await progress, await new Watching(store, { includeCurrent: true }).next());
    expect(messages.map(({ kind, revision, incarnation }) => [kind, revision, incarnation])).toEqual([
      ['events', 1, first.incarnation],
      ['events', 2, first.incarnation],
      ['events', 3, second.incarnation],
      ['synced', 3, second.incarnation],
      ['progress', 3, second.incarnation],
      ['current', 3, second.incarnation],
    ]);
  });

  it('is of the life that wrote the revision, though others followed that wrote nothing', async () => {
    const harness = await MemoryHarness.open();
    const place = await write(harness.store, 'a');
    for (let life = 0; life < 5; life++) {
      await harness.reopen();
      expect(await writers(harness.store)).toEqual([place.incarnation]);
    }
  });

  it('is of the life whose first transaction was taken, though one before it was refused', async () => {
    const harness = await MemoryHarness.open({ limits: { unflushedBytesMax: 300 } });
    await harness.store.put('before', '');
    await harness.store.grantLease(60_000, 7);
    await harness.reopen();
    const { store } = harness;
    const renewals = Array.from({ length: 30 }, () => store.renewLease(7).catch((error: unknown) => error));
    await refused(store.put('refused', ''), 'limitReached');
    await Promise.all(renewals);
    const place = await write(store, 'taken');
    expect(place.revision).toBe(2);
    await harness.reopen();
    expect((await writers(harness.store))[1]).toBe(place.incarnation);
  });
});

describe('a restart', () => {
  it.each([
    ['always', ['close', 'endProcess', 'losePower']],
    ['interval', ['close', 'endProcess']],
    ['never', ['close', 'endProcess']],
  ] as const)('with fsync %s changes nothing for a watch, also 30 in a row', async (fsync, ends) => {
    const random = new SeededRandom(7);
    const limits = { segmentBytes: 4096, snapshotLogBytes: 2000 };
    const harness = await MemoryHarness.open({ fsync, limits });
    const truth: string[] = [];
    const seen: string[] = [];
    let place: Place = { revision: 0, incarnation: '' };
    const writerIds = new Set<string>();
    for (let life = 0; life < 30; life++) {
      for (let count = random.pick([0, 0, 1, 7]); count > 0; count--) {
        truth.push(`${life}-${count}`);
        await write(harness.store, `${life}-${count}`);
      }
      if (random.chance(0.5)) {
        seen.push(...(await keysBehind(harness.store, place)));
        place = await placeOf(harness.store);
        writerIds.add(place.incarnation);
      }
      const end = random.pick<'close' | 'endProcess' | 'losePower'>(ends);
      await (end === 'close' ? harness.reopen() : harness.crash(end));
    }
    seen.push(...(await keysBehind(harness.store, place)));
    expect(seen).toEqual(truth);
    expect(writerIds.size).toBeGreaterThan(3);
  });
});

describe('a copy of the files that was put back', () => {
  /** Copied at revision 4, gone on to 7. */
  async function putBack() {
    const harness = await MemoryHarness.open();
    const places = [await write(harness.store, 'a', 'b', 'c')];
    await harness.reopen();
    places.push(await write(harness.store, 'd'));
    await harness.close();
    const copy = await readFiles(harness.disk);
    await harness.open();
    places.push(await write(harness.store, 'e', 'f', 'g'));
    const { nextPageToken } = await harness.store.scan({}, { limit: 2 });
    await harness.putBack(await diskWith(copy));
    const [below, at, above] = places as [Place, Place, Place];
    return { harness, below, at, above, nextPageToken };
  }

  it('is gone on with from what it holds', async () => {
    const { harness, below, at } = await putBack();
    expect(await keysBehind(harness.store, below)).toEqual(['d']);
    expect(await keysBehind(harness.store, at)).toEqual([]);
    await write(harness.store, 'x', 'y', 'z', 'z2');
    expect(await keysBehind(harness.store, below)).toEqual(['d', 'x', 'y', 'z', 'z2']);
    expect(await keysBehind(harness.store, at)).toEqual(['x', 'y', 'z', 'z2']);
  });

  it('is refused by a watch that has seen more, before and after the store has passed it', async () => {
    const { harness, at, above } = await putBack();
    const unknown = { requestedRevision: 7, requestedIncarnation: above.incarnation, sharedRevision: 0 };
    expect(await differenceAt(harness.store, above)).toMatchObject({ ...unknown, newestRevision: 4 });
    const now = await write(harness.store, 'x', 'y', 'z', 'z2');
    expect(now.revision).toBeGreaterThan(above.revision);
    const passed = { incarnation: now.incarnation, newestRevision: now.revision };
    expect(await differenceAt(harness.store, above)).toMatchObject({ ...unknown, ...passed });
    const behindCopy = { revision: 6, incarnation: at.incarnation };
    const shared = { sharedRevision: 4, sharedIncarnation: at.incarnation };
    expect(await differenceAt(harness.store, behindCopy)).toMatchObject({ ...passed, ...shared });
  });

  it('is refused by a page that was begun at what it lacks', async () => {
    const { harness, nextPageToken } = await putBack();
    await refused(harness.store.scan({}, { pageToken: nextPageToken }), 'historyDiffers');
    await write(harness.store, 'x', 'y', 'z', 'z2');
    await refused(harness.store.scan({}, { pageToken: nextPageToken }), 'historyDiffers');
  });

  it('serves the pages of what it holds', async () => {
    const { harness } = await putBack();
    const { nextPageToken } = await harness.store.scan({}, { limit: 3 });
    await harness.reopen();
    await write(harness.store, 'x');
    const { entries } = await harness.store.scan({}, { pageToken: nextPageToken });
    expect(entries.map(({ key }) => key)).toEqual(['d']);
  });
});

describe.each(['interval', 'never'] as const)('a machine that crashes with fsync %s', (fsync) => {
  const seeds = Array.from({ length: 24 }, (_, index) => index + 1);

  it('keeps the first transaction of each life, once it was acknowledged', async () => {
    for (const seed of seeds) {
      const harness = await MemoryHarness.open({ fsync, seed });
      for (let life = 1; life <= 3; life++) {
        const place = await write(harness.store, 'k');
        await harness.crash('losePower');
        expect(await placeOf(harness.store), `seed ${seed}`).toEqual(place);
        expect(place.revision).toBe(life);
      }
    }
  });

  it('ends a watch whose last revision it has lost, at once and for ever', async () => {
    let lostCount = 0;
    for (const seed of seeds) {
      const harness = await MemoryHarness.open({ fsync, seed });
      const place = await write(harness.store, 'a', 'b', 'c', 'd', 'e');
      await harness.crash('losePower');
      const { revision } = await harness.store.status();
      if (revision === place.revision) {
        expect(await keysBehind(harness.store, place)).toEqual([]);
        continue;
      }
      lostCount++;
      const shared = { sharedRevision: revision, sharedIncarnation: place.incarnation };
      expect(await differenceAt(harness.store, place)).toMatchObject({ ...shared, newestRevision: revision });
      const { incarnation } = await write(harness.store, 'v', 'w', 'x', 'y', 'z');
      expect(await differenceAt(harness.store, place)).toMatchObject({ ...shared, incarnation });
      const sharedPlace = { revision, incarnation: place.incarnation };
      expect(await keysBehind(harness.store, sharedPlace)).toEqual(['v', 'w', 'x', 'y', 'z']);
    }
    expect(lostCount).toBeGreaterThan(3);
  });
});

describe('snapshots', () => {
  const limits = { segmentBytes: 4096, logRetentionBytes: 1, logRetentionMs: 1, historyRevisionsMax: 1 };

  it('keep the lives whose log is gone, the older one as the newer', async () => {
    const harness = await MemoryHarness.open({ limits });
    const filler = '.'.repeat(1300);
    for (let life = 0; life < 6; life++) {
      for (let count = 0; count < 3; count++) await harness.store.put('k', filler);
      if (life % 2 === 1) await harness.store.snapshot();
      if (life < 5) await harness.reopen();
    }
    await harness.store.put('k', 'last');
    const { oldestWatchRevision } = await harness.store.status();
    expect(oldestWatchRevision).toBeGreaterThan(6);
    const ids = await writers(harness.store);
    expect(new Set(ids).size).toBe(6);
    const place = { revision: 2, incarnation: ids[1] ?? '' };
    await refused(keysBehind(harness.store, place), 'revisionCompacted');
    await harness.reopen();
    expect(await writers(harness.store)).toEqual(ids);
    await harness.close();
    const newest = (await harness.disk.list(SNAPSHOT_DIR)).sort().at(-1) ?? '';
    const bytes = harness.disk.contentOf(`${SNAPSHOT_DIR}/${newest}`);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    harness.disk.setContent(`${SNAPSHOT_DIR}/${newest}`, bytes);
    await harness.open();
    expect(harness.events.map(({ kind }) => kind)).toContain('snapshotDamaged');
    expect(await writers(harness.store)).toEqual(ids);
  });

  it('may end with the last transaction of a life, and be followed by the first of another', async () => {
    const harness = await MemoryHarness.open({ limits });
    await write(harness.store, 'a', 'b');
    await harness.store.snapshot();
    await harness.reopen();
    await write(harness.store, 'c');
    const ids = await writers(harness.store);
    await harness.reopen();
    expect(await writers(harness.store)).toEqual(ids);
    expect(ids[2]).not.toBe(ids[1]);
  });
});

describe('a log that no store writes', () => {
  const life = (digit: number, length = 16): EffectShape => ({
    effect: { case: 'incarnation', value: { id: Buffer.alloc(length, digit) } },
  });

  it.each<[string, [number, ...EffectShape[]][], RegExp]>([
    ['begins a life in a note', [[0, life(1)]], /a note begins a life/],
    ['begins two at once', [[1, life(1), life(2)]], /two lives|a life begins at revision 1/],
    ['begins the same one twice', [[1, life(1)], [2], [3, life(1)]], /is that of revision 1/],
    ['has an id that is too short', [[1, life(1, 15)]], /an incarnation has 15 bytes/],
  ])('is refused when it %s', async (_, records, fault) => {
    const { disk, storeId } = await emptyDisk();
    await writeLog(disk, storeId, 0, records);
    const opening = openStore({ dataDir: DATA_DIR, disk, clock: new ManualClock() });
    const message = expect.stringMatching(fault) as string;
    await expect(opening).rejects.toMatchObject({ code: 'damaged', message });
  });
});

/** A disk on which a store can be made by hand. */
async function emptyDisk(): Promise<{ disk: SimulatedDisk; storeId: Uint8Array }> {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory(DATA_DIR);
  await disk.makeDirectory(SNAPSHOT_DIR);
  return { disk, storeId: Buffer.alloc(16, 7) };
}

/** A log that begins behind a revision, with records of these revisions and effects. */
async function writeLog(
  disk: SimulatedDisk,
  storeId: Uint8Array,
  revision: number,
  records: readonly [number, ...EffectShape[]][],
): Promise<void> {
  const options = {
    disk,
    clock: new ManualClock(),
    directory: LOG_DIR,
    segmentBytes: 4096,
    unflushedBytesMax: 4096,
    fsync: 'always',
    fsyncIntervalMs: 1,
    onDurable: () => undefined,
    onFailure: () => undefined,
    onSegmentDelayed: () => undefined,
    checkOwned: () => Promise.resolve(),
  } as const;
  // A store without lock files would first wait for an owner to notice that.
  disk.setContent(`${DATA_DIR}/LOCK`, new Uint8Array(0));
  const log = await Log.create(options, storeId, revision);
  for (const [recordRevision, ...effects] of records) {
    const record = { ...emptyRecord(), revision: recordRevision, effects };
    const offset = log.reserve(sizeOfRecord(record));
    writeRecord(record, log.buffer, offset);
    log.commit(recordRevision);
  }
  await log.close();
}

describe('a request to go on', () => {
  it('is judged by the store first, then by its form, its history, and what is kept', async () => {
    const limits = { historyRevisionsMax: 1, logRetentionMs: 1, logRetentionBytes: 1 };
    const harness = await MemoryHarness.open({ limits });
    const { incarnation } = await write(harness.store, 'a', 'b', 'c');
    await harness.store.compact(3);
    const { store } = harness;
    const open = (request: object): Promise<unknown> => new Watching(store, request).next();
    const other = { storeId: noLogin, incarnation: 'no id', startRevision: 3 };
    await refused(open(other), 'otherStore');
    await refused(open({ incarnation: 'no id', startRevision: 3 }), 'invalidArgument');
    await refused(open({ incarnation: 'no id' }), 'invalidArgument');
    await refused(open({ incarnation, startRevision: 3, includeCurrent: true }), 'invalidArgument');
    await refused(open({ incarnation: noLogin, startRevision: 2 }), 'historyDiffers');
    await refused(open({ incarnation: noLogin, startRevision: 9 }), 'historyDiffers');
    await refused(open({ incarnation, startRevision: 2 }), 'revisionCompacted');
    await refused(open({ startRevision: 9 }), 'revisionFuture');
    expect(await open({ incarnation: noLogin })).toMatchObject({ kind: 'synced' });
  });

  it('from revision 1 on is of every history of the store', async () => {
    const { store } = await MemoryHarness.open();
    await write(store, 'a');
    expect(await keysBehind(store, { revision: 0, incarnation: noLogin })).toEqual(['a']);
  });
});
