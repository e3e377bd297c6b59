/** Small batches wait for those who have just been told, where that saves flushes, and only there. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { Gathering } from '../../src/wal/commit/gathering.ts';
import { Log } from '../../src/wal/log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { withFiles } from '../support/wrapped-disk.ts';
import { logOptions } from './test-log.ts';
import { nextTurn, slowDisk } from './watched-disks.ts';

const FLUSH_MS = 1;

describe('a small batch', () => {
  it('waits until those who were told have come again', () => {
    const gathering = new Gathering();
    expect(gathering.wants(10, 5)).toBe(true);
    gathering.begin(0, 0.1);
    expect([5, 9, 14].map((count) => gathering.waits(count, 0.1))).toEqual([true, true, true]);
    expect(gathering.waits(15, 0.1)).toBe(false);
    expect(gathering.wants(15, 1), 'it was not in vain').toBe(true);
  });

  it('waits a few flushes long at most, and a few turns where the clock stands still', () => {
    const gathering = new Gathering();
    gathering.wants(10, 5);
    gathering.begin(0, 0.1);
    expect(gathering.waits(5, 0.39)).toBe(true);
    expect(gathering.waits(5, 0.4)).toBe(false);
    const still = new Gathering();
    still.wants(10, 5);
    still.begin(0, 100);
    let turns = 0;
    while (still.waits(5, fixed.gatheringMsMax / 2)) turns++;
    expect(turns).toBe(fixed.gatheringTurnsMax);
  });

  it('waits less and less often while that is in vain, and at once again when it is not', () => {
    const gathering = new Gathering();
    const flushCount = 4 * fixed.gatheringsSkippedMax;
    let waitCount = 0;
    for (let flush = 0; flush < flushCount; flush++) if (waitsInVain(gathering)) waitCount++;
    expect(waitCount).toBeGreaterThan(8);
    expect(waitCount).toBeLessThan(16);
    while (!gathering.wants(10, 5));
    gathering.begin(0, 0.1);
    gathering.waits(14, 0.4);
    expect(gathering.wants(10, 5)).toBe(true);
  });

  it('does not wait for itself, nor when it is not small', () => {
    const gathering = new Gathering();
    expect(gathering.wants(10, 0)).toBe(false);
    expect(gathering.wants(0, 10)).toBe(false);
    expect(gathering.wants(fixed.gatheredRecordsMax, 1)).toBe(false);
  });
});

describe('a batch whose flush takes long', () => {
  const limits = { recordsMax: 1000, waitMsMax: 4, waitsForFirst: true };

  it('waits before its first record has come, but not for one client alone', () => {
    const gathering = new Gathering(limits);
    expect(gathering.wants(256, 0)).toBe(true);
    expect(gathering.wantedCount).toBe(256);
    expect(gathering.begin(0, 3)).toBe(4);
    expect(gathering.begin(0, 0.5)).toBe(2);
    gathering.end(256);
    expect(gathering.wants(1, 0)).toBe(false);
    expect(gathering.wants(1, 1)).toBe(true);
  });

  it('may have as many records as it is told', () => {
    const gathering = new Gathering(limits);
    expect(gathering.wants(500, 500)).toBe(true);
    expect(gathering.wants(500, 501)).toBe(false);
  });

  it('does not wait the next time when it was in vain', () => {
    const gathering = new Gathering(limits);
    expect(gathering.wants(256, 0)).toBe(true);
    gathering.end(100);
    expect(gathering.wants(256, 0)).toBe(false);
    expect(gathering.wants(256, 0)).toBe(true);
  });
});

describe('writers that each wait for their own flush', () => {
  const rounds = 20;

  // Without a wait the same writers take 82 and 62.
  it('share flushes, although they have begun in two halves and come one after the other', async () => {
    expect(await flushesOf({ rounds, comeAgainAfter: (writer) => 2 + writer })).toBeLessThanOrEqual(
      2 * rounds,
    );
  });

  it('are not held up by some that do not come again', async () => {
    const total = await flushesOf({ rounds, comeAgainAfter: (writer) => (writer < 4 ? 2 + writer : 2000) });
    expect(total).toBeLessThanOrEqual(2 * rounds);
  });
});

function waitsInVain(gathering: Gathering): boolean {
  if (!gathering.wants(10, 5)) return false;
  gathering.begin(0, 0.1);
  while (gathering.waits(5, 0.4));
  return true;
}

interface Load {
  readonly rounds: number;
  /** In how many turns after its write is durable a writer writes again. */
  readonly comeAgainAfter: (writer: number) => number;
}

/** Eight writers, of which four begin while the flush of the others runs. @returns how many flushes they take. */
async function flushesOf({ rounds, comeAgainAfter }: Load): Promise<number> {
  const clock = new ManualClock();
  let flushCount = 0;
  const disk = withFiles(slowDisk(), (file) => ({
    sync: async () => {
      flushCount++;
      await file.sync();
      clock.advance(FLUSH_MS);
    },
  }));
  const writerOf: number[] = [];
  const roundsLeft = Array.from({ length: 8 }, () => rounds);
  let toldSequence = 0;
  let isOver = false;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const onDurable = (sequence: number): void => {
    for (; toldSequence < sequence; toldSequence++) {
      const writer = writerOf[toldSequence] ?? 0;
      if ((roundsLeft[writer] = (roundsLeft[writer] ?? 0) - 1) > 0) void comeAgain(writer);
    }
    if (roundsLeft.slice(0, 4).every((left) => left === 0)) resolve();
  };
  const told = { durable: [], failures: [], delays: [] };
  const log = await Log.create(logOptions(disk, told, { clock, onDurable }), Buffer.alloc(16));
  const write = (writer: number): void => {
    log.buffer.write('text', log.reserve(4));
    writerOf.push(writer);
    log.commit(log.lastRevision + 1);
  };
  const comeAgain = async (writer: number): Promise<void> => {
    for (let turn = comeAgainAfter(writer); turn > 0; turn--) await nextTurn();
    if (!isOver) write(writer);
  };
  flushCount = 0;
  for (const writer of [0, 1, 2, 3]) write(writer);
  await nextTurn();
  for (const writer of [4, 5, 6, 7]) write(writer);
  await done;
  isOver = true;
  await log.close();
  return flushCount;
}
