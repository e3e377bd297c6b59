/**
 * Networks of real clusters that are cut and slow: through fronts in user space, which work everywhere, and with namespaces of Linux, in
 * which no process learns anything of what is lost. In part of the time the first of them alone.
 */
import { describe, test } from 'vitest';
import { isWhole, rounds } from '../../support/share.ts';
import { Fronts } from './network/fronts.ts';
import { Namespaces } from './network/namespaces.ts';
import { networkFaults, separateNetworkFaults } from './network-faults.ts';
import { places } from './node-cluster.ts';
import { type Fault, TIMEOUT_MS, survive } from './survive.ts';

const ROUNDS = isWhole() ? 3 : 1;

/** @param least so many at least. */
function part(faults: Readonly<Record<string, Fault>>, least: number): readonly (readonly [string, Fault])[] {
  const all = Object.entries(faults);
  return all.slice(0, Math.max(least, rounds(all.length)));
}

describe('nothing that was acknowledged is lost', () => {
  test.each(part(networkFaults, 2))(
    `when %s, rounds: ${ROUNDS}`,
    (_, fault) => survive(fault, ROUNDS, { network: new Fronts() }),
    TIMEOUT_MS * ROUNDS,
  );
});

describe('nothing that was acknowledged is lost in a network of Linux', () => {
  const refusal = Namespaces.refusal();
  const faults = { ...separateNetworkFaults, ...networkFaults };

  test.for(part(faults, 1))(
    `when %s, rounds: ${ROUNDS}`,
    { timeout: TIMEOUT_MS * ROUNDS },
    async ([, fault], context) => {
      if (refusal !== undefined) context.skip(`no namespaces can be made here: ${refusal}`);
      await survive(fault, ROUNDS, { network: Namespaces.start(places) });
    },
  );
});
