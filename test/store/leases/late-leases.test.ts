/** Leases whose renewals came in time and are read late, since the process had stood still. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import { refused, valueOf } from '../model/readable.ts';
import { MemoryHarness } from '../model/store-harness.ts';

const TTL_MS = 2000;

/** A store with a lease that has a key. */
async function openLeased(): Promise<MemoryHarness> {
  const harness = await MemoryHarness.open();
  await harness.store.grantLease(TTL_MS, 7);
  await harness.store.put('leased', '1', { leaseId: 7 });
  return harness;
}

describe('a lease', () => {
  it('goes on when its renewal is read after a pause that was longer than its time', async () => {
    const { store, clock } = await openLeased();
    clock.pause(3000);
    // What waits in sockets is read in the turns that follow the timers.
    await new Promise(setImmediate);
    expect(await store.renewLease(7)).toEqual({ ttlMs: TTL_MS });
    clock.advance(fixed.leaseGraceMs);
    await clock.settled();
    expect(await store.getLease(7)).toMatchObject({ remainingMs: TTL_MS - fixed.leaseGraceMs, keyCount: 1 });
    clock.advance(TTL_MS);
    await clock.settled();
    await refused(store.getLease(7), 'leaseNotFound');
  });

  it('ends after a pause when nobody renews it for a while', async () => {
    const { store, clock } = await openLeased();
    clock.pause(3000);
    await clock.settled();
    clock.advance(fixed.leaseGraceMs - 1);
    await clock.settled();
    expect(await valueOf(store, 'leased')).toBe('1');
    clock.advance(1);
    await clock.settled();
    expect(await valueOf(store, 'leased')).toBeUndefined();
    await refused(store.renewLease(7), 'leaseNotFound');
  });

  it('is there for all until it is ended', async () => {
    const { store, clock } = await openLeased();
    await store.put('other', '1', { ttlMs: TTL_MS });
    clock.pause(3000);
    await clock.settled();
    expect(await store.getLease(7)).toMatchObject({ remainingMs: 0, keyCount: 1 });
    expect((await store.listLeases()).leases).toHaveLength(1);
    await store.put('late', '1', { leaseId: 7 });
    // The time of a key is another matter: it is a deadline by the wall clock.
    expect(await valueOf(store, 'other')).toBeUndefined();
    clock.advance(fixed.leaseGraceMs);
    await clock.settled();
    expect(await store.exists(['leased', 'late'])).toMatchObject({ exists: [false, false] });
  });

  it('goes on when its renewal is read in the turn in which its time is over', async () => {
    const { store, clock } = await openLeased();
    clock.advance(TTL_MS);
    for (let turn = 1; turn < fixed.leaseTurns; turn++) await new Promise(setImmediate);
    expect(await store.renewLease(7)).toEqual({ ttlMs: TTL_MS });
    await clock.settled();
    expect(await store.getLease(7)).toMatchObject({ remainingMs: TTL_MS });
  });

  it('ends at its time, not later, when the process did not stand still', async () => {
    const { store, clock } = await openLeased();
    clock.advance(TTL_MS);
    await clock.settled();
    await refused(store.getLease(7), 'leaseNotFound');
  });

  it('ends in the end also in a process that stands still again and again', async () => {
    const { store, clock } = await openLeased();
    let pauses = 0;
    const isGone = async (): Promise<boolean> => (await store.listLeases()).leases.length === 0;
    for (; !(await isGone()); pauses++) {
      clock.pause(4 * fixed.leaseLateMs);
      await new Promise(setImmediate);
    }
    const lateMs = pauses * 4 * fixed.leaseLateMs - TTL_MS;
    expect(lateMs).toBeLessThan(fixed.leaseGraceMs + (fixed.leaseTurns + 4) * 4 * fixed.leaseLateMs);
  });

  it('does not take others with it that were found late', async () => {
    const { store, clock } = await openLeased();
    await store.grantLease(60_000, 8);
    clock.pause(3000);
    await clock.settled();
    clock.advance(fixed.leaseGraceMs);
    await clock.settled();
    expect((await store.listLeases()).leases.map(({ leaseId }) => leaseId)).toEqual([8]);
  });
});
