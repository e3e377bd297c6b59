/**
 * Which keys an operation on a collection reads and writes.
 *
 * It is as at the Redis door: what tells values, names, scores or whether something was there on which the call depends reads; numbers
 * of elements, and whether a named one was new or was removed, do not.
 */
import type { CollectionArguments, CollectionKind, CollectionOperation } from '../api-collections.ts';
import type { Key } from '../api.ts';

export interface KeyUses {
  readonly reads?: readonly Key[];
  readonly writes?: readonly Key[];
}

type UsesByKind = { readonly [Kind in CollectionKind]: (given: CollectionArguments[Kind]) => KeyUses };

export function usesOf<Kind extends CollectionKind>(operation: CollectionOperation<Kind>): KeyUses {
  const uses: UsesByKind[Kind] = usesByKind[operation.kind];
  return uses(operation);
}

function writes({ key }: { readonly key: Key }): KeyUses {
  return { writes: [key] };
}

function both({ key }: { readonly key: Key }): KeyUses {
  return { reads: [key], writes: [key] };
}

const usesByKind: UsesByKind = {
  hashSet: (given) => (given.onlyIfAbsent === true ? both(given) : writes(given)),
  hashDelete: writes,
  hashIncrement: both,
  listPush: (given) => (given.onlyIfExists === true ? both(given) : writes(given)),
  listPop: both,
  listSet: writes,
  listInsert: both,
  listRemove: writes,
  listTrim: writes,
  listMove: ({ key, destination }) => ({ reads: [key], writes: [key, destination] }),
  setAdd: writes,
  setRemove: writes,
  setPop: both,
  setCombine: combines,
  sortedSetAdd(given) {
    const { onlyIfAbsent, onlyIfExists, onlyIfGreater, onlyIfLess, increment } = given;
    const isConditional = [onlyIfAbsent, onlyIfExists, onlyIfGreater, onlyIfLess, increment].includes(true);
    return isConditional ? both(given) : writes(given);
  },
  sortedSetRemove: writes,
  sortedSetRemoveRange: writes,
  sortedSetPop: both,
  sortedSetCombine: combines,
  hllAdd: writes,
  hllMerge: ({ key, sources }) => ({ reads: [key, ...sources], writes: [key] }),
  bloomCreate: both,
  bloomAdd: writes,
};

function combines({
  keys,
  destination,
}: {
  readonly keys: readonly Key[];
  readonly destination?: Key;
}): KeyUses {
  return destination === undefined ? { reads: keys } : { reads: keys, writes: [destination] };
}
