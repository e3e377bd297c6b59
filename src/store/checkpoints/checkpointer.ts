/**
 * Writes snapshots while writes go on, and removes what neither recovery nor history needs any more.
 *
 * What a snapshot holds is a checkpoint: every version that a read at any revision from the oldest readable one on needs.
 * A snapshot that fails (a full disk) is given up and tried again later; the log has everything, so nothing is lost.
 *
 * One is begun when the log has grown by `snapshotLogBytes`, after `snapshotIntervalMs`, on demand, and as the last thing that
 * a store does which is closed. And when the log that the nodes of a cluster share has grown by many batches, be they as short as the signs
 * of life of a writer: it can be trimmed only below snapshots.
 */
import type { Timer } from '../../clock.ts';
import type { Disk } from '../../disk/disk.ts';
import { StoreError } from '../../errors.ts';
import { cluster as clusterLimits, fixed, type Limits } from '../../limits.ts';
import { removeSnapshots, type SnapshotInfo } from '../../snapshot/snapshot-directory.ts';
import { SnapshotWriter } from '../../snapshot/writer.ts';
import { Checkpoint, type CheckpointSource } from './checkpoint.ts';
import type { OperatorEvent } from '../operator-event.ts';
import type { Checkpoints } from './checkpoints.ts';
import { trimLog } from './trim-log.ts';

export interface CheckpointerContext extends CheckpointSource {
  readonly disk: Disk;
  readonly directory: string;
  readonly limits: Limits;
  /** Of the log behind the newest snapshot, as the recovery read it. */
  readonly replayedBytes: number;
  /** Rejects once the data directory is no longer this store's: then nothing is written or removed there. */
  checkOwned(): Promise<void>;
  /** Commits a transaction that changes nothing. @returns whether the log had room for it. */
  takeRevision(): boolean;
  onEvent(event: OperatorEvent): void;
}

export class Checkpointer implements Checkpoints {
  readonly #context: CheckpointerContext;
  /** The snapshots on disk, the newest first. */
  #snapshots: SnapshotInfo[];
  #running: Promise<SnapshotInfo> | undefined;
  #timer: Timer | undefined;
  /** The log's growth when the last snapshot was begun, and when the newest that is on disk was. */
  #begunAtBytes: number;
  #writtenAtBytes: number;
  /** The place in the shared log when the last one was begun; 0: there is none. */
  #begunAtPosition: number;
  #isStopped = false;

