/** Bases whose runs are so short that few changes make many of them. */
import { openBitcask } from '../../../src/engine/bitcask/open-bitcask.ts';
import type { EngineRange } from '../../../src/engine/engine.ts';
import type { Base } from '../../../src/engine/layered/base.ts';
import type { Disk } from '../../../src/disk/disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { SeededRandom } from '../../support/random.ts';

export const DIRECTORY = '/data/base';

export function openSmall(disk: Disk): Promise<Base> {
  return openBitcask({
    disk,
    directory: DIRECTORY,
    clock: new ManualClock(),
    storeId: new Uint8Array(16).fill(7),
    hashSeed: [1, 2],
    compressionLevel: 1,
    cacheBytes: 20_000,
    runBytesMax: 40_000,
    smallRunBytes: 2000,
  });
}

/** A range of the keys `k…` that begin with one or two digits. */
export function rangeOf(random: SeededRandom): EngineRange {
  const first = random.below(80);
  return { start: Buffer.from(`k${first}`), end: Buffer.from(`k${first + 1}`) };
}
