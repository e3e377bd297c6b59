import { describe, expect, it, vi } from 'vitest';
import type { Disk, DiskFile } from '../../src/disk/disk.ts';
import { fixed } from '../../src/limits.ts';
import { HeldDisk } from '../support/held-disk.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { framesOf, segmentPaths } from './segment-dump.ts';
import { FIRST_SEGMENT, logOptions, settle, TestLog, texts } from './test-log.ts';
import { frameKind } from '../../src/wal/frames/format.ts';
import { Log } from '../../src/wal/log.ts';

/** Counts the calls that cost time. */
class CountingDisk {
  syncs = 0;
  writes = 0;
  /** A flush ends only when this has been resolved. */
  syncGate: Promise<void> | undefined;
  readonly disk: Disk;

  constructor(inner: SimulatedDisk) {
    const count = (file: DiskFile): DiskFile => ({
      size: () => file.size(),
      read: (buffer, position) => file.read(buffer, position),
      write: (buffer, position) => {
        this.writes++;
        return file.write(buffer, position);
      },
      writeNow: (buffer, position) => {
        this.writes++;
        file.writeNow(buffer, position);
      },
      renamedTo: (path) => file.renamedTo(path),
      sync: async () => {
        this.syncs++;
        await file.sync();
        await this.syncGate;
      },
      close: () => file.close(),
    });
    this.disk = {
      makeDirectory: (path) => inner.makeDirectory(path),
      list: (path) => inner.list(path),
      open: async (path, mode) => count(await inner.open(path, mode)),
      create: async (path) => count(await inner.create(path)),
      rename: (from, to) => inner.rename(from, to),
      remove: (path) => inner.remove(path),
      syncDirectory: (path) => inner.syncDirectory(path),
      openDirectory: (path) => inner.openDirectory(path),
      lock: (path) => inner.lock(path),
    };
  }

  reset(): void {
    this.syncs = 0;
    this.writes = 0;
  }
}

/** A disk on which each call takes a turn of the event loop. */
function slowDisk(): SimulatedDisk {
  return new SimulatedDisk({ seed: 1, schedule: (action) => void setImmediate(action) });
}

