/** Locks and elections while holders die and the server is killed with SIGKILL, again and again: see `Contest`. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { ServerProcess } from '../../crash/server-process.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { Contest, ways } from './support/contest.ts';

const TURNS_PER_LIFE = 8;
const KILLS = 2;
const TTL_MS = 1500;

test.each(Object.entries(ways).map(([way, hold], index) => [way, index + 1, hold] as const))(
  'of one %s there is one holder at a time, and a late one writes nothing, seed %i',
  { timeout: 240_000 },
  async (_, seed, hold) => {
    const dataDir = await temporaryDirectory();
    let server = await ServerProcess.start({ dataDir });
    const { port } = server;
    const contest = new Contest({
      newClient: () => {
        const client = createClient({ address: `127.0.0.1:${port}` });
        onTestFinished(() => client.close());
        return client;
      },
      hold: (client) => hold(client, TTL_MS),
      random: new SeededRandom(seed),
      turnsMax: (KILLS + 1) * TURNS_PER_LIFE,
      deathChance: 0.25,
      codes: ['unavailable', 'deadlineExceeded', 'leaseNotFound', 'recovering'],
    });
    for (let kill = 1; kill <= KILLS; kill++) {
      await contest.turns(kill * TURNS_PER_LIFE);
      await server.end('SIGKILL');
      server = await ServerProcess.start({ dataDir, port });
    }
    expect(await contest.check()).toBeGreaterThan(TURNS_PER_LIFE);
    expect(contest.deaths).toBeGreaterThan(0);
  },
);
