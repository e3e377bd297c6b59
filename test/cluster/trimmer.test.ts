/** The trimming of a shared log that does not take what its writer says before. */
import { expect, test } from 'vitest';
import type { ClusterEvent } from '../../src/cluster/cluster-event.ts';
import { StoredBytes } from '../../src/cluster/stored-bytes.ts';
import { NodeTable } from '../../src/cluster/writer/node-table.ts';
import { Trimmer } from '../../src/cluster/writer/trimmer.ts';
import { cluster as limits } from '../../src/limits.ts';
import type { SharedLog } from '../../src/shared-log/shared-log.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('a log that is full, and so takes no announcement, is trimmed all the same', async () => {
  const clock = new ManualClock();
  const others = new NodeTable(clock);
  const report = { address: 'b', position: 90, snapshotPosition: 60 };
  others.take(report);
  clock.advance(limits.newcomerMs);
  others.take(report);
  const trims: number[] = [];
  const trim: SharedLog['trim'] = (before) => {
    trims.push(before);
    return Promise.resolve();
  };
  const trimmer = new Trimmer({
    sharedLog: { trim } as SharedLog,
    clock,
    bytesMax: 1000,
    storedBytes: new StoredBytes(1000),
    oldestPosition: () => Promise.resolve(undefined),
    others,
    ownReport: () => ({ address: 'a', position: 90, snapshotPosition: 70 }),
    announce: () => new Promise(() => undefined),
    refuseWith: () => undefined,
    onEvent: () => undefined,
  });
  const end = new AbortController();
  const run = trimmer.run(end.signal).catch(() => undefined);
  await advance(clock, 0);
  await advance(clock, limits.trimMs);
  expect(trims).toEqual([]);
  await advance(clock, limits.announceMsMax);
  expect(trims).toEqual([61]);
  end.abort();
  await run;
});

test('that a log can not be trimmed is told once, and when it can again, with how often it could not', async () => {
  const clock = new ManualClock();
  const others = new NodeTable(clock);
  const report = { address: 'b', position: 90, snapshotPosition: 60 };
  others.take(report);
  clock.advance(limits.newcomerMs);
  let isAway = true;
  const events: ClusterEvent[] = [];
  const trim: SharedLog['trim'] = () =>
    isAway ? Promise.reject(new Error('the log is away')) : Promise.resolve();
  const trimmer = new Trimmer({
    sharedLog: { trim } as SharedLog,
    clock,
    bytesMax: 1000,
    storedBytes: new StoredBytes(1000),
    oldestPosition: () => Promise.resolve(undefined),
    others,
    ownReport: () => ({ address: 'a', position: 90, snapshotPosition: 70 }),
    announce: () => Promise.resolve(90),
    refuseWith: () => undefined,
    onEvent: (event) => events.push(event),
  });
  const end = new AbortController();
  const run = trimmer.run(end.signal).catch(() => undefined);
  await advance(clock, 0);
  for (let count = 0; count < 4; count++) {
    if (count === 3) isAway = false;
    others.take(report);
    await advance(clock, limits.trimMs);
  }
  expect(events).toMatchObject([{ kind: 'trimFailed' }, { kind: 'logTrimmed', before: 61, failureCount: 3 }]);
  end.abort();
  await run;
});

test('what writers before have trimmed does not make the log full for the next one', async () => {
  const clock = new ManualClock();
  const storedBytes = new StoredBytes(1000);
  for (let position = 1; position <= 640; position++) {
    storedBytes.add(position, 10);
    storedBytes.leaveOutBeyond();
  }
  // As much as the log may hold, and what is counted together with that.
  expect(storedBytes.bytes).toBeGreaterThanOrEqual(1000);
  expect(storedBytes.bytes).toBeLessThan(1000 + 640);
  const { promise: oldest, resolve } = Promise.withResolvers<number>();
  const refusals: unknown[] = [];
  const trimmer = new Trimmer({
    sharedLog: {} as SharedLog,
    clock,
    bytesMax: 1000,
    storedBytes,
    oldestPosition: () => oldest,
    others: new NodeTable(clock),
    ownReport: () => ({ address: 'a', position: 640, snapshotPosition: 0 }),
    announce: () => Promise.resolve(640),
    refuseWith: (error) => refusals.push(error),
    onEvent: () => undefined,
  });
  const end = new AbortController();
  const run = trimmer.run(end.signal).catch(() => undefined);
  trimmer.bound();
  resolve(600);
  await advance(clock, limits.trimMs);
  trimmer.bound();
  expect(refusals).toEqual([]);
  expect(storedBytes.bytes).toBe(640);
  for (let position = 641; position <= 677; position++) storedBytes.add(position, 10);
  trimmer.bound();
  expect(refusals).toMatchObject([{ code: 'limitReached' }]);
  end.abort();
  await run;
});

/** ... and lets what has come of it go on. */
async function advance(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await new Promise(setImmediate);
}
