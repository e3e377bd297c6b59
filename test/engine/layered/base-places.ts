/** Places for the bases of the engines on disk, where suites of engines stand over them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { openBtree } from '../../../src/engine/btree/open-btree.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { openSmall as openSmallBitcask } from '../bitcask/small-base.ts';
import { STORE_ID } from '../btree/open-test-base.ts';
import { openSmall as openSmallLsm } from '../lsm/small-lsm.ts';

/** Of one base: it is opened, closed by who has opened it, and opened again. */
export interface BasePlace {
  open(): Promise<Base>;
  remove(): Promise<void>;
}

export const newPlaceByName: Readonly<Record<'btree' | 'lsm' | 'bitcask', () => Promise<BasePlace>>> = {
  btree: async () => {
    const root = await mkdtemp(join(tmpdir(), 'kelp-btree-'));
    const options = {
      directory: join(root, 'base'),
      disk: nodeDisk,
      clock: systemClock,
      storeId: STORE_ID,
      cacheBytes: 1 << 20,
    };
    return { open: () => openBtree(options), remove: () => rm(root, { recursive: true, force: true }) };
  },
  lsm: async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    return { open: () => openSmallLsm(disk), remove: async () => undefined };
  },
  bitcask: async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    return { open: () => openSmallBitcask(disk), remove: async () => undefined };
  },
};
