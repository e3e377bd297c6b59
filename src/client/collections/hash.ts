/**
 * Hashes: fields with their values under one key.
 *
 * ```ts
 * await client.hash.set('user:1', { name: 'Alice', age: '42' });
 * const { fields } = await client.hash.get('user:1');
 * console.log(fields.get('name')?.text(), fields.toObject());
 * for await (const { name, value } of client.hash.scan('user:1')) console.log(name.text(), value.text());
 * ```
 *
 * Names and values are given as text or bytes. A key that does not exist reads as an empty hash, and a change creates it; the
 * last field takes the hash with it. Every call of the data types rejects with `wrongType` when the key holds something else.
 * None that changes something is repeated once it may have taken effect.
 */
import type { Key, Value } from '../../api.ts';
import { named } from '../../arguments/check.ts';
import { isKey } from '../../arguments/key.ts';
import { delta as isDelta } from '../../arguments/requests.ts';
import { noOptions } from '../../arguments/shape.ts';
import { value as isValue } from '../../arguments/value.ts';
import type { Caller } from '../calls/caller.ts';
import { hashMethods } from '../calls/collection-methods.ts';
import { refuse } from '../errors/refuse.ts';
import { Bytes } from '../messages/collections/bytes.ts';
import { type HashField, HashFields, toHashField } from '../messages/collections/hash-fields.ts';
import { toHashDelete, toHashGet, toHashIncrement, toHashSet } from '../messages/collections/hash.ts';
import type {
  AddResult,
  ChangeResult,
  CreateOptions,
  Fields,
  HashDeleteResult,
  HashGetOptions,
  HashGetResult,
  HashScanOptions,
  HashSetOptions,
} from '../messages/collections/types.ts';
import { toKey } from '../messages/request.ts';
import type { CallOptions } from '../messages/types.ts';
import { PagedList, callsForPages, refusedList } from '../paging/paged-list.ts';
import { fields as isFields, finite, optionsByCall, values } from './arguments.ts';

export class Hashes {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Sets fields, at least one; of several with one name the last one counts. */
  async set(key: Key, fields: Fields, options: HashSetOptions = noOptions): Promise<AddResult> {
    refuse(
      named('key', isKey(key)) ?? named('fields', isFields(fields)) ?? optionsByCall['hash.set'](options),
    );
    return this.#caller.write(hashMethods.set, toHashSet(key, fields, options), options);
  }

  /**
   * Reads some fields, or all of a hash that fits into one reply (`limitReached`: use `scan`). With `refreshTtl` the key's own
   * time to live starts anew, which is a write. Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async get(key: Key, options: HashGetOptions = noOptions): Promise<HashGetResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall['hash.get'](options));
    const request = toHashGet(key, options);
    // An empty list asks for nothing, not for all fields.
    if (options.names?.length === 0) refuse('get has no names; leave them out to get all fields');
    const reply = await this.#caller[request.refreshTtl ? 'write' : 'read'](
      hashMethods.get,
      request,
      options,
    );
    return { fields: new HashFields(reply.fields), count: reply.count, revision: reply.revision };
  }

  /** All fields, in no order that means something, all at one revision. The loop throws as that of `client.scan` does. */
  scan(key: Key, options: HashScanOptions = noOptions): PagedList<HashField> {
    const wrong = named('key', isKey(key)) ?? optionsByCall['hash.scan'](options);
    if (wrong !== undefined) return refusedList(wrong);
    const { revision = 0, namesOnly = false } = options;
    const scanned = { ...toKey(key), revision, namesOnly };
    const readPages = callsForPages(async (pageToken, limit) => {
      const reply = await this.#caller.read(hashMethods.scan, { ...scanned, pageToken, limit }, options);
      const { nextPageToken } = reply;
      return {
        items: reply.fields.map(toHashField),
        revision: reply.revision,
        incarnation: '',
        nextPageToken,
      };
    });
    return new PagedList(options, readPages);
  }

  /** Deletes fields, at least one. */
  async delete(
    key: Key,
    names: readonly Value[],
    options: CallOptions = noOptions,
  ): Promise<HashDeleteResult> {
    refuse(
      named('key', isKey(key)) ?? named('names', values(names)) ?? optionsByCall['hash.delete'](options),
    );
    return this.#caller.write(hashMethods.delete, toHashDelete(key, names), options);
  }

  /**
   * Adds to a 64-bit number that a field has as decimal text; a field that is not there counts as 0.
   * Rejects with `notAnInteger`, `integerOverflow`.
   */
  async increment(
    key: Key,
    name: Value,
    delta: bigint | number = 1n,
    options: CreateOptions = noOptions,
  ): Promise<ChangeResult & { readonly value: bigint }> {
    refuse(
      named('key', isKey(key)) ??
        named('name', isValue(name)) ??
        named('delta', isDelta(delta)) ??
        optionsByCall['hash.increment'](options),
    );
    const amount = { case: 'delta', value: BigInt(delta) } as const;
    const request = toHashIncrement(key, name, amount, options);
    const { revision, value } = await this.#caller.write(hashMethods.increment, request, options);
    return { revision, value: BigInt(new Bytes(value).text()) };
  }

  /**
   * Adds any finite number to one that a field has as decimal text. `text` is the sum as the field has it, which may have more
   * digits than a number. Rejects with `notAFloat`, `notANumber`.
   */
  async incrementFloat(
    key: Key,
    name: Value,
    delta: number,
    options: CreateOptions = noOptions,
  ): Promise<ChangeResult & { readonly value: number; readonly text: string }> {
    refuse(
      named('key', isKey(key)) ??
        named('name', isValue(name)) ??
        named('delta', finite(delta)) ??
        optionsByCall['hash.incrementFloat'](options),
    );
    const request = toHashIncrement(key, name, { case: 'floatDelta', value: delta }, options);
    const reply = await this.#caller.write(hashMethods.increment, request, options);
    const text = new Bytes(reply.value).text();
    return { revision: reply.revision, value: Number(text), text };
  }
}
