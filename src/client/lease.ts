/**
 * Leases: a time to live that many keys share and that their holder renews.
 *
 * ```ts
 * const lease = await client.leases.grant(10_000);
 * lease.keepAlive();
 * await client.put('workers/7', 'here', { leaseId: lease.id });
 * lease.signal.addEventListener('abort', () => stopWork());
 * ```
 */
import type { Client } from '@connectrpc/connect';
import type { LeaseService, Lease as LeaseMessage } from '../../gen/kelp/v1/lease_pb.ts';
import { client as limits } from '../limits.ts';
import type { Caller } from './caller.ts';
import { KelpError, isKelpError } from './error.ts';
import { PagedList } from './paging.ts';
import { backoffMs } from './pace.ts';
import { incompleteReply } from './reply.ts';
import { toDuration, toInt32, toInt64, toMilliseconds, toNumber } from './scalar.ts';
import type { CallOptions, DeleteRangeResult, Lease, ListOptions } from './types.ts';

export interface GrantOptions extends CallOptions {
  /** The id it shall have, from 1 on; left out: the server chooses. */
  readonly leaseId?: number;
}

export interface GetLeaseOptions extends CallOptions {
  /** The answer lists the keys attached to the lease. */
  readonly includeKeys?: boolean;
}

export class Leases {
  readonly #rpc: Client<typeof LeaseService>;
  readonly #caller: Caller;

  constructor(rpc: Client<typeof LeaseService>, caller: Caller) {
    this.#rpc = rpc;
    this.#caller = caller;
  }

