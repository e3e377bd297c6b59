/**
 * Reads an etcd: pages of keys at one revision, the changes behind a revision, and what is left of leases. Of all keys, or of those
 * that begin alike.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { type Event, Event_EventType, type KeyValue } from '../../../gen/etcd/api/mvccpb/kv_pb.ts';
import {
  LeaseTimeToLiveRequestSchema,
  LeaseTimeToLiveResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  WatchCreateRequestSchema,
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { EtcdCalls, type EtcdOptions, etcdMethod } from './etcd-calls.ts';
import { EtcdError } from './etcd-error.ts';

export interface EtcdEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** 0: none. */
  readonly leaseId: bigint;
}

export interface EtcdPage {
  readonly entries: readonly EtcdEntry[];
  /** Whether there are further keys behind them. */
  readonly hasMore: boolean;
  /** Of all keys from the page on. */
  readonly keyCount: number;
  /** The newest of etcd. */
  readonly revision: number;
}

/** A key that was deleted has no entry. */
export interface EtcdEvent {
  readonly key: Uint8Array;
  readonly put: EtcdEntry | undefined;
}

/** All events of a revision, or none: then there are none up to it that were not handed out. */
export interface EtcdRevision {
  readonly revision: number;
  readonly events: readonly EtcdEvent[];
}

export interface PageRequest {
  /** The last key that is done; left out: from the beginning. */
  readonly after?: Uint8Array | undefined;
  /** 0: the newest. */
  readonly revision: number;
  readonly limit: number;
  readonly keysOnly?: boolean;
}

const range = etcdMethod('KV/Range', RangeResponseSchema);
const watch = etcdMethod('Watch/Watch', WatchResponseSchema);
const timeToLive = etcdMethod('Lease/LeaseTimeToLive', LeaseTimeToLiveResponseSchema);

/** As a key "from the first on", and as an end "to the last". */
const ZERO = Uint8Array.of(0);

export class EtcdReader {
  readonly hasAllKeys: boolean;
  readonly #calls: EtcdCalls;
  readonly #first: Uint8Array;
  readonly #end: Uint8Array;

  /** @param prefix of the keys that are read; empty: all. */
  constructor(etcd: EtcdOptions | EtcdCalls, prefix: Uint8Array) {
    this.hasAllKeys = prefix.length === 0;
    this.#calls = etcd instanceof EtcdCalls ? etcd : new EtcdCalls(etcd);
    this.#first = prefix.length === 0 ? ZERO : prefix;
    this.#end = endOf(prefix);
  }

  close(): void {
    this.#calls.close();
  }

  async page(
    { after, revision, limit, keysOnly = false }: PageRequest,
    signal: AbortSignal,
  ): Promise<EtcdPage> {
    const request = create(RangeRequestSchema, {
      key: after === undefined ? this.#first : behind(after),
      rangeEnd: this.#end,
      revision: BigInt(revision),
      limit: BigInt(limit),
      keysOnly,
    });
    const reply = await this.#calls.unary(range, toBinary(RangeRequestSchema, request), signal);
    return {
      entries: reply.kvs.map(entryOf),
      hasMore: reply.more,
      keyCount: Number(reply.count),
      revision: Number(reply.header?.revision ?? 0n),
    };
  }

  /** One key at a revision; `undefined`: there was none. */
  async get(key: Uint8Array, revision: number, signal: AbortSignal): Promise<EtcdEntry | undefined> {
    const request = create(RangeRequestSchema, { key, revision: BigInt(revision) });
    const { kvs } = await this.#calls.unary(range, toBinary(RangeRequestSchema, request), signal);
    return kvs[0] && entryOf(kvs[0]);
  }

  /** The milliseconds that are left of a lease; `undefined`: it has ended. */
  async leaseLeftMs(leaseId: bigint, signal: AbortSignal): Promise<number | undefined> {
    const request = create(LeaseTimeToLiveRequestSchema, { ID: leaseId });
    const reply = await this.#calls.unary(
      timeToLive,
      toBinary(LeaseTimeToLiveRequestSchema, request),
      signal,
    );
    if (reply.TTL < 0n) return undefined;
    // etcd counts whole seconds, and drops what is above them.
    return 1000 * (Number(reply.TTL) + 1);
  }

  /**
   * The changes from a revision on, each revision whole and in their order. Ends with an `EtcdError` when the connection breaks; then
   * it can be asked for what comes behind the last one. Of the kind `compacted`: what it begins with is gone.
   */
  async *watch(from: number, signal: AbortSignal): AsyncGenerator<EtcdRevision, never, undefined> {
    const value = create(WatchCreateRequestSchema, {
      key: this.#first,
      rangeEnd: this.#end,
      startRevision: BigInt(from),
      progressNotify: true,
      fragment: true,
    });
    const request = create(WatchRequestSchema, { requestUnion: { case: 'createRequest', value } });
    let gathered: EtcdEvent[] = [];
    let revision = 0;
    for await (const reply of this.#calls.stream(watch, toBinary(WatchRequestSchema, request), signal)) {
      if (reply.canceled) throw canceledError(reply, from);
      for (const event of reply.events) {
        const of = Number(event.kv?.modRevision ?? 0n);
        // A reply may hold several revisions, and a revision come in several replies.
        if (gathered.length > 0 && of !== revision) {
          yield { revision, events: gathered };
          gathered = [];
        }
        revision = of;
        gathered.push(eventOf(event));
      }
      if (reply.fragment) continue;
      if (gathered.length > 0) yield { revision, events: gathered };
      else if (!reply.created) yield { revision: Number(reply.header?.revision ?? 0n), events: [] };
      gathered = [];
    }
    throw new EtcdError('unavailable', 'etcd has ended the watch');
  }
}

function eventOf({ type, kv }: Event): EtcdEvent {
  if (kv === undefined) throw new EtcdError('other', 'an event of etcd has no key');
  return { key: kv.key, put: type === Event_EventType.PUT ? entryOf(kv) : undefined };
}

function entryOf({ key, value, lease }: KeyValue): EtcdEntry {
  return { key, value, leaseId: lease };
}

function canceledError({ compactRevision, cancelReason }: WatchResponse, from: number): EtcdError {
  if (compactRevision > 0n) {
    return new EtcdError(
      'compacted',
      `revision ${from} is compacted; ${compactRevision} is the oldest that is kept`,
    );
  }
  const isRefused = /permission denied|auth token/.test(cancelReason);
  return new EtcdError(isRefused ? 'refused' : 'other', `etcd has canceled the watch: ${cancelReason}`);
}

/** The first key behind one. */
function behind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

/** The first key behind those that begin with the prefix; a zero byte where there is none, which etcd takes for the end of all. */
function endOf(prefix: Uint8Array): Uint8Array {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const byte = prefix[last] ?? 0;
    if (byte === 0xff) continue;
    // `slice` of a Buffer would be a view.
    const end = Uint8Array.from(prefix.subarray(0, last + 1));
    end[last] = byte + 1;
    return end;
  }
  return ZERO;
}
