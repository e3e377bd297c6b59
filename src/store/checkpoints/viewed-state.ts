/**
 * The state of the store at one revision, block by block, as an engine on disk keeps it: what a backup of such a store holds. It is read
 * from a view of the files (`DurableState.view`), so it keeps nothing in memory, and holds up neither writes nor checkpoints. What it does
 * keep are files that are not needed any more, so its time has an end: it is lost then.
 */
import type { SnapshotHeaderShape } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { StateView } from '../../engine/engine.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { TimeSlice } from '../../time-slice.ts';
import type { LeaseCopy } from '../leases/lease-walk.ts';
import { BlockWriter, type CheckpointBlock } from './block-writer.ts';
import { encodeLeaseBlock, encodeSnapshotHeader } from './checkpoint.ts';

const VERSIONS_PER_LOOK = 32;
const MIB = 1024 * 1024;

/** The leases of a state in the order of their ids. */
export interface LeasePages {
  next(limit: number): readonly LeaseCopy[] | undefined;
  close(): void;
}

export interface ViewedStateParts {
  readonly header: SnapshotHeaderShape;
  readonly leases: LeasePages;
  /** `undefined`: there are no keys. */
  readonly view: StateView | undefined;
}

export class ViewedState {
  readonly revision: number;
  /** A `SnapshotHeader` message. */
  readonly header: Buffer;
  readonly #clock: Clock;
  readonly #onLost: () => void;
  readonly #view: StateView | undefined;
  /** `undefined`: all were shown. */
  #leases: LeasePages | undefined;
  readonly #blocks = new BlockWriter();
  readonly #slice: TimeSlice;
  readonly #beginMs: number;
  #timer: Timer | undefined;
  #readBytes = 0;
  #isMore: boolean;
  #isLost = false;

  /** @param onLost is called when its time is over. */
  constructor(clock: Clock, { header, leases, view }: ViewedStateParts, onLost: () => void) {
    this.revision = header.revision;
    this.header = encodeSnapshotHeader(header);
    this.#clock = clock;
    this.#onLost = onLost;
    this.#view = view;
    this.#leases = leases;
    this.#isMore = view !== undefined;
    this.#slice = new TimeSlice(clock, VERSIONS_PER_LOOK);
    this.#beginMs = clock.monotonicMs();
    this.#watchTime();
  }

  /**
   * One call at a time. @returns the next block; `undefined` after the last.
   * @throws StoreError `limitReached` when its time is over; `closed` when the engine is.
   */
  async next(): Promise<CheckpointBlock | undefined> {
    try {
      const block = (await this.#nextLeases()) ?? (await this.#nextVersions());
      if (this.#isLost) throw this.#lost();
      this.#readBytes += block?.bytes.length ?? 0;
      return block;
    } catch (error) {
      throw this.#isLost ? this.#lost() : error;
    }
  }

  /** The bytes of the block are not needed any more; the next one may be written over them. */
  giveBack(block: CheckpointBlock): void {
    this.#blocks.giveBack(block);
  }

  /** Writes need not wait for the reader. */
  waitForReader(): void {
    // Only the time of the whole has an end.
  }

  goOn(): void {
    if (this.#isLost) throw this.#lost();
  }

  /** Closes the view. */
  async release(): Promise<void> {
    this.#timer?.cancel();
    this.#leases?.close();
    this.#leases = undefined;
    await this.#view?.close();
  }

  async #nextLeases(): Promise<CheckpointBlock | undefined> {
    for (let leases = this.#leases; leases !== undefined; leases = this.#leases) {
      const page = leases.next(fixed.leasesInTurnMax);
      if (page === undefined) {
        leases.close();
        this.#leases = undefined;
      } else if (page.length > 0) return encodeLeaseBlock(page);
      await this.#yield();
    }
    return undefined;
  }

  async #nextVersions(): Promise<CheckpointBlock | undefined> {
    this.#slice.begin();
    for (;;) {
      const block = this.#blocks.take();
      if (block !== undefined) return block;
      if (this.#view === undefined || !this.#isMore) return undefined;
      if (!this.#readOn(this.#view)) {
        this.#isMore = await this.#view.read();
        if (!this.#isMore) this.#blocks.seal();
      }
      // Many records of which little is needed must not hold up the event loop.
      await this.#yield();
      this.#slice.begin();
    }
  }

  /** Until a block is full, or as long as it may. @returns false: what was read ahead is used up. */
  #readOn(view: StateView): boolean {
    for (let version = view.next(); version !== undefined; version = view.next()) {
      version.replacedBy = 0;
      if (this.#blocks.add(version) || this.#slice.isOver()) return true;
    }
    return false;
  }

  #yield(): Promise<void> {
    return new Promise((resolve) => this.#clock.yieldNow(resolve));
  }

  /** Its reader may have gone away without a word. */
  #watchTime(): void {
    const msMax = fixed.backupMsMax + (this.#readBytes / MIB) * fixed.backupMsPerMiB;
    const restMs = this.#beginMs + msMax - this.#clock.monotonicMs();
    if (restMs <= 0) {
      this.#isLost = true;
      void this.release();
      this.#onLost();
    } else this.#timer = this.#clock.setTimer(restMs, () => this.#watchTime());
  }

  #lost(): StoreError {
    return new StoreError(
      'limitReached',
      `the backup of revision ${this.revision} has been read for too long, and its files are not kept any more: there are ${fixed.backupMsMax / 60_000} minutes, and ${fixed.backupMsPerMiB / 1000} seconds more for each MiB; begin again and read faster`,
    );
  }
}