/** A disk whose calls by the thread pool come to no end while it is held. */
function heldPool(): { readonly disk: SimulatedDisk; hold(): void; release(): void } {
  let held: (() => void)[] | undefined;
  const disk = new SimulatedDisk({
    seed: 1,
    schedule: (action) => {
      if (held === undefined) queueMicrotask(action);
      else held.push(action);
    },
  });
  return {
    disk,
    hold: () => {
      held = [];
    },
    release: () => {
      for (const action of held ?? []) queueMicrotask(action);
      held = undefined;
    },
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A log whose writes and flushes are counted from after its creation on. */
async function countedLog(
  fsync: 'always' | 'interval' | 'never',
): Promise<{ test: TestLog; counts: CountingDisk }> {
  const disk = slowDisk();
  const counts = new CountingDisk(disk);
  const test = await TestLog.create({ disk: counts.disk, fsync }, disk);
  counts.reset();
  return { test, counts };
}

function kindsOf(disk: SimulatedDisk): number[] {
  return framesOf(disk.contentOf(FIRST_SEGMENT)).map(({ header }) => header.kind);
}

describe('group commit', () => {
  it('makes records that come together durable with one write and one flush', async () => {
    const { test, counts } = await countedLog('always');
    for (const text of texts('v', 100)) test.put(text);
    await test.log.flush();
    expect(counts).toMatchObject({ writes: 1, syncs: 1 });
    expect(test.told.durable).toEqual([100]);
    await test.log.close();
  });

  it('gathers what comes while a flush runs in the next one', async () => {
    const { test, counts } = await countedLog('always');
    test.put('first');
    const first = test.log.flush();
    await new Promise((resolve) => setImmediate(resolve));
    // The first batch is being written now.
    for (const text of texts('v', 50)) test.put(text);
    await first;
    await test.log.flush();
    expect(counts).toMatchObject({ writes: 2, syncs: 2 });
    expect(test.told.durable).toEqual([1, 51]);
    expect(test.log.durableSequence).toBe(51);
    expect(test.log.committedSequence).toBe(51);
    await test.log.close();
  });

  it('shares the flushes among writers that each wait for their own', async () => {
    const disk = slowDisk();
    const counts = new CountingDisk(disk);
    const writerCount = 32;
    const total = writerCount * 20;
    let toldSequence = 0;
    const log = await new Promise<Log>((resolve, reject) => {
      const onDurable = (sequence: number): void => {
        for (; toldSequence < sequence && made.lastRevision < total; toldSequence++) put();
        if (sequence === total) resolve(made);
      };
      const put = (): void => {
        made.buffer.write('text', made.reserve(4));
        made.commit(made.lastRevision + 1);
      };
      let made: Log;
      Log.create(
        logOptions(counts.disk, { durable: [], failures: [], delays: [] }, { onDurable }),
        Buffer.alloc(16),
      ).then((log) => {
        made = log;
        counts.reset();
        for (let writer = 0; writer < writerCount; writer++) put();
      }, reject);
    });
    expect(log.lastRevision).toBe(total);
    expect(counts.syncs).toBeLessThanOrEqual(total / writerCount + 1);
    await log.close();
  });

  it('drops a record that was reserved and not committed', async () => {
    const { test } = await countedLog('always');
    test.put('one');
    test.log.buffer.write('never', test.log.reserve(5));
    test.put('two');
    await test.log.close();
    const again = await TestLog.open(test.disk);
    expect(again.replayed).toEqual(['one', 'two']);
    await again.log.close();
  });

  it('carries records of every length, an empty and a very long one among them', async () => {
    const lengths = [0, 1, 127, 128, 16_383, 16_384, 200_000, 5];
    const written = lengths.map((length) => 'x'.repeat(length));
    const { test } = await countedLog('always');
    for (const text of written) test.put(text);
    await test.log.flush();
    for (const text of written) await test.putDurably(text);
    await test.log.close();
    const again = await TestLog.open(test.disk);
    expect(again.replayed).toEqual([...written, ...written]);
    expect(again.log.lastRevision).toBe(16);
    await again.log.close();
  });
});

describe('the way to disk', () => {
  const MiB = 1024 * 1024;

  for (const fsync of ['interval', 'never'] as const) {
    it(`needs no thread pool, and ends with the turn (fsync ${fsync})`, async () => {
      const pool = heldPool();
      const test = await TestLog.create({ fsync }, pool.disk);
      pool.hold();
      test.put('one');
      await Promise.resolve().then(() => test.put('two'));
      expect(test.told.durable).toEqual([]);
      await nextTurn();
      expect(test.told.durable, 'one batch').toEqual([2]);
      expect(kindsOf(pool.disk)).toEqual([frameKind.segmentHeader, frameKind.batch]);
      test.put('three');
      await nextTurn();
      expect(test.told.durable).toEqual([2, 3]);
      pool.release();
      await test.log.close();
    });
  }

  it('leaves only the flush to the thread pool with fsync always, and the next batch gathers meanwhile', async () => {
    const pool = heldPool();
    const test = await TestLog.create({ fsync: 'always' }, pool.disk);
    pool.hold();
    test.put('one');
    await nextTurn();
    expect(kindsOf(pool.disk)).toEqual([frameKind.segmentHeader, frameKind.batch]);
    for (const text of texts('v', 5)) {
      test.put(text);
      await nextTurn();
    }
    expect(kindsOf(pool.disk), 'none is written while a flush runs').toHaveLength(2);
    expect(test.told.durable).toEqual([]);
    pool.release();
    await test.log.flush();
    expect(test.told.durable).toEqual([1, 6]);
    expect(kindsOf(pool.disk)).toHaveLength(3);
    await test.log.close();
  });

  it('leads over the thread pool for a batch that is too long to hold the event loop', async () => {
    const pool = heldPool();
    const test = await TestLog.create({ fsync: 'never', segmentBytes: 4 * MiB }, pool.disk);
    pool.hold();
    test.put('x'.repeat(fixed.batchWrittenNowBytesMax - 100));
    await nextTurn();
    expect(test.told.durable).toEqual([1]);
    test.put('x'.repeat(fixed.batchWrittenNowBytesMax));
    await nextTurn();
    test.put('after it');
    await nextTurn();
    expect(test.told.durable).toEqual([1]);
    pool.release();
    await settle();
    expect(test.told.durable.at(-1)).toBe(3);
    await test.log.close();
    const again = await TestLog.open(pool.disk);
    expect(again.replayed.map(({ length }) => length)).toEqual([
      fixed.batchWrittenNowBytesMax - 100,
      fixed.batchWrittenNowBytesMax,
      8,
    ]);
    await again.log.close();
  });

  it('writes zeros ahead by the thread pool, some at a time', async () => {
    const pool = heldPool();
    const test = await TestLog.create({ fsync: 'never', segmentBytes: 4 * MiB }, pool.disk);
    for (let count = 0; count < 4; count++) {
      test.put('x'.repeat(200_000));
      await settle();
    }
    const writes = [...pool.disk.dump().matchAll(/ write \S+\.log (\d+)\+(\d+)(.*)/g)];
    const ahead = writes.filter(([, position]) => Number(position) >= MiB);
    expect(ahead.length).toBe(MiB / fixed.zerosWrittenBytesMax);
    for (const [, , bytes, how] of ahead) {
      expect(Number(bytes)).toBeLessThanOrEqual(fixed.zerosWrittenBytesMax);
      expect(how).toBe('');
    }
    await test.log.close();
  });

  it('leads no frame to where the zeros are not flushed', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const heldFlushes = new HeldDisk(disk);
    const test = await TestLog.create({ fsync: 'never', disk: heldFlushes }, disk);
    heldFlushes.hold();
    // Chunks of 16 KiB: the next one is written while half of the first is free, and its flush waits.
    for (let count = 0; count < 3; count++) {
      test.put('x'.repeat(5000));
      await settle();
    }
    expect(disk.contentOf(FIRST_SEGMENT)).toHaveLength(32 * 1024);
    expect(heldFlushes.waitingCount).toBe(1);
    test.put('x'.repeat(5000));
    await settle();
    expect(test.told.durable.at(-1)).toBe(3);
    heldFlushes.release();
    await settle();
    expect(test.told.durable.at(-1)).toBe(4);
    await test.log.close();
  });

  it('takes a flush to cover no zeros that were written while it ran', async () => {
    const { test, counts } = await countedLog('always');
    const gate = Promise.withResolvers<void>();
    counts.syncGate = gate.promise;
    test.put('x'.repeat(9000));
    await settle();
    expect(test.disk.contentOf(FIRST_SEGMENT)).toHaveLength(32 * 1024);
    gate.resolve();
    await test.log.flush();
    expect(counts.syncs).toBe(1);
    test.put('x'.repeat(9000));
    await test.log.flush();
    expect(counts.syncs, 'one for the zeros, one for the frame').toBe(3);
    await test.log.close();
  });

  it('tells of a batch while the one that gathered meanwhile is flushed', async () => {
    const pool = heldPool();
    const test = await TestLog.create({ fsync: 'always' }, pool.disk);
    pool.hold();
    test.put('one');
    await nextTurn();
    test.put('two');
    pool.release();
    pool.hold();
    await nextTurn();
    expect(test.told.durable).toEqual([1]);
    expect(kindsOf(pool.disk), 'the second is written').toHaveLength(3);
    pool.release();
    await test.log.close();
  });
});

describe('the fsync policy', () => {
  it('always: says that a record is durable after its flush', async () => {
    const { test, counts } = await countedLog('always');
    test.put('one');
    expect(test.told.durable).toEqual([]);
    await settle();
    expect(counts.syncs).toBe(1);
    expect(test.told.durable).toEqual([1]);
    await test.log.close();
  });

  it('interval: says so after the write, and flushes when the time has come', async () => {
    const { test, counts } = await countedLog('interval');
    test.put('one');
    await settle();
    expect(test.told.durable).toEqual([1]);
    expect(counts.syncs).toBe(0);
    test.clock.advance(999);
    await settle();
    expect(counts.syncs).toBe(0);
    test.clock.advance(1);
    await settle();
    expect(counts.syncs).toBe(1);
    test.clock.advance(10_000);
    await settle();
    expect(counts.syncs, 'nothing more to flush').toBe(1);
    await test.log.close();
  });

  it('interval: counts as flushed only what was written when the flush began', async () => {
    const { test, counts } = await countedLog('interval');
    test.put('one');
    await settle();
    const gate = Promise.withResolvers<void>();
    counts.syncGate = gate.promise;
    test.clock.advance(1000);
    await settle();
    test.put('two');
    await settle();
    expect(test.told.durable, 'a flush in the background stops no write').toEqual([1, 2]);
    gate.resolve();
    await settle();
    test.put('three');
    await settle();
    const [, , two, three] = framesOf(test.disk.contentOf(FIRST_SEGMENT));
    expect(three?.header.durableOffset).toBe(two?.start);
    await test.log.close();
  });

  it('never: flushes only when asked, and when closing', async () => {
    const { test, counts } = await countedLog('never');
    test.put('one');
    await settle();
    test.clock.advance(100_000);
    await settle();
    expect(test.told.durable).toEqual([1]);
    expect(counts.syncs).toBe(0);
    await test.log.flush();
    expect(counts.syncs).toBe(1);
    await test.log.flush();
    expect(counts.syncs).toBe(1);
    test.put('two');
    await test.log.close();
    expect(counts.syncs).toBeGreaterThan(1);
  });
});

describe('a mark', () => {
  it('is written once the log has been idle, and only once', async () => {
    const { test, counts } = await countedLog('always');
    await test.putDurably('one');
    test.clock.advance(99);
    await settle();
    expect(kindsOf(test.disk)).toEqual([frameKind.segmentHeader, frameKind.batch]);
    test.clock.advance(1);
    await settle();
    test.clock.advance(1000);
    await settle();
    expect(kindsOf(test.disk)).toEqual([frameKind.segmentHeader, frameKind.batch, frameKind.mark]);
    expect(counts, 'a mark needs no flush').toMatchObject({ writes: 2, syncs: 1 });
    await test.log.close();
  });

  it('waits as long as there are writes', async () => {
    const { test } = await countedLog('always');
    for (const text of texts('v', 10)) {
      await test.putDurably(text);
      test.clock.advance(60);
      await settle();
    }
    expect(kindsOf(test.disk)).not.toContain(frameKind.mark);
    test.clock.advance(40);
    await settle();
    expect(kindsOf(test.disk).at(-1)).toBe(frameKind.mark);
    await test.log.close();
  });

  it('ends a log that is closed, once', async () => {
    const { test } = await countedLog('never');
    test.put('one');
    await test.log.close();
    const again = await TestLog.open(test.disk);
    await again.log.close();
    expect(kindsOf(test.disk)).toEqual([frameKind.segmentHeader, frameKind.batch, frameKind.mark]);
  });

  for (const fsync of ['always', 'interval', 'never'] as const) {
    it(`ends each segment and vouches for all of it, with fsync ${fsync}`, async () => {
      const test = await TestLog.create({ fsync, segmentBytes: 4096 });
      for (const text of texts('v'.repeat(1500), 10)) {
        test.put(text);
        await settle();
      }
      const paths = await segmentPaths(test.disk);
      expect(paths.length).toBeGreaterThan(2);
      for (const path of paths.slice(0, -1)) {
        const last = framesOf(test.disk.contentOf(path)).at(-1);
        expect(last?.header).toMatchObject({ kind: frameKind.mark, durableOffset: last?.start });
      }
      await test.log.close();
    });
  }
});

describe('a limit', () => {
  it('refuses records while too much is unwritten, and accepts them again afterwards', async () => {
    const test = await TestLog.create({ unflushedBytesMax: 20_000 }, slowDisk());
    test.put('x'.repeat(12_000));
    expect(() => test.put('x'.repeat(12_000))).toThrow(/wait for writes under way/);
    test.put('x'.repeat(6000));
    await new Promise((resolve) => setImmediate(resolve));
    // The segment has to grow for the first batch: its bytes still count.
    expect(() => test.put('x'.repeat(4000))).toThrow(expect.objectContaining({ code: 'limitReached' }));
    await test.log.flush();
    test.put('x'.repeat(12_000));
    await test.log.close();
  });

  it('lets a record pass that is longer than the limit, when nothing is under way', async () => {
    const test = await TestLog.create({ unflushedBytesMax: 1000 });
    await test.putDurably('x'.repeat(5000));
    expect(test.told.durable).toEqual([1]);
    await test.log.close();
  });

  it('is checked when the log is opened', async () => {
    await expect(TestLog.create({ segmentBytes: 100 })).rejects.toThrow(/segmentBytes is 100/);
  });
});

describe('a failure', () => {
  for (const call of ['write', 'sync'] as const) {
    it(`of a ${call} is final`, async () => {
      const disk = new SimulatedDisk({ seed: 1 });
      const counts = new CountingDisk(disk);
      const test = await TestLog.create({ disk: counts.disk }, disk);
      await test.putDurably('one');
      disk.injectFault({ call });
      test.put('two');
      const waiter = test.log.flush();
      await expect(waiter).rejects.toThrow(/nothing is written any more/);
      expect(test.told.failures).toHaveLength(1);
      expect(test.told.durable).toEqual([1]);

      counts.reset();
      expect(() => test.log.reserve(1)).toThrow(expect.objectContaining({ code: 'readOnly' }));
      await expect(test.log.flush()).rejects.toThrow(expect.objectContaining({ code: 'storageFailed' }));
      test.clock.advance(10_000);
      await settle();
      await test.log.close();
      expect(counts).toMatchObject({ writes: 0, syncs: 0 });
      expect(test.told.failures).toHaveLength(1);
    });
  }

  it('while zeros are written ahead is final too, if it is not for want of space', async () => {
    // Chunks of 16 KiB: the next one is begun when half of the first is used up.
    const test = await TestLog.create({ segmentBytes: 64 * 1024 });
    test.disk.injectFault({ call: 'write', at: 2, code: 'failed' });
    test.put('x'.repeat(10_000));
    await expect(test.log.flush()).rejects.toThrow(/failed/);
    await settle();
    expect(test.told).toMatchObject({ durable: [], failures: [{ code: 'failed' }], delays: [] });
    expect(() => test.log.reserve(1)).toThrow(/failed/);
    await test.log.close();
  });

  it('while the next segment is made is final too', async () => {
    const test = await TestLog.create({ segmentBytes: 4096 });
    await test.putDurably('x'.repeat(5000));
    test.disk.injectFault({ call: 'rename' });
    test.put('two');
    await expect(test.log.flush()).rejects.toThrow(expect.objectContaining({ code: 'storageFailed' }));
    expect(test.told).toMatchObject({ durable: [1], failures: [expect.anything()] });
    await test.log.close();
  });

  it('of a flush in the background is told', async () => {
    const test = await TestLog.create({ fsync: 'interval' });
    test.put('one');
    await settle();
    test.disk.injectFault({ call: 'sync' });
    test.clock.advance(1000);
    await settle();
    expect(test.told.failures).toHaveLength(1);
    await test.log.close();
  });

  it('that comes with closing rejects it', async () => {
    const test = await TestLog.create({ fsync: 'never' });
    test.put('one');
    await settle();
    test.disk.injectFault({ call: 'sync' });
    await expect(test.log.close()).rejects.toThrow(expect.objectContaining({ code: 'storageFailed' }));
  });

  it('leaves a log that opens again with what was durable', async () => {
    const test = await TestLog.create();
    await test.putDurably('one');
    test.disk.injectFault({ call: 'sync' });
    test.put('two');
    await expect(test.log.flush()).rejects.toThrow();
    await test.log.close();
    const again = await TestLog.open(test.disk.endProcess());
    expect(again.replayed[0]).toBe('one');
    await again.log.close();
    const third = await TestLog.open(again.disk.losePower());
    expect(third.replayed, 'what the second life has seen').toEqual(again.replayed);
    await third.log.close();
  });
});

describe('a segment', () => {
  it('ends when it has reached its length, and the next one goes on', async () => {
    const test = await TestLog.create({ segmentBytes: 4096 });
    const written = texts('v'.repeat(500), 40);
    for (const text of written) await test.putDurably(text);
    expect(test.log.stats().segmentCount).toBeGreaterThan(3);
    await test.log.close();
    const paths = await segmentPaths(test.disk);
    expect(test.log.stats()).toEqual({
      segmentCount: paths.length,
      bytes: paths.reduce((sum, path) => sum + test.disk.contentOf(path).length, 0),
    });
    const again = await TestLog.open(test.disk, { segmentBytes: 4096 });
    expect(again.replayed).toEqual(written);
    expect(again.log.stats()).toEqual(test.log.stats());
    again.put('more');
    await again.log.close();
    const third = await TestLog.open(test.disk, { segmentBytes: 1024 * 1024 });
    expect(third.replayed).toEqual([...written, 'more']);
    await third.log.close();
  });

  it('is removed with the older ones, one by one, but never the newest', async () => {
    const test = await TestLog.create({ segmentBytes: 4096 });
    for (const text of texts('v'.repeat(1500), 12)) await test.putDurably(text);
    const before = await segmentPaths(test.disk);
    expect(before).toHaveLength(4);
    expect(test.log.oldestRevision).toBe(1);
    await test.log.removeBefore(1);
    expect(await segmentPaths(test.disk)).toEqual(before);
    await Promise.all([test.log.removeBefore(8), test.log.removeBefore(5)]);
    expect(await segmentPaths(test.disk)).toEqual(before.slice(2));
    expect(test.log.oldestRevision).toBe(7);
    await test.log.removeBefore(1000);
    expect(await segmentPaths(test.disk)).toEqual(before.slice(3));
    await test.log.close();
  });
});

describe('a segment in which nothing was written', () => {
  it('is made anew by the next process, since the flush of its name may have failed', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    disk.injectFault({ call: 'syncDirectory', effect: 'none' });
    await expect(TestLog.create({}, disk)).rejects.toThrow(/syncDirectory/);
    const next = await TestLog.open(disk.endProcess());
    await next.putDurably('one');
    const last = await TestLog.open(next.disk.losePower());
    expect(last.replayed).toEqual(['one']);
    await last.log.close();
  });

  it('is made anew behind another one', async () => {
    const test = await TestLog.create({ segmentBytes: 4096 });
    for (const text of texts('v'.repeat(1500), 3)) await test.putDurably(text);
    test.disk.injectFault({ call: 'syncDirectory', effect: 'none' });
    test.put('in vain');
    await expect(test.log.flush()).rejects.toThrow(/syncDirectory/);
    const next = await TestLog.open(test.disk.endProcess());
    expect(await segmentPaths(next.disk)).toHaveLength(2);
    await next.putDurably('four');
    const last = await TestLog.open(next.disk.losePower());
    expect(last.replayed).toHaveLength(4);
    expect(last.replayed.at(-1)).toBe('four');
    await last.log.close();
  });
});

