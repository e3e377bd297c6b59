/** The faults that a cluster meets, again and again: in part of the time the first of them alone. */
import { test } from 'vitest';
import { isWhole, rounds } from '../../support/share.ts';
import { faults } from './faults.ts';
import { TIMEOUT_MS, survive } from './survive.ts';

const ROUNDS = isWhole() ? 4 : 1;
const all = Object.entries(faults);
const tried = all.slice(0, Math.max(3, rounds(2 * all.length)));

test.each(tried)(
  `nothing that was acknowledged is lost when %s, rounds: ${ROUNDS}`,
  (_, fault) => survive(fault, ROUNDS),
  TIMEOUT_MS * ROUNDS,
);
