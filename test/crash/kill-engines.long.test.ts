/**
 * Servers over engines on disk, killed with SIGKILL while clients write. Checkpoints come often and history is short, so that kills fall into
 * flushes, merges, commits and the removal of the log behind them.
 *
 * KILL_SEED decides what the clients do and when the kills come.
 */
import { expect, test } from 'vitest';
import { rounds } from '../support/share.ts';
import { killAgainAndAgain } from './kills.ts';

const CYCLES = rounds(40);
const SEED = Number(process.env['KILL_SEED'] ?? 1);

const flags = [
  ['--segment-bytes', '256KiB'],
  ['--snapshot-log-bytes', '64KiB'],
  ['--history-revisions-max', '20'],
  ['--log-retention-bytes', '16MiB'],
].flat();

test.each(['btree', 'lsm', 'bitcask'] as const)(
  `%s loses no acknowledged write over ${CYCLES} kills, seed ${SEED}`,
  async (engine) => {
    const revisions = new Set<number>();
    await killAgainAndAgain({
      cycles: CYCLES,
      seed: SEED,
      flags: ['--engine', engine, ...flags],
      check: async (reader) => {
        const { storage } = await reader.admin.status();
        revisions.add(storage?.revision ?? 0);
      },
    });
    // There were checkpoints between the kills, as many as the time allowed; a sample may be too short for one.
    revisions.delete(0);
    if (CYCLES >= 8) expect(revisions.size).toBeGreaterThan(1);
  },
  60_000 + CYCLES * 20_000,
);
