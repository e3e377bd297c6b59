/**
 * Checkpoints of an engine that keeps its state on disk, while reads and writes go on. One at a time, at the newest revision E:
 *
 * 1. The engine is sealed at E, and the notes of that instant are begun: leases, clocks, lives (`checkpoint-notes.ts`).
 * 2. The log is flushed up to E. What the files of the engine hold, the log could not lose any more.
 * 3. History passes E: a read below it would need what the files held before. History gets there by itself. It is shortened to
 *    E when somebody waits for the checkpoint, when what has changed since E would make the next one, or when memory is scarce; pins
 *    hold it back, and give way as they do (`history/pins.ts`).
 * 4. The directory is still this store's: the engine commits E and the notes, all or nothing.
 * 5. The log is cut up to E, as far as watches do not want it.
 *
 * A crash before the end of 4 finds the files as they were, and the whole log above them; behind that, E and the log above E. What
 * fails (a full disk) is told, and tried again a little later with what was sealed: the log has everything, so nothing is lost. Until one
 * succeeds, no write waits for the memory that it would give back (`MemoryLimit.checkpointFailure`). A start
 * whose state may not be durable (`DurableState.unsettled`) is made up for by a checkpoint after the interval, also when nothing has changed. Only
 * damage in the files themselves, which no other try mends, stops the store: else the log would grow for ever.
 */
import { holdProcess, type Timer } from '../../clock.ts';
import type { DurableState } from '../../engine/engine.ts';
import { isStoreError, StoreError } from '../../errors.ts';
import { fixed, type Limits } from '../../limits.ts';
import type { SnapshotInfo } from '../../snapshot/snapshot-directory.ts';
import type { MemoryLimit } from '../history/memory-limit.ts';
import type { OperatorEvent } from '../operator-event.ts';
import { notesOf } from './checkpoint-notes.ts';
import type { CheckpointSource } from './checkpoint.ts';
import type { Checkpoints } from './checkpoints.ts';
import { trimLog } from './trim-log.ts';

export interface BaseCheckpointerContext extends CheckpointSource {
  readonly durable: DurableState;
  readonly limits: Limits;
  readonly memory: MemoryLimit;
  /** Of the log above the state on disk, as the recovery read it. */
  readonly replayedBytes: number;
  /** Rejects once the data directory is no longer this store's. */
  checkOwned(): Promise<void>;
  /** Commits a transaction that changes nothing. @returns whether the log had room for it: else the next look tries again. */
  takeRevision(): boolean;
  /** Tells the engine how far history reaches. */
  compact(): void;
  /** Whether a write waits for the memory that a checkpoint gives back. */
  isAwaited(): boolean;
  /** One has ended, well or not. */
  ended(): void;
  onEvent(event: OperatorEvent): void;
}

/** What is sealed and not committed. */
interface Sealed {
  readonly revision: number;
  readonly notes: Promise<Buffer>;
}

export class BaseCheckpointer implements Checkpoints {
  readonly snapshots: readonly SnapshotInfo[] = [];
  readonly #context: BaseCheckpointerContext;
  #sealed: Sealed | undefined;
  #running: Promise<SnapshotInfo> | undefined;
  #intervalTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  /** The log's growth when the last one was sealed. */
  #sealedAtBytes: number;
  /** How many wait for it. */
  #demandCount = 0;
  /** Lets a checkpoint that waits look again. */
  #wake: () => void = () => undefined;
  #isStopped = false;

  constructor(context: BaseCheckpointerContext) {
    this.#context = context;
    this.#sealedAtBytes = context.log.appendedBytes - context.replayedBytes;
    this.#scheduleNext();
  }

