/** The engines by their names: the one place that knows all of them. */
import type { Clock, Random } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import type { EngineName } from '../engine-names.ts';
import { fixed } from '../limits.ts';
import { openBitcask } from './bitcask/open-bitcask.ts';
import type { Engine, GroupOfKey } from './engine.ts';
import type { Base } from './layered/base/base.ts';
import { LayeredEngine } from './layered/layered-engine.ts';
import { openLsm } from './lsm/open-lsm.ts';
import type { ValueCodec } from './memory/compressed-values.ts';
import type { HashSeed } from './memory/key-hash.ts';
import { MemoryEngine } from './memory/memory-engine.ts';

const HASH_SEED_BYTES = 8;

/** Where an engine keeps its state, and what it may use. */
export interface EnginePlace {
  readonly disk: Disk;
  /** The folder of an engine on disk; it is there. */
  readonly directory: string;
  /** The id of the store, which its files have, too: 16 bytes. */
  readonly storeId: Uint8Array;
  /** The disk is in memory, and has no files that others could open by their path. */
  readonly isInMemory: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** What the whole state of the store may take: caches have a part of it. */
  readonly memoryBytesMax: number;
  /** Of what is compressed. */
  readonly compressionLevel: number;
  /** Compresses values in memory; `undefined`: they are kept as they are. */
  readonly valueCodec: ValueCodec | undefined;
  readonly groupOf: GroupOfKey;
  /** A merge of files was given up, for this; it is tried again. */
  onMergeFailed(error: unknown): void;
}

/** @throws StoreError `damaged`. A `DiskError`. */
export async function openEngine(name: EngineName, place: EnginePlace): Promise<Engine> {
  const { random, groupOf, valueCodec } = place;
  // Without their seed, which is secret, keys that fall into one place of an index can't be chosen.
  const hashSeed = drawSeed(random);
  if (name === 'memory') return new MemoryEngine({ hashSeed, groupOf, valueCodec });
  const base = await openBase(name, place, hashSeed);
  try {
    const { clock, memoryBytesMax } = place;
    const loadBytesMax = Math.min(fixed.loadBytesMax, memoryBytesMax * fixed.loadMemoryShareMax);
    return await new LayeredEngine(base, { clock, hashSeed, groupOf, loadBytesMax }).open();
  } catch (error) {
    await base.close().catch(() => undefined);
    throw error;
  }
}

function openBase(
  name: Exclude<EngineName, 'memory'>,
  place: EnginePlace,
  hashSeed: HashSeed,
): Promise<Base> {
  const { disk, directory, storeId, clock, compressionLevel } = place;
  const cacheShare = place.memoryBytesMax * fixed.storageCacheShare[name];
  const cacheBytes = Math.floor(Math.min(cacheShare, fixed.storageCacheBytesMax));
  switch (name) {
    case 'btree':
      return openBtreeBase(place, cacheBytes);
    case 'lsm':
      return openLsm({
        disk,
        directory,
        storeId,
        clock,
        cacheBytes,
        compressionLevel,
        onMergeFailed: (error) => place.onMergeFailed(error),
      });
    case 'bitcask':
      return openBitcask({
        disk,
        directory,
        storeId,
        clock,
        hashSeed,
        cacheBytes,
        compressionLevel,
        onMergeFailed: (error) => place.onMergeFailed(error),
      });
  }
}

/** Loaded when it is asked for, and SQLite with it. SQLite does not know a disk in memory: there the database is in memory, too. */
async function openBtreeBase(place: EnginePlace, cacheBytes: number): Promise<Base> {
  const { openBtree } = await import('./btree/open-btree.ts');
  const { disk, clock, directory, isInMemory, storeId } = place;
  return openBtree({ directory: isInMemory ? undefined : directory, disk, clock, storeId, cacheBytes });
}

function drawSeed(random: Random): HashSeed {
  const seed = Buffer.from(random.bytes(HASH_SEED_BYTES));
  return [seed.readUInt32LE(0), seed.readUInt32LE(4)];
}
