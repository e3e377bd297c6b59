/**
 * The client: every call of KelpDB, typed, over connections that it makes when it needs them and makes again when
 * they break.
 *
 * ```ts
 * await using client = createClient({ address: '127.0.0.1:7379' });
 * await client.put('greeting', 'hello');
 * const { entry } = await client.get('greeting');
 * console.log(entry?.text());
 * ```
 *
 * Every call rejects with a `KelpError`, whose `code` is one of a closed set; the codes that are particular to a call
 * stand in its comment. Every call has a deadline, which its retries count towards, and takes a signal. What is
 * repeated by itself and what is not stands in `caller.ts`.
 */
import { emptyScanRequest } from '../../gen/kelp/v1/kv_codec.ts';
import type {
  CountResult,
  DeletedRange,
  ExistsResult,
  IncrementResult,
  Key,
  KeyRange,
  Value,
} from '../api.ts';
import { nothingMore } from '../arguments/calls.ts';
import { named, text } from '../arguments/check.ts';
import { deletedRange, delta as isDelta, readRange } from '../arguments/requests.ts';
import { given, noOptions } from '../arguments/shape.ts';
import { isKey, keyList } from '../arguments/key.ts';
import { copyOf, value as isValue } from '../arguments/value.ts';
import { Hashes } from '../collections/hash.ts';
import { Lists } from '../collections/list.ts';
import { Sets } from '../collections/set.ts';
import { Sketches } from '../collections/sketch.ts';
import { SortedSets } from '../collections/sorted-set.ts';
import { fixed, client as limits } from '../limits.ts';
import { PagedList, callsForPages, refusedList } from '../paged-list.ts';
import { Access } from './access.ts';
import { Admin } from './admin.ts';
import { clientOptions, optionsByCall, tlsOptions, txnRequest } from './arguments.ts';
import { invalidArgument, refuse } from './errors/refuse.ts';
import { Cluster } from './cluster.ts';
import { Caller, withLongDeadline } from './calls/caller.ts';
import type { CallTraces } from './calls/call-trace.ts';
import type { CallTransport } from './calls/call-transport.ts';
import { ClusterTransport } from './servers/cluster-transport.ts';
import { Http2Transport } from './transports/http2-transport.ts';
import { kvMethods } from './calls/method.ts';
import type { Pace } from './calls/pace.ts';
import { systemPace } from './calls/pace.ts';
import { UserTransport } from './transports/user-transport.ts';
import type { ClientOptions } from './client-options.ts';
import { ClientDoor } from './collections/client-door.ts';
import { parseAddresses } from './connection/address.ts';
import type { TlsSource } from './connection/socket.ts';
import { Entry, toEntry } from './messages/entry.ts';
import { incompleteReply } from './errors/error.ts';
import { Leases } from './lease.ts';
import { streamOfPages } from './paging/scan.ts';
import { keysOf, toTxnResult } from './messages/reply.ts';
import { checkBytes, toCondition, toKey, toKeyList, toRange, toTtl } from './messages/request.ts';
import { toTxn } from './messages/txn.ts';
import { type Mirror, openMirror, rawView } from './mirror/mirror.ts';
import type { MirrorOptions, MirrorView } from './mirror/types.ts';
import type { Codec } from './namespace/codec.ts';
import {
  type Namespace,
  type NamespaceOptions,
  type OpenMirror,
  openNamespace,
} from './namespace/namespace.ts';
import type {
  CallOptions,
  CountOptions,
  DeleteOptions,
  DeleteRangeOptions,
  DeleteRangeResult,
  DeleteResult,
  GetOptions,
  GetResult,
  IncrementOptions,
  KeysOptions,
  PutOptions,
  PutResult,
  ReadCallOptions,
  ScanOptions,
  TouchOptions,
  TouchResult,
  TxnRequest,
  TxnResult,
  Watch,
  WatchRequest,
} from './messages/types.ts';
import { Recipes } from './recipes/recipes.ts';
import { openWatch } from './watch.ts';

/** Throws a `KelpError` `invalidArgument` when the options make no sense. Connects when the first call is made. */
export function createClient(
  options: ClientOptions,
  pace: Pace = systemPace,
  makeTraces?: (address: string) => CallTraces,
): KelpClient {
  refuse(clientOptions(options));
  const { credentials, deadlineMs = limits.deadlineMs, retries = Number.POSITIVE_INFINITY } = options;
  const transport = transportOf(options, pace);
  const traces = makeTraces?.(transport.address);
  const { consistency, minRevision } = options;
  const demand = given({ consistency, minRevision });
  return new KelpClient(new Caller({ transport, deadlineMs, retries, demand, pace, credentials, traces }));
}

