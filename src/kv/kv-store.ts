/**
 * The store as a program has it: calls with promises, each a function over a view of the seam (`writes.ts`, `txn.ts`,
 * `reads.ts`, `leases.ts`). A result goes out when what it may depend on is durable.
 *
 * That arguments are of their kind (whole numbers, times to live within their bounds, text) is checked by those who call this:
 * `CheckedStore` for programs, the server's `request-fields.ts` for requests. What depends on the store, and how long keys,
 * values and lists may be, is checked here and below.
 */
import type { CollectionKind, CollectionOperation, CollectionResult } from '../api-collections.ts';
import type * as api from '../api.ts';
import { noOptions } from '../arguments/shape.ts';
import { bytesOf } from '../arguments/value.ts';
import type { Clock, Random } from '../clock.ts';
import { Hashes } from '../collections/hash.ts';
import { Lists } from '../collections/list.ts';
import { Sets } from '../collections/set.ts';
import { Sketches } from '../collections/sketch.ts';
import { SortedSets } from '../collections/sorted-set.ts';
import { cluster, fixed } from '../limits.ts';
import type { Held } from '../paged-list.ts';
import type { EngineRange } from '../engine/engine.ts';
import { StoreError } from '../errors.ts';
import type { Answer } from '../store/commit/acknowledgements.ts';
import type { DurableStore } from '../store/durable-store.ts';
import type { Replica } from '../store/replication/replication.ts';
import type { Seam, StateAt } from '../store/seam.ts';
import { toDeletedRange, toEngineRange } from '../store/views/range.ts';
import type { StoreFigures } from '../store/figures.ts';
import type { ReadView, View } from '../store/views/view.ts';
import { TurnLine } from '../store/turn-line.ts';
import type { PulledWatch, WatchForm, WatchReader } from '../store/watch/messages/pulled-watch.ts';
import { failedWatch } from '../store/watch/watch-start.ts';
import { prepareOperation } from './collections/operation.ts';
import { StoreDoor } from './collections/store-door.ts';
import { CallGroup } from './turns/call-group.ts';
import { DeleteCall, FunctionCall, NewestCall, PutCall, ReadCall } from './turns/calls-of-one-key.ts';
import { keptArguments, keptConditional, keptKey } from './turns/kept-arguments.ts';
import { type CallOwner, GroupWait } from './turns/room-waits.ts';
import { KeyFetcher } from './reads/key-fetcher.ts';
import { getLease, grantLease, listKeys, listLeases, renewLease, revokeLease } from './leases.ts';
import type { LeaseReads } from '../store/leases/lease-table.ts';
import { meanOfFirst, meanValueBytes } from './reads/mean-value.ts';
import type { ChargedPage } from './reads/page-limit.ts';
import { RangeStream, type RangeStreamOptions } from './reads/range-stream.ts';
import {
  type ChoosePart,
  countPinned,
  exists,
  get,
  getMany,
  getPart,
  keys,
  type MatchingPage,
  scan,
} from './reads/reads.ts';
import { isPlainGet } from './turns/plain-gets.ts';
import { isPlainPut } from './turns/plain-puts.ts';
import { runTxn } from './writes/txn.ts';
import type { TurnCall } from './turns/turn-call.ts';
import { Turn } from './turns/turn.ts';
import { deleteRange, getRefreshing, increment, touch } from './writes/writes.ts';
import type { WorkBudget } from '../work-budget.ts';
import { deletePart, partlyDeleted, withPart } from './writes/delete-in-parts.ts';

/** To copy the name of a key takes so much less than to look at one. */
const LEASE_KEYS_PER_VISIT = 8;

export interface KvStoreParts {
  readonly store: DurableStore;
  readonly clock: Clock;
  readonly random: Random;
}

export class KvStore implements api.Store {
  readonly storeId: string;
  readonly failed: Promise<Error>;
  readonly hash: Hashes;
  readonly list: Lists;
  readonly set: Sets;
  readonly sortedSet: SortedSets;
  readonly sketch: Sketches;
  readonly #store: DurableStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #fetcher: KeyFetcher;
  readonly #turn: Turn;
  /** The calls that are too long for one turn of the event loop. */
  readonly #longCalls: TurnLine;

