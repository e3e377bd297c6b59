/** Bases of `lsm` for tests: with a cache of a few blocks, on a disk that is told. */
import type { Disk } from '../../../src/disk/disk.ts';
import type { LsmBase } from '../../../src/engine/lsm/lsm-base.ts';
import { openLsm } from '../../../src/engine/lsm/open-lsm.ts';
import { ManualClock } from '../../support/manual-clock.ts';

export const DIRECTORY = '/data/base';

export function openSmall(
  disk: Disk,
  onMergeFailed: (error: unknown) => void = () => undefined,
): Promise<LsmBase> {
  return openLsm({
    disk,
    directory: DIRECTORY,
    storeId: new Uint8Array(16).fill(7),
    clock: new ManualClock(),
    cacheBytes: 20_000,
    compressionLevel: 1,
    onMergeFailed,
  });
}
