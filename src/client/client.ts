/**
 * The client: every call of KelpDB, typed, over one connection that it makes when it needs it and makes again when it
 * breaks.
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
import type { Client as Rpc, Transport } from '@connectrpc/connect';
import { createClient as createRpc } from '@connectrpc/connect';
import { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../gen/kelp/v1/watch_pb.ts';
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
import { deletedRange, delta as isDelta, keyList, readRange } from '../arguments/requests.ts';
import { noOptions } from '../arguments/shape.ts';
import { isKey } from '../arguments/key.ts';
import { copyOf, value as isValue } from '../arguments/value.ts';
import { fixed, client as limits } from '../limits.ts';
import { Admin } from './admin.ts';
import { clientOptions, optionsByCall, refuse, txnRequest } from './arguments.ts';
import { Caller, withLongDeadline } from './calls/caller.ts';
import type { ClientOptions } from './client-options.ts';
import type { Connection } from './calls/connection.ts';
import { openConnection } from './calls/connection.ts';
import { Entry, toEntry } from './messages/entry.ts';
import { Leases } from './lease.ts';
import type { Pace } from './calls/pace.ts';
import { systemPace } from './calls/pace.ts';
import { PagedList, refusedList } from './paging.ts';
import { incompleteReply, keysOf, toTxnResult } from './messages/reply.ts';
import { checkBytes, toCondition, toKey, toKeyList, toRange, toTtl, toTxn } from './messages/request.ts';
import { toInt64, toNumber } from './messages/scalar.ts';
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
  ListOptions,
  PutOptions,
  PutResult,
  ScanOptions,
  TouchOptions,
  TouchResult,
  TxnRequest,
  TxnResult,
  WatchRequest,
} from './messages/types.ts';
import type { Watch } from './watch.ts';
import { openWatch } from './watch.ts';

/** Throws a `KelpError` `invalidArgument` when the options make no sense. Connects when the first call is made. */
export function createClient(options: ClientOptions, pace: Pace = systemPace): KelpClient {
  refuse(clientOptions(options));
  const { address, transport, tls } = options;
  const { deadlineMs = limits.deadlineMs, retries = Number.POSITIVE_INFINITY } = options;
  const connection: Connection =
    transport === undefined
      ? openConnection(address, tls)
      : { address, transport: transport as Transport, distrust: () => undefined, close: () => undefined };
  const caller = new Caller({
    address: connection.address,
    deadlineMs,
    retries,
    pace,
    distrust: (session) => connection.distrust(session),
  });
  return new KelpClient(connection.transport, caller, () => connection.close());
}

export class KelpClient {
  readonly leases: Leases;
  readonly admin: Admin;
  readonly #kv: Rpc<typeof KvService>;
  readonly #watch: Rpc<typeof WatchService>;
  readonly #caller: Caller;
  readonly #disconnect: () => void;

  /** @internal Use `createClient`. */
  constructor(transport: Transport, caller: Caller, disconnect: () => void) {
    this.#kv = createRpc(KvService, transport);
    this.#watch = createRpc(WatchService, transport);
    this.leases = new Leases(createRpc(LeaseService, transport), caller);
    this.admin = new Admin(createRpc(AdminService, transport), caller);
    this.#caller = caller;
    this.#disconnect = disconnect;
  }

