/** Mutated sessions that were not tried before; one that fails tells its seed. */
import { describe } from 'vitest';
import { fuzz } from '../../fuzz/fuzz.ts';
import { rounds } from '../../support/share.ts';
import { tryClient, tryServer } from './mutated-runs.ts';

const RUNS = rounds(16_000);

describe('mutated sessions', () => {
  fuzz('of clients', RUNS, tryClient, 'random');
  fuzz('of servers', RUNS, tryServer, 'random');
});
