/** The contract of stores over engines in memory. */
import { MemoryDisk } from '../../../src/disk/memory-disk.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { HeapEngine } from '../../engine/contract/heap-engine.ts';
import { testStoreContract } from './store-contract.ts';
import { MemoryHarness } from './store-harness.ts';

testStoreContract('DurableStore over HeapEngine', (limits) =>
  MemoryHarness.open({ makeEngine: () => new HeapEngine(), ...(limits && { limits }) }),
);

testStoreContract('DurableStore over MemoryEngine, on a disk in memory,', (limits) => {
  const disk = new MemoryDisk();
  return MemoryHarness.open({
    makeEngine: () => new MemoryEngine(),
    wrap: () => disk,
    ...(limits && { limits }),
  });
});
