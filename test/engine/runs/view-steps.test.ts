/** What a step of a view looks at is bounded: behind many records that are not shown it lets its caller look at the time. */
import { expect, it } from 'vitest';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { deletionOf, placeChange } from '../../../src/engine/version.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { openSmall } from '../bitcask/small-base.ts';

/** A step passes over no more. */
const PASSED_PER_STEP = 256;
const DEAD_COUNT = 10 * PASSED_PER_STEP;

it('steps over many deletions in many steps, and shows all that is between and behind them', async () => {
  const base = await openSmall(new SimulatedDisk({ seed: 1 }), { runBytesMax: 10_000_000 });
  const keys = Array.from({ length: DEAD_COUNT + 3 }, (_, index) => `k${String(index).padStart(6, '0')}`);
  const live = [keys[0], keys[DEAD_COUNT / 2], keys.at(-1)];
  await commit(base, 1, keys, false);
  await commit(
    base,
    2,
    keys.filter((key) => !live.includes(key)),
    true,
  );
  const view = await base.view();
  const shown: string[] = [];
  let stepCount = 0;
  do {
    stepCount++;
    for (let version = view?.next(); version !== undefined; version = view?.next())
      shown.push(Buffer.from(version.key).toString());
  } while (await view?.read());
  expect(shown).toEqual(live);
  // Each deletion comes with the version that it has deleted.
  expect(stepCount).toBeGreaterThanOrEqual((2 * DEAD_COUNT) / PASSED_PER_STEP);
  await view?.close();
  await base.close();
});

async function commit(
  base: Base,
  revision: number,
  keys: readonly string[],
  deleted: boolean,
): Promise<void> {
  const flush = await base.begin(revision);
  for (const key of keys) {
    const numbers = deleted ? {} : { createRevision: 1, modRevision: revision, version: 1 };
    flush.add(placeChange({ ...deletionOf(Buffer.from(key), revision), deleted, ...numbers }));
    if (flush.isFull) await flush.drain();
  }
  await flush.commit(new Uint8Array(0));
}
