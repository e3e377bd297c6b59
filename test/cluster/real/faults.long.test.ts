/** Every fault that a cluster meets, again and again. */
import { test } from 'vitest';
import { rounds } from '../../support/share.ts';
import { TIMEOUT_MS, faults, survive } from './faults.ts';

const ROUNDS = rounds(4);

test.each(Object.keys(faults))(
  `nothing that was acknowledged is lost when %s, ${ROUNDS} times`,
  (name) => survive(name, ROUNDS),
  TIMEOUT_MS * ROUNDS,
);
