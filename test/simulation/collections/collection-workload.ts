/** Transactions over collections, at random: they come, grow out of their packed form, change, move, and go in every way. */
import type { Model } from '../model.ts';
import type { Operation } from '../operation.ts';
import type { SeededRandom } from '../../support/random.ts';
import { type Item, NAMES } from './content.ts';
import type { Step, TableName } from './steps.ts';

/** Mostly left alone by other writers, who meet the others. */
const OWN_KEYS = ['h1', 'h2', 'dir/h', 'c1'] as const;
const SHARED_KEYS = ['a', 'b', 'dir/1', 'n1', 'z'] as const;
export const COLLECTION_KEYS: readonly string[] = [...OWN_KEYS, ...SHARED_KEYS];
const TABLES: readonly TableName[] = ['hash', 'set', 'sortedSet'];
/** A value longer than the packed form of a collection. */
const LONG = 600;
const LEASE_IDS = [0, 0, 1, 2, 3] as const;
const TTLS_MS = [0, 0, 50, 2000] as const;

export class CollectionWorkload {
  readonly #random: SeededRandom;
  /** The share of all calls that they are; 0: none is in this schedule. */
  readonly #share: number;
  readonly #hasLeases: boolean;
  readonly #model: Model;
  #valueCount = 0;

  /** @param random of their own: schedules without collections are what they were before there were any. */
  constructor(random: SeededRandom, model: Model, hasLeases: boolean) {
    this.#model = model;
    this.#random = random;
    this.#share = random.pick([0, 0.1, 0.4]);
    this.#hasLeases = hasLeases;
  }

  get isUsed(): boolean {
    return this.#share > 0;
  }

  get random(): SeededRandom {
    return this.#random;
  }

  /** Whether the next call is one of these. */
  isNext(): boolean {
    return this.isUsed && this.#random.chance(this.#share);
  }

  next(): Operation {
    const random = this.#random;
    const steps = Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => this.#step());
    return { kind: 'collections', steps };
  }

  #step(): Step {
    const random = this.#random;
    const key = this.#key();
    const fitting = random.chance(0.6) ? this.#fitting(key) : undefined;
    if (fitting !== undefined) return fitting;
    const draw = random.below(100);
    if (draw < 38) return this.#change(key);
    if (draw < 50) return { kind: 'push', key, elements: this.#some((each) => this.#value(each)) };
    if (draw < 57) return { kind: 'pop', key, count: random.pick([1, 2, 2, 60]) };
    if (draw < 63) return { kind: 'filter', key, items: this.#some((each) => each) };
    if (draw < 73) return this.#pair(random.pick(['rename', 'rename', 'copy']), key);
    if (draw < 79) return { kind: 'remove', key };
    if (draw < 86) return this.#attach(key);
    if (draw < 96) return { kind: 'read', key };
    return { kind: 'undone', steps: [this.#change(key), { kind: 'remove', key: this.#key() }] };
  }

  /** A change of what is there. */
  #fitting(key: string): Step | undefined {
    const random = this.#random;
    const type = this.#model.read(key)?.type;
    switch (type) {
      case 'hash':
      case 'set':
      case 'sortedSet':
        return this.#change(key, type);
      case 'list':
        return random.chance(0.7)
          ? { kind: 'push', key, elements: this.#some((each) => this.#value(each)) }
          : { kind: 'pop', key, count: random.pick([1, 2, 2, 60]) };
      case 'bloomFilter':
        return { kind: 'filter', key, items: this.#some((each) => each) };
      default:
        return undefined;
    }
  }

  #change(key: string, type = this.#random.pick(TABLES)): Step {
    const random = this.#random;
    const removed = random.chance(0.3) ? this.#some((each) => each) : [];
    const added = random.chance(0.8)
      ? this.#some((each): Item => [
          each,
          type === 'sortedSet' ? `${random.between(-5, 5)}` : this.#value(each),
        ])
      : [];
    return { kind: 'change', key, type, removed: random.chance(0.05) ? NAMES : removed, added };
  }

  #pair(kind: 'rename' | 'copy', from: string): Step {
    const others = COLLECTION_KEYS.filter((key) => key !== from);
    return { kind, from, to: this.#random.pick(others), replaces: this.#random.chance(0.7) };
  }

  #attach(key: string): Step {
    const leaseId = this.#hasLeases ? this.#random.pick(LEASE_IDS) : 0;
    return { kind: 'attach', key, ttlMs: this.#random.pick(TTLS_MS), leaseId };
  }

  #key(): string {
    return this.#random.pick<string>(this.#random.chance(0.75) ? OWN_KEYS : SHARED_KEYS);
  }

  /** Of all names some: a few, or so many that no packed form holds them. */
  #some<Each>(toEach: (name: string) => Each): Each[] {
    const random = this.#random;
    if (random.chance(0.1)) return NAMES.slice(0, random.between(60, NAMES.length)).map(toEach);
    return Array.from({ length: random.between(1, 4) }, () => toEach(random.pick(NAMES)));
  }

  #value(name: string): string {
    const length = this.#random.chance(0.04) ? LONG : this.#random.below(30);
    return `${name}=${++this.#valueCount}`.padEnd(length, '.');
  }
}
