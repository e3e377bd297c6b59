/** What is refused when the state of a store has grown to its memory limit, and how it gets out of it by itself. */
import { describe, expect, it, vi } from 'vitest';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { isStoreError } from '../../../src/errors.ts';
import { fixed } from '../../../src/limits.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import type { Store } from '../../../src/api.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { refused, valueOf } from '../model/readable.ts';
import { MemoryHarness, type MemoryHarnessOptions } from '../model/store-harness.ts';

const MiB = 1024 * 1024;
const VALUE = 'v'.repeat(10_000);
const LIMIT_BYTES = 8 * MiB;

describe('at its memory limit a store', () => {
  it('refuses what adds a version before it takes effect, and says what to do', async () => {
    const harness = await openLimited();
    const { store, events } = harness;
    const fullCount = await fill(store);
    expect(fullCount).toBeGreaterThan(500);
    // Of what such a value does not need nothing is left either.
    await fill(store, 't', '');
    const { revision, memoryBytes, memoryBytesMax } = await store.status();
    expect(memoryBytesMax).toBe(LIMIT_BYTES);
    // The last one was admitted by its key and value, and took a little more.
    expect(memoryBytes).toBeLessThanOrEqual(1.001 * LIMIT_BYTES);
    expect(memoryBytes).toBeGreaterThan(0.9 * LIMIT_BYTES);

    await expect(store.put('more', VALUE)).rejects.toThrow(/of the 8\.0 MiB of memory.*memory-limit.*delete/);
    await refused(store.put('key0', VALUE), 'limitReached');
    await refused(store.touch('key0', { ttlMs: 1000 }), 'limitReached');
    await refused(store.get('lasting', { refreshTtl: true }), 'limitReached');
    const put = { kind: 'put', key: 'more', value: VALUE } as const;
    await refused(store.txn({ success: [{ kind: 'delete', key: 'key0' }, put] }), 'limitReached');
    expect((await store.status()).revision).toBe(revision);
    expect(await valueOf(store, 'key0')).toBe(VALUE);
    expect(await valueOf(store, 'more')).toBeUndefined();
    expect(events.filter(({ kind }) => kind === 'memoryFull')).toHaveLength(1);
  });

  it('reads, deletes, expires and ends leases as before', async () => {
    const harness = await openLimitedWithLease();
    const { store } = harness;
    await fill(store);
    expect((await store.scan({ prefix: 'key' }, { limit: 3 })).entries).toHaveLength(3);
    expect(await store.delete('key0')).toMatchObject({ deleted: true });
    expect(await store.deleteRange({ start: 'key1', end: 'key2' })).toMatchObject({ deletedCount: 111 });
    expect(await store.revokeLease(7)).toMatchObject({ deletedCount: 1 });
    await store.grantLease(1000, 8);
    await harness.advance(70_000);
    expect(await store.exists(['leased', 'lasting'])).toMatchObject({ exists: [false, false] });
    await refused(store.getLease(8), 'leaseNotFound');
  });

  it('takes writes again once deletes have freed memory, though history would reach further back', async () => {
    const { store, clock } = await openLimited();
    const count = await fill(store);
    for (let index = 0; index < count; index += 2) await store.delete(`key${index}`);
    await clock.settled();
    const { memoryBytes, oldestRevision } = await store.status();
    // History was given up as far as was needed to have some room.
    expect(memoryBytes).toBeLessThan(0.95 * LIMIT_BYTES);
    expect(oldestRevision).toBeGreaterThan(0);
    expect(oldestRevision).toBeLessThan(1.4 * count);
    expect(await valueOf(store, 'key1')).toBe(VALUE);
    expect(await fill(store, 'again')).toBeGreaterThan(0.3 * count);
  });

  it('frees also what a few deletes leave, spread over all its pages', async () => {
    const { store, clock } = await openLimited();
    const count = await fill(store);
    for (let index = 0; index < count; index += 10) await store.delete(`key${index}`);
    await clock.settled();
    expect(await fill(store, 'again')).toBeGreaterThan(0.04 * count);
  });

  it('lets every value be overwritten for ever when the newest ones alone have room', async () => {
    const { store, clock } = await openLimited();
    for (let round = 0; round < 10; round++) {
      for (let index = 0; index < 400; index++) await store.put(`key${index}`, VALUE);
      await clock.settled();
    }
    expect((await store.status()).memoryBytes).toBeLessThanOrEqual(LIMIT_BYTES);
  });

  it('keeps what a reader has pinned, and frees it afterwards', async () => {
    const { store, clock } = await openLimited();
    const count = await fill(store);
    const backup = store.backup();
    await backup.next();
    await store.deleteRange({ prefix: 'key' });
    await clock.settled();
    await refused(store.put('more', VALUE), 'limitReached');
    let pieceCount = 1;
    for await (const piece of backup) pieceCount += piece.length > 0 ? 1 : 0;
    expect(pieceCount).toBeGreaterThan(10);
    // Any write, or the next look at the age of history, goes on with it.
    await store.delete('lasting');
    await clock.settled();
    expect(await fill(store, 'again')).toBeGreaterThan(0.9 * count);
  });

  it('starts with more than it may have, refuses writes, and gets out of it by deletes', async () => {
    const options: MutableOptions = { makeEngine: () => new MemoryEngine() };
    const harness = await MemoryHarness.open(options);
    for (let index = 0; index < 1000; index++) await harness.store.put(`key${index}`, VALUE);
    options.memoryBytesMax = LIMIT_BYTES;
    await harness.reopen();
    expect(harness.events).toContainEqual({
      kind: 'memoryFull',
      usedBytes: expect.any(Number),
      limitBytes: LIMIT_BYTES,
    });
    await refused(harness.store.put('more', ''), 'limitReached');
    expect(await valueOf(harness.store, 'key999')).toBe(VALUE);
    await harness.store.deleteRange({ start: 'key2' });
    await harness.clock.settled();
    await harness.store.put('more', '');
  });

  it('has told its owner again after a minute', async () => {
    const harness = await openLimited();
    const told = () => harness.events.filter(({ kind }) => kind === 'memoryFull').length;
    await fill(harness.store);
    await refused(harness.store.put('more', VALUE), 'limitReached');
    expect(told()).toBe(1);
    await harness.advance(60_000);
    await refused(harness.store.put('more', VALUE), 'limitReached');
    expect(told()).toBe(2);
  });
});

