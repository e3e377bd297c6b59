/** Loads versions of snapshots and effects of the log into an engine and the lease table, straight from the bytes read. */
import { readSnapshotLease, type SnapshotLeaseShape } from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import { REFUSED_LOAD, type Change, type Engine } from '../engine/engine.ts';
import { PlacedChange, placeChange } from '../engine/placed-change.ts';
import { Cursor } from '../wire/cursor.ts';
import { memoryOf } from '../wire/memory.ts';
import { toKeyText } from './keys.ts';
import type { LeaseTable } from './lease-table.ts';
import { enterEffect, nextLease, nextVersion, readDelete, readPut, readVersion } from './placed-items.ts';
import { faultOfPlacedDelete, faultOfPlacedPut, faultOfPlacedVersion } from './recorded-items.ts';

const CHANGED_TWICE = 'a record changes a key twice';

/** The leases of a `SnapshotBlock`. @throws WireError */
export function readLeases(block: Buffer): SnapshotLeaseShape[] {
  const leases: SnapshotLeaseShape[] = [];
  const cursor = new Cursor(block, 0, block.length);
  for (;;) {
    const end = nextLease(cursor, block.length);
    if (end === 0) return leases;
    leases.push(readSnapshotLease(block, cursor.position, end));
    cursor.position = end;
  }
}

/** All methods tell what no store writes, or `undefined`; they throw a `WireError` at what is no message. */
export class ItemLoader {
  readonly #engine: Engine;
  readonly #leases: LeaseTable;
  /** The item that is being loaded. */
  readonly #change = new PlacedChange();
  #buffer: Buffer = Buffer.alloc(0);
  #cursor = new Cursor(this.#buffer, 0, 0);

  constructor(engine: Engine, leases: LeaseTable) {
    this.#engine = engine;
    this.#leases = leases;
  }

  /** Loads the versions of a `SnapshotBlock`, which come behind those of the blocks before. */
  loadBlock(block: Buffer, snapshotRevision: number): string | undefined {
    const cursor = this.cursorAt(block, 0);
    const change = this.#change;
    const end = block.length;
    for (;;) {
      const versionEnd = nextVersion(cursor, end);
      if (versionEnd === 0) return undefined;
      readVersion(cursor, versionEnd, block.byteOffset, change);
      const fault = faultOfPlacedVersion(change, snapshotRevision);
      if (fault !== undefined) return fault;
      const leaseBefore = this.#engine.loadAscending(change);
      if (leaseBefore === REFUSED_LOAD) return 'keys are out of order';
      this.#moveLease(change, leaseBefore);
    }
  }

  /** The cursor that the other methods read by, set to a place in a buffer. */
  cursorAt(buffer: Buffer, position: number): Cursor {
    if (this.#buffer !== buffer) {
      this.#buffer = buffer;
      this.#cursor = new Cursor(buffer, 0, buffer.length);
      this.#change.memory = memoryOf(buffer);
    }
    this.#cursor.position = position;
    return this.#cursor;
  }

  /** Whether the effect at the cursor is one that `loadEffect` loads. If so the cursor goes into it. */
  enterEffect(end: number): 'put' | 'delete' | undefined {
    return enterEffect(this.#cursor, end);
  }

  /** Loads the put or delete that was entered. */
  loadEffect(kind: 'put' | 'delete', end: number, revision: number): string | undefined {
    const change = this.#change;
    const offset = this.#buffer.byteOffset;
    if (kind === 'put') {
      readPut(this.#cursor, end, offset, revision, change);
      return faultOfPlacedPut(change) ?? this.#load(change);
    }
    const reason = readDelete(this.#cursor, end, offset, revision, change);
    return faultOfPlacedDelete(change, reason) ?? this.#load(change);
  }

  /** Loads a change that does not lie in the buffer. */
  loadChange(change: Change): string | undefined {
    return this.#load(placeChange(change));
  }

  #load(change: PlacedChange): string | undefined {
    if (change.revision === 0) return 'a note changes a key';
    const leaseBefore = this.#engine.load(change);
    if (leaseBefore === REFUSED_LOAD) return CHANGED_TWICE;
    this.#moveLease(change, leaseBefore);
    return undefined;
  }

  #moveLease(change: PlacedChange, before: number): void {
    // A key can name a lease only while there is one.
    if (this.#leases.size === 0) return;
    const { leaseId } = change;
    // An old version in a snapshot may name a lease that has ended since.
    const after = leaseId !== 0 && this.#leases.get(leaseId) !== undefined ? leaseId : 0;
    if (before !== after) this.#leases.move(toKeyText(change.key), before, after);
  }
}
