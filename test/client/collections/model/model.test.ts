/**
 * The services of collections through the client, beside a plain model: random calls of all types on keys that they share, each
 * answer, each refusal and each revision, reads at old revisions among them.
 *
 * COLLECTIONS_SEED is the first seed, COLLECTIONS_CALLS how many calls each of the seeds makes.
 */
import { describe, expect, test } from 'vitest';
import { createClient } from '../../../../src/client/index.ts';
import { isKelpError } from '../../../../src/client/errors/error.ts';
import { SeededRandom } from '../../../support/random.ts';
import { KEPT_HISTORY_FLAGS } from '../../../support/test-engine.ts';
import { startTestServer } from '../../../support/test-server.ts';
import { type DrawnCall, drawCall } from './drawn-calls.ts';
import { PlainState, Refused } from './plain-collections.ts';

const FIRST_SEED = Number(process.env['COLLECTIONS_SEED'] ?? 1);
const CALLS = Number(process.env['COLLECTIONS_CALLS'] ?? 1500);

describe('the services of collections answer as a plain model does', () => {
  test.each([FIRST_SEED, FIRST_SEED + 1])(
    `in ${CALLS} calls, seed %i`,
    async (seed) => {
      const { address } = await startTestServer({ flags: KEPT_HISTORY_FLAGS });
      await using client = createClient({ address });
      const random = new SeededRandom(seed);
      const states = [new PlainState(new Map())];
      const counts = { answered: 0, refused: 0, old: 0 };
      for (let number = 1; number <= CALLS; number++) {
        const call = drawCall(random, states);
        const newest = states.length - 1;
        const about = `call ${number} of seed ${seed}: ${call.text}`;
        const [expected, after] = expectedOf(call, states[call.revision === 0 ? newest : call.revision]);
        const answer = await call.run(client).catch((error: unknown) => {
          if (isKelpError(error)) return { code: error.code, revision: newest };
          throw error;
        });
        expect(answer, about).toMatchObject(expected);
        const isRefused = 'code' in answer;
        counts[isRefused ? 'refused' : 'answered']++;
        if (call.revision > 0) {
          counts.old++;
          if (!isRefused) expect(answer.revision, about).toBe(call.revision);
          continue;
        }
        // What changes nothing takes no revision, but for a put of what is there already.
        if (answer.revision > newest) states.push(after);
        else expect(after.text, about).toBe(states[newest]?.text);
        expect(answer.revision, about).toBe(states.length - 1);
      }
      expect(Math.min(counts.answered, counts.refused, counts.old)).toBeGreaterThan(CALLS / 20);
    },
    120_000,
  );
});

function expectedOf(call: DrawnCall, state: PlainState | undefined): readonly [object, PlainState] {
  if (state === undefined) throw new Error('there is no such state');
  try {
    return call.expect(state);
  } catch (error) {
    if (error instanceof Refused) return [{ code: error.code }, state];
    throw error;
  }
}
