/** A disk that is full: zeros that can't be written ahead of use stop nothing as long as those that are there have room. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../src/limits.ts';
import type { LogOptions } from '../../src/wal/log.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { framesOf } from './segment-dump.ts';
import { FIRST_SEGMENT, settle, TestLog, texts } from './test-log.ts';

const KiB = 1024;
/** Chunks of 16 KiB: the next one is begun when half of the first is used up. */
const SEGMENT_BYTES = 64 * KiB;
const CHUNK_BYTES = 16 * KiB;
const LONG = 'v'.repeat(1000);
const POLICIES = ['always', 'interval', 'never'] as const;

/** A log in its first chunk, on a disk on which files may grow by so much. */
async function logOnFullDisk(
  fsync: LogOptions['fsync'],
  leftBytes: number,
  seed = 1,
): Promise<{ test: TestLog; disk: SimulatedDisk }> {
  const disk = new SimulatedDisk({ seed });
  const test = await TestLog.create({ fsync, segmentBytes: SEGMENT_BYTES }, disk);
  await test.putDurably('first');
  disk.limitSpace(leftBytes);
  return { test, disk };
}

/** Writes one record after the other until the log has failed. @returns how many were told to be durable. */
async function putUntilFailed(test: TestLog, countMax = 1000): Promise<number> {
  for (let count = 2; count <= countMax && test.told.failures.length === 0; count++) {
    test.put(`${LONG}${count}`);
    await settle();
  }
  return test.told.durable.at(-1) ?? 0;
}

/** Where the last frame ends. */
function contentEnd(disk: SimulatedDisk): number {
  return framesOf(disk.contentOf(FIRST_SEGMENT)).at(-1)?.end ?? 0;
}

describe.each(POLICIES)('a full disk, with fsync %s', (fsync) => {
  it('stops no write for which there is room, and is told', async () => {
    const { test, disk } = await logOnFullDisk(fsync, 0);
    const writtenCount = 14;
    for (let count = 2; count <= writtenCount; count++) {
      test.put(`${LONG}${count}`);
      await settle();
    }
    expect(test.told).toMatchObject({ failures: [], delays: [{ code: 'noSpace' }] });
    expect(test.told.durable.at(-1)).toBe(writtenCount);
    expect(disk.contentOf(FIRST_SEGMENT)).toHaveLength(CHUNK_BYTES);
    await test.log.flush();
    const next = await TestLog.open(disk.losePower());
    expect(next.replayed).toHaveLength(writtenCount);
    await next.log.close();
  });

  it('stops the log with the first batch that does not fit, and not before', async () => {
    const { test, disk } = await logOnFullDisk(fsync, 0);
    const writtenCount = await putUntilFailed(test);
    expect(test.told.failures).toMatchObject([{ code: 'noSpace' }]);
    // Not even one more record has room.
    expect(contentEnd(disk)).toBeGreaterThan(CHUNK_BYTES - LONG.length - 100);
    expect(() => test.put('more')).toThrow(expect.objectContaining({ code: 'readOnly' }));
    const next = await TestLog.open(disk.endProcess());
    expect(next.replayed).toHaveLength(writtenCount);
    await next.log.close().catch(() => undefined);
  });

  it('uses what space there is to the last', async () => {
    const { test, disk } = await logOnFullDisk(fsync, 10 * KiB);
    await putUntilFailed(test);
    expect(contentEnd(disk)).toBeGreaterThan(CHUNK_BYTES + 8 * KiB - LONG.length - 100);
    expect(disk.contentOf(FIRST_SEGMENT).length).toBeLessThanOrEqual(CHUNK_BYTES + 10 * KiB);
    expect(test.told.durable.at(-1)).toBeGreaterThanOrEqual(
      Math.floor((CHUNK_BYTES + 8 * KiB) / (LONG.length + 100)),
    );
  });

  it('goes on as before once there is space again', async () => {
    const { test, disk } = await logOnFullDisk(fsync, 0);
    for (const text of texts(LONG, 12)) {
      test.put(text);
      await settle();
    }
    disk.limitSpace(Infinity);
    // Until the next try nothing is written ahead.
    expect(disk.contentOf(FIRST_SEGMENT)).toHaveLength(CHUNK_BYTES);
    test.clock.advance(fixed.segmentRetryMs);
    test.put('after a while');
    await settle();
    expect(disk.contentOf(FIRST_SEGMENT).length).toBeGreaterThan(CHUNK_BYTES);
    for (const text of texts(LONG, 100)) await test.putDurably(text);
    expect(test.told.failures).toEqual([]);
    await test.log.close();
    const next = await TestLog.open(disk.losePower());
    expect(next.replayed).toHaveLength(1 + 12 + 1 + 100);
    await next.log.close();
  });

  it('is told once a minute at most, and tried again once a second at most', async () => {
    const { test, disk } = await logOnFullDisk(fsync, 0);
    for (const text of texts(LONG, 8)) await test.putDurably(text);
    const triesBefore = zeroWritesOf(disk);
    for (let second = 1; second < 60; second++) {
      test.clock.advance(fixed.segmentRetryMs);
      test.put('x');
      await settle();
      test.put('y');
      await settle();
    }
    expect(zeroWritesOf(disk) - triesBefore).toBe(59);
    expect(test.told.delays).toHaveLength(1);
    test.clock.advance(fixed.segmentRetryMs);
    test.put('z');
    await settle();
    expect(test.told).toMatchObject({ failures: [], delays: [{}, {}] });
    await test.log.close();
  });

  it('leaves what the format says, whenever the power goes', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { test, disk } = await logOnFullDisk(fsync, (seed % 7) * 3 * KiB, seed);
      const committedCount = 8 + (seed % 20);
      for (let count = 2; count <= committedCount && test.told.failures.length === 0; count++) {
        test.put(`${LONG}${count}`);
        for (let turn = 0; turn < seed % 4; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
      const durableCount = fsync === 'always' ? (test.told.durable.at(-1) ?? 0) : 1;
      const next = await TestLog.open(disk.losePower());
      expect(next.replayed.length, `seed ${seed}`).toBeGreaterThanOrEqual(durableCount);
      expect(next.replayed.slice(1)).toEqual(
        Array.from({ length: next.replayed.length - 1 }, (_, index) => `${LONG}${index + 2}`),
      );
      next.disk.limitSpace(Infinity);
      await next.putDurably('on');
      await next.log.close();
    }
  });
});

/** The writes so far that went to the first byte behind the zeros that are there. */
function zeroWritesOf(disk: SimulatedDisk): number {
  return [...disk.dump().matchAll(new RegExp(`write ${FIRST_SEGMENT} ${CHUNK_BYTES}\\+`, 'g'))].length;
}
