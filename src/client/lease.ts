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
import type { LeaseShape } from '../../gen/kelp/v1/lease_codec.ts';
import { named } from '../arguments/check.ts';
import { roundedTimes } from '../arguments/calls.ts';
import { count } from '../arguments/count.ts';
import { noOptions } from '../arguments/shape.ts';
import { client as limits } from '../limits.ts';
import { optionsByCall } from './arguments.ts';
import type { Caller, TryOptions } from './calls/caller.ts';
import { leaseMethods } from './calls/method.ts';
import { mayPass } from './errors/kelp-error.ts';
import { KelpError, incompleteReply, isKelpError } from './errors/error.ts';
import { PagedList, callsForPages, refusedList } from '../paged-list.ts';
import { invalidArgument, refuse } from './errors/refuse.ts';
import { backoffUntil } from './calls/pace.ts';
import { keysOf } from './messages/reply.ts';
import { toDuration, toMilliseconds } from './messages/scalar.ts';
import type { Key, Lease } from '../api.ts';
import type {
  CallOptions,
  DeleteRangeResult,
  GetLeaseOptions,
  GrantOptions,
  ListOptions,
} from './messages/types.ts';

/** A time to live has begun anew, at the earliest when the try was sent that was answered. */
interface Renewed {
  readonly ttlMs: number;
  readonly askedAtMs: number;
}

type Renew = (leaseId: number, options: TryOptions) => Promise<Renewed>;

export class Leases {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Makes a lease of 1 second to 100 years. It runs from now on; `keepAlive` of the handle renews it.
   * Rejects with `leaseExists`.
   */
  async grant(ttlMs: number, options: GrantOptions = noOptions): Promise<LeaseHandle> {
    refuse(named('ttlMs', roundedTimes.leaseTtlMs(ttlMs)) ?? optionsByCall['leases.grant'](options));
    const request = { ttl: toDuration(ttlMs), leaseId: options.leaseId ?? 0 };
    const { pace } = this.#caller;
    let askedAtMs = 0;
    const onTry = (): void => void (askedAtMs = pace.monotonicMs());
    const reply = await this.#caller.write(leaseMethods.grant, request, { ...options, onTry });
    const renewed = { ttlMs: toMilliseconds(reply.ttl), askedAtMs };
    return new LeaseHandle(this, this.#caller, this.#renew, reply.leaseId, renewed);
  }

  /** Renews a lease that exists and gives a handle for it. Rejects with `leaseNotFound`. */
  async resume(leaseId: number, options: CallOptions = noOptions): Promise<LeaseHandle> {
    refuse(named('leaseId', count(leaseId)) ?? optionsByCall['leases.resume'](options));
    const renewed = await this.#renew(leaseId, options);
    return new LeaseHandle(this, this.#caller, this.#renew, leaseId, renewed);
  }

  /** Starts the time to live of a lease anew. Rejects with `leaseNotFound`. */
  async renew(leaseId: number, options: CallOptions = noOptions): Promise<{ readonly ttlMs: number }> {
    refuse(named('leaseId', count(leaseId)) ?? optionsByCall['leases.renew'](options));
    const { ttlMs } = await this.#renew(leaseId, options);
    return { ttlMs };
  }

  readonly #renew: Renew = async (leaseId, options) => {
    const { pace } = this.#caller;
    let askedAtMs = 0;
    const onTry = (): void => void (askedAtMs = pace.monotonicMs());
    // A second renewal does what the first did.
    const reply = await this.#caller.read(leaseMethods.renew, { leaseId }, { ...options, onTry });
    return { ttlMs: toMilliseconds(reply.ttl), askedAtMs };
  };

  /** Ends a lease and deletes its keys, in one revision. Rejects with `leaseNotFound`. */
  async revoke(leaseId: number, options: CallOptions = noOptions): Promise<DeleteRangeResult> {
    refuse(named('leaseId', count(leaseId)) ?? optionsByCall['leases.revoke'](options));
    const { revision, deletedCount } = await this.#caller.write(leaseMethods.revoke, { leaseId }, options);
    return { firstRevision: revision, revision, deletedCount };
  }

  /** Rejects with `leaseNotFound`. */
  async get(leaseId: number, options: GetLeaseOptions = noOptions): Promise<Lease> {
    refuse(named('leaseId', count(leaseId)) ?? optionsByCall['leases.get'](options));
    const { includeKeys = false } = options;
    const reply = await this.#caller.read(leaseMethods.get, { leaseId, includeKeys }, options);
    if (reply.lease === undefined) throw incompleteReply('the lease');
    return toLease(reply.lease, keysOf(reply));
  }

  /** All leases in the order of their ids. */
  list(options: ListOptions = noOptions): PagedList<Lease> {
    const wrong = optionsByCall['leases.list'](options);
    if (wrong !== undefined) return refusedList(invalidArgument(wrong));
    const readPages = callsForPages(async (pageToken, limit) => {
      const request = { pageToken, limit };
      const reply = await this.#caller.read(leaseMethods.list, request, options);
      const items = reply.leases.map((lease) => toLease(lease, []));
      return { items, revision: 0, incarnation: '', nextPageToken: reply.nextPageToken };
    });
    return new PagedList(options, readPages);
  }
}

function toLease(message: LeaseShape, keys: Key[]): Lease {
  return {
    leaseId: message.leaseId,
    ttlMs: toMilliseconds(message.ttl),
    remainingMs: toMilliseconds(message.remaining),
    keyCount: message.keyCount,
    keys,
  };
}

/**
 * A lease that this program holds.
 *
 * It counts as lost when the server says that it is gone, or when it has not been renewed for as long as it lives,
 * counted from when the last renewal that succeeded was sent: from then on the server may have given what the lease
 * guards to somebody else, whether or not it can be reached. No failure but these ends it earlier: renewals are tried
 * until then, each in a share of the time only, so that one that hangs on a dead connection leaves room for the next on
 * another. A failure that does not pass by itself is told at once, by a warning of the process (`KelpWarning`).
 */
export class LeaseHandle {
  readonly id: number;
  /** How long it lives without being renewed. */
  readonly ttlMs: number;
  /**
   * Resolves, with the reason, when the lease is lost while `keepAlive` is on: `leaseNotFound`; `unauthenticated` or `permissionDenied`
   * where renewals were refused; or `unavailable`. Never rejects.
   */
  readonly lost: Promise<KelpError>;
  readonly #leases: Leases;
  readonly #caller: Caller;
  readonly #renewOnce: Renew;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  #isKeptAlive = false;
  #isRevoked = false;
  #renewedAtMs: number;

