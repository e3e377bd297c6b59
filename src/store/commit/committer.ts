/**
 * The one place where a transaction becomes real: it takes the next revision, goes into the log's current batch, into the
 * engine and the lease table, and is queued to become visible.
 *
 * The log comes first: it may refuse (full buffer, failed disk), and then nothing has changed. From the moment at which the
 * record has joined the batch there is no way back: what fails then stops the store for good, as a failed write does, since
 * the state in memory is no longer that of the log. For a row of puts it is the log's room that comes first, and there is no way
 * back from the moment at which the engine begins.
 *
 * The first transaction of a life of the store says so in its record, and is flushed before it is acknowledged or visible,
 * whatever the policy. So a place that was ever shown is in the log after a crash, or its life is known up to where it is.
 */
import { prependRecord, sizeOfRecord, type EffectShape } from '../../../gen/kelp/storage/v1/log_codec.ts';
import type { Engine } from '../../engine/engine.ts';
import type { PutRow } from '../../engine/put-row.ts';
import { assert, isStoreError, isUnreadable } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { Journal } from '../../wal/journal.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { ElementCalls } from '../collections/element-calls.ts';
import type { CollectionIds } from '../collections/collection-ids.ts';
import type { Incarnations } from '../history/incarnations.ts';
import type { LeaseChange } from '../leases/lease-change.ts';
import { type LeaseTable, undoLeases, type UndoLeases } from '../leases/lease-table.ts';
import { toKeyText } from '../views/keys.ts';
import type { PlannedChange } from '../views/planned-change.ts';
import type { RecentTransaction } from '../watch/matching/recent-changes.ts';
import { collectionIdsEffect, EffectRow, incarnationEffect, leaseEffect, leaseEndEffect } from './effects.ts';
import { asError } from './listeners.ts';
import { ElementCommits } from './element-commits.ts';
import { ElementRecords } from './element-records.ts';
import { PutRecords } from './put-records.ts';
import type { Visibility } from './visibility.ts';

export interface CommitterContext {
  readonly log: Journal;
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly visibility: Visibility;
  readonly incarnations: Incarnations;
  readonly collectionIds: CollectionIds;
}

/** Where the store begins to write, and as which of its lives. */
export interface CommitterStart {
  readonly lastRevision: number;
  readonly lastTimeMs: number;
  readonly incarnation: string;
}

/** A transaction that has been decided. */
export interface Decided {
  readonly changes: readonly PlannedChange[];
  readonly leaseChanges: readonly LeaseChange[];
  /** The wall time at which it was decided. */
  readonly instantMs: number;
}

/** From so many changes on their keys are fetched together: fewer are in the cache still, since the draft has looked at each, ... */
const FETCHED_MIN = 16;
/** ... so many at a time. */
const FETCHED_MAX = 64;

const NO_IDS: ReadonlySet<number> = new Set();
/** Reads the newest version of all. */
const NEWEST = fixed.integerMax;

export class Committer {
  readonly #context: CommitterContext;
  readonly #incarnation: string;
  readonly #putRecords = new PutRecords();
  readonly #elementCommits: ElementCommits;
  /** Used for one record after the other. */
  readonly #effects = new EffectRow();
  readonly #record = { revision: 0, timeMs: 0, leaseClockMs: 0, effects: this.#effects.effects };
  #lastRevision: number;
  #lastTimeMs: number;
  /** Whether this life of the store has written a transaction. */
  #hasBegun = false;
  /** What undoes the lease changes of the record that is being taken. */
  #undo: UndoLeases | undefined;

  /** The time of the newest record. */
  get lastTimeMs(): number {
    return this.#lastTimeMs;
  }

  constructor(context: CommitterContext, { lastRevision, lastTimeMs, incarnation }: CommitterStart) {
    this.#context = context;
    this.#elementCommits = new ElementCommits(context.engine);
    this.#incarnation = incarnation;
    this.#lastRevision = lastRevision;
    this.#lastTimeMs = lastTimeMs;
  }

  /** The newest revision that was taken, visible or not. */
  get lastRevision(): number {
    return this.#lastRevision;
  }

  /** A record of another life was applied. @param revision 0: a note. */
  follow(revision: number, timeMs: number): void {
    if (revision !== 0) this.#lastRevision = revision;
    this.#lastTimeMs = Math.max(this.#lastTimeMs, timeMs);
  }

