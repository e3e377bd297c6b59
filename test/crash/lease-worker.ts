/** A client of the load that holds leases: grants, attaches keys, renews, revokes, and lets some run out. */
import type { KelpError } from '../../src/client/errors/error.ts';
import { fixed } from '../../src/limits.ts';
import { failureOf, type Workplace } from './workplace.ts';

const LEASES_PER_WORKER = 5;
const KEYS_PER_LEASE = 4;

/** Every so many leases one is short, and nobody renews it. */
const SHORT_EVERY = 3;
const LONG_TTL_MS = 3_600_000;

interface HeldLease {
  readonly leaseId: number;
  readonly isShort: boolean;
}

/** No id is used twice: a lease that is granted anew would hide that the one before has not ended. */
let lastLeaseId = 0;

export class LeaseWorker {
  readonly #prefix: string;
  readonly #place: Workplace;
  #leases: HeldLease[] = [];

  constructor(prefix: string, place: Workplace) {
    this.#prefix = prefix;
    this.#place = place;
  }

  step(): Promise<KelpError | undefined> {
    const { random, ledgers } = this.#place;
    this.#leases = this.#leases.filter(({ leaseId }) => ledgers.leases.stateOf(leaseId) === 'granted');
    if (this.#leases.length < LEASES_PER_WORKER) return this.#grant();
    const lease = random.pick(this.#leases);
    const choice = random.below(10);
    if (choice === 0) return this.#revoke(lease);
    if (choice <= 2 && !lease.isShort) return this.#renew(lease);
    return this.#attach(lease);
  }

  async #grant(): Promise<KelpError | undefined> {
    const { client, ledgers } = this.#place;
    const leaseId = ++lastLeaseId;
    const isShort = leaseId % SHORT_EVERY === 0;
    const ttlMs = isShort ? fixed.leaseTtlMsMin : LONG_TTL_MS;
    ledgers.leases.begin('grant', leaseId, ttlMs);
    const error = await failureOf(async () => {
      await client.leases.grant(ttlMs, { leaseId });
      ledgers.leases.acknowledge('grant', leaseId);
      this.#leases.push({ leaseId, isShort });
    });
    if (error !== undefined && !error.mayHaveTakenEffect) ledgers.leases.refuse('grant', leaseId);
    return error;
  }

  async #renew({ leaseId }: HeldLease): Promise<KelpError | undefined> {
    const { client, ledgers } = this.#place;
    ledgers.leases.begin('renew', leaseId, 0);
    const error = await failureOf(async () => {
      await client.leases.renew(leaseId);
      ledgers.leases.acknowledge('renew', leaseId);
    });
    if (error?.code === 'leaseNotFound') return this.#gone(leaseId);
    // A call that is safe to repeat promises nothing of its effect.
    return error;
  }

  async #revoke({ leaseId }: HeldLease): Promise<KelpError | undefined> {
    const { client, ledgers } = this.#place;
    ledgers.leases.begin('revoke', leaseId, 0);
    const keys = this.#keysOf(leaseId).filter((key) => ledgers.keys.value(key) !== undefined);
    const hasOpenKeys = this.#keysOf(leaseId).some((key) => ledgers.keys.isOpen(key));
    const error = await failureOf(async () => {
      const { revision, deletedCount } = await client.leases.revoke(leaseId);
      ledgers.leases.acknowledge('revoke', leaseId);
      if (hasOpenKeys) return;
      const changes = keys.map((key) => ({ key, value: undefined }));
      // The end of a lease without keys takes no revision.
      if (changes.length > 0) ledgers.keys.acknowledge(ledgers.keys.begin(changes), revision);
      if (deletedCount !== keys.length) {
        ledgers.keys.note(`lease ${leaseId} was revoked with ${deletedCount} keys, not ${keys.length}`);
      }
    });
    if (error?.code === 'leaseNotFound') return this.#gone(leaseId);
    if (error !== undefined && !error.mayHaveTakenEffect) ledgers.leases.refuse('revoke', leaseId);
    return error;
  }

  async #attach({ leaseId }: HeldLease): Promise<KelpError | undefined> {
    const { client, random, ledgers } = this.#place;
    const key = random.pick(this.#keysOf(leaseId));
    if (ledgers.keys.isOpen(key)) return undefined;
    const value = String(random.uint32());
    const error = await this.#place.write([{ key, value, leaseId }], () =>
      client.put(key, value, { leaseId }),
    );
    return error?.code === 'leaseNotFound' ? this.#gone(leaseId) : error;
  }

  /** What the server says of a lease must be possible. */
  #gone(leaseId: number): undefined {
    this.#place.ledgers.leases.reportGone(leaseId);
  }

  #keysOf(leaseId: number): string[] {
    return Array.from({ length: KEYS_PER_LEASE }, (_, index) => `${this.#prefix}/${leaseId}/${index}`);
  }
}
