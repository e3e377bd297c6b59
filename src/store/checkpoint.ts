/**
 * The state of the store at one revision, block by block, while writes go on: what a snapshot and a backup hold.
 *
 * A checkpoint at revision S is a walk over the engine for the versions that a read at any revision from an oldest one to
 * S needs; versions never change, so writes above S do not disturb it. A pin keeps compaction away from them meanwhile.
 * The leases are copied at the instant at which S is the newest revision; lease notes that follow in the log are replayed
 * on top, which is harmless since each sets an absolute deadline.
 */
import {
  sizeOfSnapshotBlock,
  sizeOfSnapshotHeader,
  writeSnapshotBlock,
  writeSnapshotHeader,
  type SnapshotBlockShape,
  type SnapshotHeaderShape,
} from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Clock } from '../clock.ts';
import type { Change, Engine } from '../engine/engine.ts';
import { StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';
import type { Log } from '../wal/log.ts';
import type { History, Pin } from './history.ts';
import type { LeaseTable } from './lease-table.ts';

export const SNAPSHOT_FORMAT_VERSION = 1;
/** Versions that one block has at most, however small they are: it bounds the time that making one takes. */
const BLOCK_VERSIONS_MAX = 1000;
const NO_KEY = new Uint8Array(0);

export interface CheckpointSource {
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly history: History;
  /** The newest revision that was taken. */
  lastRevision(): number;
}

/** A `SnapshotBlock` message and how many items are in it. */
export interface CheckpointBlock {
  readonly bytes: Buffer;
  readonly itemCount: number;
}

export class Checkpoint {
  readonly revision: number;
  /** A `SnapshotHeader` message. */
  readonly header: Buffer;
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly #oldestRevision: number;
  readonly #pin: Pin;
  /** Comes first, so that recovery knows the leases when it meets their keys. */
  #leaseBlock: SnapshotBlockShape | undefined;
  /** Versions that no block has yet. */
  readonly #walked: Change[] = [];
  /** The key to walk on from; `undefined` at the end. */
  #next: Uint8Array | undefined = NO_KEY;

  /**
   * Begins at the newest revision that was taken; until that is durable a crash could undo what it holds.
   * @param oldestRevision that can be read from it; what is above the newest counts as the newest.
   * @param untilMs by the wall clock: so long it keeps what it needs from being compacted.
   */
  constructor(source: CheckpointSource, oldestRevision: number, untilMs: number) {
    const { clock, engine, history, leases, log } = source;
    this.revision = source.lastRevision();
    this.#clock = clock;
    this.#engine = engine;
    this.#oldestRevision = Math.min(oldestRevision, this.revision);
    this.#pin = history.pin(this.#oldestRevision, untilMs);
    this.#leaseBlock = leaseBlock(leases);
    this.header = encodeSnapshotHeader({
      formatVersion: SNAPSHOT_FORMAT_VERSION,
      storeId: log.storeId,
      revision: this.revision,
      oldestRevision: this.#oldestRevision,
      timeMs: clock.nowMs(),
      leaseClockMs: leases.clockMs(),
    });
  }

  /**
   * One call at a time. @returns the next block; `undefined` after the last.
   * @throws StoreError `limitReached` when its time is over and what it needs was compacted.
   */
  async next(): Promise<CheckpointBlock | undefined> {
    const leases = this.#leaseBlock;
    this.#leaseBlock = undefined;
    if (leases !== undefined) return encodeBlock(leases);
    while (this.#walked.length === 0 && this.#next !== undefined) {
      this.#walkOn(this.#next);
      // A long row of keys of which nothing is needed must not hold up the event loop.
      if (this.#walked.length === 0) await new Promise<void>((resolve) => this.#clock.yieldNow(resolve));
    }
    if (this.#walked.length === 0) return undefined;
    return encodeBlock({ versions: this.#takeWalked(), leases: [] });
  }

  /** Lets compaction go on. */
  release(): void {
    this.#pin.release();
  }

  /** Walks to the end of a key by which there is enough for a block, or that many keys further. */
  #walkOn(start: Uint8Array): void {
    if (!this.#pin.isHeld()) {
      throw new StoreError(
        'limitReached',
        `revision ${this.revision} has been read for too long, and is not kept any more; begin again and read faster`,
      );
    }
    let bytes = 0;
    this.#next = this.#engine.walk(
      start,
      this.#oldestRevision,
      this.revision,
      BLOCK_VERSIONS_MAX,
      (change) => {
        this.#walked.push(change);
        bytes += sizeOf(change);
        return bytes < fixed.snapshotBlockBytes;
      },
    );
  }

  /** What fits in a block: all versions of a key with a long history may not. */
  #takeWalked(): Change[] {
    let bytes = 0;
    const end = this.#walked.findIndex((change) => {
      const isFull = bytes >= fixed.snapshotBlockBytes;
      bytes += sizeOf(change);
      return isFull;
    });
    return this.#walked.splice(0, end === -1 ? this.#walked.length : end);
  }
}

function sizeOf({ key, value }: Change): number {
  return key.length + value.length;
}

function leaseBlock(leases: LeaseTable): SnapshotBlockShape | undefined {
  if (leases.size === 0) return undefined;
  const copies = Array.from(leases.all(), ({ leaseId, ttlMs, deadlineMs }) => ({
    leaseId,
    ttlMs,
    deadlineMs,
  }));
  return { versions: [], leases: copies.sort((a, b) => a.leaseId - b.leaseId) };
}

/** A `SnapshotHeader` message as a snapshot file has it. */
export function encodeSnapshotHeader(header: SnapshotHeaderShape): Buffer {
  const bytes = Buffer.allocUnsafe(sizeOfSnapshotHeader(header));
  writeSnapshotHeader(header, bytes, 0);
  return bytes;
}

function encodeBlock(block: SnapshotBlockShape): CheckpointBlock {
  const bytes = Buffer.allocUnsafe(sizeOfSnapshotBlock(block));
  writeSnapshotBlock(block, bytes, 0);
  return { bytes, itemCount: block.versions.length + block.leases.length };
}
