/** The files of a log: how one ends and the next begins, and how the old ones go. */
import { describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { segmentPaths } from './segment-dump.ts';
import { TestLog, texts } from './test-log.ts';

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
      oldestSegmentId: 1,
      activeSegmentId: Number.parseInt(paths.at(-1)?.split('/').at(-1) ?? '', 10),
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
