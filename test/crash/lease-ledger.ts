/**
 * What clients know of their leases, kept outside of the server; also of their time, by bounds that hold on a machine of
 * any speed:
 *
 * - The server set a deadline after it was asked to and before it answered.
 * - The lease clock runs only while the server does, so no more of a lease's time has passed than by the clients' clock
 *   since the last renewal was asked for.
 * - Each record of the log carries the lease clock. After a restart at least that much has passed which lay between the
 *   answer to the last renewal and the sending of a later write that was acknowledged.
 */
import type { Lease } from '../../src/api.ts';
import type { LeaseLife } from './ledger.ts';

export type LeaseAct = 'grant' | 'renew' | 'revoke';

interface LeaseRecord {
  readonly ttlMs: number;
  /**
   * `granting`, `revoking`: asked for, and never answered. `gone`: revoked, or the server said, or showed after a
   * restart, that there is no such lease.
   */
  state: 'granting' | 'granted' | 'revoking' | 'gone';
  /** When the newest deadline that was acknowledged had been asked for; of a grant also before it is answered. */
  askedMs: number;
  /** When it was acknowledged, or the server was last ready, whatever was later. */
  countsFromMs: number;
  /** What has passed of its time at least, in the lives of the server that are over. */
  passedMsMin: number;
  /** When a renewal that is not answered was asked for. */
  renewingSinceMs: number | undefined;
}

/** Times are rounded to whole milliseconds on the way. */
const ROUNDING_MS = 2;

export class LeaseLedger {
  readonly #recordById = new Map<number, LeaseRecord>();
  readonly #noted: string[] = [];
  #lastWriteAskedMs = 0;

  /** The leases that were ever asked for. */
  get size(): number {
    return this.#recordById.size;
  }

  /** How a lease stands; `undefined` for one that was never asked for. */
  stateOf(leaseId: number): LeaseRecord['state'] | undefined {
    return this.#recordById.get(leaseId)?.state;
  }

  begin(act: LeaseAct, leaseId: number, ttlMs: number): void {
    const nowMs = performance.now();
    if (act === 'grant') {
      this.#recordById.set(leaseId, {
        ttlMs,
        state: 'granting',
        askedMs: nowMs,
        countsFromMs: Infinity,
        passedMsMin: 0,
        renewingSinceMs: undefined,
      });
      return;
    }
    const record = this.#record(leaseId);
    if (act === 'renew') record.renewingSinceMs = nowMs;
    else record.state = 'revoking';
  }

  acknowledge(act: LeaseAct, leaseId: number): void {
    const record = this.#record(leaseId);
    if (act === 'revoke') {
      record.state = 'gone';
      return;
    }
    record.state = 'granted';
    record.askedMs = record.renewingSinceMs ?? record.askedMs;
    record.renewingSinceMs = undefined;
    record.countsFromMs = performance.now();
    record.passedMsMin = 0;
  }

  /** It was promised that nothing has changed. */
  refuse(act: LeaseAct, leaseId: number): void {
    const record = this.#record(leaseId);
    if (act === 'grant') record.state = 'gone';
    else if (act === 'revoke') record.state = 'granted';
    else record.renewingSinceMs = undefined;
  }

  /** The server says that there is no such lease, which is right only if its time may have passed. */
  reportGone(leaseId: number): void {
    const record = this.#record(leaseId);
    const fault = tooEarly(leaseId, record);
    if (fault !== undefined) this.#noted.push(fault);
    record.state = 'gone';
    record.renewingSinceMs = undefined;
  }

  /** A write that was asked for then was acknowledged. */
  wrote(askedMs: number): void {
    this.#lastWriteAskedMs = Math.max(this.#lastWriteAskedMs, askedMs);
  }

  /** When the newest write was asked for that was acknowledged so far. */
  get lastWriteAskedMs(): number {
    return this.#lastWriteAskedMs;
  }

  /**
   * The server was killed: what is known of its last life is added up.
   * @param lastWriteAskedMs of that life, where another one has begun already.
   */
  serverEnded(lastWriteAskedMs = this.#lastWriteAskedMs): void {
    for (const record of this.#recordById.values()) {
      if (record.renewingSinceMs !== undefined) {
        // It may have been renewed at any time until now.
        record.renewingSinceMs = undefined;
        record.passedMsMin = 0;
        continue;
      }
      const passedMs = lastWriteAskedMs - record.countsFromMs - ROUNDING_MS;
      record.passedMsMin += Math.max(0, passedMs);
    }
  }

  serverReady(): void {
    for (const record of this.#recordById.values()) record.countsFromMs = performance.now();
  }

  /**
   * What is wrong with the leases that the server shows while nobody uses them, and what was noted since the last call.
   * @param keyCountById the keys that name each lease.
   */
  faults(leases: ReadonlyMap<number, Lease>, keyCountById: ReadonlyMap<number, number>): string[] {
    const nowMs = performance.now();
    const faults = this.#noted.splice(0);
    for (const leaseId of leases.keys()) {
      if (!this.#recordById.has(leaseId)) faults.push(`lease ${leaseId} was never granted`);
    }
    for (const [leaseId, record] of this.#recordById) {
      const lease = leases.get(leaseId);
      if (lease === undefined) {
        const fault = record.state === 'granted' ? tooEarly(leaseId, record) : undefined;
        if (fault !== undefined) faults.push(fault);
        continue;
      }
      const { ttlMs, remainingMs, keyCount } = lease;
      if (record.state === 'gone') faults.push(`lease ${leaseId} is gone, and the server shows it`);
      if (ttlMs !== record.ttlMs) faults.push(`lease ${leaseId} lives ${ttlMs} ms, not ${record.ttlMs}`);
      const most = record.ttlMs - record.passedMsMin;
      // One that is overdue is there, with nothing left, until what waits in sockets has had its chance to renew it.
      if (remainingMs > Math.max(0, most))
        faults.push(`lease ${leaseId} has ${remainingMs} ms left, above ${most}`);
      const least = record.ttlMs - (nowMs - record.askedMs) - ROUNDING_MS;
      if (remainingMs < least) faults.push(`lease ${leaseId} has ${remainingMs} ms left, below ${least}`);
      const expectedCount = keyCountById.get(leaseId) ?? 0;
      if (keyCount !== expectedCount) {
        faults.push(`lease ${leaseId} counts ${keyCount} keys, and ${expectedCount} name it`);
      }
    }
    return faults;
  }

  /** The server was started again, so the leases that it shows now stand, and no other. */
  settle(lifeOf: (leaseId: number) => LeaseLife): void {
    for (const [leaseId, record] of this.#recordById) {
      record.state = lifeOf(leaseId) === 'lives' ? 'granted' : 'gone';
    }
  }

  #record(leaseId: number): LeaseRecord {
    const record = this.#recordById.get(leaseId);
    if (record === undefined) throw new Error(`lease ${leaseId} was never asked for`);
    return record;
  }
}

function tooEarly(leaseId: number, { ttlMs, askedMs }: LeaseRecord): string | undefined {
  const passedMs = performance.now() - askedMs;
  if (passedMs >= ttlMs) return undefined;
  return `lease ${leaseId} ended ${Math.round(passedMs)} ms after it was asked for, and lives ${ttlMs} ms`;
}
