/** Opens the base of the engine `bitcask`. */
import type { Clock } from '../../clock.ts';
import type { Disk } from '../../disk/disk.ts';
import { assert } from '../../errors.ts';
import { CompressionFigures } from '../compression.ts';
import type { Base } from '../layered/base/base.ts';
import type { HashSeed } from '../memory/key-hash.ts';
import { BaseDirectory } from '../runs/base-directory.ts';
import { RunFile } from '../runs/table/run-file.ts';
import { BitcaskBase } from './bitcask-base.ts';
import { BitcaskState, closeRuns } from './bitcask-state.ts';
import { KeyIndex } from './index/key-index.ts';
import { loadIndex } from './index/load-index.ts';
import { Run } from './run-set.ts';
import { ValueCache } from './value-cache.ts';

export interface BitcaskOptions {
  readonly disk: Disk;
  /** Where its files lie; made if need be. */
  readonly directory: string;
  /** 16 bytes: files of another store are refused. */
  readonly storeId: Uint8Array;
  readonly clock: Clock;
  /** Two secret random 32-bit numbers, so that keys that collide can't be chosen. */
  readonly hashSeed: HashSeed;
  /** The memory for values that were read lately; the index comes on top. */
  readonly cacheBytes: number;
  /** Of zstd; missing: values are not compressed. */
  readonly compressionLevel?: number | undefined;
  /** Default 256 MiB; and a sixteenth of it. */
  readonly runBytesMax?: number;
  readonly smallRunBytes?: number;
  /** A merge in the background was given up; it is tried again behind the next flush. */
  readonly onMergeFailed?: (error: Error) => void;
}

const RUN_BYTES_MAX = 256 * 1024 * 1024;
/** Offsets within a run have 32 bits in the index. One record may come on top. */
const RUN_BYTES_LIMIT = 2 ** 31;
const SMALL_SHARE = 1 / 16;

/**
 * Rejects with a `StoreError` of code `damaged` when what is there is not what was written, or is of another engine, store or a newer
 * version; and with what the disk rejects with.
 */
export async function openBitcask(options: BitcaskOptions): Promise<Base> {
  const { disk, directory, storeId, clock, hashSeed, cacheBytes, compressionLevel } = options;
  const { runBytesMax = RUN_BYTES_MAX, onMergeFailed = () => undefined } = options;
  assert(runBytesMax <= RUN_BYTES_LIMIT, 'a run is not longer than its places tell');
  const { smallRunBytes = runBytesMax * SMALL_SHARE } = options;
  const files = await BaseDirectory.open({ disk, directory, engine: 'bitcask', storeId });
  const state = new BitcaskState({
    clock,
    directory: files,
    index: new KeyIndex(hashSeed),
    runBytesMax,
    bounds: { mergeBytesMax: runBytesMax, smallRunBytes },
    compressionLevel,
    compression: new CompressionFigures(),
  });
  const { revision, runs, forgotten } = files.manifest;
  state.revision = revision;
  state.notes = files.notes;
  state.forgotten.restore(forgotten);
  try {
    for (const info of runs) {
      const file = await RunFile.open(disk, files.runPath(info.number), 'bitcask', 'dense', info);
      state.runs.add(new Run(file, info.cleanThrough));
    }
    await loadIndex(state);
  } catch (error) {
    await closeRuns(state.runs.all);
    throw error;
  }
  return new BitcaskBase(state, new ValueCache(cacheBytes), onMergeFailed);
}
