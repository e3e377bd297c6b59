/** The records behind a revision, as a store gives them to one that follows: `RecordFeed`. */
import { expect, onTestFinished, test } from 'vitest';
import { readRecord } from '../../../gen/kelp/storage/v1/log_codec.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { type KnownNotes, NO_NOTES, NoteSum } from '../../../src/store/replication/known-notes.ts';
import type { StoreOptions } from '../../../src/store/store-options.ts';
import type { RecordFeed } from '../../../src/store/replication/record-feed.ts';
import { visitRecords } from '../../../src/wal/frames/records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

/** What the follower has beside the revision. */
const NOTHING = { notes: NO_NOTES, snapshotLife: undefined };

async function openServer(limits: StoreOptions['limits'] = {}): Promise<KvStore> {
  const disk = new SimulatedDisk({ seed: 1 });
  const store = await openUncheckedStore({ dataDir: '/data', disk, clock: new ManualClock(), limits });
  onTestFinished(() => store.close());
  return store;
}

/** Each record as its revision, or as the effects of a note, up to where all is given. */
async function given(feed: RecordFeed): Promise<string[]> {
  const found: string[] = [];
  for (;;) {
    const { records, head } = await feed.next();
    visitRecords(records, 0, records.length, (buffer, start, end) => {
      const { revision, effects } = readRecord(buffer, start, end);
      found.push(revision > 0 ? `${revision}` : effects.map(({ effect }) => effect.case).join());
    });
    if (head === undefined) continue;
    await feed.close();
    return found;
  }
}

test('the notes behind a revision come with what follows it, those before it do not', async () => {
  const store = await openServer();
  await store.grantLease(60_000, 1);
  await store.put('a', '1');
  await store.grantLease(60_000, 2);
  await store.revokeLease(2);
  await store.put('a', '2');
  const behind = (revision: number): Promise<string[]> =>
    given(store.seam.records({ revision, incarnation: store.seam.incarnationOf(revision), ...NOTHING }));

  expect(await behind(0)).toEqual(['lease', '1', 'lease', 'leaseEnd', '2']);
  expect(await behind(1)).toEqual(['lease', 'leaseEnd', '2']);
  expect(await behind(2)).toEqual([]);
});

test('notes that the follower has are not given again, and where it has others it has to begin anew', async () => {
  const store = await openServer();
  await store.put('a', '1');
  await store.grantLease(60_000, 2);
  await store.revokeLease(2);
  const incarnation = store.seam.incarnationOf(1);
  const behind = (notes: KnownNotes): Promise<string[]> =>
    given(store.seam.records({ revision: 1, incarnation, ...NOTHING, notes }));
  const sum = new NoteSum();
  const { records } = await store.seam.records({ revision: 1, incarnation, ...NOTHING }).next();
  const sums: KnownNotes[] = [];
  visitRecords(records, 0, records.length, (buffer, start, end) => {
    sum.add(buffer, start, end);
    sums.push({ count: sum.count, checksum: sum.checksum });
  });
  const [first, both] = sums;
  if (first === undefined || both === undefined) throw new Error('there are two notes');

  expect(await behind(first)).toEqual(['leaseEnd']);
  expect(await behind(both)).toEqual([]);
  await expect(behind({ ...both, checksum: first.checksum })).rejects.toThrow(/begin with a backup/);
  await expect(behind({ count: 3, checksum: 0 })).rejects.toThrow(/begin with a backup/);
  await store.put('a', '2');
  expect(await behind(both)).toEqual(['2']);
  await expect(behind({ count: 3, checksum: 0 })).rejects.toThrow(/begin with a backup/);
});

test('where the log begins with the next revision, notes that came before it are missing', async () => {
  const store = await openServer({ segmentBytes: 8192, logRetentionBytes: 0, historyRevisionsMax: 1 });
  const seam = store.seam as DurableStore;
  await store.put('a', '1');
  await store.grantLease(60_000, 7);
  for (let count = 0; count < 1500; count++) await store.renewLease(7);
  while (seam.head.oldestRevision === 1) {
    await store.put('a', '2');
    await seam.snapshot();
  }
  expect(seam.head.oldestRevision).toBe(2);
  const place = { incarnation: '', ...NOTHING };
  expect(() => seam.records({ ...place, revision: 1 })).toThrow(/no longer in the log/);
  expect(await given(seam.records({ ...place, revision: seam.visibleRevision }))).toEqual([]);
});

test('what comes later is given by the same feed', async () => {
  const store = await openServer();
  await store.put('a', '1');
  const feed = store.seam.records({ revision: 1, incarnation: '', ...NOTHING });
  onTestFinished(() => feed.close());
  const untilHead = async (): Promise<{ revision: number | undefined; byteCount: number }> => {
    let byteCount = 0;
    for (;;) {
      const { records, head } = await feed.next();
      byteCount += records.length;
      if (head !== undefined) return { revision: head.revision, byteCount };
    }
  };
  expect(await untilHead()).toEqual({ revision: 1, byteCount: 0 });
  await store.put('a', '2');
  expect(await untilHead()).toEqual({ revision: 2, byteCount: expect.any(Number) as number });
});

test('no revision is given that was not visible when the head was taken', async () => {
  const store = await openServer();
  for (const value of ['1', '2', '3']) await store.put('a', value);
  const { head } = store.seam;
  const feed = store.seam.records({ revision: 0, incarnation: '', ...NOTHING });
  Object.defineProperty(store.seam, 'head', { value: { ...head, revision: 2 } });
  expect(await given(feed)).toEqual(['1', '2']);
});

test('how far it is is told while more and more is written', async () => {
  const store = await openServer();
  const value = Buffer.alloc(100_000);
  for (let count = 0; count < 3; count++) await store.put('a', value);
  const feed = store.seam.records({ revision: 0, incarnation: '', ...NOTHING });
  onTestFinished(() => feed.close());
  const heads: number[] = [];
  for (let step = 0; step < 10; step++) {
    const { head } = await feed.next();
    if (head !== undefined) heads.push(head.revision);
    await store.put('a', value);
    await store.put('a', value);
  }
  expect(heads[0]).toBe(3);
});

test('a place that is not in the history, and one that is not reached, are refused', async () => {
  const store = await openServer();
  await store.put('a', '1');
  const incarnation = 'f'.repeat(32);
  expect(() => store.seam.records({ revision: 1, incarnation, ...NOTHING })).toThrow(/put back from a copy/);
  expect(() => store.seam.records({ revision: 2, incarnation: '', ...NOTHING })).toThrow(
    /the newest here is 1/,
  );
});
