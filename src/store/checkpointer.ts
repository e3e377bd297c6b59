/**
 * Writes snapshots while writes go on, and removes what neither recovery nor history needs any more.
 *
 * A snapshot at revision S is a walk over the engine for the versions that a read at any revision from the oldest
 * readable one to S needs; versions never change, so writes above S do not disturb it. A pin keeps compaction away from
 * them meanwhile. The leases are copied at the instant at which S is the newest revision; lease notes that follow in the
 * log are replayed on top, which is harmless since each sets an absolute deadline.
 *
 * A snapshot that fails (a full disk) is given up and tried again later; the log has everything, so nothing is lost.
 */
import {
  sizeOfSnapshotBlock,
  sizeOfSnapshotHeader,
  writeSnapshotBlock,
  writeSnapshotHeader,
  type SnapshotBlockShape,
} from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import type { Change, Engine } from '../engine/engine.ts';
import { StoreError } from '../errors.ts';
import { fixed, type Limits } from '../limits.ts';
import { removeSnapshots, type SnapshotInfo } from '../snapshot/snapshot-directory.ts';
import { SnapshotWriter } from '../snapshot/writer.ts';
import type { Log } from '../wal/log.ts';
import { NO_END, type History } from './history.ts';
import type { LeaseTable } from './lease-table.ts';
import type { StoreEvent } from './store-event.ts';

export const SNAPSHOT_FORMAT_VERSION = 1;
/** Versions that one block has at most, however small they are: it bounds the time that making one takes. */
const BLOCK_VERSIONS_MAX = 1000;
const NO_KEY = new Uint8Array(0);

export interface CheckpointerContext {
  readonly disk: Disk;
  readonly directory: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Log;
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly history: History;
  /** The newest revision that was taken. */
  lastRevision(): number;
  /** Commits a transaction that changes nothing. */
  takeRevision(): void;
  onEvent(event: StoreEvent): void;
}

export class Checkpointer {
  readonly #context: CheckpointerContext;
  /** The snapshots on disk, the newest first. */
  #snapshots: SnapshotInfo[];
  #running: Promise<SnapshotInfo> | undefined;
  #timer: Timer | undefined;
  /** The log's growth when the newest snapshot was begun. */
  #appendedBytes: number;
  #isStopped = false;

