/**
 * The state of the store at one revision, block by block, while writes go on: what a snapshot and a backup hold; one of an engine on
 * disk is read of its files, where that is possible (`viewed-state.ts`).
 *
 * A checkpoint at revision S is a walk over the engine for the versions that a read at any revision from an oldest one to
 * S needs; versions never change, so writes above S do not disturb it. A pin keeps compaction away from them meanwhile.
 * The leases come first, some to a block, as they are at the instant at which S is the newest revision; lease notes that follow
 * in the log are replayed on top, which is harmless since each sets an absolute deadline.
 */
import {
  sizeOfSnapshotBlock,
  sizeOfSnapshotHeader,
  writeSnapshotBlock,
  writeSnapshotHeader,
  type SnapshotBlockShape,
  type SnapshotHeaderShape,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Clock } from '../../clock.ts';
import type { Engine, Walk } from '../../engine/engine.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { NewerSnapshotError, SnapshotDamageError } from '../../snapshot/damage.ts';
import type { Journal } from '../../wal/journal.ts';
import { BlockWriter, type CheckpointBlock } from './block-writer.ts';
import type { CollectionIds } from '../collections/collection-ids.ts';
import type { History } from '../history/history.ts';
import { fromLife, type Incarnations } from '../history/incarnations.ts';
import type { Pin, PinOptions } from '../history/pins.ts';
import type { LeaseTable } from '../leases/lease-table.ts';
import type { LeaseCopy, LeaseWalk } from '../leases/lease-walk.ts';
import { TimeSlice } from '../../time-slice.ts';

/** What is written. From 4 on they may hold collections, which a program of before them would pass over. */
export const SNAPSHOT_FORMAT_VERSION = 4;
/** The oldest that is read. */
const SNAPSHOT_FORMAT_VERSION_OLDEST = 3;

/** @throws SnapshotDamageError when a snapshot of this form is not read. */
export function checkSnapshotFormat(version: number, path: string): void {
  if (version >= SNAPSHOT_FORMAT_VERSION_OLDEST && version <= SNAPSHOT_FORMAT_VERSION) return;
  const what = `it has format ${version}, and this version reads ${SNAPSHOT_FORMAT_VERSION_OLDEST} to ${SNAPSHOT_FORMAT_VERSION}`;
  if (version > SNAPSHOT_FORMAT_VERSION)
    throw new NewerSnapshotError(path, `${what}: a newer version wrote it, so use that one or a later one`);
  throw new SnapshotDamageError(path, 0, `${what}: it is too old, so use the version that wrote it`);
}

/** Versions that are walked over at once, however small they are. */
const WALK_VERSIONS_MAX = 1000;
const VERSIONS_PER_LOOK = 32;

export interface CheckpointSource {
  readonly clock: Clock;
  readonly log: Journal;
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly incarnations: Incarnations;
  readonly collectionIds: CollectionIds;
  readonly history: History;
  /** The newest revision that was taken. */
  lastRevision(): number;
  /** The newest revision that is durable. */
  visibleRevision(): number;
}

export class Checkpoint {
  readonly revision: number;
  /** A `SnapshotHeader` message. */
  readonly header: Buffer;
  readonly #clock: Clock;
  readonly #pin: Pin;
  /** They come first, so that recovery knows the leases when it meets their keys; `undefined` behind the last. */
  #leases: LeaseWalk | undefined;
  #isFirst = true;
  readonly #blocks = new BlockWriter();
  readonly #slice: TimeSlice;
  readonly #walk: Walk;
  #isMore = true;