describe('a full store whose keys are all deleted', { timeout: 120_000 }, () => {
  it('takes hardly more memory meanwhile, when that goes in parts, and takes writes again at once', async () => {
    const bytesMax = 64 * MiB;
    const engine = new MemoryEngine();
    const { store } = await MemoryHarness.open({ memoryBytesMax: bytesMax, makeEngine: () => engine });
    const count = await fillInTurns(store, 1000);
    expect(count).toBeGreaterThan(50_000);
    // Once for each part, when it is visible and history has not let go of anything for it.
    let peakBytes = 0;
    const compact = engine.compact.bind(engine);
    engine.compact = (revision) => {
      peakBytes = Math.max(peakBytes, engine.memoryBytes);
      compact(revision);
    };
    const { deletedCount } = await store.deleteRange({ all: true }, { inParts: true });
    expect(deletedCount).toBe(count);
    expect(peakBytes).toBeGreaterThan(bytesMax);
    // By a part: each of its keys with its value once more, and what stands beside.
    expect(peakBytes).toBeLessThan(1.1 * bytesMax);
    await store.put('again', VALUE);
    expect(await fillInTurns(store, 1000, 'again')).toBeGreaterThan(0.9 * count);
  });

  it('says that memory is being given back, as long as there is some, and does that in few steps', async () => {
    const engine = new MemoryEngine();
    const clock = new TickingClock();
    const { store } = await MemoryHarness.open({
      memoryBytesMax: LIMIT_BYTES,
      makeEngine: () => engine,
      clock,
    });
    const count = await fillInTurns(store, 100);
    const steps = vi.spyOn(engine, 'maintain');
    await store.deleteRange({ all: true });
    let refusedCount = 0;
    for (; ; refusedCount++) {
      const error = await store.put('again', VALUE).then(() => undefined, String);
      if (error === undefined) break;
      expect(error).toMatch(
        /more; the memory of what was deleted .* is being given back: try again in a moment/,
      );
      await new Promise(setImmediate);
    }
    expect(refusedCount).toBeGreaterThan(0);
    // A step drops 256 keys; each write that is refused does some of them itself, and so does each turn.
    expect(refusedCount).toBeLessThan(count / 1024);
    expect(steps.mock.calls.length).toBeLessThan((1.5 * count) / 256 + 50);
  });
});