describe('the removal of segments', () => {
  it('leaves no gap when the power is lost on the way', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const disk = new SimulatedDisk({ seed, schedule: (action) => void setImmediate(action) });
      const test = await TestLog.create({ segmentBytes: 4096 }, disk);
      for (const text of texts('v'.repeat(1500), 15)) await test.putDurably(text);
      const removal = test.log.removeBefore(13).catch(() => {});
      for (let turn = 0; turn < seed % 12; turn++) await new Promise((resolve) => setImmediate(resolve));
      const next = disk.losePower();
      await removal;
      const again = await TestLog.open(next, { segmentBytes: 4096 }, 12);
      expect(again.log.lastRevision, `seed ${seed}`).toBe(15);
      await again.log.close();
    }
  });

  it('begins with the segment that could not be removed the last time', async () => {
    for (const effect of ['none', 'whole'] as const) {
      const test = await TestLog.create({ segmentBytes: 4096 });
      for (const text of texts('v'.repeat(1500), 15)) await test.putDurably(text);
      const before = await segmentPaths(test.disk);
      test.disk.injectFault({ call: 'remove', effect });
      await expect(test.log.removeBefore(13)).rejects.toThrow(/remove/);
      expect(test.log.oldestRevision).toBe(4);
      await test.log.removeBefore(5);
      expect(await segmentPaths(test.disk)).toEqual(before.slice(1));
      await test.log.close();
      const again = await TestLog.open(test.disk, { segmentBytes: 4096 }, 12);
      expect(again.log.lastRevision).toBe(15);
      await again.log.close();
    }
  });

  it('ends for good when the folder could not be flushed, which leaves open what is durable', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const test = await TestLog.create({ segmentBytes: 4096 }, disk);
    for (const text of texts('v'.repeat(1500), 15)) await test.putDurably(text);
    disk.injectFault({ call: 'syncDirectory', effect: 'none' });
    await expect(test.log.removeBefore(13)).rejects.toThrow(/syncDirectory/);
    await expect(test.log.removeBefore(13)).rejects.toThrow(/syncDirectory/);
    const again = await TestLog.open(disk.losePower(), { segmentBytes: 4096 });
    expect(again.replayed).toHaveLength(15);
    await again.log.close();
  });
});

