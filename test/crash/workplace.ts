/** Where a worker of the load makes its calls. */
import type { KelpClient } from '../../src/client/client.ts';
import { isKelpError, type KelpError } from '../../src/client/errors/error.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Ledgers } from './audit.ts';
import type { Change } from './ledger.ts';

/** The reply to a write: the revision that it took, and what is wrong with the reply, if anything. */
export interface Written {
  readonly revision: number;
  readonly fault?: string | undefined;
}

/** One call of a worker. @returns what failed, if anything. */
export type Step = (round: number) => Promise<KelpError | undefined>;

export class Workplace {
  readonly client: KelpClient;
  readonly ledgers: Ledgers;
  readonly random: SeededRandom;

  constructor(client: KelpClient, ledgers: Ledgers, random: SeededRandom) {
    this.client = client;
    this.ledgers = ledgers;
    this.random = random;
  }

  /** Makes a write and enters its outcome into the ledgers. @returns what failed, if anything. */
  async write(changes: readonly Change[], call: () => Promise<Written>): Promise<KelpError | undefined> {
    const { keys, leases } = this.ledgers;
    const askedMs = performance.now();
    const attempt = keys.begin(changes);
    const error = await failureOf(async () => {
      const { revision, fault } = await call();
      keys.acknowledge(attempt, revision);
      leases.wrote(askedMs);
      if (fault !== undefined) keys.note(fault);
    });
    if (error !== undefined && !error.mayHaveTakenEffect) keys.refuse(attempt);
    return error;
  }
}

/** Runs a call; what it throws that is no error of the client is a defect of the test. */
export async function failureOf(call: () => Promise<void>): Promise<KelpError | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (isKelpError(error)) return error;
    throw error;
  }
}
