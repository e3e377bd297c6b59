/** Whether what clients and watches of a served machine were told can be true, by what its store holds in the end. */
import { calledInProcess, type CalledStore } from '../linearizability/called-store.ts';
import { findFault } from '../linearizability/find-fault.ts';
import type { HistoryRecorder } from '../linearizability/history.ts';
import type { Operation } from '../linearizability/operation.ts';
import { perform } from '../linearizability/perform.ts';
import { KEYS } from '../linearizability/workload.ts';
import { burstKeys } from './burst.ts';
import type { FollowedWatch } from './followed-watch.ts';
import type { ServedMachine } from './served-machine.ts';
import { StoredTruth } from './stored-truth.ts';

/** Of a key that is written at no other time. */
export const LAST_KEY = 'z';

/** The number of the client that makes the last calls. */
const LAST_CLIENT = -1;

/** The numbers of the other clients are below. */
const CLIENTS_MAX = 4;

/** A put behind all other writes: when a watch is told of it, it has been told of all. @returns its revision. */
export async function putLast(store: CalledStore, recorder: HistoryRecorder): Promise<number> {
  for (let count = 1; ; count++) {
    const put: Operation = {
      ...nothing,
      method: 'put',
      writes: [{ kind: 'put', key: LAST_KEY, value: `last${count}` }],
    };
    const outcome = await recorder.record(LAST_CLIENT, put, () => perform(store, put));
    // Else it may have been done, at a revision that is not known.
    if (typeof outcome !== 'string' && outcome.revision !== undefined) return outcome.revision;
  }
}

const nothing = { pastRevision: undefined, conditions: [], reads: [], writes: [] };

const everyBurstKey = Array.from({ length: CLIENTS_MAX }, (_, client) => burstKeys(client)).flat();

const lastScan: Operation = { ...nothing, method: 'scan', reads: [...KEYS, LAST_KEY, ...everyBurstKey] };

/**
 * Opens the store that the last server has left.
 * @returns what is wrong, to be read; undefined when nothing is.
 */
export async function faultIn(
  machine: ServedMachine,
  recorder: HistoryRecorder,
  watches: readonly FollowedWatch[],
): Promise<string | undefined> {
  const store = await machine.open();
  const scan = recorder.record(LAST_CLIENT, lastScan, () => perform(calledInProcess(store), lastScan));
  await machine.until(scan);
  const truth = await machine.until(StoredTruth.of(store));
  await machine.until(store.close());
  const [error] = machine.errors;
  if (error !== undefined) return `a server says: ${error}`;
  for (const watch of watches) {
    try {
      watch.check(truth);
    } catch (violation) {
      return String(violation);
    }
  }
  return findFault(recorder.calls);
}
