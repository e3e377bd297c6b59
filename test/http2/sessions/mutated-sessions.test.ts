/** The same few sessions each time; `mutated-sessions.long.test.ts` has others, and many. */
import { describe } from 'vitest';
import { fuzz } from '../../fuzz/fuzz.ts';
import { tryClient, tryServer } from './mutated-runs.ts';

const RUNS = 400;

describe('mutated sessions', () => {
  fuzz('of clients', RUNS, tryClient);
  fuzz('of servers', RUNS, tryServer);
});
