/** How the state of a node gives way to the snapshot of another one, and what a crash at any step of that leaves. */
import { beforeEach, describe, expect, it } from 'vitest';
import { clearReset, replaceState, type NodeDirectory } from '../../src/cluster/late/replace-state.ts';
import { newestSnapshotPosition } from '../../src/cluster/late/snapshot-places.ts';
import { SharedBatches } from '../store/replication/shared-batches.ts';
import { DATA_DIR, STORE_ID, TestNode } from '../store/replication/test-node.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { Schedule } from '../support/schedule.ts';
import { isWhole } from '../support/share.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

/** Unless all is to be tried, one call of so many is the one at which the process dies. */
const SAMPLED = 5;

/** A disk whose process dies at one of its calls. */
class DyingDisk {
  readonly disk: SimulatedDisk;
  /** Resolved when it has died. */
  readonly died: Promise<void>;
  callCount = 0;
  /** The call that is not made any more; `undefined`: all are. */
  dyingCall: number | undefined;
  readonly #die: () => void;

  constructor(seed: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.died = promise;
    this.#die = resolve;
    this.disk = new SimulatedDisk({ seed, schedule: this.#schedule });
  }

  readonly #schedule: Schedule = (action) => {
    this.callCount++;
    if (this.dyingCall !== undefined && this.callCount >= this.dyingCall) this.#die();
    else queueMicrotask(action);
  };
}

let shared: SharedBatches;
let writer: TestNode;
let backupPieces: Uint8Array[] = [];

beforeEach(async () => {
  shared = new SharedBatches();
  writer = await TestNode.open(shared, { name: 'a', seed: 1 });
  await writer.lead();
  await put(0, 12);
  backupPieces = [];
});

async function put(from: number, to: number): Promise<void> {
  for (let count = from; count < to; count++) await writer.kv.put(`key ${count % 5}`, `value ${count}`);
}

function directoryOn(disk: SimulatedDisk): NodeDirectory {
  return { disk, clock: new ManualClock(), dataDir: DATA_DIR, onEvent: () => undefined };
}

/** A node that was stopped at the fourth batch, and has a snapshot of the second. */
async function stoppedNode(disk: SimulatedDisk): Promise<void> {
  const node = await TestNode.open(shared, { name: 'b', seed: 2, disk });
  await node.follow(2);
  await node.kv.snapshot();
  await node.follow(4);
  await node.close();
}

/** The backup is read at once, so that a crash leaves none open. */
async function* backup(): AsyncGenerator<Uint8Array> {
  if (backupPieces.length === 0) for await (const piece of writer.store.backup()) backupPieces.push(piece);
  yield* backupPieces;
}

function replace(disk: SimulatedDisk, position = 10): Promise<{ readonly revision: number }> {
  return replaceState(
    directoryOn(disk),
    { storeId: STORE_ID, position, name: 'the snapshot of the node at a' },
    backup(),
  );
}

async function contentOf({ kv }: TestNode): Promise<string[]> {
  const { entries } = await kv.scan({});
  return entries.map(({ key, value }) => `${key}=${Buffer.from(value).toString()}`);
}

describe('the state of a late node', () => {
  it('is that of the snapshot from then on, and goes on behind its place', async () => {
    const { disk } = new DyingDisk(1);
    await stoppedNode(disk);
    const { revision } = await replace(disk);
    expect(revision).toBe(12);
    await put(12, 15);
    const node = await TestNode.open(shared, { name: 'b', seed: 2, disk });
    expect(node.journal.place).toMatchObject({ position: 12, revision: 12 });
    await node.follow();
    expect(await contentOf(node)).toEqual(await contentOf(writer));
    await node.close();
    expect(await newestSnapshotPosition(disk, `${DATA_DIR}/snapshots`)).toBe(12);
  });

  it('may be none before', async () => {
    const { disk } = new DyingDisk(1);
    await replace(disk);
    const node = await TestNode.open(shared, { name: 'b', seed: 2, disk });
    expect(await contentOf(node)).toEqual(await contentOf(writer));
  });

  it('stays when the snapshot is late itself, of another store, or not whole', async () => {
    const { disk } = new DyingDisk(1);
    await stoppedNode(disk);
    await expect(replace(disk, 14)).rejects.toThrow(/that node is late itself/);
    const foreign = { storeId: Buffer.alloc(16, 8), position: 10, name: 'the snapshot of the node at a' };
    await expect(replaceState(directoryOn(disk), foreign, backup())).rejects.toThrow(/another store/);
    const wanted = { ...foreign, storeId: STORE_ID };
    await expect(replaceState(directoryOn(disk), wanted, partOf(backup()))).rejects.toMatchObject({
      code: 'damaged',
    });
    const node = await TestNode.open(shared, { name: 'b', seed: 2, disk });
    expect(node.journal.place.position).toBe(4);
  });

  it.each(['endProcess', 'losePower'] as const)(
    'is the old one, none, or the new one after a crash at any step (%s)',
    { timeout: 60_000 },
    async (kind) => {
      const found = new Set<number>();
      for (let call = 1; ; call += isWhole() ? 1 : SAMPLED) {
        const dying = new DyingDisk(call);
        await stoppedNode(dying.disk);
        dying.dyingCall = dying.callCount + call;
        const isDone = await Promise.race([
          replace(dying.disk).then(() => true),
          dying.died.then(() => false),
        ]);
        if (isDone) break;
        const disk = dying.disk[kind]();
        dying.dyingCall = undefined;
        await clearReset(directoryOn(disk));
        const node = await TestNode.open(shared, { name: 'b', seed: 2, disk });
        found.add(node.journal.place.position);
        await node.follow();
        expect(await contentOf(node), `call ${call}`).toEqual(await contentOf(writer));
        await node.close();
      }
      expect([...found]).toEqual(expect.arrayContaining([0, 4]));
    },
  );
});

async function* partOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  yield Buffer.concat(all).subarray(0, -10);
}
