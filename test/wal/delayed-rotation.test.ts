/** A next segment that can't be made for a while: the present one goes on, and nothing is lost whenever a crash comes. */
import { describe, expect, it } from 'vitest';
import type { DiskErrorCode } from '../../src/disk/disk.ts';
import { fixed } from '../../src/limits.ts';
import type { DiskCall, Fault } from '../support/simulated-fault.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { DIRECTORY, settle, TestLog, texts } from './test-log.ts';

const NEWEST = '/NEWEST';
const OPTIONS = { segmentBytes: 4096, newestNamePath: NEWEST };
const LONG = 'v'.repeat(1500);

/** What a rotation asks of the disk before the next segment has its name: it may fail and be tried again. */
const PASSING: readonly { readonly call: DiskCall; readonly pathEnd: string }[] = [
  { call: 'openDirectory', pathEnd: DIRECTORY },
  { call: 'remove', pathEnd: '.log.tmp' },
  { call: 'create', pathEnd: '.log.tmp' },
  { call: 'write', pathEnd: '.log.tmp' },
  { call: 'remove', pathEnd: 'NEWEST.tmp' },
  { call: 'create', pathEnd: 'NEWEST.tmp' },
  { call: 'write', pathEnd: 'NEWEST.tmp' },
  { call: 'sync', pathEnd: 'NEWEST.tmp' },
  { call: 'close', pathEnd: 'NEWEST.tmp' },
  { call: 'sync', pathEnd: '.log.tmp' },
];
const CODES: readonly DiskErrorCode[] = ['tooManyFiles', 'noSpace', 'noPermission'];
const CASES = PASSING.flatMap((place) => CODES.map((code) => ({ ...place, code })));

/** A log whose segment is full, so that the next batch makes the second one. */
async function fullLog(disk = new SimulatedDisk({ seed: 1 })): Promise<TestLog> {
  // Reopened, since a new log holds its folder from the first segment on.
  const first = await TestLog.create(OPTIONS, disk);
  for (const text of texts(LONG, 3)) await first.putDurably(text);
  await first.log.close();
  return TestLog.open(disk, OPTIONS);
}

async function segmentNames(disk: SimulatedDisk): Promise<string[]> {
  return (await disk.list(DIRECTORY)).sort();
}

