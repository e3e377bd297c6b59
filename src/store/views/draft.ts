/**
 * One transaction while it is being put together: the newest state (visible or not), with the transaction's own changes laid
 * over it. Nothing is changed until the draft is committed; one that is not committed never was.
 *
 * There is one object for all transactions, one after the other: `begin`, the calls of a `View`, the commit, `end`.
 *
 * Invariant: a change is a `put` or a `touch` of an entry, or the `delete` of one that there was before the transaction.
 */
import type { DeleteReason } from '../../api.ts';
import type { Engine, EngineRange, Visit } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import { assert, StoreError } from '../../errors.ts';
import { fixed, limitName, type Limits } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { WorkBudget } from '../../work-budget.ts';
import type { CollectionIds } from '../collections/collection-ids.ts';
import { sweptKey } from '../collections/collection-keys.ts';
import { orphansOf } from '../collections/orphans.ts';
import type { MemoryLimit } from '../history/memory-limit.ts';
import type { LeaseChange } from '../leases/lease-change.ts';
import { LeaseDraft, leaseNotFound } from '../leases/lease-draft.ts';
import type { KeyObserver } from '../key-observer.ts';
import type { LeaseTable } from '../leases/lease-table.ts';
import { bytesOf, ChangeRow } from './change-row.ts';
import { fromKeyText, toKeyText, type KeyText } from './keys.ts';
import { MergedState } from './merged-state.ts';
import { isOverdue } from './overdue.ts';
import type { PlannedChange } from './planned-change.ts';
import { boundBytesOf } from './range.ts';
import { hasElementsAlone, holdsUserData, isEngineKey } from './regions.ts';
import { Seen } from './seen.ts';
import { UnpaidVisits } from './unpaid-visits.ts';
import type { DeletedEntries, ExpiringView, LeaseView, PutOptions, RangeLimits, Savepoint } from './view.ts';

/** Reads the newest version of all. */
export const NEWEST = fixed.integerMax;

export interface DraftContext {
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly limits: Limits;
  /** What the log takes as one record. */
  readonly recordBytesMax: number;
  readonly memory: MemoryLimit;
  readonly collectionIds: CollectionIds;
  /** Wall time that does not go back. */
  nowMs(): number;
  readonly keyObserver?: KeyObserver | undefined;
}

/** The keys of a lease that are fetched together as it ends. */
const FETCHED_MAX = 64;

const NO_OPTIONS: PutOptions = {};
const NO_LIMITS: RangeLimits = { keysMax: Infinity, bytesMax: Infinity };

export class Draft implements ExpiringView {
  readonly budget = new WorkBudget();
  readonly #context: DraftContext;
  readonly #unpaid: UnpaidVisits;
  readonly #leases: LeaseDraft;
  readonly #merged: MergedState;
  readonly #changes: ChangeRow;
  #isOpen = false;
  #revision = 0;
  /** 0: the clock has not been read. */
  #instantMs = 0;
  /** What was looked up first, which mostly is a collection's metadata, that is written last; and what was looked up last. */
  readonly #firstSeen = new Seen();
  readonly #lastSeen = new Seen();
  /** By lease; made when the transaction ends its first one, and kept up from then on. */
  #attached: Map<number, Set<KeyText>> | undefined;
  /** The first id of a collection that this transaction was given; infinite: none. */
  #firstNewId = Infinity;
  /** Whether a change has another collection than its key had before: without, no collection can be left without a key. */
  #movesCollections = false;
  #orphanIds: readonly number[] = NO_IDS;
  /** Whether it removes what is overdue: then what it writes asks for no room. */
  #isExpiring = false;
  /** The scans that are under way, one within the other. */
  #scanCount = 0;