  constructor({ store, clock, random }: KvStoreParts) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#fetcher = new KeyFetcher((fetched, count) => store.fetch(fetched, count));
    this.#turn = new Turn({ store, fetcher: this.#fetcher, clock });
    this.#longCalls = new TurnLine(clock);
    this.storeId = store.storeId;
    this.failed = store.failed;
    const collections = new StoreDoor(this);
    this.hash = new Hashes(collections);
    this.list = new Lists(collections);
    this.set = new Sets(collections);
    this.sortedSet = new SortedSets(collections);
    this.sketch = new Sketches(collections);
  }

  /** That of the store, for doors that share out the time of a turn. */
  get clock(): Clock {
    return this.#clock;
  }

  /** For doors that run functions over a view and answer without promises: what this stands on itself. */
  get seam(): Seam &
    Pick<
      DurableStore,
      | 'atOneInstant'
      | 'status'
      | 'isDeciding'
      | 'readAll'
      | 'putAll'
      | 'changeElements'
      | 'takesRows'
      | 'deadlineSums'
      | 'memoryPolicy'
    > &
    Replica {
    return this.#store;
  }

  /** A hint: brings what calls of several keys need, made in this turn, into the processor's cache together. */
  fetch(keyList: readonly api.Key[]): void {
    for (const key of keyList) this.#fetcher.add(key);
    this.#fetcher.run();
  }

  /** What `get` without `refreshTtl` resolves with, at once. */
  getVisible(key: api.Key, revision: number): api.GetResult {
    const result = get(this.#store, key, { revision });
    this.#turn.note(this.#store.readWork);
    return result;
  }

  /** For doors: a read of visible state, at once, unless `isResting` says that it should wait. */
  readAtOnce<Result>(run: (view: ReadView) => Result): Result {
    const result = this.#store.readVisible(run);
    this.#turn.note(this.#store.readWork);
    return result;
  }

  /** For doors: whether calls wait since others of this turn have done much, so that what is read at once should wait with them. */
  get isResting(): boolean {
    return this.#turn.isResting;
  }

  /** @param owner for doors, here and below: what ends the call while it waits for room, so that it changes nothing. */
  get(key: api.Key, options: api.GetOptions = noOptions, owner?: CallOwner): Promise<api.GetResult> {
    if (options.refreshTtl === true) {
      const run = (view: View, kept: { readonly key: api.Key; readonly options: api.GetOptions }) =>
        getRefreshing(view, kept.key, kept.options);
      return this.#decide({ key, options }, run, owner);
    }
    if (this.#turn.begin()) return this.#readNow(() => get(this.#store, key, options));
    if (isPlainGet(options)) return this.#turn.get(keptKey(key));
    return this.#read({ key, options }, (kept) => get(this.#store, kept.key, kept.options));
  }

  /** For doors that send a part of a value, or nothing of it: `choose` says which, before that is copied. */
  getPart(key: api.Key, revision: number, choose: ChoosePart): Promise<api.GetResult> {
    return this.#read(key, (kept) => getPart(this.#store, kept, revision, choose));
  }

  /** All at one revision. */
  getMany(keyList: readonly api.Key[], options: api.GetManyOptions = {}): Promise<api.GetManyResult> {
    return this.#read({ keyList, options }, (kept) =>
      getMany(this.#store, this.#fetcher, kept.keyList, kept.options),
    );
  }

  put(
    key: api.Key,
    value: api.Value,
    options: api.PutOptions = noOptions,
    owner?: CallOwner,
  ): Promise<api.PutResult> {
    if (this.#turn.begin()) return this.#run(new PutCall(key, bytesOf(value), options, owner));
    // The caller may use its buffers again as soon as it has the promise.
    const keptValue = this.#turn.keep(value);
    return isPlainPut(options)
      ? this.#turn.put(keptKey(key), keptValue, owner)
      : this.#queue(new PutCall(keptKey(key), keptValue, keptConditional(options), owner));
  }

  delete(key: api.Key, options: api.DeleteOptions = {}): Promise<api.DeleteResult> {
    if (this.#turn.begin()) return this.#run(new DeleteCall(key, options));
    return this.#queue(new DeleteCall(keptKey(key), keptConditional(options)));
  }

  deleteRange(range: api.DeletedRange, options: api.DeleteRangeOptions = {}): Promise<api.DeleteRangeResult> {
    if (options.inParts === true) return this.#deleteInParts(range, options.signal);
    return this.#decide(range, (view, kept) => deleteRange(view, toDeletedRange(kept)));
  }

  exists(keyList: readonly api.Key[]): Promise<api.ExistsResult> {
    return this.#read(keyList, (kept) => this.#store.readVisible((view) => exists(view, kept)));
  }

  /** What `exists` resolves with, at once. */
  existsVisible(keyList: readonly api.Key[]): api.ExistsResult {
    return this.readAtOnce((view) => exists(view, keyList));
  }

  scan(
    range: api.KeyRange,
    options: api.ScanPageOptions & ChargedPage & MatchingPage = {},
  ): Promise<api.ScanPage> {
    return this.#read({ range, options }, (kept) => scan(this.#store, kept.range, kept.options));
  }

  /**
   * The entries of a range at one revision, in chunks. Keeps nothing of `range`, and throws for one that is none; what else
   * `scan` rejects with is thrown by the iteration.
   */
  scanStream(range: api.KeyRange, options: RangeStreamOptions): AsyncIterableIterator<api.ScanPage> {
    return new RangeStream(this.#store, range, options, this.#longCalls);
  }

  /** @param options of doors: `isLocal` as for `newestOrVisible`. */
  async count(
    range: api.KeyRange,
    options: api.CountOptions & CallOwner & { readonly isLocal?: boolean } = {},
  ): Promise<api.CountResult> {
    const store = this.#store;
    const { revision = 0, signal } = options;
    // The caller may use its buffers again as soon as it has the promise.
    const engineRange = toEngineRange(range);
    const countAt = async (state?: StateAt): Promise<api.CountResult> => {
      const turn = this.#longCalls.begin(signal);
      if (turn !== undefined) await turn;
      return await countPinned(store.pin(state), engineRange, () => this.#longCalls.next(signal));
    };
    if (revision !== 0) return await countAt({ revision, instantMs: 0 });
    // A read does not wait for room in memory, behind calls that do.
    if (store.isHoldingOrder) return await countAt();
    const newest = this.readNewest(engineRange, (view, kept) => ({
      count: view.count(kept),
      revision: view.revision,
    }));
    if (options.isLocal === true) return await this.newestOrVisible(newest, countAt);
    try {
      return await newest;
    } catch (error) {
      // The ranks are those of the newest state, which a failed log never brings to disk.
      if (store.failure === undefined) throw error;
      return await countAt();
    }
  }

  /** How long values are on average, in bytes: of a sample where there are many. */
  async meanValueBytes(): Promise<number> {
    const store = this.#store;
    try {
      return await this.readNewest(undefined, meanValueBytes);
    } catch (error) {
      // As with a count, whose ranks are those of the newest state.
      if (store.failure === undefined) throw error;
      return store.readVisible(meanOfFirst);
    }
  }

  /**
   * For doors: a read of what the newest state alone tells at once, such as ranks, behind the calls made before. It goes out when what it
   * depends on is durable. @param given what the caller may change afterwards.
   */
  readNewest<Given, Result>(given: Given, run: (view: View, given: Given) => Result): Promise<Result> {
    const isNow = this.#turn.beginAlone();
    const call = new NewestCall(isNow ? given : keptArguments(given), run, undefined);
    return isNow ? this.#run(call) : this.#queue(call);
  }

  /**
   * For doors: what a read of the newest state resolves with; or, where that is not durable soon, or never, what `visible` reads of the
   * visible one.
   */
  async newestOrVisible<Result>(newest: Promise<Result>, visible: () => Promise<Result>): Promise<Result> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = this.#clock.setTimer(cluster.newestMsMax, () => resolve(undefined));
    try {
      const first = await Promise.race([newest.then((result) => ({ result })), late]);
      if (first !== undefined) return first.result;
    } catch (error) {
      if (this.#store.failure === undefined) throw error;
    } finally {
      timer.cancel();
    }
    newest.catch(() => undefined);
    return await visible();
  }

  /**
   * For doors: reads one state piece by piece, leaving the event loop free between them, while `piece` returns true: there is more
   * to read. Each has a budget of its own. Rejects as `pin` throws, and with the signal's reason.
   * @param state left out: the visible one.
   */
  async readInPieces(
    piece: (view: ReadView) => boolean,
    { state, signal }: CallOwner & { readonly state?: StateAt | undefined },
  ): Promise<void> {
    const turn = this.#longCalls.begin(signal);
    if (turn !== undefined) await turn;
    const pin = this.#store.pin(state);
    const next = (): boolean =>
      pin.read((view) => {
        view.budget.begin(fixed.pageVisitsMax);
        return piece(view);
      });
    try {
      while (next()) await this.#longCalls.next(signal);
    } finally {
      pin.release();
    }
  }

  /**
   * For reads of several calls: keeps a revision (0: the visible one) and all after it readable, for as long as a long reply may. The caller releases
   * it. `undefined`: it can't be kept, and what is read there tells why.
   */
  hold(revision: number): Held | undefined {
    try {
      return this.#store.pin(revision === 0 ? undefined : { revision, instantMs: 0 });
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  keys(pattern: string, options: api.PageOptions & ChargedPage = {}): Promise<api.KeysPage> {
    return this.#read(options, (kept) => keys(this.#store, pattern, kept));
  }

  increment(
    key: api.Key,
    delta: bigint | number,
    options: api.IncrementOptions = {},
    owner?: CallOwner,
  ): Promise<api.IncrementResult> {
    return this.#decide(
      { key, options },
      (view, kept) => increment(view, kept.key, delta, kept.options.ttlMs),
      owner,
    );
  }

  touch(key: api.Key, options: api.TouchOptions = {}, owner?: CallOwner): Promise<api.TouchResult> {
    return this.#decide({ key, options }, (view, kept) => touch(view, kept.key, kept.options.ttlMs), owner);
  }

  txn(request: api.TxnRequest, owner?: CallOwner): Promise<api.TxnResult> {
    return this.#decide(request, (view, kept) => runTxn(view, kept, this.#random), owner);
  }

  /** For doors: an operation on a collection as a call of its own. @param admit called with what it answers before it takes effect. */
  operate<Kind extends CollectionKind>(
    operation: CollectionOperation<Kind>,
    admit?: api.Admit<CollectionResult<Kind>>,
    owner?: CallOwner,
  ): Promise<{ readonly result: CollectionResult<Kind>; readonly revision: number }> {
    const run = (view: View, kept: CollectionOperation<Kind>) => {
      const result = prepareOperation(kept, this.#random)(view);
      admit?.(result);
      return { result, revision: view.replyRevision };
    };
    return this.#decide(operation, run, owner);
  }

  /** For doors: a read of visible or older states, behind the calls made before. @param given what the caller may change afterwards. */
  readSeam<Given, Result>(given: Given, read: (seam: Seam, given: Given) => Result): Promise<Result> {
    return this.#read(given, (kept) => read(this.#store, kept));
  }

  /** As `decide`. @param given what the caller may change afterwards. */
  decideWith<Given, Result>(
    given: Given,
    run: (view: View, given: Given) => Result,
    owner?: CallOwner,
  ): Promise<Result> {
    return this.#decide(given, run, owner);
  }

  watch(request: api.WatchRequest = {}): AsyncIterableIterator<api.WatchMessage> {
    try {
      return this.#store.watch(request);
    } catch (error) {
      return failedWatch(error);
    }
  }

  /** A watch without promises, for doors: see `PulledWatch`. Throws what `watch` would throw at its first step. */
  openWatch<Item>(request: api.WatchRequest, form: WatchForm<Item>, reader: WatchReader): PulledWatch<Item> {
    return this.#store.openWatch(request, form, reader);
  }

  /** @param owner for doors: the user that it belongs to; '': none. */
  grantLease(ttlMs: number, leaseId = 0, owner = ''): Promise<api.LeaseGrant> {
    return this.#decide(undefined, (view) =>
      grantLease(view, this.#random, { ttlMs, wantedId: leaseId, owner }),
    );
  }

  /** For doors: the user that granted a lease of the newest state, '' where none did; `undefined`: there is no such lease. */
  leaseOwner(leaseId: number): string | undefined {
    return this.#store.leaseOwner(leaseId);
  }

  renewLease(leaseId: number): Promise<{ readonly ttlMs: number }> {
    return this.#decide(leaseId, renewLease);
  }

  revokeLease(leaseId: number): Promise<api.DeleteRangeResult> {
    return this.#decide(leaseId, revokeLease);
  }

  async getLease(
    leaseId: number,
    options: api.GetLeaseOptions & ChargedPage & CallOwner = {},
  ): Promise<api.Lease> {
    const kept = keptArguments(options);
    const { includeKeys = false, signal } = kept;
    const { lease, keys } = await this.#readLeases(
      (leases) => getLease(leases, leaseId, kept),
      (found) => found.keys.length / LEASE_KEYS_PER_VISIT,
    );
    return includeKeys ? { ...lease, keys: await listKeys(keys, () => this.#longCalls.next(signal)) } : lease;
  }

  listLeases(options: api.PageOptions & ChargedPage = {}): Promise<api.LeasePage> {
    const kept = keptArguments(options);
    return this.#readLeases(
      (leases) => listLeases(leases, kept),
      (page) => page.leases.length,
    );
  }

  /** What was counted since the store was opened. */
  figures(): StoreFigures {
    const figures = this.#store.figures();
    const restCounts = {
      calls: this.#turn.restCount,
      long_reads: this.#longCalls.waitCount,
      ...figures.restCounts,
    };
    return { ...figures, restCounts };
  }

  async status(): Promise<api.StoreStatus> {
    return this.#store.status();
  }

  async snapshot(): Promise<{ readonly revision: number; readonly bytes: number }> {
    const behind = this.#turn.inTurn(() => undefined);
    if (behind !== undefined) await behind;
    return await this.#store.snapshot();
  }

  backup(): AsyncIterableIterator<Uint8Array> {
    this.#turn.finish();
    return this.#store.backup();
  }

  async compact(revision: number): Promise<{ readonly oldestRevision: number }> {
    if (revision === 0) throw new StoreError('invalidArgument', 'compact takes a revision from 1 on');
    return await this.#store.compact(revision);
  }

  compactStorage(): Promise<api.StorageSizes> {
    return this.#store.compactStorage();
  }

  close(options: api.CloseOptions = {}): Promise<void> {
    this.#turn.finish();
    return this.#store.close(options);
  }

  /**
   * For doors that answer many calls at once, and need no promise for each: runs `run`, which decides one behind the other, behind
   * all calls made before and at one reading of the clock.
   * @param sequence that of the group before, whose results go out first; 0: there was none.
   * @param budget what the group may do; its caller stops when that is spent.
   */
  together(sequence: number, budget: WorkBudget, run: (group: CallGroup) => void): CallGroup {
    this.#turn.finish();
    const group = new CallGroup(this.#store, sequence, budget);
    this.#store.atOneInstant(() => run(group));
    return group;
  }

  /**
   * For doors: runs a transaction of theirs, behind the calls made before. Its result, or its error, goes out when what it may depend on
   * is durable.
   * @param run holds nothing that its caller changes afterwards.
   */
  decide<Result>(run: (view: View) => Result, owner?: CallOwner): Promise<Result> {
    return this.#decide(undefined, run, owner);
  }

  /** For doors that decide `together`: how the first call of a group waits that is refused for want of memory. */
  groupWait(signal: AbortSignal): GroupWait {
    return new GroupWait(this.#store, signal);
  }

  /** For doors: no write waits for room in memory any more. */
  stopWaiting(): void {
    this.#store.stopWaiting();
  }

  /** The newest revision that can be read. */
  get visibleRevision(): number {
    return this.#store.visibleRevision;
  }

  /** The oldest revision that can be read. */
  get oldestRevision(): number {
    return this.#store.oldestRevision;
  }

  /** Whether a write of late found no memory, and still would not. */
  get isFull(): boolean {
    return this.#store.isFull;
  }

  /** For doors that name incarnations by their first digits: the newest of those; '' when none is known. */
  incarnationWith(head: string): string {
    return this.#store.incarnationWith(head);
  }

  /** The incarnation that wrote a revision; '' when none did, or that is not known any more. */
  incarnationOf(revision: number): string {
    return this.#store.incarnationOf(revision);
  }

  /**
   * For doors: runs a function, which calls `together`, behind all calls made before, some of which may rest.
   * @returns `undefined`: it has run; else resolves when it has, or rejects with what it throws.
   */
  inTurn(run: () => void): Promise<void> | undefined {
    return this.#turn.inTurn(run);
  }

  /**
   * Runs a transaction behind those that wait; its result, or its error, goes out when what it may depend on is durable.
   * @param given what the caller may change as soon as it has the promise.
   */
  #decide<Given, Result>(
    given: Given,
    run: (view: View, given: Given) => Result,
    owner?: CallOwner,
  ): Promise<Result> {
    const isNow = this.#turn.beginAlone();
    const call = new FunctionCall(isNow ? given : keptArguments(given), run, owner);
    return isNow ? this.#run(call) : this.#queue(call);
  }

  #run<Result>(call: TurnCall & Answer<Result>): Promise<Result> {
    this.#turn.run(call);
    return call.promise;
  }

  /** @param call holds nothing that its caller may change. */
  #queue<Result>(call: TurnCall & Answer<Result>): Promise<Result> {
    this.#turn.queue(call);
    return call.promise;
  }

  /** Runs a read of visible state. @param given as for `#decide`. */
  #read<Given, Result>(given: Given, read: (given: Given) => Result): Promise<Result> {
    if (this.#turn.beginRead()) return this.#readNow(() => read(given));
    const kept = keptArguments(given);
    return this.#queue(new ReadCall(() => read(kept)));
  }

  /**
   * Runs a read of leases behind the calls made before.
   * @param visitsOf what its result has cost, in visits.
   */
  #readLeases<Result>(
    read: (leases: LeaseReads) => Result,
    visitsOf: (result: Result) => number,
  ): Promise<Result> {
    let visitsSpent = 1;
    const run = (): Promise<Result> =>
      this.#store.readLeases((leases) => {
        const result = read(leases);
        visitsSpent = 1 + visitsOf(result);
        return result;
      });
    if (this.#turn.beginAlone()) {
      const result = run();
      this.#turn.note({ visitsSpent, bytesSpent: 0 });
      return result;
    }
    const { promise, resolve } = Promise.withResolvers<Result>();
    this.#turn.queue({
      run: () => {
        resolve(run());
        return { visitsSpent, bytesSpent: 0 };
      },
    });
    return promise;
  }

  #readNow<Result>(read: () => Result): Promise<Result> {
    try {
      return Promise.resolve(read());
    } catch (error) {
      return Promise.reject(error);
    } finally {
      this.#turn.note(this.#store.readWork);
    }
  }

  /** Each part is a transaction, and waits until the part before is durable: so the log's buffer does not fill up. */
  async #deleteInParts(
    range: api.DeletedRange,
    signal: AbortSignal | undefined,
  ): Promise<api.DeleteRangeResult> {
    const { start, end } = toDeletedRange(range);
    let done: api.DeleteRangeResult = { firstRevision: 0, revision: 0, deletedCount: 0 };
    for (let next: Uint8Array | undefined = start; next !== undefined;) {
      const rest: EngineRange = { start: next, end };
      try {
        // The first part has its place among the calls of its turn.
        if (next !== start) await this.#longCalls.next(signal);
        const part = await this.#decide(rest, (view, kept) => {
          // A part may have to wait for its turn.
          signal?.throwIfAborted();
          return deletePart(view, kept);
        });
        done = withPart(done, part);
        next = part.nextKey;
        if (next !== undefined) await this.#memoryGivenBack();
      } catch (error) {
        throw done.deletedCount === 0 ? error : partlyDeleted(done, error);
      }
    }
    return done;
  }

  /** Resolves when what the last part has taken beyond the limit of memory is given back, or after some turns. */
  async #memoryGivenBack(): Promise<void> {
    for (let turn = 0; this.#store.owesMemory && turn < fixed.deletePartTurnsMax; turn++) await this.pause();
  }

  /** For layers of functions over a view: runs one as a transaction of its own, behind the calls made before. */
  transact<Result>(run: (view: View) => Result): Promise<Result> {
    return this.#decide(undefined, run);
  }

  /** For the same: reads the visible state now. */
  readVisible<Result>(run: (view: ReadView) => Result): Result {
    return this.#store.readVisible(run);
  }

  /** For doors: resolves when other work has had its turn, to all that wait for it at the same time. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.yieldNow(resolve));
  }
}
