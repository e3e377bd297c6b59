/**
 * Histories of a store that is nothing but a map, to try the checker on: right ones, and ones with a fault put in.
 */
import { SeededRandom } from '../support/random.ts';
import { type Call, HistoryRecorder } from './history.ts';
import { makeCall } from './make-call.ts';
import { PlainStore, type StoreFault } from './plain-store.ts';
import { Workload } from './workload.ts';

export interface HistoryPlan {
  readonly seed: number;
  readonly clients: number;
  readonly callsPerClient: number;
  /** How often an answer is lost. */
  readonly lossProbability: number;
}

/** A history of clients of a `PlainStore`. All draw from the same chance, so that the seed decides on everything. */
export async function recordPlainHistory(plan: HistoryPlan, fault?: StoreFault): Promise<Call[]> {
  const random = new SeededRandom(plan.seed);
  const store = new PlainStore(random, plan.lossProbability, fault);
  const workload = new Workload(random);
  const recorder = new HistoryRecorder();
  const run = async (client: number): Promise<void> => {
    for (let count = 0; count < plan.callsPerClient; count++)
      await makeCall(store, client, workload, recorder);
  };
  await Promise.all(Array.from({ length: plan.clients }, (_, client) => run(client)));
  return recorder.calls;
}