  constructor(context: DraftContext) {
    this.#context = context;
    this.#leases = new LeaseDraft(context.leases, context.limits);
    this.#unpaid = new UnpaidVisits(context.engine, this.budget);
    const merged = new MergedState(context.engine);
    this.#merged = merged;
    this.#changes = new ChangeRow((key, change) => {
      merged.noteChange(key, change, this.#instant);
      if (change !== undefined) this.#noteAttached(change);
    });
  }

  /**
   * What it does is paid from `budget`, which the caller begins.
   * @param revision the newest that was taken.
   */
  begin(revision: number): void {
    this.#isOpen = true;
    this.#unpaid.begin();
    this.#revision = revision;
    this.#instantMs = 0;
  }

  /**
   * The transaction is done: collections that it leaves without a key are marked to be swept. No limit stands against that, nor
   * is it paid for: what removes a key, if only its time, must be able to.
   */
  seal(): void {
    if (this.#movesCollections || this.#firstNewId !== Infinity) this.#markOrphans();
    this.#changes.seal();
  }

  #markOrphans(): void {
    const orphanIds = [...orphansOf(this.#changes.all, this.#firstNewId)];
    for (const id of orphanIds) this.#note(undefined, this.#mark(id));
    this.#orphanIds = orphanIds;
  }

  /** The collections that it leaves without a key, once it is sealed. */
  get orphanIds(): readonly number[] {
    return this.#orphanIds;
  }

  /** Drops the changes. */
  end(): void {
    this.#isOpen = false;
    this.#unpaid.pay();
    this.#changes.clear();
    this.#firstSeen.clear();
    this.#lastSeen.clear();
    this.#attached = undefined;
    this.#firstNewId = Infinity;
    this.#movesCollections = false;
    this.#isExpiring = false;
    this.#orphanIds = NO_IDS;
    this.#leases.end();
    this.#merged.end();
  }

  get revision(): number {
    return this.#revision;
  }

  get nextRevision(): number {
    return this.#revision + 1;
  }

  get replyRevision(): number {
    return this.#changes.count === 0 ? this.#revision : this.nextRevision;
  }

  payEngine(): boolean {
    this.#unpaid.pay();
    return !this.budget.isSpent;
  }

  get changeCount(): number {
    return this.#changes.count;
  }

  get instantMs(): number {
    return (this.#instantMs ||= this.#context.nowMs());
  }

  /** What it changes of keys. */
  get changes(): readonly PlannedChange[] {
    return this.#changes.all;
  }

  /** What it changes of leases. */
  get leaseChanges(): readonly LeaseChange[] {
    return this.#leases.changes;
  }

  read(key: Uint8Array): Version | undefined {
    this.#context.keyObserver?.keyRead(key);
    const change = this.#drafted(key);
    const entry = change === undefined ? this.#present(this.#lookUp(key, true)) : entryOf(change);
    if (entry === undefined) return undefined;
    this.budget.spendBytes(entry.value.length);
    // What the transaction itself has written is in buffers of the door's.
    return change === undefined ? entry : { ...entry, value: new Uint8Array(entry.value) };
  }

  readMeta(key: Uint8Array): Version | undefined {
    const change = this.#drafted(key);
    if (change === undefined) return this.#present(this.#lookUp(key, false));
    return change.deleted ? undefined : withoutValue(change);
  }

  scan(range: EngineRange, reverse: boolean, visit: Visit): Uint8Array | undefined {
    this.#scanCount++;
    this.budget.spendKeyBytes(boundBytesOf(range));
    try {
      return this.#merged.scan(this, range, reverse, visit);
    } finally {
      this.#scanCount--;
    }
  }

  rank(range: EngineRange, key: Uint8Array): number {
    this.#spend(boundBytesOf(range) + key.length);
    return this.#merged.rank(this, range, key);
  }

  select(range: EngineRange, index: number): Uint8Array | undefined {
    this.#spend(boundBytesOf(range));
    return this.#merged.select(this, range, index);
  }

  selectAll(range: EngineRange, places: Float64Array): Uint8Array[] {
    const bytes = boundBytesOf(range);
    this.budget.spendVisits(places.length);
    this.#spend(bytes);
    const keys = this.#merged.selectAll(this, range, places);
    this.#unpaid.pay();
    for (const key of keys) this.budget.spendKeyBytes(key.length);
    if (this.budget.isSpent) {
      const isOnDisk = this.selectVisits > fixed.selectVisits;
      throw isOnDisk ? placesSpent(this.budget, places.length) : budgetSpent(this.budget);
    }
    return keys;
  }

  get selectVisits(): number {
    return this.#context.engine.selectVisits;
  }

  count(range: EngineRange): number {
    this.#spend(boundBytesOf(range));
    return this.#merged.count(this, range);
  }

  put(key: Uint8Array, value: Uint8Array, options = NO_OPTIONS): Version {
    const { limits, memory } = this.#context;
    // Whatever writes the store's own keys bounds them, and they must be written in a store that is full, too.
    const isUsers = holdsUserData(key);
    if (isUsers && value.length > limits.valueBytesMax) {
      throw new StoreError(
        'invalidArgument',
        `the value is ${value.length} bytes long; at most ${limits.valueBytesMax} are allowed (${limitName('valueBytesMax')})`,
      );
    }
    const { ttlMs = 0, leaseId = 0, kind = 0, collectionId = 0, expireTimeMs } = options;
    assert(isEngineKey(key), 'a key is one that the engine may have: `regions.ts` says which');
    assert(
      expireTimeMs === undefined || expireTimeMs === 0 || expireTimeMs > this.instantMs,
      'an entry is not written past its deadline: it is deleted',
    );
    const change = this.#drafted(key);
    // An overdue entry that the transaction itself has removed was absent all the same.
    const stored = change === undefined || change.reason === 'expired' ? this.#stored(key) : undefined;
    const isOverdueBelow = stored !== undefined && isOverdue(stored, this.instantMs);
    const current = change === undefined ? this.#present(stored) : entryOf(change);
    if (leaseId !== 0 && leaseId !== current?.leaseId) this.#checkLease(leaseId, key.length);
    this.#payWrite(key);
    if (isUsers && !this.#isExpiring) memory.admit(this.#changes.bytes + key.length + value.length);
    const revision = this.nextRevision;
    return this.#plan(change, {
      type: 'put',
      key,
      value,
      revision,
      deleted: false,
      kind,
      collectionId,
      createRevision: current?.createRevision ?? revision,
      modRevision: revision,
      version: (current?.version ?? 0) + 1,
      leaseId,
      ttlMs,
      expireTimeMs: expireTimeMs ?? this.#deadline(ttlMs),
      reason: undefined,
      hadEntry: !isOverdueBelow && (change?.hadEntry ?? stored !== undefined),
      replacedExpired: isOverdueBelow || change?.replacedExpired === true,
      previousLeaseId: change?.previousLeaseId ?? stored?.leaseId ?? 0,
      previousCollectionId: change?.previousCollectionId ?? stored?.collectionId ?? 0,
    });
  }

  delete(key: Uint8Array, reason: DeleteReason = 'requested'): Version | undefined {
    const change = this.#drafted(key);
    const current = change === undefined ? this.#present(this.#stored(key)) : entryOf(change);
    if (current === undefined) return undefined;
    this.#payWrite(key);
    if (change === undefined)
      this.#plan(undefined, this.#deletion(key, reason, current.leaseId, current.collectionId));
    else this.#deleteDrafted(change, reason);
    return change === undefined ? current : withoutValue(current);
  }

  deleteRange(range: EngineRange, limits = NO_LIMITS): DeletedEntries {
    if (limits.keysMax > fixed.txnChangesMax) this.#refuseTooMany(range);
    const mayBeDrafted = this.#changes.count > 0;
    const keys: Uint8Array[] = [];
    const leaseIds: number[] = [];
    const collectionIds: number[] = [];
    let bytes = 0;
    const nextKey = this.scan(range, false, (shown) => {
      const key = shown.copyKey();
      keys.push(key);
      leaseIds.push(shown.leaseId);
      collectionIds.push(shown.collectionId);
      bytes += key.length;
      this.budget.spendKeyBytes(key.length);
      return keys.length < limits.keysMax && bytes < limits.bytesMax;
    });
    // What was just shown is paid, and needs no other look.
    for (const [index, key] of keys.entries()) {
      const change = mayBeDrafted ? this.#changes.get(key) : undefined;
      if (change !== undefined) this.#deleteDrafted(change, 'requested');
      else
        this.#plan(
          undefined,
          this.#deletion(key, 'requested', leaseIds[index] ?? 0, collectionIds[index] ?? 0),
        );
    }
    return { count: keys.length, nextKey };
  }

  deleteElementsAt(range: EngineRange, places: Float64Array): Uint8Array[] {
    assert(hasElementsAlone(range), 'only an element has neither a lease nor a collection of its own');
    if (places.length > fixed.txnChangesMax) throw tooManyChanges();
    const mayBeDrafted = this.#changes.count > 0;
    const keys = this.selectAll(range, places);
    for (const key of keys) {
      const change = mayBeDrafted ? this.#changes.get(key) : undefined;
      if (change === undefined) this.#plan(undefined, this.#deletion(key, 'requested', 0, 0));
      else this.#deleteDrafted(change, 'requested');
    }
    return keys;
  }

  touch(key: Uint8Array, ttlMs: number): Version | undefined {
    const change = this.#drafted(key);
    const current = change === undefined ? this.#present(this.#storedWhole(key)) : entryOf(change);
    if (current === undefined) return undefined;
    this.#payWrite(key);
    this.#context.memory.admit(this.#changes.bytes + key.length + current.value.length);
    return this.#plan(change, {
      type: change?.type ?? 'touch',
      key,
      value: current.value,
      revision: this.nextRevision,
      deleted: false,
      kind: current.kind,
      collectionId: current.collectionId,
      createRevision: current.createRevision,
      modRevision: current.modRevision,
      version: current.version,
      leaseId: current.leaseId,
      ttlMs,
      expireTimeMs: this.#deadline(ttlMs),
      reason: undefined,
      hadEntry: change?.hadEntry ?? true,
      replacedExpired: change?.replacedExpired ?? false,
      previousLeaseId: change?.previousLeaseId ?? current.leaseId,
      previousCollectionId: change?.previousCollectionId ?? current.collectionId,
    });
  }

  expire(key: Uint8Array): boolean {
    const stored = this.#stored(key);
    if (stored === undefined || !isOverdue(stored, this.instantMs)) return false;
    this.#isExpiring = true;
    this.#plan(undefined, this.#deletion(key, 'expired', stored.leaseId, stored.collectionId));
    return true;
  }

  newCollectionId(): number {
    const id = this.#context.collectionIds.take();
    this.#firstNewId = Math.min(this.#firstNewId, id);
    return id;
  }

  lease(leaseId: number): LeaseView | undefined {
    return this.#leases.get(leaseId);
  }

  grantLease(leaseId: number, ttlMs: number, owner = ''): void {
    this.#checkOpen();
    this.#leases.grant(leaseId, ttlMs, owner);
  }

  renewLease(leaseId: number): void {
    this.#checkOpen();
    this.#leases.renew(leaseId);
  }

  endLease(leaseId: number, reason: 'leaseExpired' | 'leaseRevoked'): number {
    this.#spend(0);
    const { engine } = this.#context;
    const mayBeDrafted = this.#changes.count > 0;
    const keys = this.#keysOf(leaseId);
    let count = 0;
    for (const [index, key] of keys.entries()) {
      if (index % FETCHED_MAX === 0) engine.fetch(keys, index, Math.min(index + FETCHED_MAX, keys.length));
      // The limits of a lease bound these, whatever a transaction may have: one that could not end would be there for ever.
      this.budget.visitsLeft--;
      this.budget.spendKeyBytes(key.length);
      const change = mayBeDrafted ? this.#changes.get(key) : undefined;
      if (change !== undefined) {
        if (entryOf(change)?.leaseId !== leaseId) continue;
        this.#deleteDrafted(change, reason, leaseId);
        count++;
        continue;
      }
      const stored = engine.readMeta(key, NEWEST);
      assert(stored?.leaseId === leaseId, 'a key in the set of a lease names that lease');
      const isOver = isOverdue(stored, this.instantMs);
      this.#note(undefined, this.#deletion(key, isOver ? 'expired' : reason, leaseId, stored.collectionId));
      if (!isOver) count++;
    }
    this.#leases.remove(leaseId);
    return count;
  }

  savepoint(): Savepoint {
    return { changeMark: this.#changes.mark(), leaseChangeCount: this.#leases.changes.length };
  }

  rollBack({ changeMark, leaseChangeCount }: Savepoint): void {
    this.#checkUnscanned();
    this.#changes.rollBack(changeMark);
    this.#leases.rollBack(leaseChangeCount);
  }

  readonly #instant = (): number => this.instantMs;

  /** Tells by the engine's count, before any key is gathered, when a range surely has more keys than may be deleted. */
  #refuseTooMany(range: EngineRange): void {
    this.#spend(boundBytesOf(range));
    const { engine } = this.#context;
    // Each becomes a change, whatever the transaction itself has written there, but for those past their deadline.
    const counted = engine.count(range);
    if (counted <= fixed.txnChangesMax) return;
    const overdueCount = engine.due(this.instantMs, fixed.overdueCountedMax + 1).length;
    this.budget.spendVisits(overdueCount);
    const keyCount = counted - overdueCount;
    if (overdueCount > fixed.overdueCountedMax || keyCount <= fixed.txnChangesMax) return;
    throw new StoreError(
      'limitReached',
      `the range has ${overdueCount === 0 ? '' : 'at least '}${keyCount} keys, and a transaction changes at most ${fixed.txnChangesMax}: give smaller ranges`,
    );
  }

  /** What a view that was kept too long has written would go into another transaction. */
  #checkOpen(): void {
    assert(this.#isOpen, 'a view is used within the call that it was given to');
  }

  /** A scan that goes on behind a change of what it goes through would show what is gone, or leave out what is there. */
  #checkUnscanned(): void {
    assert(this.#scanCount === 0, 'nothing is changed while a scan shows what there is');
  }

  /** Pays for a key that is looked at. @param keyBytes of it, and of what else is given. */
  #spend(keyBytes: number): void {
    this.#checkOpen();
    this.#unpaid.pay();
    this.budget.visitsLeft--;
    this.budget.spendKeyBytes(keyBytes);
    if (this.budget.isSpent) throw budgetSpent(this.budget);
  }

  /** Pays for a key that is written, beside the look at it. */
  #payWrite(key: Uint8Array): void {
    this.budget.spendKeyBytes(key.length);
    if (this.budget.isSpent) throw budgetSpent(this.budget);
  }

  /** What the engine has of a key, overdue or not. */
  #lookUp(key: Uint8Array, withValue: boolean): Version | undefined {
    this.#spend(key.length);
    const { engine } = this.#context;
    const stored = withValue ? engine.read(key, NEWEST) : engine.readMeta(key, NEWEST);
    const seen = this.#firstSeen.isFree || this.#firstSeen.isOf(key) ? this.#firstSeen : this.#lastSeen;
    seen.take(key, stored, withValue);
    return stored;
  }

  /** The same without its value, and without another look at a key that was looked up first or last. */
  #stored(key: Uint8Array): Version | undefined {
    const seen = this.#seenOf(key);
    return seen === undefined ? this.#lookUp(key, false) : seen.version;
  }

  /** The same with its value. */
  #storedWhole(key: Uint8Array): Version | undefined {
    const seen = this.#seenOf(key);
    return seen?.isWhole === true ? seen.version : this.#lookUp(key, true);
  }

  #seenOf(key: Uint8Array): Seen | undefined {
    if (this.#lastSeen.isOf(key)) return this.#lastSeen;
    return this.#firstSeen.isOf(key) ? this.#firstSeen : undefined;
  }

  #present(stored: Version | undefined): Version | undefined {
    if (stored === undefined || stored.expireTimeMs === 0) return stored;
    return isOverdue(stored, this.instantMs) ? undefined : stored;
  }

  #deadline(ttlMs: number): number {
    return ttlMs === 0 ? 0 : this.instantMs + ttlMs;
  }

  /** The same, paid for like a look at the engine. */
  #drafted(key: Uint8Array): PlannedChange | undefined {
    const change = this.#changes.get(key);
    if (change !== undefined) this.#spend(key.length);
    return change;
  }

  /** Deletes the entry that a change has left. @param endingLeaseId is about to end. */
  #deleteDrafted(change: PlannedChange, reason: DeleteReason, endingLeaseId = 0): void {
    const { key, hadEntry, previousLeaseId, previousCollectionId } = change;
    if (hadEntry) this.#plan(change, this.#deletion(key, reason, previousLeaseId, previousCollectionId));
    // An overdue version would come to light again, and must not name a lease that has ended.
    else if (
      previousLeaseId !== 0 &&
      (previousLeaseId === endingLeaseId || this.#leases.hasEnded(previousLeaseId))
    )
      this.#note(change, this.#deletion(key, 'expired', previousLeaseId, previousCollectionId));
    else {
      this.#checkUnscanned();
      this.#changes.drop(change);
    }
  }

  #deletion(
    key: Uint8Array,
    reason: DeleteReason,
    previousLeaseId: number,
    previousCollectionId: number,
  ): PlannedChange {
    return {
      type: 'delete',
      key,
      value: NO_BYTES,
      revision: this.nextRevision,
      deleted: true,
      kind: 0,
      collectionId: 0,
      createRevision: 0,
      modRevision: 0,
      version: 0,
      leaseId: 0,
      ttlMs: 0,
      expireTimeMs: 0,
      reason,
      hadEntry: true,
      replacedExpired: false,
      previousLeaseId,
      previousCollectionId,
    };
  }

  /** The change that says that a collection is to be swept. */
  #mark(collectionId: number): PlannedChange {
    const revision = this.nextRevision;
    return {
      ...this.#deletion(sweptKey(collectionId), 'requested', 0, 0),
      type: 'put',
      deleted: false,
      createRevision: revision,
      modRevision: revision,
      version: 1,
      reason: undefined,
      hadEntry: false,
    };
  }

  /** @param before the change of the same key that it takes the place of. */
  #plan(before: PlannedChange | undefined, change: PlannedChange): PlannedChange {
    const bytes = this.#changes.bytes + bytesOf(change) - bytesOf(before);
    const { txnBytesMax } = this.#context.limits;
    if (bytes > txnBytesMax) {
      throw new StoreError(
        'limitReached',
        `the transaction has more than ${txnBytesMax} bytes of keys and values (${limitName('txnBytesMax')}); split it`,
      );
    }
    if (before === undefined && this.#changes.count >= fixed.txnChangesMax) {
      throw tooManyChanges();
    }
    return this.#note(before, change);
  }

  #note(before: PlannedChange | undefined, change: PlannedChange): PlannedChange {
    this.#checkUnscanned();
    if (change.collectionId !== change.previousCollectionId) this.#movesCollections = true;
    this.#changes.put(before, change);
    return change;
  }

  /** All keys that an end of the lease deletes, in key order. */
  #keysOf(leaseId: number): Uint8Array[] {
    const attached = this.#context.leases.get(leaseId)?.keys ?? NO_KEYS;
    const added: KeyText[] = [];
    for (const text of this.#attachedTo(leaseId)) {
      const change = this.#changes.get(fromKeyText(text));
      if (change?.leaseId === leaseId && change.previousLeaseId !== leaseId) added.push(text);
    }
    return [...attached, ...added].sort().map(fromKeyText);
  }

  /** Keys that the transaction has attached to a lease, among them those that it has let go of since. */
  #attachedTo(leaseId: number): ReadonlySet<KeyText> {
    if (this.#attached === undefined) {
      this.#attached = new Map();
      for (const change of this.#changes.all) this.#noteAttached(change);
    }
    return this.#attached.get(leaseId) ?? NO_KEYS;
  }

  #noteAttached({ key, leaseId, previousLeaseId }: PlannedChange): void {
    if (this.#attached === undefined || leaseId === 0 || leaseId === previousLeaseId) return;
    const keys = this.#attached.get(leaseId);
    if (keys === undefined) this.#attached.set(leaseId, new Set([toKeyText(key)]));
    else keys.add(toKeyText(key));
  }

  #checkLease(leaseId: number, keyBytes: number): void {
    if (this.#leases.get(leaseId) === undefined) throw leaseNotFound(leaseId);
    const { leases } = this.#context;
    if (leases.memoryBytes + this.#changes.attachedBytes + keyBytes > fixed.leaseTableBytesMax) {
      throw new StoreError(
        'limitReached',
        `the keys of all leases take ${fixed.leaseTableBytesMax} bytes of memory; no more are allowed. Give keys a time to live of their own`,
      );
    }
    const lease = leases.get(leaseId);
    const drafted = this.#changes.attachedTo(leaseId);
    const attachedCount = (lease?.keys.size ?? 0) + drafted.keyCount;
    if (attachedCount >= fixed.leaseKeysMax) {
      throw new StoreError(
        'limitReached',
        `lease ${leaseId} has ${attachedCount} keys; at most ${fixed.leaseKeysMax} may be attached to one lease. Use several leases`,
      );
    }
    const attachedBytes = (lease?.keyBytes ?? 0) + drafted.keyBytes;
    if (attachedBytes + keyBytes > fixed.leaseKeyBytesMax) {
      throw new StoreError(
        'limitReached',
        `the keys of lease ${leaseId} have ${attachedBytes} bytes; at most ${fixed.leaseKeyBytesMax} are allowed. Use several leases`,
      );
    }
    // One record deletes them all, and the log has to take it: else the lease could never end.
    const { recordBytesMax } = this.#context;
    const endBytes = attachedBytes + keyBytes + (attachedCount + 1) * fixed.deleteEffectBytes;
    if (endBytes > recordBytesMax - fixed.recordHeadBytes) {
      throw new StoreError(
        'limitReached',
        `the end of lease ${leaseId}, which deletes its ${attachedCount} keys and this one, would take ${endBytes} bytes of the log, which takes ${recordBytesMax} at once. Use several leases`,
      );
    }
  }
}

