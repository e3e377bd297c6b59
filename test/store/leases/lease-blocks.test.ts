/** Backups and snapshots of a store with many leases: some to a block, as they are at the instant at which it begins. */
import { expect, test } from 'vitest';
import { openSnapshotFile } from '../../../src/snapshot/reader.ts';
import { readSnapshotBlock } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { openDurableStore } from '../../../src/store/open-durable-store.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { DATA_DIR } from '../model/store-harness.ts';

const LEASES = 10_000;
const TTL_MS = 60_000;
const options = {
  dataDir: DATA_DIR,
  clock: new ManualClock(),
  random: new SeededRandom(1),
  fsync: 'never',
} as const;

test('a backup takes leases some at a time, and shows none of what changes meanwhile', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const store = await openDurableStore({ ...options, disk });
  store.decide((view) => {
    // The highest first.
    for (let leaseId = LEASES; leaseId >= 1; leaseId--) view.grantLease(leaseId, TTL_MS);
  });
  store.decide((view) => view.put(Buffer.from('k'), Buffer.from('v'), { leaseId: LEASES }));
  const pieces: Uint8Array[] = [];
  for await (const piece of store.backup()) {
    if (pieces.length === 0)
      store.decide((view) => {
        view.endLease(LEASES, 'leaseRevoked');
        view.grantLease(LEASES + 1, TTL_MS);
      });
    pieces.push(new Uint8Array(piece));
  }
  const blocks = await leaseBlocks(Buffer.concat(pieces));
  expect(Math.max(...blocks.map(({ length }) => length))).toBeLessThanOrEqual(5000);
  expect(blocks.flat()).toEqual(Array.from({ length: LEASES }, (_, index) => index + 1));

  // The next life has the leases of now, from a snapshot.
  await store.snapshot();
  await store.close();
  const again = await openDurableStore({ ...options, disk });
  const ids = await again.readLeases((leases) => leases.list(0, 2 * LEASES).map(({ leaseId }) => leaseId));
  expect(ids).toHaveLength(LEASES);
  expect(ids.slice(-2)).toEqual([LEASES - 1, LEASES + 1]);
  await again.close();
});

/** The ids of the leases of each block that has any. */
async function leaseBlocks(backup: Uint8Array): Promise<number[][]> {
  const disk = new SimulatedDisk({ seed: 1 });
  const file = await disk.create('/backup');
  await file.write(backup, 0);
  await file.close();
  const reader = await openSnapshotFile(disk, '/backup');
  const blocks: number[][] = [];
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
    const { leases } = readSnapshotBlock(next.block, 0, next.block.length);
    if (leases.length > 0) blocks.push(leases.map(({ leaseId }) => leaseId));
    reader.giveBack(next);
  }
  await reader.close();
  return blocks;
}
