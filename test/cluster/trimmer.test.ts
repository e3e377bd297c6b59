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
    storedBytes: new StoredBytes(),
    others,
    ownReport: () => ({ address: 'a', position: 90, snapshotPosition: 70 }),
    announce: () => new Promise(() => undefined),
    refuseWith: () => undefined,
    onEvent: () => undefined,
  });
  const end = new AbortController();
  const run = trimmer.run(end.signal).catch(() => undefined);
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
    storedBytes: new StoredBytes(),
    others,
    ownReport: () => ({ address: 'a', position: 90, snapshotPosition: 70 }),
    announce: () => Promise.resolve(90),
    refuseWith: () => undefined,
    onEvent: (event) => events.push(event),
  });
  const end = new AbortController();
  const run = trimmer.run(end.signal).catch(() => undefined);
  for (let count = 0; count < 4; count++) {
    if (count === 3) isAway = false;
    others.take(report);
    await advance(clock, limits.trimMs);
  }
  expect(events).toMatchObject([{ kind: 'trimFailed' }, { kind: 'logTrimmed', before: 61, failureCount: 3 }]);
  end.abort();
  await run;
});

/** ... and lets what has come of it go on. */
async function advance(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await new Promise(setImmediate);
}