const NO_IDS: readonly number[] = [];
const NO_KEYS: ReadonlySet<KeyText> = new Set();

/** What a change leaves of its key. */
function entryOf(change: PlannedChange): PlannedChange | undefined {
  return change.deleted ? undefined : change;
}

/** What may be handed out of a change whose value lies in a buffer of the door's. */
function withoutValue(version: Version): Version {
  return { ...version, value: NO_BYTES };
}

function tooManyChanges(): StoreError<'limitReached'> {
  return new StoreError(
    'limitReached',
    `the transaction changes more than ${fixed.txnChangesMax} keys; split it into smaller ranges`,
  );
}

/** The same where many elements are found by their places. */
function placesSpent(budget: WorkBudget, count: number): StoreError<'limitReached'> {
  if (budget.bytesLeft <= 0) return budgetSpent(budget);
  budget.refusalCount++;
  return new StoreError(
    'limitReached',
    `the request looks at more than ${fixed.requestVisitsMax} keys as it finds ${count} elements by their places, for which an engine on disk goes through those that lie before each: take fewer at a time, in more transactions`,
  );
}

/** What is refused when a budget is spent; counted there. */
export function budgetSpent(budget: WorkBudget): StoreError<'limitReached'> {
  budget.refusalCount++;
  return new StoreError(
    'limitReached',
    budget.bytesLeft <= 0
      ? `the request reads more than ${fixed.requestBytesMax} bytes of values; read fewer keys at a time`
      : `the request looks at more than ${fixed.requestVisitsMax} keys, of which a long one counts as several (one more for each ${fixed.visitKeyBytes} bytes); give it fewer keys or smaller ranges`,
  );
}
