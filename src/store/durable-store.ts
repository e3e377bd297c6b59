/**
 * The seam put together from the rooms of this folder, with what an operator asks of a store: see `seam.ts`. It is long since
 * it is where all rooms meet: each method hands on to one or two of them, and a file for some of these would need them all again.
 */
import type {
  CloseOptions,
  StorageSizes,
  StorageStatus,
  StoreStatus,
  WatchMessage,
  WatchRequest,
} from '../api.ts';
import type { Random, Timer } from '../clock.ts';
import type { EngineName } from '../engine-names.ts';
import type { Disk } from '../disk/disk.ts';
import type { CompressionFigures } from '../engine/compression.ts';
import { type DeadlineSums, type Engine, KEY_GROUPS_MAX, type VisitRow } from '../engine/engine.ts';
import type { PutRow } from '../engine/put-row.ts';
import { assert, NoRoomYetError, isStoreError, StoreError } from '../errors.ts';
import { fixed, type Limits } from '../limits.ts';
import { faultOfMemoryPolicy, type MemoryPolicy } from '../memory-policies.ts';
import type { SnapshotInfo } from '../snapshot/snapshot-directory.ts';
import { readOnlyError } from '../wal/segments/fail-stop.ts';
import type { Journal } from '../wal/journal.ts';
import { notWriterError, OvertakenError } from '../wal/segments/overtaken.ts';
import { Backups } from './checkpoints/backup.ts';
import { BaseCheckpointer } from './checkpoints/base-checkpointer.ts';
import { Checkpointer } from './checkpoints/checkpointer.ts';
import type { Checkpoints } from './checkpoints/checkpoints.ts';
import type { ElementCalls } from './collections/element-calls.ts';
import { CollectionIds } from './collections/collection-ids.ts';
import { Sweeper } from './collections/sweeper.ts';
import { Acknowledgements, Answer, ReadAnswer, type Waiter } from './commit/acknowledgements.ts';
import { AnswerGate } from './commit/answer-gate.ts';
import { Committer } from './commit/committer.ts';
import { compactEffect, sweptEffect } from './commit/effects.ts';
import { ElementRecords } from './commit/element-records.ts';
import { RoomGate, type RoomWait } from './commit/room-gate.ts';
import { asError, Listeners } from './commit/listeners.ts';
import { Visibility } from './commit/visibility.ts';
import { type Ownership, OwnershipLostError } from './directory/ownership.ts';
import { publicStoreId } from './directory/store-id.ts';
import type { StoreFigures, WatchLag } from './figures.ts';
import { Fifo } from './fifo.ts';
import { Eviction } from './history/eviction.ts';
import { History } from './history/history.ts';
import { Maintenance } from './history/maintenance.ts';
import { MemoryLimit } from './history/memory-limit.ts';
import type { Pin } from './history/pins.ts';
import { checkPlace, type Place } from './history/place.ts';
import type { KeyObserver } from './key-observer.ts';
import { Expiry } from './leases/expiry.ts';
import type { LeaseReads } from './leases/lease-table.ts';
import type { OperatorEvent } from './operator-event.ts';
import type { RecoveredState } from './recovery/recovering.ts';
import { Applier } from './replication/applier.ts';
import {
  aheadError,
  type FollowerPlace,
  otherNotesError,
  RecordFeed,
  type StoreHead,
  trimmedError,
} from './replication/record-feed.ts';
import type { Replica } from './replication/replication.ts';
import type { Decision, Failure, PinnedState, Seam, StateAt, Stop } from './seam.ts';
import { RecordedTime } from './replication/recorded-time.ts';
import { goOnFrom, type SteadyClock } from './steady-clock.ts';
import { budgetSpent, Draft } from './views/draft.ts';
import { OldState } from './views/old-state.ts';
import type { TypeHooks } from './type-hooks.ts';
import type { PlannedChange } from './views/planned-change.ts';
import { USER_KEYS } from './views/regions.ts';
import type { ReadView, View } from './views/view.ts';
import type { RecentChange } from './watch/matching/recent-changes.ts';
import {
  type PulledWatch,
  type WatchForm,
  type WatchReader,
  plainForm,
} from './watch/messages/pulled-watch.ts';
import { WatchHub } from './watch/watch-hub.ts';
import type { WatchSource } from './watch/sources/watch-source.ts';
import { WatchIterator } from './watch/watch-iterator.ts';
import { UnreadableTeller } from './unreadable-teller.ts';
import type { WorkDone } from '../work-budget.ts';

export interface DurableStoreParts {
  readonly disk: Disk;
  readonly ownership: Ownership;
  readonly log: Journal;
  /** It is of a cluster, and begins as a follower. */
  readonly isFollower: boolean;
  readonly snapshotDirectory: string;
  readonly recovered: RecoveredState;
  readonly engineName: EngineName;
  /** Of the life that begins now. */
  readonly incarnation: string;
  readonly clock: SteadyClock;
  readonly random: Random;
  readonly limits: Limits;
  /** What the state may take, in bytes. */
  readonly memoryBytesMax: number;
  /** One that the engine allows. */
  readonly memoryPolicy: MemoryPolicy;
  /** What was done to keep values compressed. */
  readonly compression: CompressionFigures;
  onEvent(event: OperatorEvent): void;
  readonly keyObserver?: KeyObserver | undefined;
  readonly types: TypeHooks;
}

type RestCounts = Pick<StoreFigures['restCounts'], 'watches' | 'expiry'>;

interface QueuedDecision {
  readonly run: (view: View) => void;
  readonly onFailure: (error: unknown) => void;
}

