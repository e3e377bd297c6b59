/**
 * Sketches: what answers about many elements by little memory, and now and then a little wrong. A HyperLogLog (`hll…`) tells about
 * how many different elements it was given (standard error 0.81 %); a Bloom filter tells whether an element was added: a no is
 * certain, a yes is wrong as often as its error rate says.
 *
 * ```ts
 * await store.sketch.hllAdd('visitors', ['alice', 'bob']);
 * const { count } = await store.sketch.hllCount(['visitors']);
 * await store.sketch.bloomAdd('seen', ['https://example.com/']);
 * const { contained } = await store.sketch.bloomContains('seen', ['https://example.com/', 'https://example.org/']);
 * ```
 *
 * What `hash.ts` says of all data types holds here.
 */
import type { Key, Value } from '../api-value.ts';
import { values } from '../arguments/collections.ts';
import { named } from '../arguments/check.ts';
import { isKey, keyList } from '../arguments/key.ts';
import { given, optional } from '../arguments/shape.ts';
import type { CollectionDoor } from './door.ts';
import { refuse } from './given.ts';
import type {
  BloomAddResult,
  BloomContainsResult,
  BloomCreateOptions,
  ChangeResult,
  CountResult,
  CreateOptions,
  HllAddResult,
  HllCountOptions,
  ReadOptions,
} from './types.ts';

export class Sketches<Beside extends object = object, BesideReads extends Beside = Beside> {
  readonly #door: CollectionDoor<Beside, BesideReads>;

  /** @internal */
  constructor(door: CollectionDoor<Beside, BesideReads>) {
    this.#door = door;
  }

  /** Adds elements to a HyperLogLog; without any it is created all the same. */
  async hllAdd(
    key: Key,
    elements: readonly Value[],
    options?: CreateOptions & Beside,
  ): Promise<HllAddResult> {
    const asked = optional(options);
    refuse(this.#door, wrongElements(key, elements) ?? this.#door.checks['sketch.hllAdd'](asked));
    const { ttlMs } = asked;
    return this.#door.change('hllAdd', { key, elements, ...given({ ttlMs }) }, asked);
  }

  /**
   * About how many different elements up to 1000 HyperLogLogs were given together.
   * Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async hllCount(keys: readonly Key[], options?: HllCountOptions & BesideReads): Promise<CountResult> {
    const asked = optional(options);
    refuse(this.#door, named('keys', keyList(keys)) ?? this.#door.checks['sketch.hllCount'](asked));
    return this.#door.read('hllCount', { keys, revision: asked.revision ?? 0 }, asked);
  }

  /** Merges up to 1000 HyperLogLogs into one, which keeps what it has itself. */
  async hllMerge(key: Key, sources: readonly Key[], options?: Beside): Promise<ChangeResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('sources', keyList(sources)) ??
        this.#door.checks['sketch.hllMerge'](asked),
    );
    return this.#door.change('hllMerge', { key, sources }, asked);
  }

  /** Makes a Bloom filter. Rejects with `conditionFailed` when the key has one already. */
  async bloomCreate(key: Key, options?: BloomCreateOptions & Beside): Promise<ChangeResult> {
    const asked = optional(options);
    refuse(this.#door, named('key', isKey(key)) ?? this.#door.checks['sketch.bloomCreate'](asked));
    const { errorRate, capacity, expansion, nonScaling = false, ttlMs } = asked;
    const created = { key, nonScaling, ...given({ errorRate, capacity, expansion, ttlMs }) };
    return this.#door.change('bloomCreate', created, asked);
  }

  /** Adds elements, at least one, to a Bloom filter, which grows as it fills; one that does not exist is created with the defaults. */
  async bloomAdd(
    key: Key,
    elements: readonly Value[],
    options?: CreateOptions & Beside,
  ): Promise<BloomAddResult> {
    const asked = optional(options);
    refuse(this.#door, wrongElements(key, elements) ?? this.#door.checks['sketch.bloomAdd'](asked));
    const { ttlMs } = asked;
    return this.#door.change('bloomAdd', { key, elements, ...given({ ttlMs }) }, asked);
  }

  /**
   * Tells for each of up to 10000 elements whether it may have been added. With `refreshTtl` it is a write.
   * Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async bloomContains(
    key: Key,
    elements: readonly Value[],
    options?: ReadOptions & BesideReads,
  ): Promise<BloomContainsResult> {
    const asked = optional(options);
    refuse(this.#door, wrongElements(key, elements) ?? this.#door.checks['sketch.bloomContains'](asked));
    const { revision = 0, refreshTtl = false } = asked;
    return this.#door.read('bloomContains', { key, elements, revision, refreshTtl }, asked);
  }
}

function wrongElements(key: Key, elements: readonly Value[]): string | undefined {
  return named('key', isKey(key)) ?? named('elements', values(elements));
}
