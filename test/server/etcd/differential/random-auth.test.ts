/**
 * Random calls about access to Debian's etcd and to KelpDB: replies and errors must be equal, and so must be what the users may then
 * do with keys. `AUTH_SEED=7 AUTH_CALLS=20000` begins elsewhere, and goes on for longer; a difference prints its seed and the
 * calls before it.
 */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../../support/random.ts';
import { AuthSideBySide } from '../support/auth-side-by-side.ts';
import { hasRealEtcd } from '../support/real-etcd.ts';
import { LoggedIn, drawAuthCall, firstCalls } from './drawn-auth-calls.ts';

const { AUTH_SEED = '1', AUTH_CALLS = '1000' } = process.env;
/** One seed has so many, and begins with empty servers. */
const CALLS_PER_SEED = 500;
const TOLD_CALLS = 12;

const seeds = Array.from(
  { length: Math.ceil(Number(AUTH_CALLS) / CALLS_PER_SEED) },
  (_, index) => Number(AUTH_SEED) + index,
);

test.runIf(hasRealEtcd).each(seeds)(
  'random calls about access are answered as by etcd, seed %i',
  { timeout: 300_000 },
  async (seed) => {
    const pair = await AuthSideBySide.start();
    const random = new SeededRandom(seed);
    const loggedIn = new LoggedIn(pair);
    const seen: string[] = [];
    const codes = new Set<string>();
    for (const run of firstCalls) await run(pair);
    for (let made = 0; made < CALLS_PER_SEED; made++) {
      await loggedIn.draw(random);
      const { what, schema, run } = drawAuthCall(random);
      seen.push(`${loggedIn.who}: ${what}`);
      const about = `AUTH_SEED=${seed}, after:\n${seen.slice(-TOLD_CALLS).join('\n')}`;
      const outcome = await pair.same(about, schema, run);
      codes.add('code' in outcome ? outcome.message : 'a reply');
      loggedIn.follow(what, outcome);
    }
    expect(codes.size, 'kinds of answers').toBeGreaterThan(8);
  },
);