  constructor(context: CheckpointerContext, snapshots: SnapshotInfo[]) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#begunAtBytes = context.log.appendedBytes - context.replayedBytes;
    this.#writtenAtBytes = this.#begunAtBytes;
    this.#begunAtPosition = context.log.place?.position ?? 0;
    this.#scheduleNext();
  }

  get snapshots(): readonly SnapshotInfo[] {
    return this.#snapshots;
  }

  notice(): void {
    const { log, limits } = this.#context;
    if (log.appendedBytes - this.#begunAtBytes < limits.snapshotLogBytes && !this.#isFarInSharedLog) return;
    // Notes alone have made the log long; it can be cut only before a snapshot of a later revision.
    if (this.#hasNewest() && !this.#takesRevision()) return;
    this.#beginInBackground();
  }

  async snapshot(): Promise<SnapshotInfo> {
    // Others may have waited for the same one and have begun the next.
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    return this.#begin();
  }

  async stop(msMax: number): Promise<void> {
    this.#timer?.cancel();
    if (msMax > 0 && this.#isWorthwhile()) {
      const timer = this.#context.clock.setTimer(msMax, () => (this.#isStopped = true));
      // The one that is being written may do.
      while (this.#running !== undefined) await this.#running.catch(() => undefined);
      if (!this.#isStopped && this.#isWorthwhile()) await this.#begin().catch(() => undefined);
      timer.cancel();
    }
    this.#isStopped = true;
    await this.#running?.catch(() => undefined);
  }

  async end(): Promise<void> {
    // `stop` has waited for what was at work.
  }

  removeSegments(): Promise<void> {
    const { limits } = this.#context;
    return trimLog(this.#context, this.#snapshots[limits.snapshotsKept - 1]?.revision ?? 0);
  }

  /** The snapshot before is on disk, whatever becomes of this. */
  async #removeOld(): Promise<void> {
    const { disk, directory, limits } = this.#context;
    try {
      await this.#context.checkOwned();
      await removeSnapshots(disk, directory, limits.snapshotsKept);
      await this.removeSegments();
    } catch (error) {
      this.#context.onEvent({ kind: 'cleanupFailed', error: error as Error });
    }
  }

  #scheduleNext(): void {
    this.#timer?.cancel();
    this.#timer = this.#context.clock.setTimer(this.#context.limits.snapshotIntervalMs, () => {
      if (!this.#hasNewest() || (this.#isFarInSharedLog && this.#takesRevision())) this.#beginInBackground();
      this.#scheduleNext();
    });
  }

  get #isFarInSharedLog(): boolean {
    const { place } = this.#context.log;
    // Of epoch 0 are the places of a server that is followed: its revisions, for which nothing is kept elsewhere.
    if (place === undefined || place.epoch === 0) return false;
    return place.position - this.#begunAtPosition >= clusterLimits.snapshotPositions;
  }

  /** @returns false too when the store does not write any more. */
  #takesRevision(): boolean {
    try {
      return this.#context.takeRevision();
    } catch (error) {
      if (error instanceof StoreError) return false;
      throw error;
    }
  }

  /** Whether the newest snapshot holds the newest revision. */
  #hasNewest(): boolean {
    return this.#context.lastRevision() === (this.#snapshots[0]?.revision ?? 0);
  }

  /** Whether the log behind the newest snapshot takes the next start long, beside loading the snapshot. */
  #isWorthwhile(): boolean {
    const { log, limits, engine } = this.#context;
    if (log.failure !== undefined || this.#hasNewest()) return false;
    const { dataBytes } = engine.stats();
    const worthBytes = Math.max(limits.closeSnapshotLogBytes, dataBytes * fixed.closeSnapshotShareMin);
    return log.appendedBytes - this.#writtenAtBytes >= worthBytes;
  }

  #beginInBackground(): void {
    if (this.#running !== undefined || this.#isStopped) return;
    // A failure was reported by then; the log grows on by a whole step before the next try.
    this.#begin().catch(() => undefined);
  }

  #begin(): Promise<SnapshotInfo> {
    if (this.#isStopped) throw new StoreError('closed', 'the store is closing');
    this.#begunAtBytes = this.#context.log.appendedBytes;
    this.#begunAtPosition = this.#context.log.place?.position ?? 0;
    const running = this.#run().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #run(): Promise<SnapshotInfo> {
    const { clock, history, log } = this.#context;
    const startMs = clock.monotonicMs();
    const begunAtBytes = this.#begunAtBytes;
    const revision = this.#context.lastRevision();
    const existing = this.#snapshots[0];
    if (existing?.revision === revision) return existing;
    const checkpoint = new Checkpoint(this.#context, history.oldestWanted, { holder: 'a snapshot' });
    try {
      // A snapshot must not hold what a crash could still undo.
      await log.flush();
      await this.#context.checkOwned();
      const info = await this.#write(checkpoint);
      this.#snapshots = [info, ...this.#snapshots].slice(0, this.#context.limits.snapshotsKept);
      this.#writtenAtBytes = begunAtBytes;
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
      checkpoint.release();
    }
  }

  async #write(checkpoint: Checkpoint): Promise<SnapshotInfo> {
    const { disk, directory } = this.#context;
    const writer = await SnapshotWriter.create(disk, directory, checkpoint.revision, checkpoint.header);
    try {
      let before: Promise<void> = Promise.resolve();
      for (;;) {
        if (this.#isStopped) throw new StoreError('closed', 'the store is closing');
        const block = await checkpoint.next();
        if (block === undefined) break;
        // While this block is compressed the next one is made.
        const written = writer.write(block.bytes, block.itemCount).then(() => checkpoint.giveBack(block));
        // A failure is heard of where it is waited for, which is after the next block.
        written.catch(() => undefined);
        await before;
        before = written;
      }
      await before;
      return await writer.finish();
    } catch (error) {
      // What went wrong first is what counts.
      await writer.abort().catch(() => undefined);
      throw error;
    }
  }
}
