/** The engines by their names: the one place that knows all of them. */
import type { Clock, Random } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import type { EngineName } from '../engine-names.ts';
import { StoreError } from '../errors.ts';
import type { Engine, GroupOfKey } from './engine.ts';
import type { HashSeed } from './memory/key-hash.ts';
import type { ValueCodec } from './memory/compressed-values.ts';
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
}

/** @throws StoreError `damaged`. A `DiskError`. */
export function openEngine(name: EngineName, place: EnginePlace): Promise<Engine> {
  switch (name) {
    case 'memory':
      return Promise.resolve(openMemoryEngine(place));
    case 'btree':
    case 'lsm':
    case 'bitcask':
      return Promise.reject(new StoreError('invalidArgument', `the engine ${name} can not be opened yet`));
  }
}

/** Without its seed, which is secret, keys that fall into one place of the index can't be chosen. */
function openMemoryEngine({ random, groupOf, valueCodec }: EnginePlace): MemoryEngine {
  return new MemoryEngine({ hashSeed: drawSeed(random), groupOf, valueCodec });
}

function drawSeed(random: Random): HashSeed {
  const seed = Buffer.from(random.bytes(HASH_SEED_BYTES));
  return [seed.readUInt32LE(0), seed.readUInt32LE(4)];
}