  notice(): void {
    if (this.#running !== undefined) return this.#wake();
    if (this.#isDue) this.#beginInBackground();
  }

  async snapshot(): Promise<SnapshotInfo> {
    const { durable } = this.#context;
    if (this.#isUnsettled && this.#hasNewest && !this.#context.takeRevision())
      throw new StoreError(
        'snapshotFailed',
        'the log has no room for a revision, and a checkpoint needs one',
      );
    const revision = this.#context.lastRevision();
    this.#demandCount++;
    this.#wake();
    // The caller waits; timers alone would not keep the process alive.
    const held = holdProcess();
    try {
      while (durable.revision < revision) {
        if (this.#isStopped) throw closing();
        await (this.#running ?? this.#begin());
      }
      return this.#info();
    } finally {
      held.cancel();
      this.#demandCount--;
    }
  }

  async stop(msMax: number): Promise<void> {
    this.#intervalTimer?.cancel();
    this.#retryTimer?.cancel();
    if (msMax > 0 && this.#isWorthwhile) {
      const { promise: timeIsOver, resolve } = Promise.withResolvers<void>();
      const timer = this.#context.clock.setTimer(msMax, resolve);
      await Promise.race([timeIsOver, this.snapshot().catch(() => undefined)]);
      timer.cancel();
    }
    this.#isStopped = true;
    this.#wake();
  }

  async end(): Promise<void> {
    this.#isStopped = true;
    // It ends what it writes; what was sealed is in the log.
    await this.#context.durable.close();
    await this.#running?.catch(() => undefined);
  }

  removeSegments(): Promise<void> {
    const { durable } = this.#context;
    // A crash may find an older state, which needs the log above it.
    return trimLog(this.#context, this.#isUnsettled ? 0 : durable.revision);
  }

  /** Whether so much has changed, or the log has grown so much, that one is to be begun. */
  get #isDue(): boolean {
    const { durable, limits, log } = this.#context;
    if (this.#retryTimer !== undefined || this.#isStopped || log.failure !== undefined) return false;
    if (this.#sealed !== undefined || durable.unsealedBytes >= this.#bytesMax) return true;
    if (this.#context.isAwaited() && durable.unsealedBytes >= fixed.checkpointBytesMin) return true;
    return log.appendedBytes - this.#sealedAtBytes >= limits.snapshotLogBytes;
  }

  /** What may have changed before a checkpoint begins. Two may have as much at once: what is sealed, and what comes behind it. */
  get #bytesMax(): number {
    const { durable, limits, memory } = this.#context;
    const restBytes = memory.usedBytes - durable.unsealedBytes - durable.sealedBytes;
    const share = (memory.bytesMax - restBytes) * fixed.checkpointMemoryShare;
    return Math.min(limits.checkpointBytes, Math.max(share, fixed.checkpointBytesMin));
  }

  /** Whether the log above the state on disk takes the next start long. */
  get #isWorthwhile(): boolean {
    const { log, limits } = this.#context;
    if (log.failure !== undefined || this.#hasNewest) return false;
    return (
      log.appendedBytes - this.#sealedAtBytes >= limits.closeSnapshotLogBytes || this.#sealed !== undefined
    );
  }

  get #hasNewest(): boolean {
    return this.#context.lastRevision() === this.#context.durable.revision;
  }

  /** Whether a crash may find an older state. A checkpoint makes up for it, and is written though nothing may have changed. */
  get #isUnsettled(): boolean {
    return this.#context.durable.unsettled !== undefined;
  }

  #info(): SnapshotInfo {
    const { durable } = this.#context;
    return { revision: durable.revision, bytes: durable.figures().diskBytes };
  }

  #scheduleNext(): void {
    this.#intervalTimer = this.#context.clock.setTimer(this.#context.limits.snapshotIntervalMs, () => {
      if (!this.#hasNewest || this.#isUnsettled) this.#beginInBackground();
      this.#scheduleNext();
    });
  }

  #beginInBackground(): void {
    if (this.#running !== undefined || this.#isStopped || this.#context.log.failure !== undefined) return;
    // Notes alone have made the log long, and it can be cut only below a later revision; or the state on disk is not settled.
    if (this.#sealed === undefined && this.#hasNewest && !this.#context.takeRevision()) return;
    // A failure was reported by then.
    this.#begin().catch(() => undefined);
  }

  #begin(): Promise<SnapshotInfo> {
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
    const running = this.#run().finally(() => {
      if (this.#running === running) this.#running = undefined;
      this.#context.ended();
    });
    this.#running = running;
    return running;
  }

  async #run(): Promise<SnapshotInfo> {
    const { clock, log, durable } = this.#context;
    const startMs = clock.monotonicMs();
    const sealed = (this.#sealed ??= this.#seal());
    const { revision } = sealed;
    try {
      const notes = await sealed.notes;
      await log.flush();
      await this.#untilUnread(revision);
      await this.#context.checkOwned();
      if (this.#isStopped) throw closing();
      this.#context.compact();
      await durable.commit(notes);
      this.#sealed = undefined;
      this.#context.memory.checkpointFailure = undefined;
      const info = this.#info();
      this.#context.onEvent({
        kind: 'checkpointWritten',
        ...info,
        durationMs: clock.monotonicMs() - startMs,
      });
      await this.#cutLog();
      return info;
    } catch (error) {
      throw this.#failed(revision, error);
    }
  }

