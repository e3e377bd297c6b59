/**
 * Holds a history against a store that runs one call after the other, in the order of the revisions it tells.
 *
 * What is linearizable as a whole is so key by key. Of what is not, a key whose values alone are at fault, whatever the
 * revisions say, is the easier to read, so that is looked for then.
 */
import { Evidence } from './evidence.ts';
import { describeCall } from './history.ts';
import type { Call } from './history.ts';
import { projectOnKey } from './projection.ts';
import { searchOrder } from './search.ts';
import { shortestPart } from './shortest-part.ts';
import type { Part } from './shortest-part.ts';
import { StoreModel } from './store-model.ts';

const STATES_SHOWN_MAX = 5;

/**
 * @param calls all calls to a store that was new, in the order in which they were made.
 * @returns `undefined` when the history is linearizable; else the shortest part of it that is not, to be read.
 */
export function findFault(calls: readonly Call[]): string | undefined {
  const evidence = new Evidence(calls);
  if (evidence.contradiction !== undefined) {
    const { reason, calls } = evidence.contradiction;
    return [`${reason}:`, ...calls.map(describeCall)].join('\n');
  }
  const model = new StoreModel(evidence);
  const verdict = searchOrder(model, calls, model.empty());
  if (verdict.kind === 'linearizable') return undefined;
  for (const key of keysOf(calls)) {
    const part = findFaultOfKey(calls, key);
    if (part !== undefined) return `of the key ${key} alone, ${describePart(part)}`;
  }
  const part = shortestPart(calls, 'empty', verdict);
  return part === undefined
    ? `${calls.length} calls could be in too many orders to try them all; none was found that fits`
    : describePart(part);
}

/** @returns what is wrong with the values of one key; `undefined` when nothing is, or it takes too long to tell. */
export function findFaultOfKey(calls: readonly Call[], key: string): Part | undefined {
  const ofKey = projectOnKey(calls, key);
  const model = new StoreModel(new Evidence(ofKey));
  const verdict = searchOrder(model, ofKey, model.emptyWithoutRevision());
  return verdict.kind === 'linearizable' ? undefined : shortestPart(ofKey, 'emptyWithoutRevision', verdict);
}

function keysOf(calls: readonly Call[]): Set<string> {
  return new Set(
    calls.flatMap(({ operation: { reads, writes } }) => [...reads, ...writes.map(({ key }) => key)]),
  );
}

function describePart({ calls, endsAt, states }: Part): string {
  const others = states.length - STATES_SHOWN_MAX;
  return [
    `no order explains these answers up to ${endsAt}:`,
    ...calls.map(describeCall),
    'Before the last of them the store could only have been:',
    ...states.slice(0, STATES_SHOWN_MAX),
    ...(others > 0 ? [`or in one of ${others} other states`] : []),
  ].join('\n');
}