function transportOf(options: ClientOptions, pace: Pace): CallTransport {
  const { address: given = '', addresses: several = [given], transport, tls = false } = options;
  if (transport !== undefined) return new UserTransport(given, transport);
  const addresses = parseAddresses(several, tls !== false);
  const { credentials, allowPlaintextCredentials = false } = options;
  const open = addresses.find(({ isTls, isLocal }) => !isTls && !isLocal);
  if (credentials !== undefined && open !== undefined && !allowPlaintextCredentials) {
    throw invalidArgument(
      `credentials would go to ${open.text} in plain text, which everyone on the way can read; use https:// or tls, ` +
        'or allow it by allowPlaintextCredentials: true',
    );
  }
  const alike = {
    tls: typeof tls === 'function' ? checkedSource(tls) : typeof tls === 'object' ? tls : {},
    connectionsMax: options.connectionsMax ?? limits.connectionsMax,
    isPipelined: options.pipeline ?? true,
  };
  const [address] = addresses;
  if (address !== undefined && addresses.length === 1) return new Http2Transport({ ...alike, address });
  const { ofSeveral: patience } = limits;
  const makers = addresses.map(
    (each) => (onDoubt: () => void) => new Http2Transport({ ...alike, address: each, patience, onDoubt }),
  );
  return new ClusterTransport(makers, pace);
}

function checkedSource(source: TlsSource): TlsSource {
  return () => {
    const given = source();
    refuse(named('what the function tls gave', tlsOptions(given)));
    return given;
  };
}

export class KelpClient {
  readonly leases: Leases;
  readonly admin: Admin;
  readonly access: Access;
  readonly cluster: Cluster;
  readonly #caller: Caller;
  readonly #collections: ClientDoor;
  #hash: Hashes<CallOptions, ReadCallOptions> | undefined;
  #list: Lists<CallOptions, ReadCallOptions> | undefined;
  #set: Sets<CallOptions, ReadCallOptions> | undefined;
  #sortedSet: SortedSets<CallOptions, ReadCallOptions> | undefined;
  #sketch: Sketches<CallOptions, ReadCallOptions> | undefined;
  #recipes: Recipes | undefined;

  /** @internal Use `createClient`. */
  constructor(caller: Caller) {
    this.leases = new Leases(caller);
    this.admin = new Admin(caller);
    this.access = new Access(caller);
    this.cluster = new Cluster(caller);
    this.#caller = caller;
    this.#collections = new ClientDoor(caller);
  }

