/** What draws by place cost in one transaction with an engine on disk: in visits of its budget, and in ranks that are asked for. */
import { describe, expect, test, vi } from 'vitest';
import { ENGINE_NAMES } from '../../../src/engine-names.ts';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { fixed } from '../../../src/limits.ts';
import { elementKey, elementsOf, tags } from '../../../src/store/collections/collection-keys.ts';
import type { View } from '../../../src/store/views/view.ts';
import { drawPlaces } from '../../../src/types/collections/random-elements.ts';
import { SeededRandom } from '../../support/random.ts';
import { bytesOf, SeamHarness } from './seam-harness.ts';

/** The database of btree is on no simulated disk: `server/redis/commands/deletions/large-draw` draws the same over it. */
const ENGINES = ENGINE_NAMES.filter((name) => name !== 'btree');

const MEMBERS = 130_000;
const FILLED_AT_ONCE = 26_000;
const DRAWN = 20_000;
const ID = 7;
const range = elementsOf(ID);

describe.each(ENGINES)('two draws of 20,000 from 130,000 in one transaction over %s', (engine) => {
  test('pass, and pay for what they go through', { timeout: 120_000 }, async () => {
    const harness = await SeamHarness.open({ engine });
    for (let start = 0; start < MEMBERS; start += FILLED_AT_ONCE) {
      await harness.decide((view) => {
        for (let index = start; index < start + FILLED_AT_ONCE; index++)
          view.put(memberKey(index), new Uint8Array(0));
      });
    }
    const random = new SeededRandom(3);
    const ranks = [vi.spyOn(LayeredEngine.prototype, 'rank'), vi.spyOn(MemoryEngine.prototype, 'rank')];
    const draw = (view: View, count: number): number => {
      const before = view.budget.visitsSpent;
      const places = drawPlaces(DRAWN, count, () => random.below(2 ** 30) / 2 ** 30);
      expect(view.deleteElementsAt(range, places)).toHaveLength(DRAWN);
      return view.budget.visitsSpent - before;
    };
    harness.store.decide((view) => {
      const first = draw(view, MEMBERS);
      const second = draw(view, MEMBERS - DRAWN);
      const isOnDisk = engine !== 'memory';
      // A bucket of keys is gone through once for the places, and once for the ranks of what was deleted before.
      const through = MEMBERS / fixed.censusStepsPerVisit;
      expect(first).toBeGreaterThan(isOnDisk ? 0.8 * through : DRAWN - 1);
      expect(second).toBeLessThan((isOnDisk ? 2 * through : DRAWN) + 2000);
      expect(view.count(range)).toBe(MEMBERS - 2 * DRAWN);
    });
    // The ends of ranges.
    for (const rank of ranks) expect(rank.mock.calls.length).toBeLessThan(20);
    vi.restoreAllMocks();
  });
});

test(
  'ranks that overrun the budget of one transaction are refused, and pass in several',
  { timeout: 120_000 },
  async () => {
    const harness = await SeamHarness.open({ engine: 'lsm' });
    await harness.decide((view) => {
      for (let index = 0; index < FILLED_AT_ONCE; index++) view.put(memberKey(index), new Uint8Array(0));
    });
    const ask = (view: View, count: number): void => {
      for (let asked = 0; asked < count; asked++) view.rank(range, memberKey((asked * 613) % FILLED_AT_ONCE));
    };
    // A hundred commands that ask for a rank each are nothing out of the way, nor are a thousand.
    harness.store.decide((view) => ask(view, 1000));
    expect(() => harness.store.decide((view) => ask(view, 20_000))).toThrow(/looks at more than/);
    for (let part = 0; part < 20; part++) harness.store.decide((view) => ask(view, 1000));
  },
);

test(
  'places that lie too far apart for one transaction are refused with the way out',
  { timeout: 120_000 },
  async () => {
    const harness = await SeamHarness.open({ engine: 'lsm' });
    await harness.decide((view) => {
      for (let index = 0; index < FILLED_AT_ONCE; index++) view.put(memberKey(index), new Uint8Array(0));
    });
    harness.store.decide((view) => {
      view.budget.begin(1000);
      const places = Float64Array.from({ length: 200 }, (_, at) => at * 130);
      expect(() => view.selectAll(range, places)).toThrow(
        /finds 200 elements by their places.*take fewer at a time/,
      );
    });
  },
);

function memberKey(index: number): Uint8Array {
  return elementKey(ID, tags.member, bytesOf(`m${1_000_000 + index}`));
}
