/**
 * The store: every call of the contract, put together from the parts of this folder. All state changes happen in the
 * sequencer, every result goes through the acknowledgements.
 */
import type { Clock, Random, Timer } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { fixed, type Limits } from '../limits.ts';
import type { SnapshotInfo } from '../snapshot/snapshot-directory.ts';
import { readOnlyError } from '../wal/fail-stop.ts';
import type { Log } from '../wal/log.ts';
import { Acknowledgements } from './commit/acknowledgements.ts';
import { Backups } from './checkpoints/backup.ts';
import { Checkpointer } from './checkpoints/checkpointer.ts';
import { Committer } from './commit/committer.ts';
import { Deadlines } from './leases/deadlines.ts';
import { compactEffect } from './commit/effects.ts';
import { History } from './history/history.ts';
import { decodeKey, fromKeyText } from './views/keys.ts';
import type { LeaseState } from './leases/lease-table.ts';
import { Maintenance } from './history/maintenance.ts';
import { MemoryLimit } from './history/memory-limit.ts';
import { type Ownership, OwnershipLostError } from './directory/ownership.ts';
import { Reader } from './reader.ts';
import type { RecoveredState } from './recovery/recovery.ts';
import { Sequencer } from './views/sequencer.ts';
import type * as api from '../api.ts';
import type { OperatorEvent } from './operator-event.ts';
import { publicStoreId } from './directory/store-id.ts';
import { runTxn } from './txn.ts';
import { checkCount, checkPageLimit } from './validate.ts';
import { WatchHub, type StagedChanges } from './watch/watch-hub.ts';
import { failedWatch } from './watch/watch-start.ts';

export interface DurableStoreParts {
  readonly disk: Disk;
  readonly ownership: Ownership;
  readonly log: Log;
  readonly snapshotDirectory: string;
  readonly recovered: RecoveredState;
  /** Of the life that begins now. */
  readonly incarnation: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  /** What the state may take, in bytes. */
  readonly memoryBytesMax: number;
  onEvent(event: OperatorEvent): void;
}

