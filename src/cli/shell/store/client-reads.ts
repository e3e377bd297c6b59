/** Collections of a server, through the client. */
import type { Key } from '../../../api.ts';
import type { SortedSetRange } from '../../../api-collections.ts';
import type { KelpClient } from '../../../client/client.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import type { ElementReads } from './element-reads.ts';

export class ClientReads implements ElementReads {
  readonly #client: KelpClient;

  constructor(client: KelpClient) {
    this.#client = client;
  }

  async *fields(
    key: Key,
    names?: readonly Uint8Array[],
  ): AsyncIterable<readonly (readonly [Uint8Array, Uint8Array])[]> {
    if (names !== undefined) {
      const { fields } = await this.#client.hash.get(key, { names });
      yield [...fields].map(({ name, value }) => [name.bytes, value.bytes] as const);
      return;
    }
    for await (const { items } of this.#client.hash.scan(key).pages()) {
      yield items.map(({ name, value }) => [name.bytes, value.bytes] as const);
    }
  }

  async fieldCount(key: Key): Promise<number> {
    return (await this.#client.hash.get(key, { names: [NO_BYTES] })).count;
  }

  async *elements(key: Key, start: number, stop: number): AsyncIterable<readonly Uint8Array[]> {
    for await (const { items } of this.#client.list.scan(key, { start, stop }).pages()) {
      yield items.map(({ bytes }) => bytes);
    }
  }

  async elementCount(key: Key): Promise<number> {
    return (await this.#client.list.range(key, { stop: 0 })).count;
  }

  async *members(key: Key): AsyncIterable<readonly Uint8Array[]> {
    for await (const { items } of this.#client.set.scan(key).pages()) yield items.map(({ bytes }) => bytes);
  }

  contains(key: Key, members: readonly Uint8Array[]): ReturnType<ElementReads['contains']> {
    return this.#client.set.contains(key, members);
  }

  async scores(key: Key, members: readonly Uint8Array[]): Promise<(number | undefined)[]> {
    return (await this.#client.sortedSet.score(key, members)).scores;
  }

  async rank(key: Key, member: Uint8Array, isReversed: boolean): Promise<number | undefined> {
    return (await this.#client.sortedSet.rank(key, member, { reverse: isReversed })).rank;
  }

  async *scored(
    key: Key,
    range: SortedSetRange | undefined,
    isReversed: boolean,
  ): AsyncIterable<readonly (readonly [Uint8Array, number])[]> {
    const list = this.#client.sortedSet.range(key, range, { reverse: isReversed });
    for await (const { items } of list.pages())
      yield items.map(({ member, score }) => [member.bytes, score] as const);
  }

  async scoredCount(key: Key, range: SortedSetRange | undefined): Promise<number> {
    return (await this.#client.sortedSet.count(key, range)).count;
  }

  async estimate(keys: readonly Key[]): Promise<number> {
    return (await this.#client.sketch.hllCount(keys)).count;
  }

  async mayContain(key: Key, elements: readonly Uint8Array[]): Promise<boolean[]> {
    return (await this.#client.sketch.bloomContains(key, elements)).contained;
  }
}