describe('large values at a small limit', { timeout: 120_000 }, () => {
  const LARGE = Buffer.alloc(12 * 1000 * 1000, 1);
  // Two of these have room, and a third has not.
  const open = (): Promise<MemoryHarness> => MemoryHarness.open({ memoryBytesMax: 32 * MiB });

  it('are overwritten for ever', async () => {
    const { store } = await open();
    for (let round = 1; round <= 6; round++) await store.put('large', LARGE);
    expect((await store.get('large')).entry?.version).toBe(6);
    expect((await store.status()).memoryBytes).toBeLessThanOrEqual(32 * MiB);
  });

  it('are refused when there is no room for another, and taken as soon as one is deleted', async () => {
    const { store } = await open();
    await store.put('a', LARGE);
    await store.put('b', LARGE);
    await expect(store.put('c', LARGE)).rejects.toThrow(/this write needs 11\.4 MiB more; delete keys/);
    await store.delete('a');
    await store.put('c', LARGE);
    await store.deleteRange({ start: 'a' });
    await store.put('d', LARGE);
    await store.put('e', LARGE);
    expect(await store.exists(['a', 'b', 'c', 'd', 'e'])).toMatchObject({
      exists: [false, false, false, true, true],
    });
  });

  it('leave the newest revisions readable as far as there is room', async () => {
    const { store } = await open();
    await store.put('large', LARGE);
    for (let index = 0; index < 100; index++) await store.put('small', `${index}`);
    await store.put('large', LARGE);
    const { revision } = await store.status();
    await store.put('large', LARGE);
    const { oldestRevision } = await store.status();
    expect(oldestRevision).toBeGreaterThan(1);
    expect(oldestRevision).toBeLessThanOrEqual(revision);
  });

  it('are refused with the name of what holds history back, and taken when that is over', async () => {
    const { store } = await open();
    await store.put('large', LARGE);
    const backup = store.backup();
    await backup.next();
    await store.put('large', LARGE);
    await expect(store.put('large', LARGE)).rejects.toThrow(/is kept for a backup: wait until that is done/);
    await backup.return?.(undefined);
    await store.put('large', LARGE);

    const watch = store.watch({ includeCurrent: true });
    await watch.next();
    await store.put('large', LARGE);
    await expect(store.put('large', LARGE)).rejects.toThrow(/is kept for a watch that reads the present/);
    await watch.return?.();
    await store.put('large', LARGE);
  });

  it('are taken when the backup that holds history back has not been read for a while, and it says so', async () => {
    const harness = await open();
    const { store } = harness;
    await store.put('large', LARGE);
    const backup = store.backup();
    await backup.next();
    await store.put('large', LARGE);
    await refused(store.put('large', LARGE), 'limitReached');
    await harness.advance(fixed.fullPinMs - 1);
    await refused(store.put('large', LARGE), 'limitReached');
    await harness.advance(1);
    for (let round = 0; round < 3; round++) await store.put('large', LARGE);
    await expect(readToEnd(backup)).rejects.toMatchObject({
      code: 'limitReached',
      message: expect.stringMatching(
        /its reader was waited for longer than 5 seconds.*a write found no room.*take it again/,
      ),
    });
    // It has let go of everything, and another one can be taken.
    expect(await readToEnd(store.backup())).toBeGreaterThan(0);
  });

  it('do not take away a backup whose reader takes all at once, however long that takes the store', async () => {
    const harness = await open();
    const { store } = harness;
    await store.put('large', LARGE);
    await store.put('mixed', new SeededRandom(1).bytes(4 * MiB));
    let pieceCount = 0;
    for await (const _ of store.backup()) {
      pieceCount++;
      // Asked before the next is: no time passes while the reader is waited for.
      await store.put('large', LARGE).catch(() => undefined);
    }
    expect(pieceCount).toBeGreaterThan(5);
  });

  it('are taken when a backup is read so slowly that its reader was waited for in sum', async () => {
    const harness = await open();
    const { store } = harness;
    await store.put('large', LARGE);
    await store.put('mixed', new SeededRandom(1).bytes(4 * MiB));
    const backup = store.backup();
    await backup.next();
    await store.put('large', LARGE);
    await refused(store.put('large', LARGE), 'limitReached');
    await harness.advance(fixed.fullPinMs / 2);
    expect(await backup.next()).toMatchObject({ done: false });
    await refused(store.put('large', LARGE), 'limitReached');
    await harness.advance(fixed.fullPinMs / 2);
    for (let round = 0; round < 3; round++) await store.put('large', LARGE);
    await refused(readToEnd(backup), 'limitReached');
  });

  it("are taken when a watch's present entries have not been read for a while, and it says so", async () => {
    const harness = await open();
    const { store } = harness;
    await store.put('large', LARGE);
    await store.put('other', '');
    const watch = store.watch({ includeCurrent: true });
    expect(await watch.next()).toMatchObject({ value: { kind: 'current' } });
    await store.put('large', LARGE);
    await refused(store.put('large', LARGE), 'limitReached');
    await harness.advance(fixed.fullPinMs);
    for (let round = 0; round < 3; round++) await store.put('large', LARGE);
    await refused(watch.next(), 'slowWatcher');
  });

  it('let small ones that take long to drop be dropped by and by', async () => {
    const { store, clock } = await open();
    const value = 'v'.repeat(1000);
    for (let index = 0; index < 4000; index++) await store.put(`key${index % 8}`, value);
    await store.put('large', LARGE);
    await clock.settled();
    await store.put('large', LARGE);
    await clock.settled();
    await store.put('large', LARGE);
  });
});

