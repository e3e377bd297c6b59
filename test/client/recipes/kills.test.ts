/**
 * Locks and elections while holders die and the server is killed with SIGKILL, again and again.
 *
 * Each holder writes its token to a register, under its guard. Then, whatever happened:
 *
 * - no write of an older holder comes after one of a newer: the tokens in the register never fall;
 * - a write that was acknowledged is there;
 * - who gets the lock finds that all before it know that they have lost it, by their own clocks;
 * - who has lost it writes nothing, however late it tries.
 */
import { expect, onTestFinished, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { isKelpError } from '../../../src/client/errors/error.ts';
import type { Held } from '../../../src/client/recipes/held.ts';
import { ServerProcess } from '../../crash/server-process.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

const NAME = 'locks/register';
const REGISTER = 'register';
const CONTENDERS = 4;
const TURNS_PER_LIFE = 8;
const KILLS = 2;
const TTL_MS = 1500;

const ways: Record<string, (client: KelpClient) => Promise<Held>> = {
  lock: (client) => client.recipes.lock(NAME, { ttlMs: TTL_MS }),
  election: (client) => client.recipes.elect(NAME, { value: 'me', ttlMs: TTL_MS }),
};

test.each(Object.keys(ways).map((way, index) => [way, index + 1] as const))(
  'of one %s there is one holder at a time, and a late one writes nothing, seed %i',
  { timeout: 240_000 },
  async (way, seed) => {
    const hold = ways[way] as (client: KelpClient) => Promise<Held>;
    const random = new SeededRandom(seed);
    const dataDir = await temporaryDirectory();
    let server = await ServerProcess.start({ dataDir });
    const { port } = server;
    const address = `127.0.0.1:${port}`;
    const newClient = (): KelpClient => {
      const client = createClient({ address });
      onTestFinished(() => client.close());
      return client;
    };
    const witness = newClient();
    const register = registerOf(witness);
    const held: Held[] = [];
    const acknowledged: number[] = [];
    let turns = 0;
    let deaths = 0;
    let reached = (): void => undefined;
    const isOver = (): boolean => turns >= (KILLS + 1) * TURNS_PER_LIFE;

    const write = async (client: KelpClient, { guard, token }: Held): Promise<boolean> => {
      const put = { kind: 'put', key: REGISTER, value: String(token) } as const;
      const { succeeded, revision } = await client.txn({ compares: [guard], success: [put] });
      if (succeeded) acknowledged.push(revision);
      return succeeded;
    };

    const contend = async (): Promise<void> => {
      let client = newClient();
      while (!isOver()) {
        try {
          const lock = await hold(client);
          expect(held.filter((each) => each.isHeld).map(({ token }) => token)).toEqual([]);
          expect(held.every(({ token }) => token < lock.token)).toBe(true);
          held.push(lock);
          turns++;
          reached();
          await write(client, lock);
          const late = random.pick(held);
          if (late !== lock) expect(await write(client, late)).toBe(false);
          if (random.chance(0.75)) {
            await lock.release();
          } else {
            deaths++;
            client.close();
            client = newClient();
          }
        } catch (error) {
          // What the kills explain.
          if (!isKelpError(error)) throw error;
          expect(['unavailable', 'deadlineExceeded', 'leaseNotFound', 'recovering']).toContain(error.code);
        }
      }
      client.close();
    };

    const contenders = Promise.all(Array.from({ length: CONTENDERS }, contend));
    for (let kill = 1; kill <= KILLS; kill++) {
      const turnsReached = new Promise<void>((resolve) => {
        reached = () => {
          if (turns >= kill * TURNS_PER_LIFE) resolve();
        };
        reached();
      });
      await Promise.race([turnsReached, contenders]);
      await server.end('SIGKILL');
      server = await ServerProcess.start({ dataDir, port });
    }
    await contenders;

    await witness.put(REGISTER, 'end');
    const writes = await register;
    const tokens = writes.map(({ value }) => Number(value));
    expect(tokens).toEqual(tokens.toSorted((one, other) => one - other));
    expect(writes.map((each) => each.revision)).toEqual(expect.arrayContaining(acknowledged));
    expect(acknowledged.length).toBeGreaterThan(TURNS_PER_LIFE);
    expect(deaths).toBeGreaterThan(0);
  },
);

interface RegisterWrite {
  readonly revision: number;
  readonly value: string;
}

/** All that is ever written to the register until "end" is, over the lives of the server. */
async function registerOf(client: KelpClient): Promise<RegisterWrite[]> {
  const writes: RegisterWrite[] = [];
  for await (const message of client.watch({ ranges: [{ key: REGISTER }], startRevision: 1 })) {
    if (message.kind !== 'events') continue;
    for (const event of message.events) {
      if (event.type !== 'put') throw new Error(`the register saw a ${event.type}`);
      const value = event.entry.text();
      if (value === 'end') return writes;
      writes.push({ revision: message.revision, value });
    }
  }
  throw new Error('the watch has ended');
}
