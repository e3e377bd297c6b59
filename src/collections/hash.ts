/**
 * Hashes: fields with their values under one key.
 *
 * ```ts
 * await store.hash.set('user:1', { name: 'Alice', age: '42' });
 * const { fields } = await store.hash.get('user:1');
 * console.log(fields.get('name')?.text(), fields.toObject());
 * for await (const { name, value } of store.hash.scan('user:1')) console.log(name.text(), value.text());
 * ```
 *
 * Names and values are given as text or bytes. A key that does not exist reads as an empty hash, and a change creates it; the
 * last field takes the hash with it. Every call of the data types rejects with `wrongType` when the key holds something else.
 *
 * All of this is said of a store in process as of a client, whose calls take `CallOptions` besides. None that changes something is
 * repeated by the client once it may have taken effect.
 */
import type { Key, Value } from '../api-value.ts';
import { fields as isFields } from '../arguments/collection-calls.ts';
import { delta as isDelta, finite, values } from '../arguments/collections.ts';
import { named } from '../arguments/check.ts';
import { isKey } from '../arguments/key.ts';
import { given, optional } from '../arguments/shape.ts';
import { value as isValue } from '../arguments/value.ts';
import { PagedList, callsForPages, refusedList, whileHeld } from '../paged-list.ts';
import { Bytes } from './bytes.ts';
import type { CollectionDoor } from './door.ts';
import { keptKey, pairsOf, refuse } from './given.ts';
import { type HashField, HashFields, toHashField } from './hash-fields.ts';
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
} from './types.ts';

export class Hashes<Beside extends object = object, BesideReads extends Beside = Beside> {
  readonly #door: CollectionDoor<Beside, BesideReads>;

  /** @internal */
  constructor(door: CollectionDoor<Beside, BesideReads>) {
    this.#door = door;
  }

  /** Sets fields, at least one; of several with one name the last one counts. */
  async set(key: Key, fields: Fields, options?: HashSetOptions & Beside): Promise<AddResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ?? named('fields', isFields(fields)) ?? this.#door.checks['hash.set'](asked),
    );
    const { onlyIfAbsent = false, ttlMs } = asked;
    const pairs = pairsOf(fields).map(([name, value]) => ({ name, value }));
    return this.#door.change('hashSet', { key, fields: pairs, onlyIfAbsent, ...given({ ttlMs }) }, asked);
  }

  /**
   * Reads some fields, or all of a hash that fits into one answer (`limitReached`: use `scan`). With `refreshTtl` the key's own
   * time to live starts anew, which is a write. Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async get(key: Key, options?: HashGetOptions & BesideReads): Promise<HashGetResult> {
    const asked = optional(options);
    refuse(this.#door, named('key', isKey(key)) ?? this.#door.checks['hash.get'](asked));
    const { names = [], revision = 0, refreshTtl = false } = asked;
    // An empty list asks for nothing, not for all fields.
    if (asked.names?.length === 0) refuse(this.#door, 'get has no names; leave them out to get all fields');
    const answer = await this.#door.read('hashGet', { key, names, revision, refreshTtl }, asked);
    return { fields: new HashFields(answer.fields), count: answer.count, revision: answer.revision };
  }

  /**
   * All fields, in no order that means something, all at one revision. The loop throws what `get` rejects with, and
   * `historyDiffers`.
   */
  scan(key: Key, options?: HashScanOptions & BesideReads): PagedList<HashField> {
    const asked = optional(options);
    const wrong = named('key', isKey(key)) ?? this.#door.checks['hash.scan'](asked);
    if (wrong !== undefined) return refusedList(this.#door.invalidArgument(wrong));
    const { revision: wanted = 0, namesOnly = false } = asked;
    const scanned = { key: keptKey(key), revision: wanted, namesOnly };
    const readPages = callsForPages(async (pageToken, limit, shownAt) => {
      const options = this.#door.goingOn(asked, shownAt);
      const page = await this.#door.read('hashScan', { ...scanned, pageToken, limit }, options);
      const { revision, nextPageToken } = page;
      return { items: page.fields.map(toHashField), revision, incarnation: '', nextPageToken };
    });
    return new PagedList(
      asked,
      whileHeld(() => this.#door.hold(wanted), readPages),
    );
  }

  /** Deletes fields, at least one. */
  async delete(key: Key, names: readonly Value[], options?: Beside): Promise<HashDeleteResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ?? named('names', values(names)) ?? this.#door.checks['hash.delete'](asked),
    );
    return this.#door.change('hashDelete', { key, names }, asked);
  }

  /**
   * Adds to a 64-bit number that a field has as decimal text; a field that is not there counts as 0.
   * Rejects with `notAnInteger`, `integerOverflow`.
   */
  async increment(
    key: Key,
    name: Value,
    delta: bigint | number = 1n,
    options?: CreateOptions & Beside,
  ): Promise<ChangeResult & { readonly value: bigint }> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('name', isValue(name)) ??
        named('delta', isDelta(delta)) ??
        this.#door.checks['hash.increment'](asked),
    );
    const { ttlMs } = asked;
    const added = { key, name, delta, ...given({ ttlMs }) };
    const { revision, value } = await this.#door.change('hashIncrement', added, asked);
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
    options?: CreateOptions & Beside,
  ): Promise<ChangeResult & { readonly value: number; readonly text: string }> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('name', isValue(name)) ??
        named('delta', finite(delta)) ??
        this.#door.checks['hash.incrementFloat'](asked),
    );
    const { ttlMs } = asked;
    const added = { key, name, floatDelta: delta, ...given({ ttlMs }) };
    const { revision, value } = await this.#door.change('hashIncrement', added, asked);
    const text = new Bytes(value).text();
    return { revision, value: Number(text), text };
  }
}
