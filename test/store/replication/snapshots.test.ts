/**
 * A snapshot says how far in the shared log it is, and a node that begins with it goes on from there: what the snapshot has beyond that
 * is passed over, and nothing else is.
 */
import { expect, onTestFinished, test } from 'vitest';
import { replaceState } from '../../../src/cluster/late/replace-state.ts';
import { cluster as clusterLimits } from '../../../src/limits.ts';
import type { JournalPlace } from '../../../src/wal/journal.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { expectSame } from './same-state.ts';
import { SharedBatches } from './shared-batches.ts';
import { DATA_DIR, STORE_ID, TestNode } from './test-node.ts';

async function piecesOf(node: TestNode): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of node.store.backup()) pieces.push(piece);
  return pieces;
}

/** A node that has nothing but the backup of another one. */
async function nodeOf(shared: SharedBatches, pieces: readonly Uint8Array[]): Promise<TestNode> {
  const disk = new SimulatedDisk({ seed: 3 });
  const where = { disk, clock: new ManualClock(), dataDir: DATA_DIR, onEvent: () => undefined };
  async function* each(): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }
  await replaceState(where, { storeId: STORE_ID, position: 0, name: 'a backup' }, each());
  const node = await TestNode.open(shared, { name: 'node-2', seed: 3, disk });
  onTestFinished(() => node.close());
  return node;
}

async function two(): Promise<{ shared: SharedBatches; writer: TestNode; follower: TestNode }> {
  const shared = new SharedBatches();
  const writer = await TestNode.open(shared, { name: 'node-0', seed: 1 });
  const follower = await TestNode.open(shared, { name: 'node-1', seed: 2 });
  for (const node of [writer, follower]) onTestFinished(() => node.close());
  await writer.lead();
  return { shared, writer, follower };
}

const placeIn = ({ journal }: TestNode): JournalPlace => journal.place;

test('a note behind the newest revision of the snapshot is not passed over', async () => {
  const { shared, writer } = await two();
  await writer.kv.put('a', '1');
  const pieces = await piecesOf(writer);
  await writer.kv.grantLease(10_000, 7);
  const late = await nodeOf(shared, pieces);
  expect(placeIn(late)).toMatchObject({ position: 1, revision: 1 });
  await late.follow();
  await expectSame(writer.store, late.store);
});

test('what a writer has committed and not stored is in its backup, and is not applied twice', async () => {
  const { shared, writer } = await two();
  await writer.kv.put('a', '1');
  await writer.kv.grantLease(10_000, 7);
  // All of these are one batch, and the backup begins before it is stored.
  const written = [
    writer.kv.grantLease(10_000, 8),
    writer.kv.put('b', '2', { leaseId: 8 }),
    writer.kv.revokeLease(8),
    writer.kv.grantLease(20_000, 8),
    writer.kv.put('c', '3', { leaseId: 8 }),
  ];
  const pieces = piecesOf(writer);
  written.push(writer.kv.put('d', '4', { leaseId: 7 }), writer.kv.grantLease(5000, 9));
  await Promise.all(written);
  const late = await nodeOf(shared, await pieces);
  const { position, revision } = placeIn(late);
  expect(position).toBe(2);
  expect(late.store.visibleRevision).toBeGreaterThan(revision);
  await late.follow();
  await expectSame(writer.store, late.store);
  // What was passed over is not in the cache, and is passed over again.
  await writer.kv.put('e', '5');
  await late.reopen();
  await late.follow();
  await expectSame(writer.store, late.store);
});

test('a batch that the snapshot has as a whole leaves no trace', async () => {
  const { shared, writer } = await two();
  await writer.kv.put('a', '1');
  const written = writer.kv.put('b', '2');
  const pieces = await piecesOf(writer);
  await written;
  const late = await nodeOf(shared, pieces);
  expect(placeIn(late)).toMatchObject({ position: 1, revision: 1 });
  await late.follow();
  expect(placeIn(late)).toMatchObject({ position: 2 });
  await expectSame(writer.store, late.store);
  await late.lead();
  await late.kv.put('c', '3');
  expect(late.store.visibleRevision).toBe(3);
});

test('a follower takes snapshots of its own, and begins with them', async () => {
  const { writer, follower } = await two();
  await writer.kv.grantLease(10_000, 7);
  await writer.kv.put('a', '1', { leaseId: 7 });
  await follower.follow();
  const { revision } = await follower.store.snapshot();
  expect(revision).toBe(1);
  await writer.kv.put('b', '2');
  await follower.follow();
  await follower.crash('endProcess');
  expect(placeIn(follower)).toMatchObject({ position: 3, revision: 2, writerAddress: 'node-0' });
  expect(follower.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 1 });
  await expectSame(writer.store, follower.store);
});

test('a backup of a follower that is in the middle of a batch is gone on from', async () => {
  const { shared, writer, follower } = await two();
  await writer.kv.put('a', '1');
  await follower.follow();
  await Promise.all([writer.kv.put('b', '2'), writer.kv.grantLease(10_000, 7), writer.kv.put('c', '3')]);
  follower.applyPart(2);
  const pieces = await piecesOf(follower);
  const late = await nodeOf(shared, pieces);
  expect(placeIn(late)).toMatchObject({ position: 1, revision: 1 });
  expect(late.store.visibleRevision).toBe(2);
  await late.follow();
  await expectSame(writer.store, late.store);
});

test('a writer that has written nothing but signs of life for long takes a revision, so that all write snapshots', async () => {
  const shared = new SharedBatches();
  const limits = { snapshotIntervalMs: 1000 };
  const writer = await TestNode.open(shared, { name: 'node-0', seed: 1, limits });
  const follower = await TestNode.open(shared, { name: 'node-1', seed: 2, limits });
  const nodes = [writer, follower];
  for (const node of nodes) onTestFinished(() => node.close());
  await writer.lead();
  await writer.kv.put('a', '1');
  await follower.follow();
  for (const node of nodes) await node.kv.snapshot();
  const { visibleRevision } = writer.store;

  for (const node of nodes) node.clock.advance(1000);
  await writer.settled();
  expect(writer.store.visibleRevision).toBe(visibleRevision);

  for (const node of nodes) passBatches(node, clusterLimits.snapshotPositions);
  for (const node of nodes) node.clock.advance(1000);
  await writer.settled();
  expect(writer.store.visibleRevision).toBe(visibleRevision + 1);
  await follower.follow();
  for (const node of nodes) node.clock.advance(1000);
  for (const { events } of nodes) {
    await expect.poll(() => events.filter(({ kind }) => kind === 'snapshotWritten').length).toBe(2);
  }
});

/** As if so many had come that hold nothing for the store. */
function passBatches({ journal }: TestNode, count: number): void {
  let { place } = journal;
  Object.defineProperty(journal, 'place', {
    get: () => ({ ...place, position: place.position + count }),
    set: (next: JournalPlace) => {
      place = next;
    },
  });
}