  #seal(): Sealed {
    const { durable, log } = this.#context;
    const revision = this.#context.lastRevision();
    durable.seal(revision);
    this.#sealedAtBytes = log.appendedBytes;
    const notes = notesOf(this.#context, revision);
    // Heard of where it is waited for.
    notes.catch(() => undefined);
    return { revision, notes };
  }

  /** Until no read comes below a revision, which is visible then. */
  async #untilUnread(revision: number): Promise<void> {
    const { history, memory, log } = this.#context;
    for (;;) {
      if (this.#isStopped) throw closing();
      if (log.failure !== undefined) throw log.failure;
      const visibleRevision = this.#context.visibleRevision();
      if (visibleRevision >= revision) {
        if (this.#isUrgent) history.shortenTo(revision);
        if (history.oldestRevision >= revision) return;
        if (memory.isPressed) history.shorten(visibleRevision, true);
      }
      await this.#nextNotice();
    }
  }

  /** Whether history is not waited for. */
  get #isUrgent(): boolean {
    const { durable, memory } = this.#context;
    return (
      this.#demandCount > 0 ||
      this.#context.isAwaited() ||
      memory.isScarce ||
      memory.isOutrun ||
      durable.unsealedBytes >= this.#bytesMax
    );
  }

  async #nextNotice(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    // A pin that ends does not tell of it.
    const timer = this.#context.clock.setTimer(fixed.checkpointLookMs, resolve);
    await promise;
    timer.cancel();
    this.#wake = () => undefined;
  }

  /** The state is on disk, whatever becomes of this. */
  async #cutLog(): Promise<void> {
    try {
      await this.removeSegments();
    } catch (error) {
      this.#context.onEvent({ kind: 'cleanupFailed', error: error as Error });
    }
  }

  #failed(revision: number, cause: unknown): StoreError {
    const { clock, log } = this.#context;
    if (this.#isStopped) return new StoreError('closed', 'the store is closing', { cause });
    const error = cause as Error;
    if (isStoreError(error, 'damaged')) log.stop(error);
    if (log.failure === undefined) {
      this.#context.memory.checkpointFailure = error;
      this.#retryTimer = clock.setTimer(fixed.checkpointRetryMs, () => {
        this.#retryTimer = undefined;
        this.notice();
      });
    }
    this.#context.onEvent({ kind: 'checkpointFailed', revision, error });
    return new StoreError(
      'snapshotFailed',
      `the checkpoint at revision ${revision} could not be written: ${error.message}`,
      { cause },
    );
  }
}

function closing(): StoreError<'closed'> {
  return new StoreError('closed', 'the store is closing');
}
