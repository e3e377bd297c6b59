/** The checker against histories that are right by construction, and against the same with one fault in the store. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findFault, findFaultOfKey } from './find-fault.ts';
import type { Call } from './history.ts';
import { ABSENT, lastWrites, type Outcome, type Seen } from './operation.ts';
import { type HistoryPlan, recordPlainHistory } from './plain-history.ts';
import { storeFaults } from './plain-store.ts';

const ROUNDS = Number(process.env['LINEARIZABILITY_ROUNDS'] ?? 1);
const RUNS = ROUNDS * 300;
const TIMEOUT_MS = ROUNDS * 30_000;
/** A fault that strikes may stay without consequences; in so many histories it must show. */
const FAULTY_HISTORIES_MAX = 40;

const plans: fc.Arbitrary<HistoryPlan> = fc.record({
  seed: fc.nat(),
  clients: fc.integer({ min: 1, max: 5 }),
  callsPerClient: fc.constantFrom(8, 12, 40),
  lossProbability: fc.constantFrom(0, 0.05, 0.15, 0.3),
});

describe('a history of a store that runs one call after the other', { timeout: TIMEOUT_MS }, () => {
  test('is accepted, as a whole and key by key', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const calls = await recordPlainHistory(plan);
        expect(findFault(calls)).toBeUndefined();
        for (const key of ['a', 'm']) expect(findFaultOfKey(calls, key)).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  test('is rejected when one answer is changed', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.nat(), async (plan, choice) => {
        const calls = await recordPlainHistory({ ...plan, lossProbability: 0 });
        const changes = calls.flatMap((call) => [...changesOf(call)]);
        const change = changes[choice % changes.length];
        fc.pre(change !== undefined);
        const changed = calls.map((call) => (call.calledAt === change?.calledAt ? change : call));
        expect(findFault(changed)).toBeDefined();
      }),
      { numRuns: RUNS },
    );
  });

  test('is accepted though many of a thousand calls are never answered', async () => {
    const plan = { seed: 1, clients: 6, callsPerClient: 200, lossProbability: 0.1 };
    expect(findFault(await recordPlainHistory(plan))).toBeUndefined();
  });
});

/** With an answer that can't be right when every revision of the history is known. */
function* changesOf(call: Call): Generator<Call> {
  const { outcome, operation } = call;
  if (outcome === undefined) return;
  const change = (part: Partial<Outcome>): Call => ({ ...call, outcome: { ...outcome, ...part } });
  for (const [key, seen] of outcome.seen) {
    const others: Seen[] = seen === ABSENT ? [{ value: undefined, modRevision: 1 }] : [ABSENT];
    if (seen !== ABSENT && seen.modRevision !== undefined) {
      others.push({ ...seen, modRevision: seen.modRevision + 1 }, { ...seen, value: 'v0' });
    }
    // What does not tell the revision at which it was seen may be right at another.
    if (outcome.revision === undefined) continue;
    for (const other of others) yield change({ seen: new Map(outcome.seen).set(key, other) });
  }
  for (const [key, sum] of outcome.sums) yield change({ sums: new Map([[key, String(Number(sum) + 1)]]) });
  if (
    outcome.isMet &&
    outcome.revision !== undefined &&
    lastWrites(operation.writes).some(({ kind }) => kind === 'put')
  ) {
    yield change({ revision: outcome.revision + 1 });
    yield change({ revision: outcome.revision - 1 });
  }
}

describe('a store with a fault is found out:', () => {
  test.each(storeFaults)('%s', async (fault) => {
    let found: string | undefined;
    for (let seed = 1; seed <= FAULTY_HISTORIES_MAX && found === undefined; seed++) {
      const plan = { seed, clients: 4, callsPerClient: 12, lossProbability: 0.02 };
      found = findFault(await recordPlainHistory(plan, fault));
    }
    expect(found).toBeDefined();
  });
});
