/** Data directories with all that a log and snapshots can hold, and what it means to open one that was changed. */
import { isStoreError } from '../../src/errors.ts';
import { openStore } from '../../src/kv/open-store.ts';
import type { Store } from '../../src/api.ts';
import { DATA_DIR, type Files, FILLER, filesOf } from '../offline/small-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import type { Disk } from '../../src/disk/disk.ts';
import { keyOf } from '../../src/arguments/key.ts';

const PAGE_LIMIT = 10_000;

/** Several segments with puts, deletes, touches, transactions, leases, expiry and notes; no snapshot. */
export function richLog(seed: number): Promise<Files> {
  return filesOf(({ store, clock }) => live(store, clock, seed, false), { seed });
}

/** The same with two snapshots. */
export function richDirectory(seed: number): Promise<Files> {
  return filesOf(({ store, clock }) => live(store, clock, seed, true), { seed });
}

async function live(store: Store, clock: ManualClock, seed: number, hasSnapshots: boolean): Promise<void> {
  const random = new SeededRandom(seed);
  await store.grantLease(60_000, 7);
  await store.grantLease(5000, 8);
  await store.put('leased', 'a', { leaseId: 7 });
  await store.put('doomed', 'b', { leaseId: 8 });
  await store.put('mortal', 'c', { ttlMs: 2000 });
  await store.touch('mortal', { ttlMs: 3000 });
  await store.increment('counter', -7n);
  await store.put('brief', 'g', { ttlMs: 1, leaseId: 7 });
  clock.jump(1);
  await store.put('brief', 'h');
  await Promise.all(['x', 'y', 'z'].map((key) => store.put(key, FILLER)));
  await store.renewLease(7);
  if (hasSnapshots) await store.snapshot();
  clock.advance(6000);
  await store.txn({
    success: [
      { kind: 'put', key: 'leased', value: 'd', leaseId: 7 },
      { kind: 'delete', key: 'x' },
      { kind: 'put', key: 'grüße', value: random.bytes(40) },
      { kind: 'increment', key: 'counter', delta: 9n },
    ],
  });
  for (let index = 0; index < 6; index++) await store.put(`key${index}`, `${FILLER}${index}`);
  await store.deleteRange({ prefix: 'key' });
  if (hasSnapshots) await store.snapshot();
  await store.grantLease(10_000, 9);
  await store.put('last', 'e', { leaseId: 9, ttlMs: 100_000 });
  await store.revokeLease(9);
  await store.put('leased', 'f', { leaseId: 7 });
  await store.touch('leased', { ttlMs: 9_000_000 });
}

/**
 * Opens a store and uses all of it. What lies on the disk may be refused as damaged, when it is opened or when it is
 * read later; nothing else may come out.
 * @returns whether it was refused.
 */
export async function openAndUse(disk: Disk): Promise<'opened' | 'refused'> {
  const clock = new ManualClock(Date.UTC(2026, 0, 2));
  let store: Store;
  try {
    store = await openStore({
      dataDir: DATA_DIR,
      disk,
      clock,
      random: new SeededRandom(2),
      limits: { segmentBytes: 4096 },
    });
  } catch (error) {
    expectDamaged(error);
    return 'refused';
  }
  try {
    await readAll(store);
    await toleratingDamage(() => readHistory(store));
    clock.advance(1000);
    await store.put('used', 'u');
    await store.snapshot();
  } finally {
    await store.close();
  }
  return 'opened';
}

async function readAll(store: Store): Promise<void> {
  const { entries } = await store.scan({}, { limit: PAGE_LIMIT });
  for (const entry of entries) await store.get(keyOf(entry));
  await store.count({});
  for (const { leaseId } of (await store.listLeases()).leases)
    await store.getLease(leaseId, { includeKeys: true });
}

/** Every change that the log still has. */
async function readHistory(store: Store): Promise<void> {
  const { oldestWatchRevision } = await store.status();
  const request = {
    startRevision: Math.max(1, oldestWatchRevision),
    eventTypes: ['put', 'delete', 'touch'] as const,
  };
  for await (const { kind } of store.watch(request)) if (kind === 'synced') break;
}

async function toleratingDamage(read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    expectDamaged(error);
  }
}

export function expectDamaged(error: unknown): void {
  if (!isStoreError(error, 'damaged')) throw error;
}
