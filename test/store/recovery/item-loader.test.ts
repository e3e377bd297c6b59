import { describe, expect, it } from 'vitest';
import {
  emptySnapshotVersion,
  sizeOfSnapshotBlock,
  writeSnapshotBlock,
  type SnapshotBlockShape,
  type SnapshotVersionShape,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { resultOf } from '../../support/pieces.ts';
import { ItemLoader } from '../../../src/store/recovery/item-loader.ts';
import { LeaseTable } from '../../../src/store/leases/lease-table.ts';
import { SnapshotOrder } from '../../../src/store/recovery/recorded-items.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const SNAPSHOT_REVISION = 9;

const version = (key: string, revision: number, replacedBy = 0): SnapshotVersionShape => ({
  ...emptySnapshotVersion(),
  key: Buffer.from(key),
  revision,
  createRevision: 1,
  modRevision: revision,
  version: 1,
  replacedBy,
});

const leases: SnapshotBlockShape = {
  leases: [{ leaseId: 1, ttlMs: 1000, deadlineMs: 1000, owner: 'ann' }],
  versions: [],
};
const keys: SnapshotBlockShape = { leases: [], versions: [version('a', 4), version('b', 2)] };
const older: SnapshotBlockShape = { leases: [], versions: [version('a', 1, 4)] };

/** @returns what is wrong with the first block that is refused. */
function load(blocks: readonly SnapshotBlockShape[], extraItems = 0): string | undefined {
  const loader = new ItemLoader(new MemoryEngine(), new LeaseTable(new ManualClock()));
  const order = new SnapshotOrder(SNAPSHOT_REVISION);
  for (const block of blocks) {
    const bytes = Buffer.alloc(sizeOfSnapshotBlock(block));
    writeSnapshotBlock(block, bytes, 0);
    const itemCount = block.versions.length + block.leases.length + extraItems;
    const fault = resultOf(loader.loadBlock({ block: bytes, itemCount }, order));
    if (fault !== undefined) return fault;
  }
  return resultOf(loader.finishNewest());
}

describe('the blocks of a snapshot', () => {
  it('are loaded when leases come first, then the newest versions, then older ones', () => {
    expect(load([leases, keys, older])).toBeUndefined();
    expect(load([{ leases: leases.leases, versions: keys.versions }, older])).toBeUndefined();
    expect(load([])).toBeUndefined();
  });

  it('are refused in another order', () => {
    expect(load([keys, leases])).toBe('a block has 0 items, not 1');
    expect(load([leases, leases])).toBe('leases are out of order');
    expect(load([leases, keys, older, { leases: [], versions: [version('c', 3)] }])).toBe(
      'versions are out of order',
    );
  });

  it('are refused when a key comes twice, as soon as all newest versions are there', () => {
    const twice: SnapshotBlockShape = { leases: [], versions: [version('c', 3), version('a', 5)] };
    expect(load([keys, twice])).toBe('a key has two newest versions');
    expect(load([keys, twice, older])).toBe('a key has two newest versions');
  });

  it('are refused when they hold more or fewer items than their heads say', () => {
    expect(load([leases], 1)).toBe('a block has 1 items, not 2');
    expect(load([leases, keys], -1)).toBe('a block has 1 items, not 0');
    expect(load([keys], -1)).toBe('a block has 2 items, not 1');
  });
});
