/** Random changes of lists, packed and spread, against arrays; and reads of every revision since. */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../support/random.ts';
import { bytesOf, SeamHarness } from '../../store/seam/seam-harness.ts';
import { changeAtRandom, expectList } from './list-model.ts';
import { KEPT_HISTORY } from '../../support/test-engine.ts';

const { LIST_SEED } = process.env;
const SEEDS = LIST_SEED === undefined ? [1, 2, 3, 4] : [Number(LIST_SEED)];
const NAMES = ['one', 'two'];

describe('lists answer as arrays do', () => {
  it.each(SEEDS)(
    'in transactions of several changes, and at every revision since (seed %i)',
    async (seed) => {
      const harness = await SeamHarness.open({ seed, limits: KEPT_HISTORY });
      const { store } = harness;
      const random = new SeededRandom(seed);
      let models = new Map<string, string[]>();
      const states: { readonly revision: number; readonly models: Map<string, string[]> }[] = [];
      for (let step = 0; step < 250; step++) {
        const next = copyOf(models);
        store.decide((view) => {
          for (let left = random.between(1, 4); left > 0; left--)
            changeAtRandom(view, random, next, random.pick(NAMES));
          for (const name of NAMES) expectList(view, bytesOf(name), next.get(name) ?? []);
        });
        models = next;
        await harness.durable();
        states.push({ revision: store.visibleRevision, models: copyOf(models) });
      }
      for (const state of states) {
        store.readAt({ revision: state.revision, instantMs: 0 }, (view) => {
          for (const name of NAMES) expectList(view, bytesOf(name), state.models.get(name) ?? []);
        });
      }
      const isSpread = states.some(({ models: all }) => (all.get('one')?.length ?? 0) > 64);
      expect(isSpread).toBe(true);
      await harness.reopen();
      harness.store.readVisible((view) => {
        for (const name of NAMES) expectList(view, bytesOf(name), models.get(name) ?? []);
      });
    },
  );
});

function copyOf(models: ReadonlyMap<string, string[]>): Map<string, string[]> {
  return new Map([...models].map(([name, model]) => [name, [...model]]));
}
