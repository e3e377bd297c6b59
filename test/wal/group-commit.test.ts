/** What becomes durable together, by which way it goes to the disk, and when it is said to be durable. */
import { describe, expect, it, vi } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { HeldDisk } from '../support/held-disk.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { withFiles } from '../support/wrapped-disk.ts';
import { framesOf, segmentPaths } from './segment-dump.ts';
import { FIRST_SEGMENT, logOptions, settle, TestLog, texts } from './test-log.ts';
import { frameKind } from '../../src/wal/frames/format.ts';
import { Log } from '../../src/wal/log.ts';
import { CountingDisk, slowDisk, heldPool, nextTurn, countedLog, kindsOf } from './watched-disks.ts';

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

it('interval: a flush that comes due while the segment before is being closed goes to the next one', async () => {
  // Closing takes its time on a disk whose calls do.
  let closing: (() => void)[] | undefined;
  const inner = new SimulatedDisk({ seed: 1 });
  const slow = withFiles(inner, (file) => ({
    close: async () => {
      await file.close();
      await new Promise<void>((resolve) => (closing === undefined ? resolve() : void closing.push(resolve)));
    },
  }));
  const test = await TestLog.create({ fsync: 'interval', segmentBytes: 8192, disk: slow }, inner);
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
