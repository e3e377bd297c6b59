/** The trimming of a shared log that does not take what its writer says before. */
import { expect, test } from 'vitest';
import type { ClusterEvent } from '../../src/cluster/cluster-event.ts';
import { NodeTable } from '../../src/cluster/writer/node-table.ts';
import { Trimmer } from '../../src/cluster/writer/trimmer.ts';
import { cluster as limits, sharedLog as logLimits } from '../../src/limits.ts';
import type { LogHead, SharedLog } from '../../src/shared-log/shared-log.ts';
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
    sharedLog: { trim, beginning } as SharedLog,
    clock,
    bytesMax: 100_000,
    head: () => headAt(90, 9000),
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
    sharedLog: { trim, beginning } as SharedLog,
    clock,
    bytesMax: 100_000,
    head: () => headAt(90, 9000),
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

test('a log is full by what lies between its oldest record and its head, with the overhead of each', async () => {
  const clock = new ManualClock();
  const others = new NodeTable(clock);
  let head = headAt(640, 64_000);
  const beginnings = [{ position: 601, bytesBefore: 60_000 }];
  const trims: number[] = [];
  const refusals: unknown[] = [];
  const events: ClusterEvent[] = [];
  const sharedLog: Pick<SharedLog, 'trim' | 'beginning'> = {
    beginning: () => Promise.resolve(beginnings[trims.length] ?? expect.unreachable()),
    trim: (before) => {
      trims.push(before);
      return Promise.resolve();
    },
  };
  const trimmer = new Trimmer({
    sharedLog: sharedLog as SharedLog,
    clock,
    // What the records up to 660 take.
    bytesMax: 60 * (100 + logLimits.recordOverheadBytes),
    head: () => head,
    others,
    ownReport: () => ({ address: 'a', position: 640, snapshotPosition: 639 }),
    announce: () => Promise.resolve(640),
    refuseWith: (error) => refusals.push(error),
    onEvent: (event) => events.push(event),
  });
  const end = new AbortController();
  const run = trimmer.run(end.signal).catch(() => undefined);
  trimmer.bound();
  expect(trimmer.bytes).toBe(0);
  await advance(clock, 0);
  expect(trimmer.bytes).toBe(40 * 700);
  expect(events).toEqual([]);
  head = headAt(659, 65_900);
  trimmer.bound();
  expect(events).toMatchObject([{ kind: 'logNearlyFull', bytes: 59 * 700 }]);
  expect(refusals).toEqual([undefined]);
  head = headAt(660, 66_000);
  trimmer.bound();
  expect(refusals).toMatchObject([undefined, { code: 'limitReached' }]);

  others.take({ address: 'b', position: 660, snapshotPosition: 620 });
  clock.advance(limits.newcomerMs);
  others.take({ address: 'b', position: 660, snapshotPosition: 620 });
  beginnings.push({ position: 621, bytesBefore: 62_000 });
  await advance(clock, limits.trimMs);
  expect(trims).toEqual([621]);
  expect(trimmer.bytes).toBe(40 * 700);
  expect(refusals.at(-1)).toBeUndefined();
  end.abort();
  await run;
});

test('while a log does not say where it begins it is asked again, and is not trimmed', async () => {
  const clock = new ManualClock();
  let isAway = true;
  const events: ClusterEvent[] = [];
  const beginning: SharedLog['beginning'] = () =>
    isAway ? Promise.reject(new Error('the log is away')) : Promise.resolve({ position: 1, bytesBefore: 0 });
  const trimmer = new Trimmer({
    sharedLog: { beginning } as SharedLog,
    clock,
    bytesMax: 1000,
    head: () => headAt(1, 401),
    others: new NodeTable(clock),
    ownReport: () => ({ address: 'a', position: 1, snapshotPosition: 0 }),
    announce: () => Promise.resolve(1),
    refuseWith: () => undefined,
    onEvent: (event) => events.push(event),
  });
  const end = new AbortController();
  const run = trimmer.run(end.signal).catch(() => undefined);
  await advance(clock, 0);
  await advance(clock, limits.trimMs);
  expect(events).toMatchObject([{ kind: 'trimFailed' }]);
  isAway = false;
  await advance(clock, limits.trimMs);
  expect(events).toMatchObject([{ kind: 'trimFailed' }, { kind: 'logFull', bytes: 1001 }]);
  end.abort();
  await run;
});

function headAt(position: number, logBytes: number): LogHead {
  return { storeId: new Uint8Array(16), epoch: 1, position, checksum: 0, logBytes, nonce: 'a' };
}

/** Of a log that has all its records. */
const beginning: SharedLog['beginning'] = () => Promise.resolve({ position: 1, bytesBefore: 0 });

/** ... and lets what has come of it go on. */
async function advance(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await new Promise(setImmediate);
}
