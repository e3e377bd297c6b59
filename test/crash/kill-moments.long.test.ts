/**
 * Servers over engines on disk, killed inside what is done with the files: a flush, a merge, and a commit, before and behind what makes it. Clients
 * write meanwhile, and ledgers outside tell what must be there.
 *
 * KILL_SEED decides what the clients do and at which call the kills come.
 */
import { expect, test } from 'vitest';
import type { KelpClient } from '../../src/client/client.ts';
import { SeededRandom } from '../support/random.ts';
import { rounds } from '../support/share.ts';
import type { KillOrder, Moment } from './kill-moment.ts';
import { killAgainAndAgain } from './kills.ts';
import type { ServerProcess } from './server-process.ts';

type Work = 'flush' | 'merge' | 'commit';
const WORKS: readonly Work[] = ['flush', 'merge', 'commit'];
/** SQLite has nothing to merge; kills while it gives pages back are those of `engine/btree/kill.test.ts`. */
const WORKS_OF_BTREE: readonly Work[] = ['flush', 'commit'];

/** Each work once at least. */
const CYCLES = Math.max(WORKS.length, rounds(45));
const SEED = Number(process.env['KILL_SEED'] ?? 1);
/** A thread of `btree` is given so long for what it is told. */
const MICROS_MAX = 4000;

const preload = new URL('./kill-moment.ts', import.meta.url);
/** No checkpoint begins by itself. */
const flags = ['--segment-bytes', '256KiB', '--history-revisions-max', '20', '--snapshot-log-bytes', '1GiB'];

test.each(['btree', 'lsm', 'bitcask'] as const)(
  `%s loses no acknowledged write when it is killed inside what it does with files, ${CYCLES} times, seed ${SEED}`,
  async (engine) => {
    const random = new SeededRandom(SEED);
    const works = engine === 'btree' ? WORKS_OF_BTREE : WORKS;
    const killed = { flush: 0, merge: 0, commit: 0 };
    await killAgainAndAgain({
      cycles: CYCLES,
      seed: SEED,
      flags: ['--engine', engine, ...flags],
      preload,
      end: async (server, reader, cycle) => {
        const work = works[(cycle - 1) % works.length] ?? 'flush';
        // The first kills come at the first call, which there is in any case.
        const after = cycle <= WORKS.length ? 0 : random.below(4);
        const order = {
          moment: work === 'commit' ? 'commit' : 'write',
          after: work === 'commit' ? 0 : after,
          isMade: random.chance(0.5),
          micros: engine === 'btree' ? random.below(MICROS_MAX) : 0,
        } satisfies KillOrder & { moment: Moment };
        if (work === 'merge')
          for (let checkpoint = 0; checkpoint < 2; checkpoint++) await reader.admin.snapshot();
        await server.tell(order);
        if (!(await isDone(server, reader, work))) killed[work]++;
        // It had fewer calls than that.
        else server.kill('SIGKILL');
        expect(await server.ended).toEqual({ code: null, signal: 'SIGKILL' });
      },
    });
    for (const work of works) expect(killed[work], work).toBeGreaterThan(0);
  },
  60_000 + CYCLES * 20_000,
);

/** @returns whether the server lived to the end of the work. */
async function isDone(server: ServerProcess, reader: KelpClient, work: Work): Promise<boolean> {
  const asked = work === 'merge' ? reader.admin.compactStorage() : reader.admin.snapshot();
  const done = asked.then(
    () => true,
    () => false,
  );
  return Promise.race([done, server.ended.then(() => false)]);
}