  /** Hashes: fields with their values under one key. */
  get hash(): Hashes<CallOptions, ReadCallOptions> {
    return (this.#hash ??= new Hashes(this.#collections));
  }

  /** Lists: elements in an order under one key. */
  get list(): Lists<CallOptions, ReadCallOptions> {
    return (this.#list ??= new Lists(this.#collections));
  }

  /** Sets: members, each once, under one key. */
  get set(): Sets<CallOptions, ReadCallOptions> {
    return (this.#set ??= new Sets(this.#collections));
  }

  /** Sorted sets: members in the order of their scores under one key. */
  get sortedSet(): SortedSets<CallOptions, ReadCallOptions> {
    return (this.#sortedSet ??= new SortedSets(this.#collections));
  }

  /** HyperLogLogs and Bloom filters. */
  get sketch(): Sketches<CallOptions, ReadCallOptions> {
    return (this.#sketch ??= new Sketches(this.#collections));
  }

  /** Locks, semaphores, elections and what else programs need that work together; see `recipes/recipes.ts`. */
  get recipes(): Recipes {
    return (this.#recipes ??= new Recipes({
      caller: this.#caller,
      keys: this,
      grant: (ttlMs, options) => this.leases.grant(ttlMs, options),
    }));
  }

  /**
   * Reads one key. With `refreshTtl` it also starts the entry's own time to live anew, which is a write.
   * Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async get(key: Key, options: GetOptions = noOptions): Promise<GetResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall.get(options));
    const { revision = 0, refreshTtl = false } = options;
    const request = { ...toKey(key), revision, refreshTtl, ...this.#caller.demand(options) };
    const reply = await this.#caller[refreshTtl ? 'write' : 'read'](kvMethods.get, request, options);
    return { entry: toEntry(reply.entry), revision: reply.revision };
  }

  /** Writes one key: creates it or replaces its value, time to live and lease. Rejects with `conditionFailed`, `leaseNotFound`. */
  async put(key: Key, value: Value, options: PutOptions = noOptions): Promise<PutResult> {
    refuse(named('key', isKey(key)) ?? named('value', isValue(value)) ?? optionsByCall.put(options));
    // A call waits for its connection and may be sent again, so it must not see what the caller does with its buffer.
    const bytes = copyOf(value);
    checkBytes(bytes.length + fixed.keyBytesMax);
    const request = {
      ...toKey(key),
      value: bytes,
      ttl: toTtl(options.ttlMs),
      leaseId: options.leaseId ?? 0,
      condition: toCondition(options.condition),
      returnPrevious: options.returnPrevious ?? false,
    };
    const reply = await this.#caller.write(kvMethods.put, request, options);
    return { revision: reply.revision, previous: toEntry(reply.previous) };
  }

  /** Deletes one key; `deleted` tells whether there was one. Rejects with `conditionFailed`. */
  async delete(key: Key, options: DeleteOptions = noOptions): Promise<DeleteResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall.delete(options));
    const { condition, returnPrevious = false } = options;
    const request = { ...toKey(key), condition: toCondition(condition), returnPrevious };
    const { revision, deleted, previous } = await this.#caller.write(kvMethods.delete, request, options);
    return { revision, deleted, previous: toEntry(previous) };
  }

  /**
   * Deletes all keys of a range; `{ all: true }` is all keys there are. In one revision, or, when there are too many keys for
   * that, not at all (`limitReached`). With `inParts` it takes several, and what is written meanwhile behind where it has come
   * to stays; its deadline is 10 minutes. One that ends early rejects with `partlyDeleted`. It is not repeated once it may
   * have begun: a second time it would delete what was written since, too.
   */
  async deleteRange(
    range: DeletedRange,
    options: DeleteRangeOptions = noOptions,
  ): Promise<DeleteRangeResult> {
    refuse(named('range', deletedRange(range)) ?? optionsByCall.deleteRange(options));
    const { inParts = false } = options;
    const request = { range: toRange(range), inParts };
    const { firstRevision, revision, deletedCount } = await this.#caller.write(
      kvMethods.deleteRange,
      request,
      inParts ? withLongDeadline(options) : options,
    );
    return { firstRevision, revision, deletedCount };
  }