describe('a segment that can not be made', () => {
  it.each(CASES)('delays the rotation when $call of $pathEnd fails with $code', async (fault) => {
    const test = await fullLog();
    test.disk.injectFault({ ...fault, isPermanent: true });
    await test.putDurably('four');
    await test.putDurably('five');
    expect(test.told).toMatchObject({ failures: [], delays: [{ code: fault.code }] });
    expect((await segmentNames(test.disk)).filter((name) => name.endsWith('.log'))).toHaveLength(1);
    expect(await test.read(4)).toEqual({ records: ['four', 'five'], result: 'end' });

    test.disk.clearFaults();
    test.clock.advance(fixed.segmentRetryMs);
    await settle();
    expect(await segmentNames(test.disk)).toEqual(['00000000000000000001.log', '00000000000000000006.log']);
    await test.putDurably('six');
    expect(await test.read(3)).toMatchObject({ records: [`${LONG}3`, 'four', 'five', 'six'] });
    const next = await TestLog.open(test.disk.losePower(), OPTIONS);
    expect(next.replayed.slice(3)).toEqual(['four', 'five', 'six']);
    await next.log.close();
  });

  it.each(CASES)('loses nothing in a crash after $call of $pathEnd failed with $code', async (fault) => {
    for (let seed = 1; seed <= 10; seed++) {
      const test = await fullLog(new SimulatedDisk({ seed }));
      test.disk.injectFault(fault);
      await test.putDurably('four');
      // Half of the crashes come in the middle of the next try.
      if (seed % 2 === 0) test.clock.advance(fixed.segmentRetryMs);
      for (let turn = 0; turn < seed % 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      const next = await TestLog.open(test.disk.losePower(), OPTIONS);
      expect(next.replayed, `seed ${seed}`).toEqual([...texts(LONG, 3), 'four']);
      await next.putDurably('five');
      expect((await segmentNames(next.disk)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      await next.log.close();
    }
  });

  it('crashes at any call of the tries without losing what was acknowledged', async () => {
    let hasEnded = false;
    for (let at = 1; !hasEnded; at++) {
      const disk = new SimulatedDisk({ seed: at });
      const test = await fullLog(disk);
      disk.injectFault({ call: 'create', pathEnd: '.log.tmp', code: 'tooManyFiles' });
      await test.putDurably('four');
      disk.injectFault({ call: 'any', at });
      test.clock.advance(fixed.segmentRetryMs);
      await settle();
      hasEnded = test.told.failures.length === 0 && at > 10;
      if (test.told.failures.length === 0) await test.putDurably('five');
      const next = await TestLog.open(disk.losePower(), OPTIONS);
      expect(next.replayed.slice(0, 4), `call ${at}`).toEqual([...texts(LONG, 3), 'four']);
      await next.log.close();
    }
  });

  it('stops the log when its disk fails for another reason', async () => {
    for (const { call, pathEnd } of PASSING) {
      const test = await fullLog();
      test.disk.injectFault({ call, pathEnd, code: 'failed', effect: 'none' });
      test.put('in vain');
      await expect(test.log.flush(), `${call} ${pathEnd}`).rejects.toMatchObject({ code: 'storageFailed' });
      expect(test.told.failures).toHaveLength(1);
    }
  });

  it('stops the log once it may have its name, whatever the reason', async () => {
    const faults: Fault[] = [
      { call: 'rename', pathEnd: '.log.tmp' },
      { call: 'syncDirectory', pathEnd: DIRECTORY },
      { call: 'rename', pathEnd: 'NEWEST.tmp' },
    ];
    for (const fault of faults) {
      const test = await fullLog();
      test.disk.injectFault({ ...fault, code: 'noSpace', effect: 'whole' });
      test.put('in vain');
      await expect(test.log.flush()).rejects.toMatchObject({ code: 'storageFailed' });
      const next = await TestLog.open(test.disk.losePower(), OPTIONS);
      expect(next.replayed).toEqual(texts(LONG, 3));
      await next.log.close();
    }
  });

  it('needs no descriptor once the change over has begun', async () => {
    const test = await fullLog();
    // The first that fails is the one after those of a rotation.
    for (const call of ['open', 'openDirectory'] as const) {
      test.disk.injectFault({ call, at: call === 'open' ? 1 : 3, code: 'tooManyFiles', isPermanent: true });
    }
    test.disk.injectFault({ call: 'create', at: 3, code: 'tooManyFiles', isPermanent: true });
    await test.putDurably('four');
    expect(test.told).toMatchObject({ failures: [], delays: [] });
    expect(await segmentNames(test.disk)).toHaveLength(2);
  });

  it('is told once a minute, and tried again each second', async () => {
    const test = await fullLog();
    test.disk.injectFault({ call: 'create', code: 'tooManyFiles', isPermanent: true });
    await test.putDurably('four');
    for (let second = 1; second < 60; second++) {
      test.clock.advance(fixed.segmentRetryMs);
      await settle();
    }
    expect(test.told.delays).toHaveLength(1);
    test.clock.advance(fixed.segmentRetryMs);
    await settle();
    expect(test.told.delays).toHaveLength(2);
    await test.log.close();
    expect(test.told.failures).toEqual([]);
  });

  it('refuses records once the present one has grown too far, and takes them again after it', async () => {
    const test = await fullLog();
    test.disk.injectFault({ call: 'create', code: 'tooManyFiles', isPermanent: true });
    let count = 3;
    const putUntilRefused = async (): Promise<void> => {
      for (; count < 100; count++) await test.putDurably(`${LONG}${count + 1}`);
    };
    await expect(putUntilRefused()).rejects.toMatchObject({
      code: 'limitReached',
      message: expect.stringMatching(/next segment .* can not be made/),
    });
    const bytesMax = (1 + fixed.segmentOverrunTimesMax) * OPTIONS.segmentBytes;
    expect(test.log.stats().bytes).toBeGreaterThan(0.9 * bytesMax);
    expect(test.log.stats().bytes).toBeLessThanOrEqual(bytesMax + OPTIONS.segmentBytes);
    // Also while it is tried again.
    test.clock.advance(fixed.segmentRetryMs);
    expect(() => test.put(LONG)).toThrow(/can not be made/);
    await settle();
    test.disk.clearFaults();
    test.clock.advance(fixed.segmentRetryMs);
    await settle();
    await test.putDurably('at last');
    expect(test.told.failures).toEqual([]);
    const next = await TestLog.open(test.disk.endProcess(), OPTIONS);
    expect(next.replayed).toEqual([...texts(LONG, count), 'at last']);
    await next.log.close();
  });
});