describe('replay', () => {
  it('hands on the frame of the revision that is known, in which notes may follow it, and all later ones', async () => {
    const test = await TestLog.create();
    for (const text of ['one', 'two']) await test.putDurably(text);
    test.note('note after two');
    await test.log.flush();
    test.put('three');
    test.note('note after three');
    test.put('four');
    await test.log.close();
    const replays: [number, string[]][] = [
      [0, ['one', 'two', 'note after two', 'three', 'note after three', 'four']],
      [1, ['one', 'two', 'note after two', 'three', 'note after three', 'four']],
      [2, ['two', 'note after two', 'three', 'note after three', 'four']],
      // One frame holds both revisions.
      [3, ['three', 'note after three', 'four']],
      [4, ['three', 'note after three', 'four']],
    ];
    for (const [afterRevision, expected] of replays) {
      const again = await TestLog.open(test.disk, {}, afterRevision);
      expect(again.replayed, `after ${afterRevision}`).toEqual(expected);
      expect(again.log.lastRevision).toBe(4);
      await again.log.close();
    }
  });

  it('tells its progress up to the whole', async () => {
    const test = await TestLog.create({ segmentBytes: 4096 });
    for (const text of texts('v'.repeat(1500), 12)) await test.putDurably(text);
    await test.log.close();
    const log = await Log.open(logOptions(test.disk, test.told, { segmentBytes: 4096 }));
    const progress: [number, number][] = [];
    await log?.replay(
      0,
      () => {},
      (doneBytes, totalBytes) => progress.push([doneBytes, totalBytes]),
    );
    const total = test.log.stats().bytes;
    expect(progress.at(-1)).toEqual([total, total]);
    expect(progress.length).toBeGreaterThan(4);
    const done = progress.map(([doneBytes]) => doneBytes);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    await log?.close();
  });

  it('passes on what its owner throws', async () => {
    const test = await TestLog.create();
    await test.putDurably('one');
    await test.log.close();
    const log = await Log.open(logOptions(test.disk, test.told));
    const failing = log?.replay(0, () => {
      throw new Error('of the owner');
    });
    await expect(failing).rejects.toThrow('of the owner');
  });
});

