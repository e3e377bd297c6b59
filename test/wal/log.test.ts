/** A log as its owner uses it: its limit, its failures, its replay and its end. */
import { describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { logOptions, settle, TestLog, texts } from './test-log.ts';
import { Log } from '../../src/wal/log.ts';
import { CountingDisk, slowDisk, countedLog } from './watched-disks.ts';

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
