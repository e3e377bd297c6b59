import { openLsm } from '../../../src/engine/lsm/open-lsm.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { testBase } from '../base/base-contract.ts';

const disk = new SimulatedDisk({ seed: 1 });

testBase('lsm', (place) =>
  openLsm({
    disk,
    directory: `/${place}`,
    storeId: new Uint8Array(16).fill(7),
    clock: new ManualClock(),
    cacheBytes: 100_000,
    compressionLevel: 1,
    onMergeFailed: (error) => {
      throw error;
    },
  }),
);
