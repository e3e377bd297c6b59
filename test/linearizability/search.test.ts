import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Evidence } from './evidence.ts';
import { hasOrder } from './every-order.ts';
import { recordPlainHistory } from './plain-history.ts';
import { storeFaults } from './plain-store.ts';
import { projectOnKey } from './projection.ts';
import { searchOrder } from './search.ts';
import { StoreModel } from './store-model.ts';

const ROUNDS = Number(process.env['LINEARIZABILITY_ROUNDS'] ?? 1);
const RUNS = ROUNDS * 1000;
const TIMEOUT_MS = ROUNDS * 30_000;

const plans = fc.record({
  seed: fc.nat(),
  clients: fc.integer({ min: 2, max: 5 }),
  callsPerClient: fc.constant(2),
  lossProbability: fc.constantFrom(0, 0.3),
});

describe('the search', { timeout: TIMEOUT_MS }, () => {
  test('agrees with trying every order of a few calls', async () => {
    let rejectedCount = 0;
    await fc.assert(
      fc.asyncProperty(plans, fc.option(fc.constantFrom(...storeFaults)), async (plan, fault) => {
        const calls = await recordPlainHistory(plan, fault ?? undefined);
        const evidence = new Evidence(calls);
        const model = new StoreModel(evidence);
        const isPossible = hasOrder(calls);
        const verdict = searchOrder(model, calls, model.empty()).kind;
        expect(evidence.contradiction === undefined && verdict === 'linearizable').toBe(isPossible);
        if (!isPossible) rejectedCount++;
      }),
      { numRuns: RUNS },
    );
    expect(rejectedCount).toBeGreaterThan(RUNS / 50);
  });

  test('agrees with trying every order of a few calls to one key, without revisions', async () => {
    let rejectedCount = 0;
    await fc.assert(
      fc.asyncProperty(plans, fc.option(fc.constantFrom(...storeFaults)), async (plan, fault) => {
        const calls = projectOnKey(await recordPlainHistory(plan, fault ?? undefined), 'm');
        const model = new StoreModel(new Evidence(calls));
        const root = model.emptyWithoutRevision();
        const isPossible = hasOrder(calls);
        expect(searchOrder(model, calls, root).kind === 'linearizable').toBe(isPossible);
        if (!isPossible) rejectedCount++;
      }),
      { numRuns: RUNS },
    );
    expect(rejectedCount).toBeGreaterThan(0);
  });

  test('accepts from an unknown state what it accepts from the state that it was', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.nat(), async (plan, choice) => {
        const calls = await recordPlainHistory({ ...plan, callsPerClient: 8 });
        const startsAt = calls[choice % calls.length]?.calledAt ?? 0;
        const later = calls.filter(({ answeredAt = Infinity }) => answeredAt > startsAt);
        const model = new StoreModel(new Evidence(later));
        expect(searchOrder(model, later, model.unknown(), { startsAt }).kind).toBe('linearizable');
      }),
      { numRuns: RUNS },
    );
  });

  test('gives up after so many steps', async () => {
    const plan = { seed: 1, clients: 5, callsPerClient: 20, lossProbability: 0 };
    const calls = await recordPlainHistory(plan);
    const model = new StoreModel(new Evidence(calls));
    expect(searchOrder(model, calls, model.empty(), { stepsMax: 50 }).kind).toBe('undecided');
  });
});
