/** What clients do, at random: few keys, so that they meet, and values of all the lengths that matter to a small log. */
import type { Compare, Condition, KeyRange, Operation as TxnOperation, TxnRequest } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Model } from './model.ts';
import type { CollectionWorkload } from './collections/collection-workload.ts';
import type { Operation } from './operation.ts';

export const KEYS = ['a', 'b', 'b1', 'c', 'd', 'dir/1', 'dir/2', 'dir/3', 'n1', 'n2', 'z', 'é'] as const;
/** Ranges, none of which reaches the keys that keep leases from being without one. */
const RANGES: readonly KeyRange[] = [
  { prefix: 'dir/' },
  { start: 'b', end: 'd' },
  { start: 'c', end: 'n2' },
  { key: 'a' },
  { prefix: 'n' },
];
const TTLS_MS = [1, 50, 500, 2000, 10_000] as const;
const LEASE_TTLS_MS = [1000, 1500, 5000, 60_000] as const;
const LEASE_IDS = [1, 2, 3, 4, 5] as const;
/** Leases that never have a key and end only when they are revoked: all that happens to them are notes. */
const BARE_LEASE_IDS = [8, 9] as const;
const BARE_LEASE_TTL_MS = 1_000_000_000;
const VALUE_BYTES_MAX = [20, 20, 20, 300, 3000] as const;

/** The key that stays attached to a lease as long as the lease lives. */
export function leaseKey(leaseId: number): string {
  return `~lease/${leaseId}`;
}

/** Whether a lease never has a key. */
export function isBare(leaseId: number): boolean {
  return BARE_LEASE_IDS.some((bare) => bare === leaseId);
}

export class Workload {
  readonly #random: SeededRandom;
  readonly #model: Model;
  readonly #hasLeases: boolean;
  readonly #hasTtls: boolean;
  readonly #valueBytesMax: number;
  readonly #collections: CollectionWorkload | undefined;
  #valueCount = 0;

  constructor(random: SeededRandom, model: Model, hasLeases: boolean, collections?: CollectionWorkload) {
    this.#collections = collections;
    this.#random = random;
    this.#model = model;
    this.#hasLeases = hasLeases && random.chance(0.7);
    this.#hasTtls = random.chance(0.7);
    this.#valueBytesMax = random.pick(VALUE_BYTES_MAX);
  }