  /**
   * Reads one key. With `refreshTtl` it also starts the entry's own time to live anew, which is a write.
   * Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async get(key: Key, options: GetOptions = noOptions): Promise<GetResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall.get(options));
    const { revision, refreshTtl = false } = options;
    const request = { ...toKey(key), revision: toInt64(revision), refreshTtl };
    const reply = await this.#caller[refreshTtl ? 'write' : 'read'](options, (call) =>
      this.#kv.get(request, call),
    );
    return { entry: toEntry(reply.entry), revision: toNumber(reply.revision) };
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
      ...toTtl(options.ttlMs),
      leaseId: toInt64(options.leaseId),
      ...toCondition(options.condition),
      returnPrevious: options.returnPrevious ?? false,
    };
    const reply = await this.#caller.write(options, (call) => this.#kv.put(request, call));
    return { revision: toNumber(reply.revision), previous: toEntry(reply.previous) };
  }

  /** Deletes one key; `deleted` tells whether there was one. Rejects with `conditionFailed`. */
  async delete(key: Key, options: DeleteOptions = noOptions): Promise<DeleteResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall.delete(options));
    const { condition, returnPrevious = false } = options;
    const request = { ...toKey(key), ...toCondition(condition), returnPrevious };
    const reply = await this.#caller.write(options, (call) => this.#kv.delete(request, call));
    const { revision, deleted, previous } = reply;
    return { revision: toNumber(revision), deleted, previous: toEntry(previous) };
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
    const reply = await this.#caller.write(inParts ? withLongDeadline(options) : options, (call) =>
      this.#kv.deleteRange(request, call),
    );
    return {
      firstRevision: toNumber(reply.firstRevision),
      revision: toNumber(reply.revision),
      deletedCount: toNumber(reply.deletedCount),
    };
  }

  /** Tells for each of up to 10000 keys whether it exists, all at one revision. */
  async exists(keys: readonly Key[], options: CallOptions = noOptions): Promise<ExistsResult> {
    refuse(named('keys', keyList(keys)) ?? optionsByCall.exists(options));
    const request = toKeyList(keys);
    const reply = await this.#caller.read(options, (call) => this.#kv.exists(request, call));
    if (reply.exists.length !== request.keys.length) throw incompleteReply('the answer for some key');
    return { exists: reply.exists, revision: toNumber(reply.revision) };
  }

  /** The number of keys in a range. Rejects with `revisionCompacted`, `revisionFuture`. */
  async count(range: KeyRange = {}, options: CountOptions = noOptions): Promise<CountResult> {
    refuse(named('range', readRange(range)) ?? optionsByCall.count(options));
    const request = { range: toRange(range), revision: toInt64(options.revision), countOnly: true };
    const reply = await this.#caller.read(options, (call) => this.#kv.scan(request, call));
    return { count: toNumber(reply.count), revision: toNumber(reply.revision) };
  }

  /**
   * The entries of a range in key order, all at one revision. The loop throws `revisionCompacted` when it takes so
   * long that its revision is not kept any more, and `revisionFuture`.
   */
  scan(range: KeyRange = {}, options: ScanOptions = noOptions): PagedList<Entry> {
    const wrong = named('range', readRange(range)) ?? optionsByCall.scan(options);
    if (wrong !== undefined) return refusedList(wrong);
    const { reverse = false, keysOnly = false } = options;
    const request = { range: toRange(range), revision: toInt64(options.revision), reverse, keysOnly };
    return new PagedList(options, async (pageToken, limit) => {
      const page = { ...request, pageToken, limit };
      const reply = await this.#caller.read(options, (call) => this.#kv.scan(page, call));
      const items = reply.entries.map((entry) => new Entry(entry));
      const { incarnation, nextPageToken } = reply;
      return { items, revision: toNumber(reply.revision), incarnation, nextPageToken };
    });
  }

  /**
   * The keys that match a glob, in key order, all at one revision: `*` is any text, `?` one character, `[a-z]` one of
   * a class, `[^a-z]` one outside of it, `\` takes the next character literally. The text before the first special
   * character narrows what is read.
   */
  keys(pattern = '*', options: ListOptions = noOptions): PagedList<Key> {
    const wrong = named('pattern', text(pattern)) ?? optionsByCall.keys(options);
    if (wrong !== undefined) return refusedList(wrong);
    return new PagedList(options, async (pageToken, limit) => {
      const page = { pattern, pageToken, limit };
      const reply = await this.#caller.read(options, (call) => this.#kv.keys(page, call));
      const { incarnation, nextPageToken } = reply;
      return { items: keysOf(reply), revision: toNumber(reply.revision), incarnation, nextPageToken };
    });
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
    const request = { ...toKey(key), delta: BigInt(delta), ...toTtl(options.ttlMs) };
    const reply = await this.#caller.write(options, (call) => this.#kv.increment(request, call));
    return { value: reply.value, revision: toNumber(reply.revision) };
  }

  /** Sets or starts anew the time to live of a key. Rejects with `keyNotFound`, `noTimeToLive`. */
  async touch(key: Key, options: TouchOptions = noOptions): Promise<TouchResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall.touch(options));
    const request = { ...toKey(key), ...toTtl(options.ttlMs) };
    const reply = await this.#caller.write(options, (call) => this.#kv.touch(request, call));
    if (reply.entry === undefined) throw incompleteReply('the entry');
    return { revision: toNumber(reply.revision), entry: new Entry(reply.entry) };
  }

  /**
   * Compares, then runs one of two lists of operations, atomically and in one revision.
   * Rejects with `notAnInteger`, `integerOverflow`, `leaseNotFound`.
   */
  async txn(request: TxnRequest, options: CallOptions = noOptions): Promise<TxnResult> {
    refuse(named('request', txnRequest(request)) ?? optionsByCall.txn(options));
    const message = toTxn(request);
    return toTxnResult(await this.#caller.write(options, (call) => this.#kv.txn(message, call)));
  }

  /** Streams changes, over broken connections without gap or repeat; see `watch.ts`. */
  watch(request: WatchRequest = noOptions, ...surplus: never[]): Watch {
    return openWatch(
      this.#watch,
      this.#caller,
      request,
      optionsByCall.watch(request) ?? nothingMore('watch', surplus),
    );
  }

  /** Ends watches and renewals, breaks off the calls under way and closes the connection. */
  close(): void {
    this.#caller.close();
    this.#disconnect();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