export class DurableStore implements Seam, Replica {
  readonly storeId: string;
  /** Settled once the log has failed for good. */
  readonly failed: Promise<Error>;
  readonly #parts: DurableStoreParts;
  readonly #hub: WatchHub;
  readonly #watchSource: WatchSource;
  readonly #history: History;
  readonly #visibility: Visibility;
  readonly #acknowledgements: Acknowledgements;
  readonly #committer: Committer;
  readonly #draft: Draft;
  readonly #oldState: OldState;
  readonly #expiry: Expiry;
  readonly #checkpoints: Checkpoints;
  readonly #gate: AnswerGate;
  readonly #room: RoomGate;
  readonly #unreadable: UnreadableTeller;
  readonly #backups: Backups;
  readonly #memory: MemoryLimit;
  readonly #eviction: Eviction;
  readonly #maintenance: Maintenance;
  readonly #sweeper: Sweeper;
  readonly #onCommitted: Listeners<[changes: readonly PlannedChange[]]>;
  readonly #onDurable: Listeners<[sequence: number, failure: Failure | undefined]>;
  readonly #queue = new Fifo<QueuedDecision>();
  readonly #resolveFailed: (error: Error) => void;
  #isDeciding = false;
  /** Now, for calls that run together. */
  #instantMs: number | undefined;
  /** Of the writer of a cluster. */
  #recordedTime: RecordedTime | undefined;
  /** Of the newest note that an answer depends on which has changed nothing. */
  #noteSequence = 0;
  #isTelling = false;
  #failure: Failure | undefined;
  /** Of the newest record that is durable, and visible if it has a revision. */
  #shownSequence = 0;
  #expiredKeyCount = 0;
  #expiredLeaseCount = 0;
  #agingTimer: Timer | undefined;
  /** Of a store of a cluster, until it writes. */
  #applier: Applier | undefined;
  /** Whether it is open, and no follower. */
  #isWritable: boolean;
  #closing: Promise<void> | undefined;