  next(): Operation {
    if (this.#collections?.isNext() === true) return this.#collections.next();
    const random = this.#random;
    const draw = random.below(this.#hasLeases ? 125 : 103);
    const key = random.pick(KEYS);
    if (draw < 45) return this.#put(key);
    if (draw < 55) return { kind: 'delete', key, options: { ...this.#condition(key), ...this.#previous() } };
    if (draw < 59) return { kind: 'deleteRange', range: random.pick(RANGES), inParts: random.chance(0.3) };
    if (draw < 69)
      return { kind: 'increment', key: this.#number(key), delta: this.#delta(), ttlMs: this.#ttl() };
    if (draw < 74) return { kind: 'touch', key, ttlMs: this.#touchTtl() };
    if (draw < 79) return { kind: 'refresh', key };
    if (draw < 100) return { kind: 'txn', request: this.#txn() };
    if (draw < 103) return { kind: 'count', range: this.range() };
    return this.#lease();
  }

  #lease(): Operation {
    const random = this.#random;
    const draw = random.below(22);
    const isBare = random.chance(0.25);
    const leaseId = random.pick<number>(isBare ? BARE_LEASE_IDS : LEASE_IDS);
    const ttlMs = isBare ? BARE_LEASE_TTL_MS : random.pick(LEASE_TTLS_MS);
    if (draw < 8) return { kind: 'grantLease', ttlMs, leaseId };
    if (draw < 13) return { kind: 'renewLease', leaseId };
    if (draw < 17) return { kind: 'revokeLease', leaseId };
    return draw < 20 ? { kind: 'getLease', leaseId } : { kind: 'listLeases' };
  }

  range(): KeyRange {
    return this.#random.chance(0.4) ? {} : this.#random.pick(RANGES);
  }

  value(): Uint8Array {
    const text = `v${++this.#valueCount}:`;
    return Buffer.from(text.padEnd(this.#random.below(this.#valueBytesMax), text));
  }

  #put(key: string): Operation {
    const options = { ...this.#life(), ...this.#condition(key), ...this.#previous() };
    return { kind: 'put', key, value: this.value(), options };
  }

  #txn(): TxnRequest {
    const random = this.#random;
    const compares = Array.from({ length: random.below(3) }, () => this.#compare());
    return { compares, success: this.#branch(), failure: random.chance(0.5) ? this.#branch() : [] };
  }

  /** Operations on any keys, or on so few that they meet. */
  #branch(): TxnOperation[] {
    const random = this.#random;
    const all: readonly string[] = KEYS;
    const keys = random.chance(0.5) ? all : [random.pick(all), this.#number(random.pick(all))];
    return Array.from({ length: random.between(1, 6) }, (): TxnOperation => {
      const key = random.pick(keys);
      const draw = random.below(10);
      if (draw < 2) return { kind: 'get', key };
      if (draw < 3) return { kind: 'deleteRange', range: random.pick(RANGES) };
      if (draw < 5) return { kind: 'delete', key, ...this.#previous() };
      if (draw < 7 && key.startsWith('n')) return { kind: 'increment', key, delta: this.#delta() };
      return { kind: 'put', key, value: this.value(), ...this.#life(), ...this.#previous() };
    });
  }

  #compare(): Compare {
    const random = this.#random;
    const key = random.pick(KEYS);
    const subject = random.chance(0.8) ? { key } : { range: random.pick(RANGES) };
    const entry = this.#model.read(key);
    const equality = random.chance(0.8) ? 'equal' : 'notEqual';
    const relation = random.pick(['equal', 'notEqual', 'less', 'greater'] as const);
    switch (random.below(4)) {
      case 0:
        return { subject, relation: equality, operand: { kind: 'exists', value: random.chance(0.5) } };
      case 1:
        return { subject, relation, operand: { kind: 'value', value: entry?.value ?? this.value() } };
      default: {
        const kind = random.pick(['version', 'createRevision', 'modRevision', 'leaseId'] as const);
        return { subject, relation, operand: { kind, value: entry?.[kind] ?? 0 } };
      }
    }
  }

  #condition(key: string): { readonly condition?: Condition } {
    const random = this.#random;
    switch (random.below(8)) {
      case 0:
        return { condition: { kind: 'mustNotExist' } };
      case 1:
        return { condition: { kind: 'mustExist' } };
      case 2: {
        const current = this.#model.read(key)?.modRevision ?? 0;
        const modRevision = random.chance(0.7) ? current : random.below(this.#model.revision + 2);
        return { condition: { kind: 'modRevisionEquals', modRevision } };
      }
      default:
        return {};
    }
  }

  #previous(): { readonly returnPrevious?: boolean } {
    return this.#random.chance(0.3) ? { returnPrevious: true } : {};
  }

  /** How long a put key lives. Those of a lease often have a deadline of their own, too. */
  #life(): { readonly ttlMs?: number; readonly leaseId: number } {
    const leaseId = this.#leaseId();
    const ttlMs = leaseId !== 0 && this.#random.chance(0.5) ? this.#random.pick(TTLS_MS) : this.#ttl();
    return { leaseId, ...(ttlMs > 0 && { ttlMs }) };
  }

  #ttl(): number {
    return this.#hasTtls && this.#random.chance(0.2) ? this.#random.pick(TTLS_MS) : 0;
  }

  /** Its own anew, none any more, or another one. */
  #touchTtl(): number | undefined {
    const ttlMs = this.#random.pick([-1, 0, ...TTLS_MS]);
    return ttlMs < 0 ? undefined : ttlMs;
  }

  #leaseId(): number {
    return this.#hasLeases && this.#random.chance(0.2) ? this.#random.pick(LEASE_IDS) : 0;
  }

  #number(key: string): string {
    return this.#random.chance(0.8) ? this.#random.pick(['n1', 'n2']) : key;
  }

  #delta(): bigint {
    return this.#random.chance(0.05) ? 2n ** 62n : BigInt(this.#random.between(-5, 5));
  }
}
