/** What commands ask of collections without changing them. A member or element that is `undefined` is not there. */
import type { Key } from '../../../api.ts';
import type { SortedSetRange } from '../../../api-collections.ts';

export interface ElementReads {
  /** @param names none: all fields. */
  fields(
    key: Key,
    names?: readonly Uint8Array[],
  ): AsyncIterable<readonly (readonly [name: Uint8Array, value: Uint8Array])[]>;
  fieldCount(key: Key): Promise<number>;
  elements(key: Key, start: number, stop: number): AsyncIterable<readonly Uint8Array[]>;
  elementCount(key: Key): Promise<number>;
  members(key: Key): AsyncIterable<readonly Uint8Array[]>;
  contains(
    key: Key,
    members: readonly Uint8Array[],
  ): Promise<{ readonly contained: boolean[]; readonly count: number }>;
  scores(key: Key, members: readonly Uint8Array[]): Promise<(number | undefined)[]>;
  rank(key: Key, member: Uint8Array, isReversed: boolean): Promise<number | undefined>;
  scored(
    key: Key,
    range: SortedSetRange | undefined,
    isReversed: boolean,
  ): AsyncIterable<readonly (readonly [member: Uint8Array, score: number])[]>;
  scoredCount(key: Key, range: SortedSetRange | undefined): Promise<number>;
  estimate(keys: readonly Key[]): Promise<number>;
  mayContain(key: Key, elements: readonly Uint8Array[]): Promise<boolean[]>;
}
