/** Loads versions of snapshots and effects of the log into an engine and the lease table, straight from the bytes read. */
import { readPlacedDeleteEffect, readPlacedPutEffect } from '../../../gen/kelp/storage/v1/log_codec.ts';
import {
  nextInSnapshotBlockLeases,
  nextInSnapshotBlockVersions,
  readPlacedSnapshotVersion,
  readSnapshotLease,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { REFUSED_LOAD, type Engine, type EngineLoader } from '../../engine/engine.ts';
import { type PlacedChange, placeChange, type Change } from '../../engine/version.ts';
import type { SnapshotBlock } from '../../snapshot/reader.ts';
import { Cursor } from '../../wire/cursor.ts';
import { memoryOf, type Memory } from '../../wire/memory.ts';
import { toKeyText } from '../views/keys.ts';
import type { LeaseTable } from '../leases/lease-table.ts';
import { LoadedChange } from './loaded-change.ts';
import {
  faultOfItemCount,
  faultOfPlacedDelete,
  faultOfPlacedPut,
  MISFIT_OLDER,
  TWO_NEWEST,
  type SnapshotOrder,
} from './recorded-items.ts';

const CHANGED_TWICE = 'a record changes a key twice';

/** All methods tell what no store writes, or `undefined`; they throw a `WireError` at what is no message. */
export class ItemLoader {
  readonly #loader: EngineLoader;
  readonly #leases: LeaseTable;
  /** The item that is being loaded. */
  readonly #change = new LoadedChange();
  #buffer: Buffer = Buffer.alloc(0);
  #memory: Memory = memoryOf(this.#buffer);
  #cursor = new Cursor(this.#buffer, 0, 0);
  #isNewestFinished = false;

  constructor(engine: Engine, leases: LeaseTable) {
    this.#loader = engine.loader;
    this.#leases = leases;
  }

  /** Loads a block of a snapshot, a piece of the work between two yields; its bytes are not needed afterwards. */
  *loadBlock(
    { block, itemCount }: SnapshotBlock,
    order: SnapshotOrder,
  ): Generator<undefined, string | undefined> {
    // Behind keys there are no leases to look for. Were there any, the count would tell.
    const leaseCount = order.mayHaveLeases ? this.#loadLeases(block, order) : 0;
    if (typeof leaseCount === 'string') return leaseCount;
    const cursor = this.cursorAt(block, 0);
    const change = this.#change;
    const end = block.length;
    for (let count = leaseCount; ; count++) {
      const versionEnd = nextInSnapshotBlockVersions(cursor, end);
      if (versionEnd === 0) return faultOfItemCount(count, itemCount);
      readPlacedSnapshotVersion(change, cursor, versionEnd, this.#memory, block.byteOffset);
      const fault = order.faultOfPlacedVersion(change);
      if (fault !== undefined) return fault;
      const { replacedBy } = change;
      if (replacedBy !== 0 && !this.#isNewestFinished) {
        const faultOfKeys = yield* this.finishNewest();
        if (faultOfKeys !== undefined) return faultOfKeys;
        this.#isNewestFinished = true;
      }
      const lease = replacedBy === 0 ? this.#loader.newest(change) : this.#loader.older(change);
      if (lease === REFUSED_LOAD) return replacedBy === 0 ? TWO_NEWEST : MISFIT_OLDER;
      if (replacedBy === 0) this.#moveLease(change, 0);
    }
  }

  /** Does what is left to do behind the newest versions of a snapshot, a piece between two yields. */
  *finishNewest(): Generator<undefined, string | undefined> {
    return (yield* this.#loader.finishNewest()) ? undefined : TWO_NEWEST;
  }

  /** The cursor that the other methods read by, set to a place in a buffer. */
  cursorAt(buffer: Buffer, position: number): Cursor {
    if (this.#buffer !== buffer) {
      this.#buffer = buffer;
      this.#cursor = new Cursor(buffer, 0, buffer.length);
      this.#memory = memoryOf(buffer);
    }
    this.#cursor.position = position;
    return this.#cursor;
  }

  /** Loads the put that the cursor stands in. */
  loadPut(end: number, revision: number): string | undefined {
    const change = this.#change;
    readPlacedPutEffect(change, this.#cursor, end, this.#memory, this.#buffer.byteOffset);
    // What a put of the log does not have.
    change.revision = revision;
    change.modRevision = revision;
    change.deleted = false;
    change.replacedBy = 0;
    return faultOfPlacedPut(change) ?? this.#load(change);
  }

  /** Loads the delete that the cursor stands in. */
  loadDelete(end: number, revision: number): string | undefined {
    const change = this.#change;
    change.clear(this.#memory);
    readPlacedDeleteEffect(change, this.#cursor, end, this.#memory, this.#buffer.byteOffset);
    change.revision = revision;
    change.deleted = true;
    return faultOfPlacedDelete(change) ?? this.#load(change);
  }

  /** Does what is left to do once all is loaded, a piece between two yields. */
  *finish(): Generator<undefined, string | undefined> {
    return (yield* this.#loader.finish()) ? undefined : MISFIT_OLDER;
  }

  /** Loads a change that does not lie in the buffer. */
  loadChange(change: Change): string | undefined {
    return this.#load(placeChange(change));
  }

  /** @returns how many there are, or what is wrong with one. */
  #loadLeases(block: Buffer, order: SnapshotOrder): number | string {
    const cursor = this.cursorAt(block, 0);
    for (let count = 0; ; count++) {
      const end = nextInSnapshotBlockLeases(cursor, block.length);
      if (end === 0) return count;
      const lease = readSnapshotLease(block, cursor.position, end);
      const fault = order.faultOfLease(lease);
      if (fault !== undefined) return fault;
      this.#leases.grant(lease);
      cursor.position = end;
    }
  }

  #load(change: PlacedChange): string | undefined {
    if (change.revision === 0) return 'a note changes a key';
    const leaseBefore = this.#loader.next(change);
    if (leaseBefore === REFUSED_LOAD) return CHANGED_TWICE;
    this.#moveLease(change, leaseBefore);
    return undefined;
  }

  #moveLease(change: PlacedChange, before: number): void {
    // A key can name a lease only while there is one.
    if (this.#leases.size === 0) return;
    const { leaseId } = change;
    const after = leaseId !== 0 && this.#leases.get(leaseId) !== undefined ? leaseId : 0;
    if (before !== after) this.#leases.move(toKeyText(change.key), before, after);
  }
}