  /**
   * Makes a lease of 1 second to 100 years. It runs from now on; `keepAlive` of the handle renews it.
   * Rejects with `leaseExists`.
   */
  async grant(ttlMs: number, options: GrantOptions = {}): Promise<LeaseHandle> {
    const request = { ttl: toDuration(ttlMs, 'ttlMs'), leaseId: toInt64(options.leaseId, 'leaseId') };
    const askedAtMs = this.#caller.pace.monotonicMs();
    const reply = await this.#caller.write(options, (call) => this.#rpc.grant(request, call));
    return new LeaseHandle(this, this.#caller, toNumber(reply.leaseId), toMilliseconds(reply.ttl), askedAtMs);
  }

  /** Renews a lease that exists and gives a handle for it. Rejects with `leaseNotFound`. */
  async resume(leaseId: number, options: CallOptions = {}): Promise<LeaseHandle> {
    const askedAtMs = this.#caller.pace.monotonicMs();
    const { ttlMs } = await this.renew(leaseId, options);
    return new LeaseHandle(this, this.#caller, leaseId, ttlMs, askedAtMs);
  }

  /** Starts the time to live of a lease anew. Rejects with `leaseNotFound`. */
  async renew(leaseId: number, options: CallOptions = {}): Promise<{ readonly ttlMs: number }> {
    const request = { leaseId: toInt64(leaseId, 'leaseId') };
    // A second renewal does what the first did.
    const reply = await this.#caller.read(options, (call) => this.#rpc.renew(request, call));
    return { ttlMs: toMilliseconds(reply.ttl) };
  }

  /** Ends a lease and deletes its keys, in one revision. Rejects with `leaseNotFound`. */
  async revoke(leaseId: number, options: CallOptions = {}): Promise<DeleteRangeResult> {
    const request = { leaseId: toInt64(leaseId, 'leaseId') };
    const reply = await this.#caller.write(options, (call) => this.#rpc.revoke(request, call));
    return { revision: toNumber(reply.revision), deletedCount: toNumber(reply.deletedCount) };
  }

  /** Rejects with `leaseNotFound`. */
  async get(leaseId: number, options: GetLeaseOptions = {}): Promise<Lease> {
    const { includeKeys = false } = options;
    const request = { leaseId: toInt64(leaseId, 'leaseId'), includeKeys };
    const reply = await this.#caller.read(options, (call) => this.#rpc.get(request, call));
    if (reply.lease === undefined) throw incompleteReply('the lease');
    return toLease(reply.lease, reply.keys);
  }

  /** All leases in the order of their ids. */
  list(options: ListOptions = {}): PagedList<Lease> {
    return new PagedList(options, async (pageToken, limit) => {
      const request = { pageToken, limit: toInt32(limit, 'limit') };
      const reply = await this.#caller.read(options, (call) => this.#rpc.list(request, call));
      const items = reply.leases.map((lease) => toLease(lease, []));
      return { items, revision: 0, nextPageToken: reply.nextPageToken };
    });
  }
}

function toLease(message: LeaseMessage, keys: string[]): Lease {
  return {
    leaseId: toNumber(message.leaseId),
    ttlMs: toMilliseconds(message.ttl),
    remainingMs: toMilliseconds(message.remaining),
    keyCount: toNumber(message.keyCount),
    keys,
  };
}

/**
 * A lease that this program holds.
 *
 * It counts as lost when the server says that it is gone, or when it has not been renewed for as long as it lives,
 * counted from before the last renewal was asked for: from then on the server may have given what the lease guards to
 * somebody else, whether or not it can be reached.
 */
export class LeaseHandle {
  readonly id: number;
  /** How long it lives without being renewed. */
  readonly ttlMs: number;
  /** Resolves, with the reason, when the lease is lost while `keepAlive` is on. Never rejects. */
  readonly lost: Promise<KelpError>;
  readonly #leases: Leases;
  readonly #caller: Caller;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  #isKeptAlive = false;
  #endsAtMs: number;

  constructor(leases: Leases, caller: Caller, id: number, ttlMs: number, askedAtMs: number) {
    this.#leases = leases;
    this.#caller = caller;
    this.id = id;
    this.ttlMs = ttlMs;
    this.#endsAtMs = askedAtMs + ttlMs;
    const { promise, resolve } = Promise.withResolvers<KelpError>();
    this.lost = promise;
    this.signal.addEventListener('abort', () => resolve(this.signal.reason as KelpError), { once: true });
  }

  /** Aborted when the lease is lost while `keepAlive` is on, with the reason: for the work that the lease guards. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Renews the lease by itself, each time a third of its time to live has passed, until it is revoked, the handle or
   * the client is closed, or the lease is lost. It keeps the process alive for as long.
   */
  keepAlive(): this {
    if (!this.#isKeptAlive) {
      this.#isKeptAlive = true;
      void this.#keepAlive();
    }
    return this;
  }

  /** Starts the time to live anew, once. Rejects with `leaseNotFound`. */
  async renew(options: CallOptions = {}): Promise<void> {
    const askedAtMs = this.#caller.pace.monotonicMs();
    const { ttlMs } = await this.#leases.renew(this.id, options);
    this.#endsAtMs = Math.max(this.#endsAtMs, askedAtMs + ttlMs);
  }

  /** Ends the lease and deletes its keys. Rejects with `leaseNotFound`. */
  revoke(options: CallOptions = {}): Promise<DeleteRangeResult> {
    this.close();
    return this.#leases.revoke(this.id, options);
  }

  /** Stops renewing. The lease lives on at the server until its time has passed. */
  close(): void {
    this.#stopped.abort();
  }

  /** Revokes the lease at the end of an `await using` block. One that is gone already is what was wanted. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.revoke().catch((error: unknown) => {
      if (!isKelpError(error, 'leaseNotFound')) throw error;
    });
  }

  async #keepAlive(): Promise<void> {
    const { pace, closed } = this.#caller;
    const stopped = AbortSignal.any([this.#stopped.signal, closed]);
    for (let failures = 0; ;) {
      const pauseMs =
        failures === 0 ? Math.min(this.ttlMs / 3, limits.renewIntervalMsMax) : backoffMs(failures, pace);
      await pace.wait(Math.max(0, Math.min(pauseMs, this.#endsAtMs - pace.monotonicMs())), stopped);
      if (stopped.aborted) return;
      const remainingMs = this.#endsAtMs - pace.monotonicMs();
      if (remainingMs <= 0) {
        this.#lose(this.#outOfReach());
        return;
      }
      try {
        await this.renew({ signal: stopped, deadlineMs: Math.min(remainingMs, limits.deadlineMs) });
        failures = 0;
      } catch (error) {
        if (stopped.aborted) return;
        if (isKelpError(error, 'leaseNotFound')) {
          this.#lose(error);
          return;
        }
        failures++;
      }
    }
  }

  #outOfReach(): KelpError {
    const message = `lease ${this.id} could not be renewed for ${this.ttlMs} ms, as long as it lives`;
    return new KelpError('unavailable', message, undefined);
  }

  #lose(reason: KelpError): void {
    this.#stopped.abort();
    this.#lost.abort(reason);
  }
}
