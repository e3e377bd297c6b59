/**
 * Servers over engines on disk, killed inside what is done with the files: a flush, a merge, and a commit, before and behind what makes it. Clients
 * write meanwhile, and ledgers outside tell what must be there.
 *
 * KILL_SEED decides what the clients do and at which call the kills come.
 */
import { expect, test } from 'vitest';
import type { KelpClient } from '../../src/client/client.ts';
import type { EngineName } from '../../src/engine-names.ts';
import { SeededRandom } from '../support/random.ts';
import { rounds } from '../support/share.ts';
import type { KillOrder, Moment } from './kill-moment.ts';
import { killAgainAndAgain } from './kills.ts';
import type { ServerProcess } from './server-process.ts';

type Work = 'flush' | 'merge' | 'commit';
const WORKS: readonly Work[] = ['flush', 'merge', 'commit'];

/** Each work once at least. */
const CYCLES = Math.max(WORKS.length, rounds(45));
const SEED = Number(process.env['KILL_SEED'] ?? 1);
/** A thread of `btree` is given so long for what it is told: a step of a compaction takes some 20 ms. */
const MICROS_MAX = { write: 4000, commit: 4000, giveBack: 25_000 };

/** Makes some 5 MB of pages free, which a compaction gives back in three steps. */
const PASSING_KEYS = 100;
const PASSING_VALUE = 'x'.repeat(50_000);

const preload = new URL('./kill-moment.ts', import.meta.url);
/** No checkpoint begins by itself. */
const flags = ['--segment-bytes', '256KiB', '--history-revisions-max', '20', '--snapshot-log-bytes', '1GiB'];

test.each(['btree', 'lsm', 'bitcask'] as const)(
  `%s loses no acknowledged write when it is killed inside what it does with files, ${CYCLES} times, seed ${SEED}`,
  async (engine) => {
    const random = new SeededRandom(SEED);
    const killed = { flush: 0, merge: 0, commit: 0 };
    await killAgainAndAgain({
      cycles: CYCLES,
      seed: SEED,
      flags: ['--engine', engine, ...flags],
      preload,
      end: async (server, reader, cycle) => {
        const work = WORKS[(cycle - 1) % WORKS.length] ?? 'flush';
        // The first kills come at the first call, which there is in any case.
        const after = cycle <= WORKS.length ? 0 : random.below(4);
        const moment = momentOf(engine, work);
        const order: KillOrder = {
          moment,
          after: work === 'commit' ? 0 : after,
          isMade: random.chance(0.5),
          micros: engine === 'btree' ? random.below(MICROS_MAX[moment]) : 0,
        };
        if (work === 'merge') await prepareMerge(engine, reader);
        await server.tell(order);
        if (!(await isDone(server, reader, work))) killed[work]++;
        // It had fewer calls than that.
        else server.kill('SIGKILL');
        expect(await server.ended).toEqual({ code: null, signal: 'SIGKILL' });
      },
    });
    for (const work of WORKS) expect(killed[work], work).toBeGreaterThan(0);
  },
  180_000 + CYCLES * 60_000,
);

function momentOf(engine: EngineName, work: Work): Moment {
  if (work === 'merge') return engine === 'btree' ? 'giveBack' : 'write';
  return work === 'commit' ? 'commit' : 'write';
}

async function prepareMerge(engine: EngineName, reader: KelpClient): Promise<void> {
  if (engine !== 'btree') await reader.admin.snapshot();
  else {
    const keys = Array.from({ length: PASSING_KEYS }, (_, index) => `passing/${index}`);
    await Promise.all(keys.map((key) => reader.put(key, PASSING_VALUE)));
    await reader.admin.snapshot();
    await reader.deleteRange({ prefix: 'passing/' });
  }
  await reader.admin.snapshot();
}

/** @returns whether the server lived to the end of the work. */
async function isDone(server: ServerProcess, reader: KelpClient, work: Work): Promise<boolean> {
  const asked = work === 'merge' ? reader.admin.compactStorage() : reader.admin.snapshot();
  const done = asked.then(
    () => true,
    () => false,
  );
  return Promise.race([done, server.ended.then(() => false)]);
}
