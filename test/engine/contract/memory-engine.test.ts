import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { testEngineContract } from './engine-contract.ts';
import { testEngineHistories } from './engine-histories.ts';
import { testEngineLoads } from './engine-loads.ts';
import { HeapEngine } from './heap-engine.ts';
import { MirrorEngine } from './mirror-engine.ts';

/** Short slabs, so that there are many, and blocks move often. */
const withShortSlabs = () => new MemoryEngine({ slabBytesMax: 32 * 1024, hashSeed: [1, 2] });

testEngineContract('MemoryEngine', () => new MemoryEngine());
testEngineContract('MemoryEngine with short slabs', withShortSlabs);
testEngineContract(
  'MemoryEngine beside HeapEngine',
  () => new MirrorEngine(withShortSlabs(), new HeapEngine()),
);
testEngineLoads('MemoryEngine', () => new MemoryEngine());
testEngineLoads('MemoryEngine with short slabs', withShortSlabs);
testEngineHistories('MemoryEngine', () => new MemoryEngine());
testEngineHistories('MemoryEngine with short slabs', withShortSlabs);
testEngineHistories(
  'MemoryEngine beside HeapEngine',
  () => new MirrorEngine(withShortSlabs(), new HeapEngine()),
);
