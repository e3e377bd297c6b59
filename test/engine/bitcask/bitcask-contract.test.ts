/** The contract of bases, with runs so short that there are many. */
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { testBase } from '../base/base-contract.ts';
import { openSmall } from './small-base.ts';

const disk = new SimulatedDisk({ seed: 1 });

testBase('bitcask', (place): Promise<Base> =>
  openSmall(disk, { directory: `/data/${place}`, runBytesMax: 150_000 }),
);
