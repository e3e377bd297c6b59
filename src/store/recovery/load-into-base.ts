/**
 * Loads a snapshot into an engine on disk that holds nothing yet: the newest version of each key, at the revision of the snapshot.
 * Older versions, which the snapshot of a store in memory has, are left out: such an engine begins at that revision.
 */
import {
  nextInSnapshotBlockLeases,
  nextInSnapshotBlockVersions,
  readPlacedSnapshotVersion,
  readSnapshotLease,
  type SnapshotLeaseShape,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { DurableState, StateLoad } from '../../engine/engine.ts';
import { PlacedChange } from '../../engine/version.ts';
import { fixed } from '../../limits.ts';
import { snapshotPath } from '../../snapshot/file-names.ts';
import { openSnapshot, type SnapshotBlock } from '../../snapshot/reader.ts';
import { Cursor } from '../../wire/cursor.ts';
import { memoryOf } from '../../wire/memory.ts';
import { encodeNotes } from '../checkpoints/checkpoint-notes.ts';
import { decode, refuse } from './decode.ts';
import { faultOfItemCount, SnapshotOrder } from './recorded-items.ts';
import type { RecoveryContext } from './recovery-context.ts';
import { readHeader } from './snapshot-head.ts';

/**
 * Once it resolves, the engine keeps the state of the snapshot; before, nothing.
 * @throws StoreError `damaged`, and what the engine and the disk say.
 */
export async function loadIntoBase(
  context: RecoveryContext,
  durable: DurableState,
  storeId: Uint8Array,
  revision: number,
): Promise<void> {
  const { clock, disk, snapshotDirectory } = context;
  const reader = await openSnapshot(disk, snapshotDirectory, revision);
  try {
    const path = snapshotPath(snapshotDirectory, revision);
    const what = `the snapshot of revision ${revision}`;
    const header = readHeader(what, reader.header, revision, storeId, path);
    const load = durable.load(revision);
    try {
      const blocks = new BlockLoader(what, revision, load);
      for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
        await blocks.load(next);
        reader.giveBack(next);
        context.onProgress({ phase: 'snapshot', doneBytes: reader.bytesRead, totalBytes: reader.bytesTotal });
        await new Promise<void>((resolve) => clock.yieldNow(resolve));
      }
      const notes = [encodeNotes({ ...header, oldestRevision: revision }, []), ...blocks.leaseNotes()];
      await load.commit(Buffer.concat(notes));
    } catch (error) {
      await load.abort();
      throw error;
    }
  } finally {
    await reader.close();
  }
}

class BlockLoader {
  readonly #what: string;
  readonly #load: StateLoad;
  readonly #order: SnapshotOrder;
  readonly #change = new PlacedChange();
  readonly #leases: SnapshotLeaseShape[] = [];

  constructor(what: string, revision: number, load: StateLoad) {
    this.#what = what;
    this.#load = load;
    this.#order = new SnapshotOrder(revision);
  }

  async load({ block, itemCount }: SnapshotBlock): Promise<void> {
    let count = this.#order.mayHaveLeases ? this.#readLeases(block) : 0;
    const memory = memoryOf(block);
    const cursor = new Cursor(block, 0, block.length);
    for (;;) {
      const end = decode(this.#what, () => nextInSnapshotBlockVersions(cursor, block.length));
      if (end === 0) break;
      const change = this.#change;
      decode(this.#what, () => readPlacedSnapshotVersion(change, cursor, end, memory, block.byteOffset));
      refuse(this.#what, this.#order.faultOfPlacedVersion(change));
      count++;
      if (change.replacedBy !== 0 || change.deleted) continue;
      this.#load.add(change);
      if (this.#load.isFull) await this.#load.drain();
    }
    refuse(this.#what, faultOfItemCount(count, itemCount));
  }

  /** As notes that follow those with the header. */
  *leaseNotes(): Generator<Buffer> {
    for (let start = 0; start < this.#leases.length; start += fixed.leasesInTurnMax)
      yield encodeNotes(undefined, this.#leases.slice(start, start + fixed.leasesInTurnMax));
  }

  /** @returns how many. */
  #readLeases(block: Buffer): number {
    const cursor = new Cursor(block, 0, block.length);
    for (let count = 0; ; count++) {
      const end = decode(this.#what, () => nextInSnapshotBlockLeases(cursor, block.length));
      if (end === 0) return count;
      const lease = decode(this.#what, () => readSnapshotLease(block, cursor.position, end));
      refuse(this.#what, this.#order.faultOfLease(lease));
      this.#leases.push(lease);
      cursor.position = end;
    }
  }
}
