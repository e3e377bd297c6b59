/** The bases that are simulated, by their names. */
import type { Clock } from '../../../src/clock.ts';
import type { Disk } from '../../../src/disk/disk.ts';
import { openBitcask } from '../../../src/engine/bitcask/open-bitcask.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { openLsm } from '../../../src/engine/lsm/open-lsm.ts';
import { PlainBase } from './plain-base.ts';

export const baseNames = ['plain', 'lsm', 'bitcask'] as const;

export type BaseName = (typeof baseNames)[number];

/** What a simulated base is opened with. */
export interface BasePlace {
  readonly disk: Disk;
  /** Made if need be. */
  readonly directory: string;
  readonly clock: Clock;
  /** 16 bytes. */
  readonly storeId: Uint8Array;
}

/** Opens what lies in a directory, or makes it. */
export type OpenBase = (place: BasePlace) => Promise<Base>;

/** Holds some blocks or values, so that others are read. */
const CACHE_BYTES = 16 * 1024;
/** So small that several runs come of what is simulated, and are merged. */
const RUN_BYTES_MAX = 16 * 1024;

export const openBaseByName: Readonly<Record<BaseName, OpenBase>> = {
  plain: ({ disk, directory }) => PlainBase.open(disk, directory),
  lsm: ({ disk, directory, clock, storeId }) =>
    openLsm({
      disk,
      directory,
      clock,
      storeId,
      cacheBytes: CACHE_BYTES,
      compressionLevel: 1,
      onMergeFailed: () => undefined,
    }),
  bitcask: ({ disk, directory, clock, storeId }) =>
    openBitcask({
      disk,
      directory,
      clock,
      storeId,
      hashSeed: [1, 2],
      cacheBytes: CACHE_BYTES,
      compressionLevel: 1,
      runBytesMax: RUN_BYTES_MAX,
    }),
};
