/**
 * Brings records of a log that nodes share into the state of a follower, as the committer (`commit/committer.ts`) did where they were
 * written: the same effects in the same order, and so the same versions, leases, lives and counts.
 *
 * What a record does not say is read from the state before it: whether a key was there, which lease had it, the value that a touch
 * leaves. A record may change much; an object for each change is made only where watches or doors are to be told of it.
 *
 * Nothing is decided here, and nothing refused for want of room. What no store writes is `damaged`: by then a part of the record may be
 * in the state, so the journal is stopped, and what is not visible never will be.
 *
 * A sweep (`SweptEffect`) asks for nothing: this store sweeps the elements of a collection by itself, once its own history has passed
 * the mark (`collections/sweeper.ts`), which may be before or after the writer's has.
 */
import {
  enterEffect,
  nextInRecordEffects,
  readEffect,
  readPlacedDeleteEffect,
  readPlacedPutEffect,
  readPlacedRecord,
  type EffectShape,
  type LeaseEffectShape,
  type PlacedRecord,
  type TouchEffectShape,
} from '../../../gen/kelp/storage/v1/log_codec.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Change, PlacedChange } from '../../engine/version.ts';
import { assert, StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { Cursor } from '../../wire/cursor.ts';
import { memoryOf, type Memory } from '../../wire/memory.ts';
import { WireError } from '../../wire/wire-error.ts';
import { collectionIdOf, isElementKey } from '../collections/collection-keys.ts';
import type { CollectionIds } from '../collections/collection-ids.ts';
import type { SweepMark } from '../collections/sweeper.ts';
import type { Committer } from '../commit/committer.ts';
import { toDeleteReason, touchChange } from '../commit/effects.ts';
import type { Visibility } from '../commit/visibility.ts';
import { Fifo } from '../fifo.ts';
import type { History } from '../history/history.ts';
import { type Incarnations, toIncarnation } from '../history/incarnations.ts';
import type { LeaseChange } from '../leases/lease-change.ts';
import { type LeaseTable, undoLeases, type UndoLeases } from '../leases/lease-table.ts';
import { refuse } from '../recovery/decode.ts';
import { LoadedChange } from '../recovery/loaded-change.ts';
import {
  faultOfEffect,
  faultOfPlacedDelete,
  faultOfPlacedPut,
  faultOfRecordHead,
} from '../recovery/recorded-items.ts';
import type { SteadyClock } from '../steady-clock.ts';
import { toKeyText } from '../views/keys.ts';
import type { PlannedChange } from '../views/planned-change.ts';
import { isUserKey, SWEPT } from '../views/regions.ts';

export interface ApplierContext {
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly incarnations: Incarnations;
  readonly collectionIds: CollectionIds;
  readonly history: History;
  readonly committer: Committer;
  readonly visibility: Visibility;
  readonly clock: SteadyClock;
  /** The state has what is up to this revision, also of records that come again; 0: none do. */
  readonly skippedRevision: number;
  /** A collection is left without a key. */
  addOrphan(mark: SweepMark): void;
  /** Whether someone is to be told of each change as it is applied. */
  wantsChanges(): boolean;
}

/** Reads the newest version of all. */
const NEWEST = fixed.integerMax;
const NOTHING: Buffer = Buffer.alloc(0);

export class Applier {
  readonly #context: ApplierContext;
  /** While it is not 0, records are passed over. */
  #skippedRevision: number;
  #buffer = NOTHING;
  #memory: Memory = memoryOf(NOTHING);
  #cursor = new Cursor(NOTHING, 0, 0);
  readonly #head: PlacedRecord = { revision: 0, timeMs: 0, leaseClockMs: 0, effectsCount: 0 };
  /** The change that is being applied. */
  readonly #change = new LoadedChange();
  /** What its key had before: whether a version, and which lease and collection; 0: none. */
  #hadVersion = false;
  #previousLeaseId = 0;
  #previousCollectionId = 0;
  /** Of the record that is being applied. */
  #revision = 0;
  #changes: PlannedChange[] | undefined;
  #addedKeys = 0;
  #undo: UndoLeases | undefined;
  /** Compactions that are not visible yet: sequence and revision in turn. */
  readonly #compactions = new Fifo<number>();

  constructor(context: ApplierContext) {
    this.#context = context;
    this.#skippedRevision = context.skippedRevision;
  }

  /**
   * `Replica.apply`. @returns the changes, for those that wanted them; `undefined`: the state has the record already. The changes stand
   * for what lies in the buffer.
   */
  apply(buffer: Buffer, start: number, end: number, sequence: number): readonly PlannedChange[] | undefined {
    try {
      return this.#apply(buffer, start, end, sequence);
    } catch (error) {
      undoLeases(this.#undo);
      if (!(error instanceof WireError)) throw error;
      const text = `a record of the shared log can not be understood (${error.message}). Use the version that wrote it`;
      throw new StoreError('damaged', text, { cause: error });
    } finally {
      this.#undo = undefined;
      this.#changes = undefined;
    }
  }

  /** Whether the state has what the next record may say. */
  get isSkipping(): boolean {
    return this.#skippedRevision !== 0;
  }

  /** The oldest revision that is to be readable, of all compactions that are visible by now; 0: none is new. */
  compactedBy(sequence: number): number {
    let revision = 0;
    for (let next = this.#compactions.peek(); next !== undefined && next <= sequence;) {
      this.#compactions.shift();
      revision = Math.max(revision, this.#compactions.shift() ?? 0);
      next = this.#compactions.peek();
    }
    return revision;
  }

  #apply(buffer: Buffer, start: number, end: number, sequence: number): readonly PlannedChange[] | undefined {
    const { committer, visibility, leases, clock } = this.#context;
    const cursor = this.#cursorAt(buffer, start);
    const head = this.#head;
    readPlacedRecord(head, cursor, end);
    const { revision, timeMs } = head;
    refuse('a record of the shared log', faultOfRecordHead(head));
    if (this.#skippedRevision !== 0) {
      // A note before it, too: it may be about an earlier lease with the id of a present one.
      if (revision >= this.#skippedRevision) this.#skippedRevision = 0;
      if (revision <= committer.lastRevision) return undefined;
    }
    if (revision !== 0 && revision !== committer.lastRevision + 1) {
      throw new StoreError(
        'damaged',
        `the shared log goes from revision ${committer.lastRevision} to ${revision}: what lies between is missing`,
      );
    }
    this.#revision = revision;
    this.#changes = revision !== 0 && this.#context.wantsChanges() ? [] : undefined;
    this.#addedKeys = 0;
    cursor.position = start;
    for (let left = head.effectsCount; left > 0; left--) {
      const effectEnd = nextInRecordEffects(cursor, end);
      this.#takeEffect(effectEnd, sequence);
      cursor.position = effectEnd;
    }
    clock.continueFrom(timeMs);
    leases.standAt(head.leaseClockMs);
    committer.follow(revision, timeMs);
    const changes = this.#changes ?? NO_CHANGES;
    if (revision !== 0) {
      const counts = { addedKeyCount: this.#addedKeys, leaseCount: leases.size };
      visibility.applied(sequence, revision, timeMs, this.#changes, counts, this.#undo);
    } else if (this.#undo !== undefined) visibility.committedNote(sequence, leases.size, this.#undo);
    return changes;
  }

  #cursorAt(buffer: Buffer, position: number): Cursor {
    if (this.#buffer !== buffer) {
      this.#buffer = buffer;
      this.#cursor = new Cursor(buffer, 0, buffer.length);
      this.#memory = memoryOf(buffer);
    }
    this.#cursor.position = position;
    return this.#cursor;
  }

  #takeEffect(end: number, sequence: number): void {
    const cursor = this.#cursor;
    const start = cursor.position;
    switch (enterEffect(cursor, end)) {
      case 'put':
        return this.#put(end);
      case 'delete':
        return this.#delete(end);
      default:
        return this.#takeRareEffect(readEffect(this.#buffer, start, end).effect, sequence);
    }
  }

  #put(end: number): void {
    const change = this.#change;
    readPlacedPutEffect(change, this.#cursor, end, this.#memory, this.#buffer.byteOffset);
    // What a put of the log does not have.
    change.revision = change.modRevision = this.#revision;
    change.deleted = false;
    change.replacedBy = 0;
    this.#refuse(faultOfPlacedPut(change));
    this.#take(change, 'put', change.replacedExpired);
    const { key } = change;
    if (key[0] === SWEPT)
      this.#context.addOrphan({ collectionId: collectionIdOf(key), revision: this.#revision });
  }

  #delete(end: number): void {
    const change = this.#change;
    change.clear(this.#memory);
    readPlacedDeleteEffect(change, this.#cursor, end, this.#memory, this.#buffer.byteOffset);
    change.revision = this.#revision;
    change.deleted = true;
    this.#refuse(faultOfPlacedDelete(change));
    this.#take(change, 'delete', false);
  }

  #touch(effect: TouchEffectShape): void {
    const before = this.#context.engine.read(effect.key, NEWEST);
    if (before === undefined) return this.#refuse('it touches a key that does not exist');
    this.#take(touchChange(effect, this.#revision, before), 'touch', false);
  }

  #take(change: Change, type: PlannedChange['type'], replacedExpired: boolean): void {
    const { engine, leases } = this.#context;
    const revision = this.#revision;
    if (revision === 0) this.#refuse('a note changes a key');
    const { key } = change;
    engine.readPlaced(key, NEWEST, this.#look);
    const hadVersion = this.#hadVersion;
    // An element whose time is over, of a collection without a key that this store has swept before the writer: it may not come again.
    if (change.deleted && !hadVersion && isElementKey(key)) return;
    const previousLeaseId = this.#previousLeaseId;
    engine.apply(change);
    if (isUserKey(key)) this.#addedKeys += Number(!change.deleted) - Number(hadVersion);
    // A key can name a lease only while there is one; and it may have ended while the key was overdue.
    if (leases.size > 0) {
      const { leaseId } = change;
      const isAttached = leaseId !== 0 && leases.get(leaseId) !== undefined;
      const after = isAttached ? leaseId : 0;
      if (after !== previousLeaseId)
        leases.applyMove(toKeyText(key), previousLeaseId, after, (this.#undo ??= []));
    }
    this.#changes?.push({
      type,
      key,
      value: change.value,
      revision,
      deleted: change.deleted,
      kind: change.kind,
      collectionId: change.collectionId,
      createRevision: change.createRevision,
      modRevision: change.modRevision,
      version: change.version,
      leaseId: change.leaseId,
      ttlMs: change.ttlMs,
      expireTimeMs: change.expireTimeMs,
      reason: type === 'delete' ? toDeleteReason(this.#change.reason) : undefined,
      hadEntry: hadVersion && !replacedExpired,
      replacedExpired,
      previousLeaseId,
      previousCollectionId: this.#previousCollectionId,
    });
  }

  readonly #look = (found: PlacedChange | undefined): void => {
    if (found?.revision === this.#revision) this.#refuse('it changes a key twice');
    this.#hadVersion = found !== undefined;
    this.#previousLeaseId = found?.leaseId ?? 0;
    this.#previousCollectionId = found?.collectionId ?? 0;
  };

  /** For the effects that do not come by the million. */
  #takeRareEffect(effect: EffectShape['effect'], sequence: number): void {
    const { leases, incarnations, collectionIds, history, committer } = this.#context;
    this.#refuse(faultOfEffect(effect, this.#revision));
    switch (effect.case) {
      case 'touch':
        return this.#touch(effect.value);
      case 'lease':
        return this.#changeLease(grantOrRenewal(effect.value, leases));
      case 'leaseEnd':
        return this.#changeLease(leaseEnd(effect.value.leaseId));
      case 'compact': {
        const { oldestRevision } = effect.value;
        if (oldestRevision > committer.lastRevision) this.#refuse(`it compacts up to ${oldestRevision}`);
        history.noteCompaction(oldestRevision);
        this.#compactions.push(sequence);
        this.#compactions.push(oldestRevision);
        return;
      }
      case 'incarnation': {
        const life = { firstRevision: this.#revision, id: toIncarnation(effect.value.id) };
        this.#refuse(incarnations.faultOfNext(life));
        incarnations.begin(life);
        return;
      }
      case 'collectionIds':
        collectionIds.follow(effect.value.end);
        return;
      case 'swept':
        if (effect.value.revision > committer.lastRevision)
          this.#refuse(`it sweeps at ${effect.value.revision}`);
        return;
      case 'put':
      case 'delete':
        assert(false, 'puts and deletes are applied where they lie');
        return;
      case 'place':
        return this.#refuse('it tells a place of the shared log');
      case undefined:
        return this.#refuse(
          'it has an effect that this version does not know; use the version that wrote it',
        );
    }
  }

  #changeLease(change: LeaseChange): void {
    this.#context.leases.applyAll([change], (this.#undo ??= []));
  }

  #refuse(fault: string | undefined): void {
    // The text is made for a fault alone.
    if (fault !== undefined)
      refuse(`what follows revision ${this.#context.committer.lastRevision} in the shared log`, fault);
  }
}

const NO_CHANGES: readonly PlannedChange[] = [];

/** The log does not tell the two apart. */
function grantOrRenewal(lease: LeaseEffectShape, leases: LeaseTable): LeaseChange {
  return { ...lease, kind: leases.get(lease.leaseId) === undefined ? 'grant' : 'renew' };
}

function leaseEnd(leaseId: number): LeaseChange {
  return { kind: 'end', leaseId, ttlMs: 0, deadlineMs: 0, owner: '' };
}