export class DurableStore implements api.Store {
  readonly storeId: string;
  readonly failed: Promise<Error>;
  readonly #parts: DurableStoreParts;
  readonly #hub: WatchHub;
  readonly #history: History;
  readonly #acknowledgements: Acknowledgements<StagedChanges>;
  readonly #committer: Committer;
  readonly #sequencer: Sequencer;
  readonly #reader: Reader;
  readonly #deadlines: Deadlines;
  readonly #checkpointer: Checkpointer;
  readonly #backups: Backups;
  readonly #memory: MemoryLimit;
  readonly #maintenance: Maintenance;
  readonly #resolveFailed: (error: Error) => void;
  #agingTimer: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: DurableStoreParts) {
    this.#parts = parts;
    const { log, recovered, clock, random, limits } = parts;
    const { engine, leases, incarnations, revision } = recovered;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.storeId = publicStoreId(log.storeId);
    this.failed = promise;
    this.#resolveFailed = resolve;
    this.#hub = new WatchHub(limits, clock);
    this.#history = new History(limits, recovered.oldestRevision, log.oldestRevision);
    this.#history.noteCompaction(recovered.compactedRevision);
    this.#history.compact(recovered.compactedRevision, clock.nowMs());
    this.#acknowledgements = new Acknowledgements(
      log,
      revision,
      (published, staged) => this.#hub.publish(published, staged),
      () => this.#afterPublish(),
    );
    const acknowledgements = this.#acknowledgements;
    const hub = this.#hub;
    const onEvent = (event: OperatorEvent): void => parts.onEvent(event);
    this.#memory = new MemoryLimit({
      engine,
      leases,
      clock,
      bytesMax: parts.memoryBytesMax,
      makeRoom: (byteCount) => this.#maintenance.makeRoom(byteCount),
      heldBy: () => this.#maintenance.heldBy(),
      onEvent,
    });
    this.#committer = new Committer(
      { log, engine, leases, clock, hub, acknowledgements, incarnations },
      { lastRevision: revision, lastTimeMs: recovered.timeMs, incarnation: parts.incarnation },
    );
    this.#sequencer = new Sequencer({
      engine,
      leases,
      limits,
      memory: this.#memory,
      committer: this.#committer,
      random,
      nowMs: () => clock.nowMs(),
      deadlineSet: (inMs) => this.#deadlines.notice(inMs),
    });
    const visibleRevision = (): number => acknowledgements.visibleRevision;
    this.#maintenance = new Maintenance({
      engine,
      history: this.#history,
      memory: this.#memory,
      clock,
      visibleRevision,
    });
    this.#reader = new Reader({
      storeId: this.storeId,
      engine,
      history: this.#history,
      incarnations,
      clock,
      visibleRevision,
    });
    const sequencer = this.#sequencer;
    this.#deadlines = new Deadlines({
      clock,
      engine,
      leases,
      sequencer,
      noteLeaseClock: () => this.#noteLeaseClock(),
    });
    const source = {
      clock,
      log,
      engine,
      leases,
      incarnations,
      history: this.#history,
      lastRevision: () => sequencer.lastRevision,
    };
    this.#backups = new Backups(source, () => this.#checkOpen());
    this.#checkpointer = new Checkpointer(
      {
        ...source,
        disk: parts.disk,
        directory: parts.snapshotDirectory,
        limits,
        checkOwned: () => parts.ownership.check(),
        takeRevision: () => void this.#committer.commit([]),
        onEvent,
      },
      recovered.snapshots,
    );
    // The log has brought back what was dropped on demand.
    this.#maintenance.compact();
    if (leases.size > 0 || engine.nextDeadlineMs() !== undefined) this.#deadlines.notice(0);
    this.#scheduleAging();
    parts.ownership.watch((error) => log.stop(error));
  }

  get(key: string, options: api.GetOptions = {}): Promise<api.GetResult> {
    const { admit } = options;
    if (options.refreshTtl !== true) {
      return this.#read(() => {
        const result = this.#reader.get(key, options.revision);
        admit?.(result.entry);
        return result;
      });
    }
    return this.#write(() => {
      if (checkCount(options.revision, 'revision') !== 0) {
        throw new StoreError(
          'invalidArgument',
          'refreshTtl is a write: it can not be combined with a revision',
        );
      }
      return this.#sequencer.getRefreshing(key, admit);
    });
  }

  put(key: string, value: api.Value, options: api.PutOptions = {}): Promise<api.PutResult> {
    return this.#write(() => this.#sequencer.put(key, value, options));
  }

  delete(key: string, options: api.DeleteOptions = {}): Promise<api.DeleteResult> {
    return this.#write(() => this.#sequencer.delete(key, options));
  }

  deleteRange(range: api.DeletedRange): Promise<api.DeleteRangeResult> {
    return this.#write(() => this.#sequencer.deleteRange(range));
  }

  exists(keys: readonly string[]): Promise<api.ExistsResult> {
    return this.#read(() => this.#reader.exists(keys));
  }

  scan(range: api.KeyRange, options: api.ScanPageOptions = {}): Promise<api.ScanPage> {
    return this.#read(() => this.#reader.scan(range, options));
  }

  async count(range: api.KeyRange, options: api.CountOptions = {}): Promise<api.CountResult> {
    this.#checkOpen();
    return await this.#reader.count(range, options.revision);
  }

  keys(pattern: string, options: api.PageOptions = {}): Promise<api.KeysPage> {
    return this.#read(() => this.#reader.keys(pattern, options));
  }

  increment(
    key: string,
    delta: bigint | number,
    options: api.IncrementOptions = {},
  ): Promise<api.IncrementResult> {
    return this.#write(() => this.#sequencer.increment(key, delta, options.ttlMs));
  }

  touch(key: string, options: api.TouchOptions = {}): Promise<api.TouchResult> {
    return this.#write(() => this.#sequencer.touch(key, options.ttlMs));
  }

  txn(request: api.TxnRequest): Promise<api.TxnResult> {
    return this.#write(() => runTxn(this.#sequencer, request));
  }

  watch(request: api.WatchRequest = {}): AsyncIterableIterator<api.WatchMessage> {
    const { log, recovered } = this.#parts;
    const visibleRevision = (): number => this.#acknowledgements.visibleRevision;
    const { storeId } = this;
    const { engine, incarnations } = recovered;
    const source = { storeId, engine, log, history: this.#history, incarnations, visibleRevision };
    try {
      return this.#hub.open(request, source);
    } catch (error) {
      return failedWatch(error);
    }
  }

  grantLease(ttlMs: number, leaseId = 0): Promise<api.LeaseGrant> {
    return this.#write(() => this.#sequencer.grantLease(ttlMs, leaseId));
  }

  renewLease(leaseId: number): Promise<{ readonly ttlMs: number }> {
    return this.#write(() => this.#sequencer.renewLease(leaseId));
  }

  revokeLease(leaseId: number): Promise<api.DeleteRangeResult> {
    return this.#write(() => this.#sequencer.endLease(leaseId, 'leaseRevoked'));
  }

  getLease(leaseId: number, options: api.GetLeaseOptions = {}): Promise<api.Lease> {
    return this.#write(() =>
      this.#toLease(this.#sequencer.settledLease(leaseId), options.includeKeys === true),
    );
  }

  listLeases(options: api.PageOptions = {}): Promise<api.LeasePage> {
    return this.#write(() => {
      const limit = checkPageLimit(options.limit);
      const leases = this.#parts.recovered.leases.list(parseLeaseToken(options.pageToken), limit + 1);
      const page = leases.slice(0, limit).map((lease) => this.#toLease(lease, false));
      return { leases: page, nextPageToken: leases.length > limit ? String(page.at(-1)?.leaseId) : '' };
    });
  }

  status(): Promise<api.StoreStatus> {
    return this.#read(() => {
      const { log, recovered } = this.#parts;
      const engine = recovered.engine.stats();
      const logStats = log.stats();
      const { snapshots } = this.#checkpointer;
      const revision = this.#acknowledgements.visibleRevision;
      return {
        storeId: this.storeId,
        revision,
        incarnation: recovered.incarnations.idOf(revision),
        oldestRevision: this.#history.oldestRevision,
        oldestWatchRevision: this.#history.oldestWatchRevision,
        keyCount: engine.keyCount,
        leaseCount: recovered.leases.size,
        dataBytes: engine.dataBytes,
        memoryBytes: this.#memory.usedBytes,
        memoryBytesMax: this.#memory.bytesMax,
        logBytes: logStats.bytes,
        segmentCount: logStats.segmentCount,
        snapshotBytes: snapshots.reduce((sum, { bytes }) => sum + bytes, 0),
        snapshotCount: snapshots.length,
        snapshotRevision: snapshots[0]?.revision ?? 0,
        watcherCount: this.#hub.watcherCount,
      };
    });
  }

  async snapshot(): Promise<SnapshotInfo> {
    this.#checkOpen();
    return await this.#checkpointer.snapshot();
  }

  backup(): AsyncIterableIterator<Uint8Array> {
    return this.#backups.open();
  }

  async compact(revision: number): Promise<{ readonly oldestRevision: number }> {
    this.#checkOpen();
    const wanted = checkCount(revision, 'revision');
    const { oldestRevision } = this.#history;
    const newestRevision = this.#acknowledgements.visibleRevision;
    if (wanted === 0) throw new StoreError('invalidArgument', 'compact takes a revision from 1 on');
    const details = { requestedRevision: wanted, oldestRevision, newestRevision };
    if (wanted < oldestRevision) {
      throw new StoreError('revisionCompacted', `revision ${wanted} is compacted already`, details);
    }
    if (wanted > newestRevision) {
      throw new StoreError('revisionFuture', `revision ${wanted} has not been reached`, details);
    }
    // Whoever was told that history is dropped must not meet it again after a restart.
    if (wanted > this.#history.compactedRevision) {
      this.#committer.note([compactEffect(wanted)]);
      this.#history.noteCompaction(wanted);
    }
    await this.#acknowledgements.whenDurable(undefined, true);
    this.#history.compact(wanted, this.#parts.clock.nowMs());
    this.#maintenance.compact();
    await this.#removeSegments();
    return { oldestRevision: this.#history.oldestRevision };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The log says that everything up to `sequence` is durable. */
  durable(sequence: number): void {
    this.#acknowledgements.durable(sequence);
  }

  /** The log says that it has failed for good. */
  fail(error: Error): void {
    const whenChanged = new StoreError(
      'storageFailed',
      `the store has stopped writing; whether the changes of this call are kept shows when it is opened again, and no write is accepted until then: ${error.message}`,
      { cause: error },
    );
    this.#acknowledgements.fail({ whenChanged, whenUnchanged: readOnlyError(error) });
    const isTakenAway = error instanceof OwnershipLostError;
    this.#parts.onEvent({ kind: isTakenAway ? 'ownershipLost' : 'storageFailed', error });
    this.#resolveFailed(whenChanged);
  }

  async #close(): Promise<void> {
    this.#hub.close();
    this.#deadlines.stop();
    this.#maintenance.stop();
    this.#agingTimer?.cancel();
    await this.#checkpointer.stop();
    const { log, ownership } = this.#parts;
    try {
      await ownership.check().catch((error: Error) => log.stop(error));
      this.#noteLastLeaseClock();
      await log.close();
    } finally {
      await ownership.release();
    }
  }

  /** The later the lease clock is noted, the more exactly leases keep their time over the restart. */
  #noteLastLeaseClock(): void {
    if (this.#parts.recovered.leases.size === 0) return;
    try {
      this.#committer.note();
    } catch {
      // The log has failed or is full: then the note of the last second serves.
    }
  }

  /** The log says what the lease clock is; renewals alone make it long, too. */
  #noteLeaseClock(): void {
    this.#committer.note();
    this.#checkpointer.noticeGrowth();
  }

  /** Runs something synchronous; its result, or its error, goes out when what it may depend on is durable. */
  #write<Result>(run: () => Result): Promise<Result> {
    const { log } = this.#parts;
    const sequenceBefore = log.committedSequence;
    let result: Result;
    try {
      this.#checkOpen();
      result = run();
    } catch (error) {
      // It would be wrong whatever the store held: it tells nothing of what is not durable yet.
      if (isStoreError(error, 'invalidArgument') || isStoreError(error, 'closed')) {
        return Promise.reject(error);
      }
      return this.#acknowledgements.whenDurable(undefined, false).then(() => {
        throw error;
      });
    }
    return this.#acknowledgements.whenDurable(result, log.committedSequence > sequenceBefore);
  }

  /** Runs a read of visible state. */
  #read<Result>(run: () => Result): Promise<Result> {
    try {
      this.#checkOpen();
      return Promise.resolve(run());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new StoreError('closed', 'the store is closed');
  }

  #afterPublish(): void {
    this.#advanceHistory();
    this.#checkpointer.noticeGrowth();
    this.#hub.wake();
  }

  #advanceHistory(): void {
    const { log, clock } = this.#parts;
    this.#history.advance(this.#acknowledgements.visibleRevision, log.appendedBytes, clock.nowMs());
    this.#maintenance.compact();
  }

  /** History and log also grow old while nothing is written. */
  #scheduleAging(): void {
    this.#agingTimer = this.#parts.clock.setTimer(fixed.historyCheckMs, () => {
      this.#advanceHistory();
      void this.#removeSegments();
      this.#scheduleAging();
    });
  }

  async #removeSegments(): Promise<void> {
    try {
      await this.#checkpointer.removeSegments();
    } catch (error) {
      this.#parts.onEvent({ kind: 'cleanupFailed', error: error as Error });
    }
  }

  #toLease(lease: LeaseState, includeKeys: boolean): api.Lease {
    const { leases } = this.#parts.recovered;
    return {
      leaseId: lease.leaseId,
      ttlMs: lease.ttlMs,
      remainingMs: Math.max(0, lease.deadlineMs - leases.clockMs()),
      keyCount: lease.keys.size,
      keys: includeKeys ? [...lease.keys].sort().map((text) => decodeKey(fromKeyText(text))) : [],
    };
  }
}

/** A page of leases goes on after a lease id. */
function parseLeaseToken(token: string | undefined): number {
  if (token === undefined || token === '') return 0;
  const leaseId = /^\d{1,16}$/.test(token) ? Number(token) : NaN;
  if (!Number.isSafeInteger(leaseId)) {
    throw new StoreError(
      'invalidArgument',
      'page_token is not one that this store gave out; begin without a token',
    );
  }
  return leaseId;
}
