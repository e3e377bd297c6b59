import { ReaderSeat } from '../../src/engine/memory/epochs.ts';
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
// What readers of other threads may look at is taken out later than what nobody reads.
testEngineHistories('MemoryEngine with a reader between two reads', () => engineWithReader(false));
testEngineContract('MemoryEngine with a reader that never ends', () => engineWithReader(true));
testEngineHistories('MemoryEngine with a reader that never ends', () => engineWithReader(true));
testEngineHistories('MemoryEngine of four shards', () => new MemoryEngine({ shardCount: 4 }));
testEngineHistories('MemoryEngine of one shard', () => new MemoryEngine({ shardCount: 1 }));
testEngineHistories(
  'MemoryEngine beside HeapEngine',
  () => new MirrorEngine(new MemoryEngine({ shardCount: 2 }), new HeapEngine()),
);

function engineWithReader(isReading: boolean): MemoryEngine {
  const engine = new MemoryEngine({ shardCount: 2 });
  const { control, seat } = engine.attachReader();
  if (isReading) new ReaderSeat(control, seat).enter();
  return engine;
}
