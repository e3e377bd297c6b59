/**
 * Sketches: what answers about many elements by little memory, and now and then a little wrong. A HyperLogLog (`hll…`) tells about
 * how many different elements it was given (standard error 0.81 %); a Bloom filter tells whether an element was added: a no is
 * certain, a yes is wrong as often as its error rate says.
 *
 * ```ts
 * await client.sketch.hllAdd('visitors', ['alice', 'bob']);
 * const { count } = await client.sketch.hllCount(['visitors']);
 * await client.sketch.bloomAdd('seen', ['https://example.com/']);
 * const { contained } = await client.sketch.bloomContains('seen', ['https://example.com/', 'https://example.org/']);
 * ```
 *
 * What `hash.ts` says of all data types holds here.
 */
import type { CountResult, Key, Value } from '../../api.ts';
import { named } from '../../arguments/check.ts';
import { isKey } from '../../arguments/key.ts';
import { keyList } from '../../arguments/requests.ts';
import { noOptions } from '../../arguments/shape.ts';
import type { Caller } from '../calls/caller.ts';
import { sketchMethods } from '../calls/collection-methods.ts';
import { incompleteReply } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import { toElements } from '../messages/collections/elements.ts';
import { toBloomAdd, toBloomCreate, toHllAdd, toHllMerge } from '../messages/collections/sketch.ts';
import type {
  BloomAddResult,
  BloomContainsResult,
  BloomCreateOptions,
  ChangeResult,
  CreateOptions,
  HllAddResult,
  HllCountOptions,
  ReadOptions,
} from '../messages/collections/types.ts';
import { toKey, toKeyList } from '../messages/request.ts';
import type { CallOptions } from '../messages/types.ts';
import { optionsByCall, values } from './arguments.ts';

export class Sketches {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Adds elements to a HyperLogLog; without any it is created all the same. */
  async hllAdd(
    key: Key,
    elements: readonly Value[],
    options: CreateOptions = noOptions,
  ): Promise<HllAddResult> {
    refuse(wrongElements(key, elements) ?? optionsByCall['sketch.hllAdd'](options));
    return this.#caller.write(sketchMethods.hllAdd, toHllAdd(key, elements, options), options);
  }

  /**
   * About how many different elements up to 1000 HyperLogLogs were given together.
   * Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async hllCount(keys: readonly Key[], options: HllCountOptions = noOptions): Promise<CountResult> {
    refuse(named('keys', keyList(keys)) ?? optionsByCall['sketch.hllCount'](options));
    const request = { ...toKeyList(keys), revision: options.revision ?? 0 };
    const { count, revision } = await this.#caller.read(sketchMethods.hllCount, request, options);
    return { count, revision };
  }

  /** Merges up to 1000 HyperLogLogs into one, which keeps what it has itself. */
  async hllMerge(key: Key, sources: readonly Key[], options: CallOptions = noOptions): Promise<ChangeResult> {
    refuse(
      named('key', isKey(key)) ??
        named('sources', keyList(sources)) ??
        optionsByCall['sketch.hllMerge'](options),
    );
    return this.#caller.write(sketchMethods.hllMerge, toHllMerge(key, sources), options);
  }

  /** Makes a Bloom filter. Rejects with `conditionFailed` when the key has one already. */
  async bloomCreate(key: Key, options: BloomCreateOptions = noOptions): Promise<ChangeResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall['sketch.bloomCreate'](options));
    return this.#caller.write(sketchMethods.bloomCreate, toBloomCreate(key, options), options);
  }

  /** Adds elements, at least one, to a Bloom filter, which grows as it fills; one that does not exist is created with the defaults. */
  async bloomAdd(
    key: Key,
    elements: readonly Value[],
    options: CreateOptions = noOptions,
  ): Promise<BloomAddResult> {
    refuse(wrongElements(key, elements) ?? optionsByCall['sketch.bloomAdd'](options));
    return this.#caller.write(sketchMethods.bloomAdd, toBloomAdd(key, elements, options), options);
  }

  /**
   * Tells for each of up to 10000 elements whether it may have been added. With `refreshTtl` it is a write.
   * Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async bloomContains(
    key: Key,
    elements: readonly Value[],
    options: ReadOptions = noOptions,
  ): Promise<BloomContainsResult> {
    refuse(wrongElements(key, elements) ?? optionsByCall['sketch.bloomContains'](options));
    const { revision = 0, refreshTtl = false } = options;
    const request = { ...toKey(key), elements: toElements(elements), revision, refreshTtl };
    const call = refreshTtl ? 'write' : 'read';
    const reply = await this.#caller[call](sketchMethods.bloomContains, request, options);
    if (reply.contained.length !== elements.length) throw incompleteReply('the answer for some element');
    return reply;
  }
}

function wrongElements(key: Key, elements: readonly Value[]): string | undefined {
  return named('key', isKey(key)) ?? named('elements', values(elements));
}