  /**
   * Begins at the newest revision, which must be the one of the lease table: the newest that was taken (until that is durable
   * a crash could undo what it holds), or, once the log has failed, the visible one.
   * @param oldestRevision that can be read from it; what is above the newest counts as the newest.
   * @param pinned what it is made for, and how long it keeps what it needs from being compacted.
   */
  constructor(source: CheckpointSource, oldestRevision: number, pinned: PinOptions) {
    const { clock, engine, history, leases, log } = source;
    const hasFailed = log.failure !== undefined;
    this.revision = hasFailed ? source.visibleRevision() : source.lastRevision();
    this.#clock = clock;
    this.#slice = new TimeSlice(clock, VERSIONS_PER_LOOK);
    const oldest = Math.min(oldestRevision, this.revision);
    const walk = engine.openWalk(oldest, this.revision);
    this.#walk = walk;
    this.#leases = leases.openWalk();
    this.#pin = history.pin(oldest, {
      ...pinned,
      onLost: () => {
        this.#closeWalks();
        pinned.onLost?.();
      },
    });
    this.header = encodeSnapshotHeader(headerOf(source, this.revision, oldest));
  }

  /**
   * One call at a time. @returns the next block; `undefined` after the last.
   * @throws StoreError `limitReached` when what it needs is not kept any more: its time is over, or it has given way.
   */
  async next(): Promise<CheckpointBlock | undefined> {
    for (let leases = this.#leases; leases !== undefined; leases = this.#leases) {
      if (!this.#isFirst) await this.#yield();
      this.#isFirst = false;
      if (!this.#pin.isHeld()) throw this.#lost();
      const page = leases.next(fixed.leasesInTurnMax);
      if (page === undefined) this.#closeLeases();
      else if (page.length > 0) return encodeLeaseBlock(page);
    }
    for (;;) {
      const block = this.#blocks.take();
      if (block !== undefined) return block;
      if (!this.#isMore) return undefined;
      this.#walkOn();
      if (!this.#isMore) this.#blocks.seal();
      // Many keys of which little or nothing is needed, or many versions of one, must not hold up the event loop.
      else await this.#yield();
    }
  }

  /** The bytes of the block are not needed any more; the next one may be written over them. */
  giveBack(block: CheckpointBlock): void {
    this.#blocks.giveBack(block);
  }

  /** The caller has the last block, and its own reader has not asked for more yet. */
  waitForReader(): void {
    this.#pin.waitForReader();
  }

  /** The reader asks for more. */
  goOn(): void {
    this.#pin.goOn();
  }

  /** Lets compaction go on. */
  release(): void {
    this.#closeWalks();
    this.#pin.release();
  }

  #closeWalks(): void {
    this.#walk.close();
    this.#closeLeases();
  }

  #closeLeases(): void {
    this.#leases?.close();
    this.#leases = undefined;
  }

  #yield(): Promise<void> {
    return new Promise((resolve) => this.#clock.yieldNow(resolve));
  }

  /** Walks until a block is full, that many versions further, or as long as it may. */
  #walkOn(): void {
    if (!this.#pin.isHeld()) throw this.#lost();
    const slice = this.#slice;
    slice.begin();
    this.#isMore = this.#walk.next(WALK_VERSIONS_MAX, (change) => {
      if (this.#blocks.add(change)) return false;
      return !slice.isOver();
    });
  }

  #lost(): StoreError {
    const text = this.#pin.hasGivenWay()
      ? `the backup of revision ${this.revision} has given way to writes: its reader was waited for longer than ${fixed.fullPinMs / 1000} seconds in sum, and a write found no room; take it again, and read faster, or raise the memory limit`
      : `revision ${this.revision} has been read for too long, and is not kept any more; begin again and read faster`;
    return new StoreError('limitReached', text);
  }
}

/** What a snapshot says of the state that there is at `revision`, now. */
export function headerOf(
  { clock, collectionIds, history, incarnations, leases, log }: CheckpointSource,
  revision: number,
  oldestRevision: number,
): SnapshotHeaderShape {
  return {
    formatVersion: SNAPSHOT_FORMAT_VERSION,
    storeId: Buffer.from(log.storeId),
    revision,
    oldestRevision,
    timeMs: clock.nowMs(),
    leaseClockMs: leases.clockMs(),
    compactedRevision: history.compactedRevision,
    incarnations: incarnations.livesUpTo(revision).map(fromLife),
    collectionIdsEnd: collectionIds.recordedEnd,
    place: log.place,
  };
}

/** A `SnapshotHeader` message as a snapshot file has it. */
export function encodeSnapshotHeader(header: SnapshotHeaderShape): Buffer {
  const bytes = Buffer.allocUnsafe(sizeOfSnapshotHeader(header));
  writeSnapshotHeader(header, bytes, 0);
  return bytes;
}

export function encodeLeaseBlock(leases: readonly LeaseCopy[]): CheckpointBlock {
  const block: SnapshotBlockShape = { versions: [], leases: [...leases] };
  const bytes = Buffer.allocUnsafe(sizeOfSnapshotBlock(block));
  writeSnapshotBlock(block, bytes, 0);
  return { bytes, itemCount: leases.length };
}
