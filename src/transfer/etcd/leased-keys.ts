/**
 * The keys here that belong to leases of an etcd that is followed. None may end here while its lease is renewed there, of which no
 * event tells; and each that ends there is deleted by an event. So each is given a minute at least, and anew before half of what it
 * was given is over: what is left of its lease, or a minute where that is less or etcd is not there to be asked.
 *
 * Keys are renewed between the transactions of the one who follows, so none is given an end that has none any more.
 */
import { canonicalKey } from '../../arguments/key.ts';
import type { Clock } from '../../clock.ts';
import { fixed, transfer as limits } from '../../limits.ts';
import { type EtcdSource, isEtcdFailure } from '../contract/etcd-source.ts';
import type { FollowTarget } from '../contract/stores.ts';
import { TransferError, storeCodeOf } from '../contract/transfer-error.ts';
import { type LeaseEnds, OVER } from './lease-ends.ts';

interface Lease {
  /** Each byte a character. */
  readonly keys: Set<string>;
  /** When its keys are to be renewed, by the wall time of the clock. */
  dueMs: number;
}

export class LeasedKeys {
  readonly #target: FollowTarget;
  readonly #source: EtcdSource;
  readonly #ends: LeaseEnds;
  readonly #clock: Clock;
  readonly #leases = new Map<bigint, Lease>();
  readonly #leaseByKey = new Map<string, bigint>();
  constructor(target: FollowTarget, source: EtcdSource, ends: LeaseEnds, clock: Clock) {
    this.#target = target;
    this.#source = source;
    this.#ends = ends;
    this.#clock = clock;
  }

  /** When a key of a lease is to end that is written now; in the past for a lease that was over when etcd was asked. */
  endMs(leaseId: bigint): number {
    const endMs = this.#ends.endMs(leaseId) ?? 0;
    return endMs === OVER ? OVER : Math.max(endMs, this.#clock.nowMs() + limits.etcdLeaseTtlMsMin);
  }

  /** A key was written or deleted. @param leaseId 0: it has none. */
  set(key: Uint8Array, leaseId: bigint): void {
    if (leaseId === 0n && this.#leaseByKey.size === 0) return;
    const name = nameOf(key);
    const before = this.#leaseByKey.get(name);
    if (before === leaseId) return;
    if (before !== undefined) this.#take(name, before);
    if (leaseId === 0n) return;
    if (this.#leaseByKey.size >= limits.etcdLeasedKeysMax) {
      throw new TransferError(
        'invalidArgument',
        `more than ${limits.etcdLeasedKeysMax} keys of etcd belong to leases, and each would have to be renewed; copy them with --no-follow`,
      );
    }
    this.#leaseByKey.set(name, leaseId);
    let lease = this.#leases.get(leaseId);
    if (lease === undefined) {
      lease = { keys: new Set(), dueMs: Number.POSITIVE_INFINITY };
      this.#leases.set(leaseId, lease);
    }
    lease.keys.add(name);
    const nowMs = this.#clock.nowMs();
    lease.dueMs = Math.min(lease.dueMs, nowMs + Math.max(0, this.endMs(leaseId) - nowMs) / 2);
  }

  /** Has all be renewed the next time, whether due or not. */
  expectAll(): void {
    for (const lease of this.#leases.values()) lease.dueMs = 0;
  }

  /** Whether there is any to be renewed. */
  get isDue(): boolean {
    const nowMs = this.#clock.nowMs();
    for (const { dueMs } of this.#leases.values()) if (dueMs <= nowMs) return true;
    return false;
  }

  /** Renews what is due. @param revision of etcd that is in. */
  async renew(revision: number, signal: AbortSignal): Promise<void> {
    if (!this.isDue) return;
    const nowMs = this.#clock.nowMs();
    const due = [...this.#leases].filter(([, { dueMs }]) => dueMs <= nowMs);
    const leaseIds = due.map(([leaseId]) => leaseId);
    await this.#ends.learn(leaseIds, signal).catch((error: unknown) => {
      if (!isEtcdFailure(error, 'unavailable')) throw error;
    });
    for (const [leaseId, lease] of due) {
      const endMs = this.endMs(leaseId);
      const ttlMs = Math.min(endMs - this.#clock.nowMs(), fixed.ttlMsMax);
      // That its keys are deleted is on its way.
      if (endMs === OVER) lease.dueMs = Number.POSITIVE_INFINITY;
      else {
        for (const key of await this.#touchAll([...lease.keys], ttlMs)) {
          await this.#restore(key, ttlMs, revision, signal);
        }
        lease.dueMs = this.#clock.nowMs() + ttlMs / 2;
      }
    }
  }

  /** @returns those that are not there. */
  async #touchAll(names: readonly string[], ttlMs: number): Promise<readonly Buffer[]> {
    const missing: Buffer[] = [];
    for (let from = 0; from < names.length; from += limits.etcdLeaseCallsMax) {
      const some = names
        .slice(from, from + limits.etcdLeaseCallsMax)
        .map((name) => Buffer.from(name, 'latin1'));
      await Promise.all(
        some.map((key) =>
          this.#target.touch(canonicalKey(key), { ttlMs }).catch((error: unknown) => {
            if (storeCodeOf(error) !== 'keyNotFound') throw error;
            missing.push(key);
          }),
        ),
      );
    }
    return missing;
  }

  /** A key has ended here while its lease lived there: nothing renewed it, such as before an import goes on. */
  async #restore(key: Buffer, ttlMs: number, revision: number, signal: AbortSignal): Promise<void> {
    try {
      const entry = await this.#source.get(key, revision, signal);
      if (entry === undefined) return this.set(key, 0n);
      const put = { kind: 'put', key: canonicalKey(key), value: entry.value, ttlMs } as const;
      await this.#target.txn({ compares: [], success: [put] });
    } catch (error) {
      // Then the next time.
      if (!isEtcdFailure(error, 'unavailable')) throw error;
    }
  }

  #take(name: string, leaseId: bigint): void {
    this.#leaseByKey.delete(name);
    const lease = this.#leases.get(leaseId);
    lease?.keys.delete(name);
    if (lease?.keys.size === 0) this.#leases.delete(leaseId);
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