  constructor(parts: DurableStoreParts) {
    this.#parts = parts;
    const { log, recovered, clock, limits } = parts;
    this.#isWritable = !parts.isFollower;
    const { engine, leases, incarnations, revision } = recovered;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.storeId = publicStoreId(log.storeId);
    this.failed = promise;
    this.#resolveFailed = resolve;
    const onEvent = (event: OperatorEvent): void => parts.onEvent(event);
    const onListenerFailed = (error: Error): void => onEvent({ kind: 'listenerFailed', error });
    this.#onCommitted = new Listeners(onListenerFailed);
    this.#onDurable = new Listeners(onListenerFailed);
    this.#hub = new WatchHub(limits, clock);
    this.#history = new History(limits, clock, recovered.oldestRevision, log.oldestRevision);
    this.#history.noteCompaction(recovered.compactedRevision);
    this.#history.compact(recovered.compactedRevision);
    const counts = { keyCount: engine.count(USER_KEYS), leaseCount: leases.size };
    this.#visibility = new Visibility(this.#hub, revision, counts, onListenerFailed);
    this.#watchSource = {
      storeId: this.storeId,
      engine,
      log,
      history: this.#history,
      incarnations,
      visibleRevision: () => this.#visibility.revision,
      describeElements: parts.types.describeElements,
      noteFailure: (error) => this.#unreadable.note(error),
    };
    this.#unreadable = new UnreadableTeller(clock, onEvent);
    this.#gate = new AnswerGate({
      clock,
      log,
      isPressed: () => this.#memory.isOutrun,
      release: (sequence) => this.#release(sequence),
    });
    this.#acknowledgements = new Acknowledgements(log, this.#gate);
    this.#memory = new MemoryLimit({
      engine,
      engineName: parts.engineName,
      leases,
      clock,
      bytesMax: parts.memoryBytesMax,
      makeRoom: (byteCount) => this.#maintenance.makeRoom(byteCount),
      isEvicting: () => this.#eviction.canHelp,
      heldBy: () => this.#maintenance.heldBy(),
      onEvent,
    });
    this.#eviction = new Eviction(parts.memoryPolicy, {
      places: engine.deadlinePlaces,
      hasVolatileKeys: () => hasVolatileKeys(engine),
      random: parts.random,
      surplusBytes: () => this.#memory.surplusBytes,
      oldestRevision: () => this.#history.oldestRevision,
      mayWrite: () => this.#isWritable && this.#failure === undefined,
      decide: (run) => {
        const { result } = this.decide(run);
        return { result, revision: this.#committer.lastRevision };
      },
    });
    this.#room = new RoomGate({
      clock,
      memory: this.#memory,
      wanted: () => this.#checkpoints.notice(),
      refused: () => this.#memory.tell(),
    });
    const nowMs = (): number => this.#instantMs ?? clock.nowMs();
    const visibility = this.#visibility;
    const visibleRevision = (): number => visibility.revision;
    const collectionIds = new CollectionIds(recovered.collectionIdsEnd);
    this.#committer = new Committer(
      { log, engine, leases, visibility, incarnations, collectionIds },
      { lastRevision: revision, lastTimeMs: recovered.timeMs, incarnation: parts.incarnation },
    );
    this.#draft = new Draft({
      engine,
      leases,
      limits,
      recordBytesMax: log.recordBytesMax,
      memory: this.#memory,
      collectionIds,
      nowMs,
      keyObserver: parts.keyObserver,
    });
    const visibleMs = (): number => this.#visibleMs;
    this.#oldState = new OldState(
      engine,
      visibleMs,
      (error) => this.#unreadable.note(error),
      parts.keyObserver,
    );
    this.#sweeper = new Sweeper({
      engine,
      history: this.#history,
      recoveredRevision: revision,
      noteSwept: (marks) => {
        // A follower sweeps what its own history has passed, and tells no one.
        if (this.role === 'writer') this.#committer.note(clock.nowMs(), ...marks.map(sweptEffect));
      },
    });
    this.#maintenance = new Maintenance({
      engine,
      sweeper: this.#sweeper,
      history: this.#history,
      memory: this.#memory,
      clock,
      visibleRevision,
      exhausted: () => this.#eviction.step(),
      ended: () => {
        if (this.memoryPolicy !== 'noeviction') this.#room.wake();
      },
      onUnreadable: (error) => this.#unreadable.note(error),
    });
    this.#expiry = new Expiry({
      clock,
      engine,
      leases,
      nowMs,
      expireKey: (key) => {
        if (this.decide(() => this.#draft.expire(key)).hasChanged) this.#expiredKeyCount++;
      },
      expireElements: (keys) => {
        this.decide(() => parts.types.expireElements(this.#draft, keys));
      },
      expireLease: (leaseId) => {
        if (this.decide((view) => view.endLease(leaseId, 'leaseExpired')).hasChanged)
          this.#expiredLeaseCount++;
      },
      noteLeaseClock: () => this.#noteLeaseClock(),
    });
    const committer = this.#committer;
    const source = {
      clock,
      log,
      engine,
      leases,
      incarnations,
      collectionIds,
      history: this.#history,
      lastRevision: () => committer.lastRevision,
      visibleRevision,
    };
    const checkpointed = {
      ...source,
      limits,
      checkOwned: () => parts.ownership.check(),
      replayedBytes: recovered.replayedBytes,
      takeRevision: () => this.role === 'writer' && committer.takeRevision(clock.nowMs()),
      onEvent,
    };
    const { durable } = engine;
    this.#checkpoints =
      durable === undefined
        ? new Checkpointer(
            { ...checkpointed, disk: parts.disk, directory: parts.snapshotDirectory },
            recovered.snapshots,
          )
        : new BaseCheckpointer({
            ...checkpointed,
            durable,
            memory: this.#memory,
            compact: () => this.#maintenance.compact(),
            isAwaited: () => this.#room.count > 0,
            ended: () => this.#room.wake(),
          });
    this.#backups = new Backups({
      ...source,
      checkOpen: () => this.#checkOpen(),
      checkpoint: () => this.#checkpoints.snapshot(),
      noteFailure: (error) => this.#unreadable.note(error),
    });
    if (parts.isFollower) {
      leases.standAt(0);
      this.#applier = this.#makeApplier(collectionIds);
    } else this.#beginExpiry();
    // The log has brought back what was dropped on demand.
    this.#maintenance.compact();
    this.#scheduleAging();
    parts.ownership.watch((error) => log.stop(error));
  }

  get role(): 'writer' | 'follower' {
    return this.#applier === undefined ? 'writer' : 'follower';
  }

  apply(buffer: Buffer, start: number, end: number, sequence: number): boolean {
    const applier = this.#applier;
    assert(applier !== undefined, 'a record is applied by a follower');
    this.#checkOpen();
    if (this.#failure !== undefined) throw this.#failure.whenUnchanged;
    let changes: readonly PlannedChange[] | undefined;
    try {
      changes = applier.apply(buffer, start, end, sequence);
    } catch (error) {
      this.#parts.log.stop(asError(error));
      throw error;
    }
    if (changes === undefined) return false;
    if (changes.length > 0 && !this.#onCommitted.isEmpty) this.#tellApplied(changes);
    return true;
  }

  becomeWriter(confirm: () => Promise<void>): void {
    const { clock, recovered } = this.#parts;
    const { leases } = recovered;
    assert(
      this.#applier?.isSkipping === false,
      'a follower that has all of the shared log becomes the writer, once',
    );
    this.#checkOpen();
    this.#applier = undefined;
    this.#isWritable = true;
    this.#acknowledgements.confirmBy(confirm);
    this.#recordedTime = new RecordedTime(clock.nowMs());
    goOnFrom(clock.nowMs(), clock, (event) => this.#parts.onEvent(event));
    leases.setClock(leases.clockMs());
    this.#beginExpiry();
    this.#maintenance.compact();
  }

  standAt(timeMs: number, leaseClockMs: number): void {
    assert(this.#applier !== undefined, 'the time of a follower is told by its writer');
    this.#parts.clock.continueFrom(timeMs);
    this.#parts.recovered.leases.standAt(leaseClockMs);
  }

  get head(): StoreHead {
    const { log, clock, recovered, incarnation } = this.#parts;
    return {
      storeId: log.storeId,
      revision: this.#visibility.revision,
      sequence: this.#shownSequence,
      life: incarnation,
      timeMs: clock.nowMs(),
      leaseClockMs: recovered.leases.clockMs(),
      oldestRevision: log.oldestRevision,
    };
  }

  records(after: FollowerPlace): RecordFeed {
    this.#checkOpen();
    const { log, incarnation } = this.#parts;
    const { head } = this;
    const { revision, snapshotLife } = after;
    this.checkPlace('a follower', after);
    if (revision > head.revision) throw aheadError(revision, head);
    const start = log.startBehind(revision);
    if (start === 'removed') throw trimmedError(revision, head);
    // Where both have the record, all notes behind it can be compared.
    const isKnown = snapshotLife === undefined ? start === 'record' : snapshotLife === incarnation;
    if (!isKnown) throw otherNotesError(revision, head);
    return new RecordFeed({ journal: log, head: () => this.head }, after);
  }

  heartbeat(): void {
    this.#checkWritable();
    this.#committer.note(this.#parts.clock.nowMs());
  }

  decide<Result>(run: (view: View) => Result): Decision<Result> {
    const { budget } = this.#draft;
    budget.begin();
    const decision = this.#decide(run);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      try {
        budget.spendVisits(fixed.queuedDecisionVisits);
        if (budget.isSpent) throw budgetSpent(budget);
        this.#decide(next.run);
      } catch (error) {
        this.#tellFailure(next, error);
      }
    }
    return decision;
  }

  /**
   * Commits puts to keys of users, each as `decide` would by itself, in the order of the row. Values that are not plain are for keys
   * that have none, or one of that kind, as the caller has seen in the newest state.
   * @returns how many: the next one is for `decide`, which says what is wrong with it, or can do what is more than a plain put.
   * Throws `storageFailed`: all of them count as changed.
   */
  putAll(row: PutRow): number {
    if (this.#isDeciding || !this.takesRows || !this.#canGoAsRow(row)) return 0;
    const failureBefore = this.#failure;
    try {
      const count = this.#committer.putAll(row, this.#instantMs ?? this.#parts.clock.nowMs());
      this.#tellWritten(row.keys, count);
      return count;
    } catch (error) {
      throw this.#toldFailure(error, failureBefore);
    }
  }

  /**
   * Does calls that change elements of a collection, each as `decide` would by itself, in their order.
   * @returns whether: else nothing has happened, and each is for `decide`. Throws `storageFailed`: all of them count as changed.
   */
  changeElements(calls: ElementCalls): boolean {
    const { limits, clock, keyObserver } = this.#parts;
    // No limit can stand against a part of what all may write together.
    if (
      this.#isDeciding ||
      !this.takesRows ||
      ElementRecords.bytesMax(calls) > Math.min(limits.valueBytesMax, limits.txnBytesMax)
    )
      return false;
    if (!this.#memory.hasRoom(fixed.putRowMemoryBytesMax)) return false;
    const failureBefore = this.#failure;
    try {
      if (this.#committer.changeElements(calls, this.#instantMs ?? clock.nowMs()) < 0) return false;
    } catch (error) {
      throw this.#toldFailure(error, failureBefore);
    }
    if (keyObserver !== undefined) {
      for (let index = 0; index < calls.length; index++) keyObserver.keyWritten(calls.key);
    }
    return true;
  }

  /** Whether nothing is told of each change by itself. */
  get takesRows(): boolean {
    return this.#isWritable && this.#onCommitted.isEmpty && this.#visibility.listeners.isEmpty;
  }

  #tellWritten(keys: readonly Uint8Array[], count: number): void {
    const { keyObserver } = this.#parts;
    if (keyObserver === undefined) return;
    for (let index = 0; index < count; index++) {
      const key = keys[index];
      if (key !== undefined) keyObserver.keyWritten(key);
    }
  }

  /** Whether a decision is being made, or its listeners are told of it: no other one can be made. */
  get isDeciding(): boolean {
    return this.#isDeciding;
  }

  fetch(keys: readonly Uint8Array[], count = keys.length): void {
    this.#parts.recovered.engine.fetch(keys, 0, count);
  }

  queueDecide(run: (view: View) => void, onFailure: (error: unknown) => void): void {
    assert(this.#isTelling, 'decisions are queued by listeners of onCommitted');
    if (this.#queue.length >= fixed.queuedDecisionsMax) {
      throw new StoreError(
        'limitReached',
        `${fixed.queuedDecisionsMax} decisions wait for the one that is told of; try again after a later one`,
      );
    }
    this.#queue.push({ run, onFailure });
  }

  readVisible<Result>(run: (view: ReadView) => Result): Result {
    this.#checkOpen();
    return this.#oldState.show(this.#visibility.revision, undefined, run);
  }

  /** Shows the versions of the first `count` of some keys, as `readVisible` would see each, where they lie, until `visit` returns false. */
  readAll(keys: readonly Uint8Array[], count: number, visit: VisitRow): void {
    this.#checkOpen();
    this.#oldState.readAll(this.#visibility.revision, keys, count, visit);
  }

  readAt<Result>({ revision, instantMs }: StateAt, run: (view: ReadView) => Result): Result {
    this.#checkOpen();
    return this.#oldState.show(this.#checkReadable(revision), instantMs, run);
  }

  pin(state?: StateAt): PinnedState {
    this.#checkOpen();
    const { clock } = this.#parts;
    const nowMs = clock.nowMs();
    const visible = { revision: this.#visibility.revision, instantMs: this.#recordedTime?.ms ?? nowMs };
    const { revision, instantMs } = state ?? visible;
    this.#checkReadable(revision, '', this.#history.oldestWanted);
    const pin = this.#history.pin(revision, { holder: 'a long reply', msMax: fixed.pinMsMax });
    return {
      revision,
      read: (run) => {
        this.#checkOpen();
        if (!pin.isHeld()) this.#checkReadable(revision, howLost(pin));
        return this.#oldState.show(revision, instantMs, run);
      },
      release: () => pin.release(),
    };
  }

  get visibleRevision(): number {
    return this.#visibility.revision;
  }

  /** The oldest revision that can be read. */
  get oldestRevision(): number {
    return this.#history.oldestRevision;
  }

  /** Whether a write of late found no memory, and still would not. */
  get isFull(): boolean {
    return this.#memory.isFull;
  }

  /** What happens when memory is full. */
  get memoryPolicy(): MemoryPolicy {
    return this.#eviction.policy;
  }

  /** Sets another one until the store is closed. Throws `invalidArgument` for one that its engine does not allow. */
  set memoryPolicy(policy: MemoryPolicy) {
    checkMemoryPolicy(policy, this.#parts.engineName);
    this.#eviction.policy = policy;
    // What waits for keys to go may wait in vain now.
    this.#room.wake();
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  waitForRoom(wait: RoomWait, error: NoRoomYetError): boolean {
    return this.#room.wait(wait, error);
  }

  leaveRoom(wait: RoomWait): void {
    this.#room.leave(wait);
  }

  /** Whether a call waits for room, or behind one, behind which those that its caller makes now have to wait. */
  get isHoldingOrder(): boolean {
    return this.#room.isHoldingOrder;
  }

  /** No write waits for room any more: those that do are refused, in the next turn. */
  stopWaiting(): void {
    this.#room.close();
  }

  /** Whether more memory is taken than the limit allows, and is being given back: what deletes by and by waits for it. */
  get owesMemory(): boolean {
    return this.#maintenance.isOwing;
  }

  get committedSequence(): number {
    return this.#parts.log.committedSequence;
  }

  get durableSequence(): number {
    return this.#gate.sequence;
  }

  /** The bytes of the values that the last decision has read. */
  get decidedBytes(): number {
    return this.#draft.budget.bytesSpent;
  }

  /** What the last decision has done. */
  get decidedWork(): WorkDone {
    return this.#draft.budget;
  }

  /** What the last read of a state has done. */
  get readWork(): WorkDone {
    return this.#oldState.budget;
  }

  /** The newest incarnation that begins so; '' when none is known. */
  incarnationWith(head: string): string {
    return this.#parts.recovered.incarnations.lives.findLast(({ id }) => id.startsWith(head))?.id ?? '';
  }

  incarnationOf(revision: number): string {
    return this.#parts.recovered.incarnations.idOf(revision);
  }

  checkPlace(what: string, place: Place): void {
    const { incarnations } = this.#parts.recovered;
    checkPlace(what, place, { incarnations, newestRevision: this.#visibility.revision });
  }

  onCommitted(listen: (changes: readonly PlannedChange[]) => void): Stop {
    return this.#onCommitted.add(listen);
  }

  onDurable(listen: (sequence: number, failure: Failure | undefined) => void): Stop {
    return this.#onDurable.add(listen);
  }

  onVisible(listen: (revision: number, changes: readonly RecentChange[]) => void): Stop {
    return this.#visibility.listeners.add(listen);
  }

  /**
   * For doors that answer by promises: resolves with `result` once all that is committed now is durable.
   * @param hasChanged whether the call has committed something itself.
   */
  whenDurable<Result>(result: Result, hasChanged: boolean): Promise<Result> {
    const answer = new Answer<Result>();
    answer.result = result;
    answer.hasChanged = hasChanged;
    this.#acknowledgements.add(answer);
    return answer.promise;
  }

  /** Resolves once all that is committed now is durable: for reads. */
  #untilDurable(): Promise<void> {
    const answer = new ReadAnswer<undefined>();
    this.#acknowledgements.add(answer);
    return answer.promise;
  }

  /** The time by which what is visible is shown. */
  get #visibleMs(): number {
    return this.#recordedTime?.ms ?? this.#instantMs ?? this.#parts.clock.nowMs();
  }

  /** Whether the newest state is the visible one: what reads of it show depends on nothing that is not durable, but for leases. */
  get isAllVisible(): boolean {
    const { durableSequence } = this.#parts.log;
    return (
      this.#committer.lastRevision === this.#visibility.revision && durableSequence >= this.#noteSequence
    );
  }

  /** Like `whenDurable`, of what is there already. */
  settleWhenDurable(waiter: Waiter): void {
    this.#acknowledgements.add(waiter);
  }

  /** Runs decisions and reads, one behind the other, at one reading of the clock. */
  atOneInstant(run: () => void): void {
    const outer = this.#instantMs;
    this.#instantMs = outer ?? this.#parts.clock.nowMs();
    try {
      run();
    } finally {
      this.#instantMs = outer;
    }
  }

  watch(request: WatchRequest): AsyncIterableIterator<WatchMessage> {
    return new WatchIterator(request, (reader) => this.openWatch(request, plainForm, reader));
  }

  /** Opens a watch that is pulled without promises, in a form of the reader's. Throws what `watch` would at its first step. */
  openWatch<Item>(request: WatchRequest, form: WatchForm<Item>, reader: WatchReader): PulledWatch<Item> {
    return this.#hub.open(request, this.#watchSource, form, reader);
  }

  /** The user that granted a lease, as of the newest transaction, durable or not; `undefined`: there is no such lease. */
  leaseOwner(leaseId: number): string | undefined {
    return this.#parts.recovered.leases.get(leaseId)?.owner;
  }

  /**
   * Reads leases beside transactions: those of the newest one, once that is durable; after a failure of the log those of the
   * last that is.
   */
  async readLeases<Result>(run: (leases: LeaseReads) => Result): Promise<Result> {
    this.#checkOpen();
    const { leases } = this.#parts.recovered;
    if (this.#failure !== undefined) return run(leases);
    const read = attempt(() => run(leases));
    try {
      await this.#untilDurable();
    } catch (error) {
      if (this.#failure === undefined) throw error;
      return run(leases);
    }
    return read();
  }

  /** Of the users' keys of a database that have a deadline, those among them that are past it and not deleted yet. */
  deadlineSums(database: number): DeadlineSums {
    return this.#parts.recovered.engine.deadlineSums(database);
  }

  status(): StoreStatus {
    this.#checkOpen();
    const { log, recovered } = this.#parts;
    const engine = recovered.engine.stats();
    const logStats = log.stats();
    const { snapshots } = this.#checkpoints;
    const { revision } = this.#visibility;
    return {
      storeId: this.storeId,
      revision,
      incarnation: recovered.incarnations.idOf(revision),
      oldestRevision: this.#history.oldestRevision,
      oldestWatchRevision: this.#history.oldestWatchRevision,
      ...this.#visibility.counts,
      dataBytes: engine.dataBytes,
      compressedPlainBytes: recovered.engine.compressed?.plainBytes ?? 0,
      compressedStoredBytes: recovered.engine.compressed?.storedBytes ?? 0,
      memoryBytes: this.#memory.usedBytes,
      memoryBytesMax: this.#memory.bytesMax,
      logBytes: logStats.bytes,
      segmentCount: logStats.segmentCount,
      activeSegmentId: logStats.activeSegmentId,
      oldestSegmentId: logStats.oldestSegmentId,
      snapshotBytes: snapshots.reduce((sum, { bytes }) => sum + bytes, 0),
      snapshotCount: snapshots.length,
      snapshotRevision: snapshots[0]?.revision ?? 0,
      watcherCount: this.#hub.watcherCount,
      engine: this.#parts.engineName,
      storage: this.#storage(),
    };
  }

  #storage(): StorageStatus | undefined {
    const { durable } = this.#parts.recovered.engine;
    if (durable === undefined) return undefined;
    const { revision, unsealedBytes, sealedBytes } = durable;
    return { revision, unsealedBytes, sealedBytes, ...durable.figures() };
  }

  /** Without those of the calls that stand above. */
  figures(): Omit<StoreFigures, 'restCounts'> & { readonly restCounts: RestCounts } {
    return {
      expiredKeyCount: this.#expiredKeyCount,
      evictedKeyCount: this.#eviction.evictedKeyCount,
      expiredLeaseCount: this.#expiredLeaseCount,
      watchLag: this.#watchLag(),
      watchEventsSent: this.#hub.sentEventCount,
      watchEndCounts: this.#hub.endCounts,
      restCounts: { watches: this.#hub.restCount, expiry: this.#expiry.restCount },
      compressionCounts: this.#compressionCounts(),
      heldAnswers: { holdCount: this.#gate.holdCount, heldMs: this.#gate.heldMs },
      waitingWrites: this.#room.figures,
      budgetRefusalCount: this.#draft.budget.refusalCount + this.#oldState.budget.refusalCount,
    };
  }

  #compressionCounts(): StoreFigures['compressionCounts'] {
    const { triedCount, vainCount, skippedCount } = this.#parts.compression;
    return { kept: triedCount - vainCount, in_vain: vainCount, not_tried: skippedCount };
  }

  #watchLag(): WatchLag {
    const { clock, log } = this.#parts;
    const visible = this.#visibility.revision;
    const { count, dealtWith } = this.#hub.behind(visible);
    if (count === 0) return { behindCount: 0, revisions: 0, logBytes: 0, ms: 0 };
    const { logBytes, ms } = this.#history.since(dealtWith, log.appendedBytes);
    const timeMs = this.#hub.recent(dealtWith + 1)?.timeMs;
    return {
      behindCount: count,
      revisions: visible - dealtWith,
      logBytes,
      ms: timeMs === undefined ? ms : Math.max(clock.nowMs() - timeMs, 0),
    };
  }

  async snapshot(): Promise<SnapshotInfo> {
    this.#checkOpen();
    return await this.#checkpoints.snapshot();
  }

  backup(): AsyncIterableIterator<Uint8Array> {
    return this.#backups.open();
  }

  /** Makes `revision` the oldest that can be read. Throws `revisionCompacted`, `revisionFuture`. */
  async compact(revision: number): Promise<{ readonly oldestRevision: number }> {
    this.#checkWritable();
    const { oldestRevision } = this.#history;
    const newestRevision = this.#visibility.revision;
    const details = { requestedRevision: revision, oldestRevision, newestRevision };
    if (revision < oldestRevision) {
      throw new StoreError('revisionCompacted', `revision ${revision} is compacted already`, details);
    }
    if (revision > newestRevision) {
      throw new StoreError('revisionFuture', `revision ${revision} has not been reached`, details);
    }
    const { clock } = this.#parts;
    // A caller that was told that history is dropped must not meet it again after a restart.
    const isNew = revision > this.#history.compactedRevision;
    if (isNew) {
      this.#committer.note(clock.nowMs(), compactEffect(revision));
      this.#history.noteCompaction(revision);
    }
    await this.whenDurable(undefined, isNew);
    this.#history.compact(revision);
    this.#maintenance.compact();
    await this.#removeSegments();
    return { oldestRevision: this.#history.oldestRevision };
  }

  /** Merges the files of an engine on disk by hand. */
  async compactStorage(): Promise<StorageSizes> {
    this.#checkOpen();
    const { durable } = this.#parts.recovered.engine;
    if (durable === undefined) return { diskBytesBefore: 0, diskBytes: 0 };
    const diskBytesBefore = durable.figures().diskBytes;
    try {
      await durable.compactStorage();
    } catch (error) {
      // A close ends it, whatever it has met by then.
      this.#checkOpen();
      if (error instanceof StoreError) throw error;
      throw new StoreError(
        'snapshotFailed',
        `the files of the engine could not be merged, and are as they were: ${asError(error).message}`,
        { cause: error },
      );
    }
    this.#checkOpen();
    return { diskBytesBefore, diskBytes: durable.figures().diskBytes };
  }

  close({ snapshotMsMax = fixed.closeSnapshotMsDefault }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(snapshotMsMax);
    this.#isWritable = false;
    return this.#closing;
  }

  /** The log says that everything up to `sequence` is durable. What is thrown here leaves callers untold, and stops the store. */
  durable(sequence: number): void {
    try {
      this.#recordedTime?.durable(sequence, {
        sequence: this.#parts.log.committedSequence,
        ms: this.#committer.lastTimeMs,
      });
      if (this.#visibility.durable(sequence)) {
        this.#advanceHistory();
        this.#checkpoints.notice();
        this.#hub.wake();
      }
      this.#shownSequence = sequence;
      if (this.#applier !== undefined) this.#compactApplied(this.#applier.compactedBy(sequence));
      this.#gate.durable(sequence);
      this.#acknowledgements.durable(sequence);
    } catch (error) {
      this.#parts.log.stop(asError(error));
    }
  }

  /** Answers to changes up to `sequence` may go out. */
  #release(sequence: number): void {
    if (!this.#onDurable.isEmpty) this.#onDurable.tell(sequence, undefined);
    this.#acknowledgements.released(sequence);
  }

  /** The log says that it has failed for good. */
  fail(error: Error): void {
    const whenChanged = new StoreError(
      'storageFailed',
      `the store has stopped writing; whether the changes of this call are kept shows when it is opened again, and no write is accepted until then: ${error.message}`,
      { cause: error },
    );
    this.#failure = { whenChanged, whenUnchanged: readOnlyError(error) };
    this.#visibility.fail();
    // What is held is durable.
    this.#gate.open();
    this.#room.close();
    this.#onDurable.tell(this.durableSequence, this.#failure);
    this.#acknowledgements.fail(this.#failure);
    this.#parts.onEvent({ kind: failureKind(error), error });
    this.#resolveFailed(whenChanged);
  }

  #decide<Result>(run: (view: View) => Result): Decision<Result> {
    this.#checkOpen();
    assert(!this.#isDeciding, 'a decision is not made within another one');
    const draft = this.#draft;
    const { log } = this.#parts;
    this.#isDeciding = true;
    draft.begin(this.#committer.lastRevision);
    try {
      const result = run(draft);
      draft.seal();
      const { changes, leaseChanges } = draft;
      const hasChanged = changes.length > 0 || leaseChanges.length > 0;
      if (hasChanged) {
        // A follower decides, too, what only reads: ranks, counts, places by index.
        this.#checkWritable();
        this.#commit(draft);
        for (const collectionId of draft.orphanIds)
          this.#sweeper.add({ collectionId, revision: this.#committer.lastRevision });
        const { keyObserver } = this.#parts;
        if (keyObserver !== undefined) for (const { key } of changes) keyObserver.keyWritten(key);
        for (const { ttlMs } of leaseChanges) if (ttlMs !== 0) this.#expiry.notice(ttlMs);
        for (const { expireTimeMs } of changes) {
          if (expireTimeMs !== 0) this.#expiry.notice(expireTimeMs - draft.instantMs);
        }
        if (!this.#onCommitted.isEmpty) {
          this.#isTelling = true;
          this.#onCommitted.tell(changes);
        }
      } else if (this.#recordedTime !== undefined) this.#noteOverdue(draft.instantMs);
      return { result, sequence: log.committedSequence, hasChanged };
    } catch (error) {
      this.#unreadable.note(error);
      // That a key is not there tells as much.
      if (this.#recordedTime !== undefined && error instanceof StoreError) this.#noteOverdue(draft.instantMs);
      // It would wait for what does not come any more.
      if (error instanceof NoRoomYetError && this.#failure !== undefined) throw this.#failure.whenUnchanged;
      throw error;
    } finally {
      draft.end();
      this.#isDeciding = false;
      this.#isTelling = false;
    }
  }

  /**
   * A decision that has changed nothing may have left out what was overdue at its instant: then its answer depends on a record of that
   * time, so that no other node shows it again.
   */
  #noteOverdue(instantMs: number): void {
    const { recovered, log } = this.#parts;
    if (this.#committer.lastTimeMs >= instantMs) return;
    if ((recovered.engine.nextDeadlineMs() ?? Infinity) > instantMs || !this.#isWritable) return;
    try {
      this.#committer.note(instantMs);
      this.#noteSequence = log.committedSequence;
    } catch (error) {
      // A shared log that is full takes no removals of keys either: they go, and come back, by what the clocks of nodes say. What else
      // stands against a record stands against all answers.
      if (!isStoreError(error, 'limitReached')) throw error;
    }
  }

  /** A failure of the door that has queued it must not hit the one that decides now. */
  #tellFailure({ onFailure }: QueuedDecision, failure: unknown): void {
    try {
      onFailure(failure);
    } catch (error) {
      this.#parts.onEvent({ kind: 'listenerFailed', error: asError(error) });
    }
  }

  #commit(draft: Draft): void {
    const failureBefore = this.#failure;
    try {
      this.#committer.commit(draft);
    } catch (error) {
      throw this.#toldFailure(error, failureBefore);
    }
  }

  /** What has stopped the store came after the record had joined the batch, whatever it was; the log's refusals came before. */
  #toldFailure(error: unknown, failureBefore: Failure | undefined): unknown {
    return this.#failure === undefined || this.#failure === failureBefore ? error : this.#failure.whenChanged;
  }

  /**
   * Whether a row can be put without a draft for each put: nothing in it is beyond a limit, and memory is not near its own. It refuses
   * no put: those of a row that can't go are decided one by one, and a draft (`Draft.put`), which enforces the limits, tells
   * which one is too long.
   */
  #canGoAsRow({ keys, values, length }: PutRow): boolean {
    const { valueBytesMax, txnBytesMax } = this.#parts.limits;
    for (let index = 0; index < length; index++) {
      const valueBytes = values[index]?.length ?? 0;
      if (valueBytes > valueBytesMax || (keys[index]?.length ?? 0) + valueBytes > txnBytesMax) return false;
    }
    return this.#memory.hasRoom(fixed.putRowMemoryBytesMax);
  }

  async #close(snapshotMsMax: number): Promise<void> {
    this.#hub.close();
    this.#expiry.stop();
    this.#maintenance.stop();
    this.#sweeper.stop();
    this.#agingTimer?.cancel();
    this.#gate.open();
    this.#room.close();
    const { log, ownership } = this.#parts;
    const checkOwned = (): Promise<void> => ownership.check().catch((error: Error) => log.stop(error));
    await checkOwned();
    await this.#checkpoints.stop(snapshotMsMax);
    try {
      await checkOwned();
      this.#noteLastTimes();
      await log.close();
    } finally {
      try {
        await this.#checkpoints.end();
      } finally {
        await ownership.release();
      }
    }
  }

  /**
   * The later the lease clock is noted, the more exactly leases keep their time over the restart; and keys that are overdue and
   * not removed yet stay so when it is known at what time they were.
   */
  #noteLastTimes(): void {
    if (this.role === 'follower') return;
    const { clock, recovered } = this.#parts;
    const nowMs = clock.nowMs();
    try {
      const hasOverdue = (recovered.engine.nextDeadlineMs() ?? Infinity) <= nowMs;
      if (recovered.leases.size > 0 || hasOverdue) this.#committer.note(nowMs);
    } catch {
      // The log has failed or is full, or the engine is damaged: then the newest record serves.
    }
  }

  /** The log says what the lease clock is; renewals alone make it long, too. */
  #noteLeaseClock(): void {
    this.#committer.note(this.#parts.clock.nowMs());
    this.#checkpoints.notice();
  }

  #beginExpiry(): void {
    const { engine, leases } = this.#parts.recovered;
    if (leases.size > 0 || engine.nextDeadlineMs() !== undefined) this.#expiry.notice(0);
  }

  #makeApplier(collectionIds: CollectionIds): Applier {
    const { log, clock, recovered } = this.#parts;
    const { engine, leases, incarnations, revision } = recovered;
    const visibility = this.#visibility;
    return new Applier({
      engine,
      leases,
      incarnations,
      collectionIds,
      history: this.#history,
      committer: this.#committer,
      visibility,
      clock,
      skippedRevision: (log.place?.revision ?? 0) < revision ? revision : 0,
      addOrphan: (mark) => this.#sweeper.add(mark),
      wantsChanges: () => visibility.isStaging || !visibility.listeners.isEmpty || !this.#onCommitted.isEmpty,
    });
  }

  /** Decisions that are queued by those that are told are refused. */
  #tellApplied(changes: readonly PlannedChange[]): void {
    this.#isTelling = true;
    this.#onCommitted.tell(changes);
    this.#isTelling = false;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
      this.#tellFailure(next, this.#notWriter());
  }

  /** What the writer has dropped on demand is dropped here as that is visible. @param revision 0: nothing was. */
  #compactApplied(revision: number): void {
    if (revision === 0) return;
    this.#history.compact(revision);
    this.#maintenance.compact();
    void this.#removeSegments();
  }

  #checkWritable(): void {
    if (this.#isWritable) return;
    this.#checkOpen();
    throw this.#notWriter();
  }

  #notWriter(): StoreError<'notWriter'> {
    return notWriterError(this.#parts.log.place?.writerAddress ?? '');
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new StoreError('closed', 'the store is closed');
  }

  /** @param why it may be gone, for a reader that had kept it. */
  #checkReadable(revision: number, why = '', oldestRevision = this.#history.oldestRevision): number {
    const newestRevision = this.#visibility.revision;
    const details = { requestedRevision: revision, oldestRevision, newestRevision };
    if (revision < oldestRevision) {
      throw new StoreError(
        'revisionCompacted',
        `revision ${revision} is compacted; the oldest that can be read is ${oldestRevision}${why}`,
        details,
      );
    }
    if (revision > newestRevision) {
      throw new StoreError(
        'revisionFuture',
        `revision ${revision} has not been reached; the newest is ${newestRevision}`,
        details,
      );
    }
    return revision;
  }

  #advanceHistory(): void {
    this.#history.advance(this.#visibility.revision, this.#parts.log.appendedBytes);
    this.#maintenance.compact();
  }

  /** History and log also grow old while nothing is written. */
  #scheduleAging(): void {
    this.#agingTimer = this.#parts.clock.setTimer(fixed.historyCheckMs, () => {
      this.#advanceHistory();
      this.#checkpoints.notice();
      void this.#removeSegments();
      this.#scheduleAging();
    });
  }

  async #removeSegments(): Promise<void> {
    try {
      await this.#checkpoints.removeSegments();
    } catch (error) {
      this.#parts.onEvent({ kind: 'cleanupFailed', error: error as Error });
    }
  }
}

