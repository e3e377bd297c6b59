/** Bases whose runs are so short that few changes make many of them. */
import { openBitcask } from '../../../src/engine/bitcask/open-bitcask.ts';
import type { Clock } from '../../../src/clock.ts';
import type { EngineRange } from '../../../src/engine/engine.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import type { Disk } from '../../../src/disk/disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { SeededRandom } from '../../support/random.ts';

export const DIRECTORY = '/data/base';

interface SmallOptions {
  readonly directory?: string;
  readonly runBytesMax?: number;
  readonly clock?: Clock;
  readonly onMergeFailed?: (error: Error) => void;
}

export function openSmall(
  disk: Disk,
  {
    directory = DIRECTORY,
    runBytesMax = 40_000,
    clock = new ManualClock(),
    onMergeFailed = () => undefined,
  }: SmallOptions = {},
): Promise<Base> {
  return openBitcask({
    disk,
    directory,
    clock,
    storeId: new Uint8Array(16).fill(7),
    hashSeed: [1, 2],
    compressionLevel: 1,
    cacheBytes: 20_000,
    runBytesMax,
    smallRunBytes: 2000,
    onMergeFailed,
  });
}

/** A range of the keys `k…` that begin with one or two digits. */
export function rangeOf(random: SeededRandom): EngineRange {
  const first = random.below(80);
  return { start: Buffer.from(`k${first}`), end: Buffer.from(`k${first + 1}`) };
}
