/** What calls on collections were given, which has been checked, in the form that operations and reads have. */
import type { SortedSetRange as BoundedRange } from '../api-collections.ts';
import type { Key, Value } from '../api-value.ts';
import { given } from '../arguments/shape.ts';
import { copyOf } from '../arguments/value.ts';
import type { CollectionDoor } from './door.ts';
import type { ByName, SortedSetRange } from './types.ts';

/** @throws what the door makes of what a check has found. */
export function refuse(
  door: Pick<CollectionDoor<object>, 'invalidArgument'>,
  wrong: string | undefined,
): void {
  if (wrong !== undefined) throw door.invalidArgument(wrong);
}

/** What was given by name, in its order. */
export function pairsOf<Item>(named: ByName<Item>): (readonly [Value, Item])[] {
  if (named instanceof Map) return [...named];
  return isArray(named) ? [...named] : Object.entries(named);
}

function isArray<Item>(named: ByName<Item>): named is readonly (readonly [Value, Item])[] {
  return Array.isArray(named);
}

/** A key for calls that are made later, when the caller's bytes may be others. */
export function keptKey(key: Key): Key {
  return typeof key === 'string' ? key : new Uint8Array(key);
}

/** The one part that is meant, kept as a key is; `undefined`: all of a set. */
export function boundsOf({ rank, score, member }: SortedSetRange): BoundedRange | undefined {
  if (rank !== undefined) return { rank: given({ start: rank.start, stop: rank.stop }) };
  if (score !== undefined) {
    const { min, max, minExclusive, maxExclusive } = score;
    return { score: given({ min, max, minExclusive, maxExclusive }) };
  }
  if (member === undefined) return undefined;
  const { min, max, minExclusive, maxExclusive } = member;
  return { member: given({ min: keptValue(min), max: keptValue(max), minExclusive, maxExclusive }) };
}

function keptValue(value: Value | undefined): Value | undefined {
  return value === undefined || typeof value === 'string' ? value : copyOf(value);
}
