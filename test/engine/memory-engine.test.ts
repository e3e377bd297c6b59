import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { HeapEngine } from '../../src/engine/heap-engine.ts';
import { testEngineContract } from './engine-contract.ts';
import { testEngineHistories } from './engine-histories.ts';
import { testEngineLoads } from './engine-loads.ts';
import { MirrorEngine } from './mirror-engine.ts';

// Fewer shards than by default, so that each has more keys.
testEngineContract('MemoryEngine of four shards', () => new MemoryEngine({ shardCount: 4 }));
testEngineContract('MemoryEngine of one shard', () => new MemoryEngine({ shardCount: 1, hashSeed: [1, 2] }));
testEngineLoads('MemoryEngine of four shards', () => new MemoryEngine({ shardCount: 4 }));
testEngineLoads('MemoryEngine of one shard', () => new MemoryEngine({ shardCount: 1, hashSeed: [1, 2] }));
testEngineContract(
  'MemoryEngine beside HeapEngine',
  () => new MirrorEngine(new MemoryEngine({ shardCount: 2 }), new HeapEngine()),
);
testEngineHistories('MemoryEngine of four shards', () => new MemoryEngine({ shardCount: 4 }));
testEngineHistories('MemoryEngine of one shard', () => new MemoryEngine({ shardCount: 1 }));
testEngineHistories(
  'MemoryEngine beside HeapEngine',
  () => new MirrorEngine(new MemoryEngine({ shardCount: 2 }), new HeapEngine()),
);