  constructor(context: CheckpointerContext, snapshots: SnapshotInfo[]) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#appendedBytes = context.log.appendedBytes;
    this.#scheduleNext();
  }

  get snapshots(): readonly SnapshotInfo[] {
    return this.#snapshots;
  }

  /** The log has grown: begins a snapshot when that is due. */
  noticeGrowth(): void {
    const { log, limits } = this.#context;
    if (log.appendedBytes - this.#appendedBytes < limits.snapshotLogBytes) return;
    // Notes alone have made the log long; it can be cut only before a snapshot of a later revision.
    if (this.#hasNewest()) this.#context.takeRevision();
    this.#beginInBackground();
  }

  /** Writes a snapshot that holds everything committed before the call. */
  async snapshot(): Promise<SnapshotInfo> {
    // Others may have waited for the same one and have begun the next.
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    return this.#begin();
  }

  /** Begins no further snapshot, and waits until one that is being written has been given up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#running?.catch(() => undefined);
  }

  /** Removes log segments that neither recovery from the oldest kept snapshot nor a watch needs. */
  async removeSegments(): Promise<void> {
    const { log, history, limits } = this.#context;
    const oldestSnapshot = this.#snapshots[limits.snapshotsKept - 1]?.revision ?? 0;
    const oldestWanted = Math.max(
      log.oldestRevisionWithin(limits.logRetentionBytes),
      history.agedRevision + 1,
      history.oldestWatchRevision,
    );
    await log.removeBefore(Math.min(oldestSnapshot + 1, oldestWanted));
    history.logStartsAt(log.oldestRevision);
  }

  /** The snapshot before is on disk, whatever becomes of this. */
  async #removeOld(): Promise<void> {
    const { disk, directory, limits, onEvent } = this.#context;
    try {
      await removeSnapshots(disk, directory, limits.snapshotsKept);
      await this.removeSegments();
    } catch (error) {
      onEvent({ kind: 'cleanupFailed', error: error as Error });
    }
  }

  #scheduleNext(): void {
    this.#timer?.cancel();
    this.#timer = this.#context.clock.setTimer(this.#context.limits.snapshotIntervalMs, () => {
      if (!this.#hasNewest()) this.#beginInBackground();
      this.#scheduleNext();
    });
  }

  /** Whether the newest snapshot holds the newest revision. */
  #hasNewest(): boolean {
    return this.#context.lastRevision() === (this.#snapshots[0]?.revision ?? 0);
  }

  #beginInBackground(): void {
    if (this.#running !== undefined || this.#isStopped) return;
    // A failure was reported by then; the log grows on by a whole step before the next try.
    this.#begin().catch(() => undefined);
  }

  #begin(): Promise<SnapshotInfo> {
    if (this.#isStopped) throw new StoreError('closed', 'the store is closing');
    this.#appendedBytes = this.#context.log.appendedBytes;
    const running = this.#run().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #run(): Promise<SnapshotInfo> {
    const { clock, engine, history, leases, log } = this.#context;
    const startMs = clock.monotonicMs();
    const revision = this.#context.lastRevision();
    const existing = this.#snapshots[0];
    if (existing?.revision === revision) return existing;
    const oldestRevision = Math.min(history.oldestRevision, revision);
    const pin = history.pin(oldestRevision, NO_END);
    const header = {
      formatVersion: SNAPSHOT_FORMAT_VERSION,
      storeId: log.storeId,
      revision,
      oldestRevision,
      timeMs: clock.nowMs(),
      leaseClockMs: leases.clockMs(),
    };
    const leaseBlock = emptyBlock();
    for (const { leaseId, ttlMs, deadlineMs } of leases.all())
      leaseBlock.leases.push({ leaseId, ttlMs, deadlineMs });
    leaseBlock.leases.sort((a, b) => a.leaseId - b.leaseId);
    try {
      // A snapshot must not hold what a crash could still undo.
      await log.flush();
      const headerBytes = Buffer.allocUnsafe(sizeOfSnapshotHeader(header));
      writeSnapshotHeader(header, headerBytes, 0);
      const info = await this.#write(revision, headerBytes, leaseBlock, (next) =>
        nextBlock(engine, oldestRevision, revision, next),
      );
      this.#snapshots = [info, ...this.#snapshots].slice(0, this.#context.limits.snapshotsKept);
      await this.#removeOld();
      this.#context.onEvent({ kind: 'snapshotWritten', ...info, durationMs: clock.monotonicMs() - startMs });
      return info;
    } catch (error) {
      if (this.#isStopped) throw new StoreError('closed', 'the store is closing', { cause: error });
      this.#context.onEvent({ kind: 'snapshotFailed', revision, error: error as Error });
      throw new StoreError(
        'snapshotFailed',
        `the snapshot at revision ${revision} could not be written: ${(error as Error).message}`,
        { cause: error },
      );
    } finally {
      pin.release();
    }
  }

  async #write(
    revision: number,
    header: Uint8Array,
    leaseBlock: SnapshotBlockShape,
    next: (start: Uint8Array) => {
      readonly block: SnapshotBlockShape;
      readonly next: Uint8Array | undefined;
    },
  ): Promise<SnapshotInfo> {
    const { disk, directory } = this.#context;
    const writer = await SnapshotWriter.create(disk, directory, revision, header);
    try {
      // Leases come first, so that recovery knows them when it meets their keys.
      if (leaseBlock.leases.length > 0) await writeBlock(writer, leaseBlock);
      for (let start: Uint8Array | undefined = NO_KEY; start !== undefined;) {
        if (this.#isStopped) throw new StoreError('closed', 'the store is closing');
        const step: ReturnType<typeof next> = next(start);
        if (step.block.versions.length > 0) await writeBlock(writer, step.block);
        start = step.next;
      }
      return await writer.finish();
    } catch (error) {
      // What went wrong first is what counts.
      await writer.abort().catch(() => undefined);
      throw error;
    }
  }
}

function emptyBlock(): SnapshotBlockShape {
  return { versions: [], leases: [] };
}

function nextBlock(
  engine: Engine,
  oldest: number,
  newest: number,
  start: Uint8Array,
): { readonly block: SnapshotBlockShape; readonly next: Uint8Array | undefined } {
  const versions: Change[] = [];
  let bytes = 0;
  const next = engine.walk(start, oldest, newest, BLOCK_VERSIONS_MAX, (change) => {
    versions.push(change);
    bytes += change.key.length + change.value.length;
    return bytes < fixed.snapshotBlockBytes;
  });
  return { block: { versions, leases: [] }, next };
}

async function writeBlock(writer: SnapshotWriter, block: SnapshotBlockShape): Promise<void> {
  const bytes = Buffer.allocUnsafe(sizeOfSnapshotBlock(block));
  writeSnapshotBlock(block, bytes, 0);
  await writer.write(bytes, block.versions.length + block.leases.length);
}
