import { HeapEngine } from '../../src/engine/heap-engine.ts';
import { testStoreContract } from './store-contract.ts';
import { MemoryHarness } from './store-harness.ts';

testStoreContract('LogStore over HeapEngine', (limits) =>
  MemoryHarness.open({ makeEngine: () => new HeapEngine(), ...(limits && { limits }) }),
);