  /** Commits what changes something: keys, which takes a revision, or leases alone, which is a note. */
  commit(decided: Decided): void {
    const { changes, leaseChanges } = decided;
    if (changes.length === 0) this.#note(leaseChanges, decided.instantMs);
    else this.#commit(this.#lastRevision + 1, decided);
  }

  /**
   * Commits the puts of a row, each as a transaction of its own. The log's room for all is taken before the first: so it can
   * refuse none of them once the engine has it.
   * @returns how many. The others are to be decided one by one, which says what stands against that, if anything.
   */
  putAll(row: PutRow, instantMs: number): number {
    const { log, engine, leases, visibility } = this.#context;
    if (!this.#hasBegun) return 0;
    const offset = log.reserveRow(PutRecords.bytesMax(row));
    if (offset === undefined) return 0;
    const timeMs = this.#timeMs(instantMs);
    row.firstRevision = this.#lastRevision + 1;
    this.#undo = undefined;
    try {
      const count = engine.putAll(row);
      if (count === 0) return 0;
      const leaseClockMs = leases.size > 0 ? leases.clockMs() : 0;
      const end = this.#putRecords.write(row, count, timeMs, leaseClockMs, log.buffer, offset);
      const sequence = log.commitRow(count, end);
      this.#lastRevision += count;
      visibility.committedPuts(sequence, row, count, timeMs);
      return count;
    } catch (error) {
      throw this.#stopped(error);
    }
  }

  /**
   * Does calls that change elements, each that changes something as a transaction of its own; all of them, or none. The log's room for
   * all is taken before the first.
   * @returns how many transactions they were; -1: none was done, and they are to be decided one by one.
   */
  changeElements(calls: ElementCalls, instantMs: number): number {
    const { log, engine, leases, visibility } = this.#context;
    if (!this.#hasBegun || (engine.durable !== undefined && !canRead(engine, calls))) return -1;
    const offset = log.reserveRow(ElementRecords.bytesMax(calls));
    if (offset === undefined) return -1;
    const timeMs = this.#timeMs(instantMs);
    const staged: RecentTransaction[] | undefined = visibility.isStaging ? [] : undefined;
    const commits = this.#elementCommits;
    this.#undo = undefined;
    try {
      const revision = this.#lastRevision + 1;
      const leaseClockMs = leases.size > 0 ? leases.clockMs() : 0;
      commits.run(calls, { revision, timeMs, leaseClockMs, buffer: log.buffer, offset, staged });
      const { count, end } = commits;
      if (count === 0) return 0;
      const sequence = log.commitRow(count, end);
      this.#lastRevision += count;
      visibility.committedRow(sequence, this.#lastRevision, staged);
      return count;
    } catch (error) {
      throw this.#stopped(error);
    }
  }

  /** Takes a revision without a change. @returns whether the log had room for it: else it can be tried again. */
  takeRevision(instantMs: number): boolean {
    try {
      this.#commit(this.#lastRevision + 1, { changes: [], leaseChanges: [], instantMs });
      return true;
    } catch (error) {
      if (!isStoreError(error, 'limitReached')) throw error;
      return false;
    }
  }

  /** Writes a note: effects that take no revision, or only the lease clock. */
  note(instantMs: number, ...effects: EffectShape[]): void {
    this.#effects.begin();
    for (const effect of effects) this.#effects.push(effect);
    this.#append(0, this.#timeMs(instantMs), this.#context.leases.size > 0);
  }

  #note(leaseChanges: readonly LeaseChange[], instantMs: number): void {
    const { leases, visibility } = this.#context;
    this.#effects.begin();
    this.#pushLeases(leaseChanges);
    const sequence = this.#append(0, this.#timeMs(instantMs), true);
    this.#undo = [];
    try {
      leases.applyAll(leaseChanges, this.#undo);
      visibility.committedNote(sequence, leases.size, this.#undo);
    } catch (error) {
      throw this.#stopped(error);
    }
  }

  #commit(revision: number, { changes, leaseChanges, instantMs }: Decided): void {
    const { leases, collectionIds } = this.#context;
    const effects = this.#effects;
    effects.begin();
    if (!this.#hasBegun) effects.push(incarnationEffect(this.#incarnation));
    const idsEnd = collectionIds.endToRecord;
    if (idsEnd !== 0) effects.push(collectionIdsEffect(idsEnd));
    // A key may name a lease that the same transaction grants, and is deleted before its lease ends.
    for (const change of leaseChanges) if (change.kind !== 'end') effects.push(leaseEffect(change));
    for (const change of changes) effects.pushChange(change);
    for (const { kind, leaseId } of leaseChanges) if (kind === 'end') effects.push(leaseEndEffect(leaseId));
    const timeMs = this.#timeMs(instantMs);
    const sequence = this.#append(revision, timeMs, leases.size > 0 || leaseChanges.length > 0);
    this.#lastRevision = revision;
    if (idsEnd !== 0) collectionIds.noteRecorded(idsEnd);
    this.#undo = undefined;
    try {
      this.#take(revision, sequence, timeMs, changes, leaseChanges);
    } catch (error) {
      throw this.#stopped(error);
    }
  }

  /** Brings what is in the log into the state. */
  #take(
    revision: number,
    sequence: number,
    timeMs: number,
    changes: readonly PlannedChange[],
    leaseChanges: readonly LeaseChange[],
  ): void {
    const { engine, leases, visibility } = this.#context;
    if (!this.#hasBegun) this.#begin(revision, sequence);
    const keys = changes.length < FETCHED_MIN ? [] : changes.map(({ key }) => key);
    let done = 0;
    for (const change of changes) {
      if (keys.length > 0 && done % FETCHED_MAX === 0)
        engine.fetch(keys, done, Math.min(done + FETCHED_MAX, keys.length));
      engine.apply(change);
      done++;
    }
    const endedIds = leaseChanges.length === 0 ? NO_IDS : endedBy(leaseChanges);
    if (leaseChanges.length > 0) {
      this.#undo = [];
      leases.applyAll(
        leaseChanges.filter(({ kind }) => kind !== 'end'),
        this.#undo,
      );
    }
    for (const { key, previousLeaseId, leaseId } of changes) {
      // A lease that ends takes its keys along.
      if (leaseId === previousLeaseId || (leaseId === 0 && endedIds.has(previousLeaseId))) continue;
      leases.applyMove(toKeyText(key), previousLeaseId, leaseId, (this.#undo ??= []));
    }
    if (endedIds.size > 0)
      leases.applyAll(
        leaseChanges.filter(({ kind }) => kind === 'end'),
        this.#undo,
      );
    visibility.committed(sequence, revision, timeMs, changes, leases.size, this.#undo);
  }

  #pushLeases(changes: readonly LeaseChange[]): void {
    for (const change of changes) {
      this.#effects.push(change.kind === 'end' ? leaseEndEffect(change.leaseId) : leaseEffect(change));
    }
  }

  #begin(firstRevision: number, sequence: number): void {
    const { log, incarnations } = this.#context;
    this.#hasBegun = true;
    log.requireFlush(sequence);
    incarnations.begin({ firstRevision, id: this.#incarnation });
  }

  /**
   * What is thrown once the record has joined the batch leaves a state that is not the log's, and stops the log. The engine
   * shows nothing of it at the visible revision; leases have no revisions, and are brought back to what they were.
   */
  #stopped(error: unknown): Error {
    undoLeases(this.#undo);
    const cause = asError(error);
    this.#context.log.stop(cause);
    return cause;
  }

  #append(revision: number, timeMs: number, hasClock: boolean): number {
    const { log, leases } = this.#context;
    const record = this.#record;
    this.#effects.seal();
    record.revision = revision;
    record.timeMs = timeMs;
    record.leaseClockMs = hasClock ? leases.clockMs() : 0;
    const size = sizeOfRecord(record);
    const offset = log.reserve(size);
    const start = prependRecord(record, log.buffer, offset + size);
    assert(start === offset, 'a log record has the size that was reserved for it');
    this.#effects.end();
    return log.commit(revision);
  }

  /** The time of a record never goes back, from one life of the store to the next either. */
  #timeMs(instantMs: number): number {
    this.#lastTimeMs = Math.max(this.#lastTimeMs, instantMs);
    return this.#lastTimeMs;
  }
}

/** Whether the engine can read all that calls look at: behind the first of them there is no way back. */
function canRead(engine: Engine, { key, elements, length }: ElementCalls): boolean {
  try {
    engine.readMeta(key, NEWEST);
    for (let index = 0; index < length; index++) engine.readMeta(elements[index] ?? NO_BYTES, NEWEST);
    return true;
  } catch (error) {
    if (isUnreadable(error)) return false;
    throw error;
  }
}

function endedBy(changes: readonly LeaseChange[]): ReadonlySet<number> {
  return new Set(changes.filter(({ kind }) => kind === 'end').map(({ leaseId }) => leaseId));
}
