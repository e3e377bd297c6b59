/** The faults that a cluster meets, again and again: in part of the time the first of them alone. */
import { test } from 'vitest';
import { isWhole, rounds } from '../../support/share.ts';
import { TIMEOUT_MS, faults, survive } from './faults.ts';

const ROUNDS = isWhole() ? 4 : 1;
const names = Object.keys(faults);
const tried = names.slice(0, Math.max(3, rounds(2 * names.length)));

test.each(tried)(
  `nothing that was acknowledged is lost when %s, rounds: ${ROUNDS}`,
  (name) => survive(name, ROUNDS),
  TIMEOUT_MS * ROUNDS,
);
