/**
 * Something that is held by a key in a line: a lock, a permit of a semaphore, the leadership of an election.
 *
 * The key is attached to a lease that is renewed. A process that is paused, or cut off, may believe for a moment that it holds what another one
 * has by now: no clock can rule that out. What makes it safe is `guard` in each transaction that writes under it, and outside of the
 * store, `token`: whatever takes part refuses one that is lower than the highest that it has seen.
 */
import type { Compare, Value } from '../../api.ts';
import { noOptions } from '../../arguments/shape.ts';
import { plainOptions } from '../calls/call-arguments.ts';
import { isKelpError } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import type { CallOptions } from '../messages/types.ts';
import { answered } from './answered.ts';
import { type GrantedLease, type RecipeHost, newest } from './host.ts';
import { giveUp, keptLease } from './leases.ts';
import { type Line, Place, type Waiter, whyEnded } from './line.ts';

const releaseOptions = plainOptions('release');

export class Held {
  /** As it was asked for. */
  readonly name: string;
  /** The key that stands for it, attached to its lease. */
  readonly key: string;
  /** The fencing token: the revision at which the key was written. Each later holder of a lock has a higher one. */
  readonly token: number;
  /**
   * Aborted when it is lost, with the reason: the lease is gone, or may be, since it could not be renewed for as long as it lives, counted by
   * the clock of this process from when the last renewal that succeeded was sent. Also when the client is closed, as nothing renews it then.
   * Giving it back does not abort it.
   */
  readonly signal: AbortSignal;
  readonly #host: RecipeHost;
  readonly #lease: GrantedLease;
  #released: Promise<void> | undefined;

  /** @internal */
  constructor(host: RecipeHost, name: string, { key, token }: Place, lease: GrantedLease) {
    this.#host = host;
    this.#lease = lease;
    this.name = name;
    this.key = key;
    this.token = token;
    this.signal = AbortSignal.any([lease.signal, host.caller.closed]);
  }

  /**
   * Whether it is held, by the clock of this process: false once its lease may be over, also when timers come late and `signal` is not aborted
   * yet. True is true for this moment only: see `guard`.
   */
  get isHeld(): boolean {
    return this.#released === undefined && !this.signal.aborted && this.#lease.remainingMs > 0;
  }

  /**
   * A condition for a transaction: that this is still held when it runs. Without it a write may come late, when another one holds it.
   *
   * ```ts
   * const { succeeded } = await client.txn({ compares: [lock.guard], success: [{ kind: 'put', key, value }] });
   * ```
   */
  get guard(): Compare {
    const { key, token } = this;
    return { subject: { key }, relation: 'equal', operand: { kind: 'createRevision', value: token } };
  }

  /**
   * Gives it back: the next one has it as soon as this resolves. It may be given back several times, and when it was lost. When the server
   * can't be reached it rejects as a call does, and the time to live of the lease gives it back.
   */
  async release(options: CallOptions = noOptions): Promise<void> {
    refuse(releaseOptions(options));
    const releasing = (this.#released ??= revoke(this.#host, this.#lease, options));
    try {
      await releasing;
    } catch (error) {
      // The next call tries anew.
      if (this.#released === releasing) this.#released = undefined;
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** @internal */
export interface Wanted {
  readonly line: Line;
  /** Of the key. */
  readonly value: Value;
  readonly ttlMs: number;
  readonly signal: AbortSignal | undefined;
}

/** @internal */
type Make<AHeld> = (place: Place, lease: GrantedLease) => AHeld;

/** @internal Waits for its turn. */
export function hold<AHeld>(host: RecipeHost, wanted: Wanted, make: Make<AHeld>): Promise<AHeld> {
  return inLine(host, wanted, async (place, lease) => {
    await place.turn();
    return make(place, lease);
  });
}

/** @internal @returns `undefined` when it is not its turn at once. */
export async function tryToHold<AHeld>(
  host: RecipeHost,
  wanted: Wanted,
  make: Make<AHeld>,
): Promise<AHeld | undefined> {
  const { line, signal } = wanted;
  const options = { ...newest, ...(signal && { signal }) };
  // The common case costs one read.
  const { count } = await host.keys.count({ prefix: line.prefix }, options);
  if (count >= line.width) return undefined;
  return inLine(host, wanted, async (place, lease) => {
    if (await place.hasTurn()) return make(place, lease);
    await giveUp(host, lease);
    return undefined;
  });
}

/** With a lease and a place in line, which are given up when that fails. */
async function inLine<Result>(
  host: RecipeHost,
  { line, value, ttlMs, signal }: Wanted,
  run: (place: Place, lease: GrantedLease) => Promise<Result>,
): Promise<Result> {
  const lease = await keptLease(host, ttlMs, signal);
  const waiter: Waiter = { lease, signal };
  try {
    return await run(await Place.take(host, line, waiter, value), lease);
  } catch (error) {
    const reason = whyEnded(host, waiter) ?? error;
    await giveUp(host, lease);
    throw reason;
  }
}

async function revoke({ caller }: RecipeHost, lease: GrantedLease, options: CallOptions): Promise<void> {
  await answered(
    caller,
    // One that is gone is what was wanted.
    () =>
      lease.revoke(options).catch((error: unknown) => {
        if (!isKelpError(error, 'leaseNotFound')) throw error;
      }),
    options.signal,
    options.deadlineMs,
  );
}
