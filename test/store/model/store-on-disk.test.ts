/** The contract of stores over engines that keep their state on disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { openEngine } from '../../../src/engine/open-engine.ts';
import { openLayered } from '../durable/layered-store.ts';
import { testStoreContract } from './store-contract.ts';
import { MemoryHarness } from './store-harness.ts';

testStoreContract(
  'DurableStore over an engine in layers',
  async (limits) => (await openLayered(limits && { limits })).harness,
  true,
);

for (const engine of ['lsm', 'bitcask'] as const) {
  testStoreContract(
    `DurableStore over ${engine}`,
    (limits) => MemoryHarness.open({ engine, ...(limits && { limits }) }),
    true,
  );
}

// SQLite has its file on the real disk, while the log is on the simulated one.
testStoreContract(
  'DurableStore over btree',
  async (limits) => {
    const directory = await mkdtemp(join(tmpdir(), 'kelp-btree-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    return await MemoryHarness.open({
      engine: 'btree',
      makeEngine: (place) => openEngine('btree', { ...place, disk: nodeDisk, directory }),
      ...(limits && { limits }),
    });
  },
  true,
);
