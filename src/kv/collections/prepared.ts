/**
 * An operation on a collection in two steps: what can be wrong with it whatever the store holds is found before a transaction runs any
 * of its operations, then it runs over the transaction's view.
 */
import type { CollectionAnswers, CollectionArguments, CollectionKind } from '../../api-collections.ts';
import type { Key, Value } from '../../api-value.ts';
import { bytesOf } from '../../arguments/value.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { encodeKey } from '../../store/views/keys.ts';
import type { View } from '../../store/views/view.ts';

/** Runs an operation, once. */
export type Prepared<Kind extends CollectionKind> = (view: View) => CollectionAnswers[Kind];

/** From 0 to below 1. */
export type Chance = () => number;

/** How each kind is prepared: throws `invalidArgument`. */
export type Preparers<Kinds extends CollectionKind> = {
  readonly [Kind in Kinds]: (given: CollectionArguments[Kind], chance: Chance) => Prepared<Kind>;
};

/** The bytes of a list that must not be empty. @param name of it, for the error. */
export function someBytes(name: string, given: readonly Value[]): readonly Uint8Array[] {
  checkSome(name, given);
  return given.map(bytesOf);
}

export function checkSome(name: string, given: readonly unknown[]): void {
  if (given.length === 0) throw new StoreError('invalidArgument', `${name} is empty; give at least one`);
}

/** The engine's keys of a list. */
export function combinedKeys(name: string, given: readonly Key[], countMin: number): readonly Uint8Array[] {
  if (given.length < countMin || given.length > fixed.combinedKeysMax) {
    throw new StoreError(
      'invalidArgument',
      `${name} has ${given.length} keys; it must have ${countMin} to ${fixed.combinedKeysMax}`,
    );
  }
  return given.map(encodeKey);
}

/** Runs what may create a key, which then gets a time to live. */
export function creating<Result>(
  view: View,
  key: Uint8Array,
  ttlMs: number | undefined,
  run: () => Result,
): Result {
  const isNew = ttlMs !== undefined && view.readMeta(key) === undefined;
  const result = run();
  if (isNew) view.touch(key, ttlMs);
  return result;
}

/** How many are taken: 1, where it is not said. */
export function takenCount(limit: number | undefined): number {
  return limit === undefined || limit === 0 ? 1 : limit;
}
