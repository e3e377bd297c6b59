/** A data directory is opened as what it is: that of a node with the log of its cluster alone, that of a single store without one. */
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../../src/kv/open-store.ts';
import type { StoreOptions } from '../../../src/store/store-options.ts';
import { openSegments } from '../../../src/wal/log-directory.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { refused } from '../model/readable.ts';
import { LOG_DIR } from '../model/store-harness.ts';
import { SharedBatches } from './shared-batches.ts';
import { DATA_DIR, STORE_ID, TestNode } from './test-node.ts';

const disk = new SimulatedDisk({ seed: 1 });

function alone(files: SimulatedDisk): Pick<StoreOptions, 'dataDir' | 'disk' | 'clock'> {
  return { dataDir: DATA_DIR, disk: files, clock: new ManualClock() };
}

/** That of the log, which is not the one that clients see. */
async function storeIdOf(files: SimulatedDisk): Promise<Uint8Array> {
  const row = await openSegments(files, LOG_DIR);
  if (row === undefined) throw new Error('there is a segment');
  return row.storeId;
}

async function nodeWithData(shared = new SharedBatches()): Promise<TestNode> {
  const node = await TestNode.open(shared, { name: 'node-0', seed: 1 });
  await node.lead();
  await node.kv.put('a', '1');
  return node;
}

test('a new directory gets the id of the cluster, and begins before the first batch', async () => {
  const node = await TestNode.open(new SharedBatches(), { name: 'node-0', seed: 1 });
  onTestFinished(() => node.close());
  expect(node.journal.storeId).toEqual(STORE_ID);
  expect(node.journal.place).toEqual({ position: 0, epoch: 0, checksum: 0, writerAddress: '', revision: 0 });
});

test.each([
  ['its log', false],
  ['its snapshot', true],
])('the directory of a node is refused without a shared log, by %s', async (_, hasSnapshot) => {
  const node = await nodeWithData();
  if (hasSnapshot) await node.store.snapshot();
  await node.close();
  await refused(openStore(alone(node.disk)), 'invalidArgument');
  await expect(openStore(alone(node.disk))).rejects.toThrow(/is of a node of a cluster.*--log/s);
  await node.open();
  onTestFinished(() => node.close());
  expect(await node.kv.exists(['a'])).toMatchObject({ exists: [true] });
});

test('the directory of a single store is refused with a shared log', async () => {
  const store = await openStore(alone(disk));
  await store.put('a', '1');
  await store.close();
  const node = new TestNode(new SharedBatches(), { name: 'node-0', seed: 1, disk });
  await expect(node.open()).rejects.toThrow(/is of another store than the cluster/);
  const storeId = await storeIdOf(disk);
  const sameId = new TestNode(new SharedBatches(), { name: 'node-0', seed: 1, disk, storeId });
  await expect(sameId.open()).rejects.toThrow(/is of a store that is alone/);
});

test('a node that stopped before it had anything is opened again', async () => {
  const node = await TestNode.open(new SharedBatches(), { name: 'node-0', seed: 1 });
  await node.reopen();
  onTestFinished(() => node.close());
  expect(node.journal.place.position).toBe(0);
});

test('so is one that has written a snapshot before there was a batch', async () => {
  const node = await TestNode.open(new SharedBatches(), { name: 'node-0', seed: 1 });
  await node.store.snapshot();
  await node.close();
  await node.open();
  onTestFinished(() => node.close());
  expect(node.journal.place.position).toBe(0);
});

test.each([
  ['an engine on disk', { engine: 'lsm' }, /the engine lsm keeps no node/],
  ['a policy for flushes', { fsync: 'always' }, /fsync has no meaning/],
] as const)('%s does not go together with a shared log', async (_, options, text) => {
  const replication = {
    storeId: STORE_ID,
    openJournal: () => {
      throw new Error('it is refused before');
    },
  };
  await expect(openStore({ dataDir: DATA_DIR, replication, ...options })).rejects.toThrow(text);
});
