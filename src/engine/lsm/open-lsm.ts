/** Opens the base of the engine `lsm`. */
import type { Disk } from '../../disk/disk.ts';
import { BaseDirectory } from '../runs/base-directory.ts';
import { LsmBase } from './lsm-base.ts';
import type { LsmOptions } from './lsm-base.ts';

export interface OpenLsmOptions extends LsmOptions {
  readonly disk: Disk;
  /** The folder of the base alone, which is made if need be. */
  readonly directory: string;
  /** 16 bytes. */
  readonly storeId: Uint8Array;
}

/**
 * Rejects with a `StoreError` of code `damaged` for what is damaged, of another store, of another engine or of a newer version; and with
 * a `DiskError`.
 */
export async function openLsm(options: OpenLsmOptions): Promise<LsmBase> {
  const { disk, directory, storeId } = options;
  return LsmBase.open(await BaseDirectory.open({ disk, directory, engine: 'lsm', storeId }), options);
}