function hasVolatileKeys(engine: Engine): boolean {
  for (let database = 0; database < KEY_GROUPS_MAX; database++)
    if (engine.deadlineSums(database).count > 0) return true;
  return false;
}

/** Throws `invalidArgument` for a policy that an engine does not allow. */
export function checkMemoryPolicy(policy: MemoryPolicy, engine: EngineName): void {
  const fault = faultOfMemoryPolicy(policy, engine);
  if (fault !== undefined) throw new StoreError('invalidArgument', `memoryPolicy ${policy}: ${fault}`);
}

function failureKind(error: Error): 'overtaken' | 'ownershipLost' | 'storageFailed' {
  if (error instanceof OvertakenError) return 'overtaken';
  return error instanceof OwnershipLostError ? 'ownershipLost' : 'storageFailed';
}

/** Why the state of a long reply is no longer kept, and what to do. */
function howLost(pin: Pin): string {
  return pin.hasGivenWay()
    ? `. A write found no room while it was kept, for which it gives way after ${fixed.fullPinMs / 1000} seconds; begin again, and read less at once`
    : `. It was kept for ${fixed.pinMsMax / 1000} seconds; begin again, and read faster or less at once`;
}

/** Runs something now. @returns what gives its result, or throws its error, later. */
function attempt<Result>(run: () => Result): () => Result {
  try {
    const result = run();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