describe('a closed log', () => {
  it('has written everything and accepts nothing more', async () => {
    const { test } = await countedLog('never');
    test.put('one');
    const closing = test.log.close();
    expect(() => test.log.reserve(1)).toThrow(expect.objectContaining({ code: 'closed' }));
    await closing;
    await test.log.close();
    const again = await TestLog.open(test.disk.losePower());
    expect(again.replayed).toEqual(['one']);
    await again.log.close();
  });
});

it('interval: a flush that comes due while the segment before is being closed goes to the next one', async () => {
  // Closing takes its time on a disk whose calls do.
  let closing: (() => void)[] | undefined;
  const inner = new SimulatedDisk({ seed: 1 });
  const slow = (file: DiskFile): DiskFile => ({
    size: () => file.size(),
    read: (buffer, position) => file.read(buffer, position),
    write: (buffer, position) => file.write(buffer, position),
    writeNow: (buffer, position) => file.writeNow(buffer, position),
    renamedTo: (path) => file.renamedTo(path),
    sync: () => file.sync(),
    close: async () => {
      await file.close();
      await new Promise<void>((resolve) => (closing === undefined ? resolve() : void closing.push(resolve)));
    },
  });
  const test = await TestLog.create(
    {
      fsync: 'interval',
      segmentBytes: 8192,
      disk: {
        makeDirectory: (path) => inner.makeDirectory(path),
        list: (path) => inner.list(path),
        open: async (path, mode) => slow(await inner.open(path, mode)),
        create: async (path) => slow(await inner.create(path)),
        rename: (from, to) => inner.rename(from, to),
        remove: (path) => inner.remove(path),
        syncDirectory: (path) => inner.syncDirectory(path),
        openDirectory: (path) => inner.openDirectory(path),
        lock: (path) => inner.lock(path),
      },
    },
    inner,
  );
  test.put('x'.repeat(9000));
  await settle();
  closing = [];
  test.put('the first of the next segment');
  await vi.waitFor(() => expect(closing?.length).toBeGreaterThan(0));
  test.clock.advance(1000);
  await settle();
  for (const close of closing) close();
  closing = undefined;
  await settle();
  expect(test.told.failures).toEqual([]);
  expect(test.told.durable.at(-1)).toBe(2);
  await test.log.close();
});