describe('a store that has nothing to do', () => {
  it('gives back thoroughly what deletes have left, after a while without any change', async () => {
    const harness = await MemoryHarness.open({
      limits: { historyRevisionsMax: 1 },
      makeEngine: () => new MemoryEngine(),
    });
    const { store } = harness;
    const count = 4000;
    const value = 'v'.repeat(1000);
    for (let index = 0; index < count; index++) await store.put(`key${index}`, value);
    for (let index = 0; index < count; index += 8) await store.delete(`key${index}`);
    await harness.clock.settled();
    const { memoryBytes: before } = await store.status();
    await harness.advance(fixed.tidyAfterMs / 2);
    await store.delete('key1');
    await harness.advance(fixed.tidyAfterMs - 1);
    expect((await store.status()).memoryBytes).toBeGreaterThan(0.99 * before);
    await harness.advance(fixed.tidyAfterMs);
    expect((await store.status()).memoryBytes).toBeLessThan(0.95 * before);
    expect(await valueOf(store, 'key999')).toBe(value);
  });
});

describe('keys attached to leases', () => {
  it('count towards the memory limit until they are let go', async () => {
    const { store } = await openLimited();
    await store.grantLease(60_000, 7);
    const { memoryBytes: before } = await store.status();
    const keys = Array.from({ length: 2000 }, (_, index) => `key${index}`);
    for (const key of keys) await store.put(key, '', { leaseId: 7 });
    const { memoryBytes: attached } = await store.status();
    for (const key of keys) await store.put(key, '');
    const { memoryBytes: detached } = await store.status();
    // The versions of both rounds take the same, but for the lease's number.
    expect(attached - before).toBeGreaterThan(2000 * 100);
    expect(detached).toBeLessThan(attached + 2000 * 100);
    await store.revokeLease(7);
    expect((await store.status()).memoryBytes).toBeLessThanOrEqual(detached - 500);
  });
});

describe('a memory limit', () => {
  it.each([0, -1, 1.5, Number.NaN])('of %s is refused', async (memoryBytesMax) => {
    await refused(openStore({ dataDir: '/never', memoryBytesMax }), 'invalidArgument');
  });

  it('is half of what the machine has unless it is given', async () => {
    const { store } = await MemoryHarness.open();
    const { memoryBytesMax } = await store.status();
    expect(memoryBytesMax).toBeGreaterThan(64 * MiB);
    expect(memoryBytesMax).toBeLessThan(1024 ** 5);
  });
});

/** Time slices are over after a few looks at the clock. */
class TickingClock extends ManualClock {
  #looks = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.#looks++ / 4;
  }
}

/** Puts keys, many in a turn, until no more fit. @returns how many did. */
async function fillInTurns(store: Store, valueBytes: number, prefix = 'key'): Promise<number> {
  const value = 'v'.repeat(valueBytes);
  for (let count = 0; ; count += 256) {
    const puts = Array.from({ length: 256 }, (_, index) => store.put(`${prefix}${count + index}`, value));
    const settled = await Promise.allSettled(puts);
    const refusedCount = settled.filter(({ status }) => status === 'rejected').length;
    if (refusedCount > 0) return count + 256 - refusedCount;
  }
}

/** @returns how many bytes there were. */
async function readToEnd(backup: AsyncIterableIterator<Uint8Array>): Promise<number> {
  let byteCount = 0;
  for await (const piece of backup) byteCount += piece.length;
  return byteCount;
}

type MutableOptions = { -readonly [name in keyof MemoryHarnessOptions]: MemoryHarnessOptions[name] };

/** A store with a small limit, and one key whose time to live can start anew. */
async function openLimited(): Promise<MemoryHarness> {
  const harness = await MemoryHarness.open({
    memoryBytesMax: LIMIT_BYTES,
    makeEngine: () => new MemoryEngine(),
  });
  await harness.store.put('lasting', '', { ttlMs: 60_000 });
  return harness;
}

async function openLimitedWithLease(): Promise<MemoryHarness> {
  const harness = await openLimited();
  await harness.store.grantLease(60_000, 7);
  await harness.store.put('leased', '', { leaseId: 7 });
  return harness;
}

/** Puts keys until no more fit. @returns how many did. */
async function fill(store: Store, prefix = 'key', value = VALUE): Promise<number> {
  for (let count = 0; count < 5000; count++) {
    try {
      await store.put(`${prefix}${count}`, value);
    } catch (error) {
      if (isStoreError(error, 'limitReached')) return count;
      throw error;
    }
  }
  throw new Error('there is no limit');
}