  /** @internal */
  constructor(leases: Leases, caller: Caller, renew: Renew, id: number, { ttlMs, askedAtMs }: Renewed) {
    this.#leases = leases;
    this.#caller = caller;
    this.#renewOnce = renew;
    this.id = id;
    this.ttlMs = ttlMs;
    this.#renewedAtMs = askedAtMs;
    const { promise, resolve } = Promise.withResolvers<KelpError>();
    this.lost = promise;
    this.signal.addEventListener('abort', () => resolve(this.signal.reason as KelpError), { once: true });
  }

  /** Aborted when the lease is lost while `keepAlive` is on, with the reason: for the work that the lease guards. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * How long it lives still as far as this program can know, by its own clock, counted from when the last renewal that succeeded was
   * sent; 0: it may be gone. Of one that was revoked it is 0, too.
   */
  get remainingMs(): number {
    if (this.#isRevoked || this.signal.aborted) return 0;
    return Math.max(0, this.#endsAtMs - this.#caller.pace.monotonicMs());
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
  async renew(options: CallOptions = noOptions): Promise<void> {
    refuse(optionsByCall['leases.renew'](options));
    await this.#renew(options);
  }

  async #renew(options: TryOptions): Promise<void> {
    const { askedAtMs } = await this.#renewOnce(this.id, options);
    this.#renewedAtMs = Math.max(this.#renewedAtMs, askedAtMs);
  }

  /** Ends the lease and deletes its keys. Rejects with `leaseNotFound`. */
  async revoke(options: CallOptions = noOptions): Promise<DeleteRangeResult> {
    refuse(optionsByCall['leases.revoke'](options));
    this.close();
    this.#isRevoked = true;
    return await this.#leases.revoke(this.id, options);
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
    while (!stopped.aborted) {
      const dueInMs = this.#renewedAtMs + this.#intervalMs - pace.monotonicMs();
      // It may have been renewed by hand meanwhile.
      if (dueInMs > 0) await pace.wait(dueInMs, stopped);
      else await this.#renewInTime(stopped);
    }
  }

  /** Renews it, or notes that it is lost. */
  async #renewInTime(stopped: AbortSignal): Promise<void> {
    const { pace } = this.#caller;
    let last: KelpError | undefined;
    let isTold = false;
    for (let failures = 1; !stopped.aborted; failures++) {
      const deadlineMs = this.#endsAtMs - pace.monotonicMs();
      if (deadlineMs <= 0) return this.#lose(this.#outOfReach(last));
      try {
        return await this.#renew({ signal: stopped, deadlineMs, tryMsMax: this.#tryMsMax });
      } catch (error) {
        if (stopped.aborted) return;
        if (isKelpError(error, 'leaseNotFound')) return this.#lose(error);
        const failure = this.#caller.errorOf(error, false, undefined);
        const hasAnswer = failure.code !== 'deadlineExceeded';
        // That there was no answer tells least of all.
        if (hasAnswer) last = failure;
        else last ??= failure;
        if (!isTold && !mayPass(failure) && hasAnswer) {
          isTold = true;
          this.#warn(failure);
        }
        // What a call is not repeated for (an answer of a proxy, a server that is read only) may pass all the same.
        const remainingMs = this.#endsAtMs - pace.monotonicMs();
        await pace.wait(backoffUntil(this.#endsAtMs, failures, pace) ?? Math.max(0, remainingMs), stopped);
      }
    }
  }

  get #endsAtMs(): number {
    return this.#renewedAtMs + this.ttlMs;
  }

  get #intervalMs(): number {
    return Math.min(this.ttlMs / 3, limits.renewIntervalMsMax);
  }

  get #tryMsMax(): number {
    return Math.min(Math.max(this.ttlMs / 6, limits.renewTryMsMin), limits.deadlineMs);
  }

  #warn({ message }: KelpError): void {
    process.emitWarning(
      `lease ${this.id} can't be renewed, which is tried on until its time has passed: ${message}`,
      'KelpWarning',
    );
  }

  #outOfReach(last: KelpError | undefined): KelpError {
    const message = `lease ${this.id} could not be renewed for ${this.ttlMs} ms, as long as it lives`;
    if (last === undefined) return new KelpError('unavailable', message, undefined);
    const isRefusal = isKelpError(last, 'unauthenticated') || isKelpError(last, 'permissionDenied');
    const code = isRefusal ? last.code : 'unavailable';
    return new KelpError(code, `${message}: ${last.message}`, undefined, { cause: last });
  }

  #lose(reason: KelpError): void {
    this.#stopped.abort();
    this.#lost.abort(reason);
  }
}
