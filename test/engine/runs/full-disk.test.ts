/** A disk that has become full: what has failed leaves it as full as it was, and what a killed process left there is removed by the start. */
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../../src/disk/disk.ts';
import type { Base, BaseFlush } from '../../../src/engine/layered/base/base.ts';
import { deletionOf, placeChange } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { openSmall as openBitcask } from '../bitcask/small-base.ts';
import { openSmall as openLsm } from '../lsm/small-lsm.ts';
import { SmallDisk } from './small-disk.ts';

const DIRECTORY = '/data/base';
const NOTES = new Uint8Array(100);
const VALUE_BYTES = 1000;

const openByName = {
  lsm: (disk: Disk): Promise<Base> => openLsm(disk),
  bitcask: (disk: Disk): Promise<Base> => openBitcask(disk, { directory: DIRECTORY }),
};

async function addKeys(flush: BaseFlush, revision: number, count: number): Promise<void> {
  const random = new SeededRandom(revision);
  for (let index = 0; index < count; index++) {
    const key = Buffer.from(`k${String(index).padStart(5, '0')}`);
    const value = random.bytes(VALUE_BYTES);
    const change = { ...deletionOf(key, revision), deleted: false, value, version: 1 };
    flush.add(placeChange({ ...change, createRevision: 1, modRevision: revision }));
    if (flush.isFull) await flush.drain();
  }
}

async function commit(base: Base, revision: number, count: number): Promise<void> {
  const flush = await base.begin(revision);
  try {
    await addKeys(flush, revision, count);
    await flush.commit(NOTES);
  } catch (error) {
    await flush.abort();
    throw error;
  }
}

describe.each(['lsm', 'bitcask'] as const)('on a full disk %s', (name) => {
  const open = openByName[name];

  it.each([false, true])('keeps nothing of flushes that fail (unsettled: %s)', async (isUnsettled) => {
    const small = new SmallDisk(new SimulatedDisk({ seed: 1 }));
    const first = await open(small.disk);
    await commit(first, 1, 100);
    await first.close();
    const { used } = small;
    if (isUnsettled) small.capacity = used;
    const base = await open(small.disk);
    expect(base.unsettled !== undefined).toBe(isUnsettled);
    // More room comes each time, and is never enough.
    for (let round = 1; round <= 4; round++) {
      small.capacity = used + round * 40 * VALUE_BYTES;
      await expect(commit(base, 2, 200)).rejects.toMatchObject({ code: 'noSpace' });
      expect(small.used, `round ${round}`).toBeLessThan(used + small.manifestBytes + 1);
    }
    small.capacity = used + 300 * VALUE_BYTES;
    await commit(base, 2, 200);
    expect(base.unsettled).toBeUndefined();
    expect(base.revision).toBe(2);
    await base.close();
  });

  it('keeps nothing of a flush for whose manifest alone there is no room', async () => {
    const small = new SmallDisk(new SimulatedDisk({ seed: 1 }));
    const probe = new SmallDisk(new SimulatedDisk({ seed: 1 }));
    const [base, probed] = [await open(small.disk), await open(probe.disk)];
    for (const each of [base, probed]) await commit(each, 1, 2);
    const { used } = small;
    const flush = await probed.begin(2);
    await addKeys(flush, 2, 10);
    await flush.commit(NOTES);
    await probed.close();
    // That has the new manifest in place of the old one, and while it is written both are there.
    small.capacity = probe.used;
    for (let round = 0; round < 3; round++) {
      await expect(commit(base, 2, 10)).rejects.toMatchObject({ code: 'noSpace' });
      expect(small.used).toBeLessThan(used + small.manifestBytes + 1);
    }
    small.capacity = Infinity;
    await commit(base, 2, 10);
    await base.close();
  });

  it('removes at a start what a killed flush has filled it with', async () => {
    const simulated = new SimulatedDisk({ seed: 1 });
    const killed = new SmallDisk(simulated);
    const first = await open(killed.disk);
    await commit(first, 1, 100);
    const { used } = killed;
    await addKeys(await first.begin(2), 2, 3000);
    expect(killed.used).toBeGreaterThan(used + 500 * VALUE_BYTES);
    const small = new SmallDisk(simulated.endProcess(), killed);
    small.capacity = small.used;
    const base = await open(small.disk);
    expect(base.unsettled).toBeUndefined();
    expect(small.used).toBe(used);
    await commit(base, 2, 100);
    await base.close();
  });
});
