/**
 * When the leases of an etcd end, as far as it has told. A lease that is renewed there ends later than is known here, never earlier
 * (but for one that is revoked, whose keys etcd deletes): so it is asked again when half of what was left is over.
 */
import type { Clock } from '../../clock.ts';
import { transfer as limits } from '../../limits.ts';
import type { EtcdSource } from '../contract/etcd-source.ts';

/** Long ago. */
export const OVER = 1;

interface Known {
  readonly endMs: number;
  readonly askAgainMs: number;
}

export class LeaseEnds {
  readonly #source: EtcdSource;
  readonly #clock: Clock;
  readonly #known = new Map<bigint, Known>();

  constructor(source: EtcdSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Asks for those of the leases that are not known, or not well enough any more. Rejects as the source does. */
  async learn(leaseIds: Iterable<bigint>, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const asked = [...new Set(leaseIds)].filter((id) => {
      const known = this.#known.get(id);
      return id !== 0n && (known === undefined || known.askAgainMs <= nowMs);
    });
    if (this.#known.size + asked.length > limits.etcdLeasesKnownMax) this.#known.clear();
    for (let from = 0; from < asked.length; from += limits.etcdLeaseCallsMax) {
      const some = asked.slice(from, from + limits.etcdLeaseCallsMax);
      await Promise.all(some.map((id) => this.#ask(id, signal)));
    }
  }

  /** When a lease ends, by the wall time of the clock; `OVER`: it has ended; `undefined`: etcd could not be asked. */
  endMs(leaseId: bigint): number | undefined {
    return this.#known.get(leaseId)?.endMs;
  }

  async #ask(id: bigint, signal: AbortSignal): Promise<void> {
    const leftMs = await this.#source.leaseLeftMs(id, signal);
    const nowMs = this.#clock.nowMs();
    // One that has ended stays so.
    const known =
      leftMs === undefined
        ? { endMs: OVER, askAgainMs: Number.POSITIVE_INFINITY }
        : { endMs: nowMs + leftMs, askAgainMs: nowMs + leftMs / 2 };
    this.#known.set(id, known);
  }
}
