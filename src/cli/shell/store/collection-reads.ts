/**
 * What commands ask of collections without changing them: of a server, through the client, or of an embedded store, which has the
 * same calls. Lists come page by page, each at one revision. A member or an element that is `undefined` is not there.
 */
import type { Collections, Key } from '../../../api.ts';
import type { SortedSetRange } from '../../../api-collections.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';

export class CollectionReads {
  readonly #store: Collections;

  constructor(store: Collections) {
    this.#store = store;
  }

  /** @param names none: all fields. */
  async *fields(
    key: Key,
    names?: readonly Uint8Array[],
  ): AsyncIterable<readonly (readonly [Uint8Array, Uint8Array])[]> {
    if (names !== undefined) {
      const { fields } = await this.#store.hash.get(key, { names });
      yield [...fields].map(({ name, value }) => [name.bytes, value.bytes] as const);
      return;
    }
    for await (const { items } of this.#store.hash.scan(key).pages()) {
      yield items.map(({ name, value }) => [name.bytes, value.bytes] as const);
    }
  }

  async fieldCount(key: Key): Promise<number> {
    return (await this.#store.hash.get(key, { names: [NO_BYTES] })).count;
  }

  async *elements(key: Key, start: number, stop: number): AsyncIterable<readonly Uint8Array[]> {
    for await (const { items } of this.#store.list.scan(key, { start, stop }).pages()) {
      yield items.map(({ bytes }) => bytes);
    }
  }

  async elementCount(key: Key): Promise<number> {
    return (await this.#store.list.range(key, { stop: 0 })).count;
  }

  async *members(key: Key): AsyncIterable<readonly Uint8Array[]> {
    for await (const { items } of this.#store.set.scan(key).pages()) yield items.map(({ bytes }) => bytes);
  }

  contains(
    key: Key,
    members: readonly Uint8Array[],
  ): Promise<{ readonly contained: boolean[]; readonly count: number }> {
    return this.#store.set.contains(key, members);
  }

  async scores(key: Key, members: readonly Uint8Array[]): Promise<(number | undefined)[]> {
    return (await this.#store.sortedSet.score(key, members)).scores;
  }

  async rank(key: Key, member: Uint8Array, isReversed: boolean): Promise<number | undefined> {
    return (await this.#store.sortedSet.rank(key, member, { reverse: isReversed })).rank;
  }

  async *scored(
    key: Key,
    range: SortedSetRange | undefined,
    isReversed: boolean,
  ): AsyncIterable<readonly (readonly [Uint8Array, number])[]> {
    const list = this.#store.sortedSet.range(key, range, { reverse: isReversed });
    for await (const { items } of list.pages())
      yield items.map(({ member, score }) => [member.bytes, score] as const);
  }

  async scoredCount(key: Key, range: SortedSetRange | undefined): Promise<number> {
    return (await this.#store.sortedSet.count(key, range)).count;
  }

  async estimate(keys: readonly Key[]): Promise<number> {
    return (await this.#store.sketch.hllCount(keys)).count;
  }

  async mayContain(key: Key, elements: readonly Uint8Array[]): Promise<boolean[]> {
    return (await this.#store.sketch.bloomContains(key, elements)).contained;
  }
}