  /** Tells for each of up to 10000 keys whether it exists, all at one revision. */
  async exists(keys: readonly Key[], options: ReadCallOptions = noOptions): Promise<ExistsResult> {
    refuse(named('keys', keyList(keys)) ?? optionsByCall.exists(options));
    const request = { ...toKeyList(keys), ...this.#caller.demand(options) };
    const reply = await this.#caller.read(kvMethods.exists, request, options);
    if (reply.exists.length !== request.keys.length) throw incompleteReply('the answer for some key');
    return { exists: reply.exists, revision: reply.revision };
  }

  /** The number of keys in a range. Rejects with `revisionCompacted`, `revisionFuture`. */
  async count(range: KeyRange = {}, options: CountOptions = noOptions): Promise<CountResult> {
    refuse(named('range', readRange(range)) ?? optionsByCall.count(options));
    const request = {
      ...emptyScanRequest(),
      range: toRange(range),
      revision: options.revision ?? 0,
      countOnly: true,
      ...this.#caller.demand(options),
    };
    const { count, revision } = await this.#caller.read(kvMethods.scan, request, options);
    return { count, revision };
  }

  /**
   * The entries of a range in key order, all at one revision. The loop throws `revisionCompacted` when it takes so
   * long that its revision is not kept any more, and `revisionFuture`.
   */
  scan(range: KeyRange = {}, options: ScanOptions = noOptions): PagedList<Entry> {
    const wrong = named('range', readRange(range)) ?? optionsByCall.scan(options);
    if (wrong !== undefined) return refusedList(invalidArgument(wrong));
    const { revision = 0, reverse = false, keysOnly = false } = options;
    const scanned = { range: toRange(range), revision, reverse, keysOnly };
    return new PagedList(options, streamOfPages(this.#caller, scanned, options));
  }

  /**
   * The keys that match a glob, in key order, all at one revision: `*` is any text, `?` one character, `[a-z]` one of
   * a class, `[^a-z]` one outside of it, `\` takes the next character literally. The text before the first special
   * character narrows what is read.
   */
  keys(pattern = '*', options: KeysOptions = noOptions): PagedList<Key> {
    const wrong = named('pattern', text(pattern)) ?? optionsByCall.keys(options);
    if (wrong !== undefined) return refusedList(invalidArgument(wrong));
    const caller = this.#caller;
    const readPages = callsForPages(async (pageToken, limit, shownAt) => {
      const page = { pattern, pageToken, limit, ...caller.demand(caller.goingOn(options, shownAt)) };
      const reply = await caller.read(kvMethods.keys, page, options);
      const { revision, incarnation, nextPageToken } = reply;
      return { items: keysOf(reply), revision, incarnation, nextPageToken };
    });
    return new PagedList(options, readPages);
  }

  /**
   * Adds to a 64-bit number that is kept as decimal text; a key that is not there counts as 0.
   * Rejects with `notAnInteger`, `integerOverflow`.
   */
  async increment(
    key: Key,
    delta: bigint | number = 1n,
    options: IncrementOptions = noOptions,
  ): Promise<IncrementResult> {
    refuse(named('key', isKey(key)) ?? named('delta', isDelta(delta)) ?? optionsByCall.increment(options));
    const request = { ...toKey(key), delta: BigInt(delta), ttl: toTtl(options.ttlMs) };
    const { value, revision } = await this.#caller.write(kvMethods.increment, request, options);
    return { value, revision };
  }

  /** Sets or starts anew the time to live of a key. Rejects with `keyNotFound`, `noTimeToLive`. */
  async touch(key: Key, options: TouchOptions = noOptions): Promise<TouchResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall.touch(options));
    const request = { ...toKey(key), ttl: toTtl(options.ttlMs) };
    const { revision, entry } = await this.#caller.write(kvMethods.touch, request, options);
    if (entry === undefined) throw incompleteReply('the entry');
    return { revision, entry: new Entry(entry) };
  }

  /**
   * Compares, then runs one of two lists of operations, atomically and in one revision.
   * Rejects with `notAnInteger`, `integerOverflow`, `leaseNotFound`.
   */
  async txn(request: TxnRequest, options: CallOptions = noOptions): Promise<TxnResult> {
    refuse(named('request', txnRequest(request)) ?? optionsByCall.txn(options));
    return toTxnResult(await this.#caller.write(kvMethods.txn, toTxn(request), options));
  }

  /** Streams changes, over broken connections without gap or repeat; see `watch.ts`. */
  watch(request: WatchRequest = noOptions, ...surplus: never[]): Watch {
    return openWatch(this.#caller, request, optionsByCall.watch(request) ?? nothingMore('watch', surplus));
  }

  /**
   * A consistent copy of a range in the memory of the program, kept by a watch; see `mirror/mirror.ts`. Resolves when the present
   * entries are there. Rejects with `limitReached`.
   */
  async mirror(range: KeyRange = {}, options: MirrorOptions = noOptions): Promise<Mirror> {
    return this.#mirrorAs(range, options, rawView);
  }

  async #mirrorAs<AnEntry>(
    range: KeyRange,
    options: MirrorOptions,
    view: MirrorView<AnEntry>,
  ): Promise<Mirror<AnEntry>> {
    refuse(named('range', readRange(range)) ?? optionsByCall.mirror(options));
    return openMirror(this.#caller, (request) => this.watch(request), range, options, view);
  }

  /**
   * The keys that begin with `prefix`, by what stands behind it, and with values of one type; see `namespace/namespace.ts`. Throws
   * `invalidArgument`.
   */
  namespace(prefix: string): Namespace<Uint8Array, Value>;
  namespace<Read, Given = Read>(
    prefix: string,
    options: { readonly codec: Codec<Read, Given> },
  ): Namespace<Read, Given>;
  namespace(prefix: string, options?: NamespaceOptions<unknown, never>): Namespace<unknown, never> {
    const mirror: OpenMirror = (range, given, view) => this.#mirrorAs(range, given, view);
    return openNamespace({ keys: this, mirror }, prefix, options);
  }

  /** Ends watches and renewals, breaks off the calls under way and closes the connections. */
  close(): void {
    this.#caller.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
