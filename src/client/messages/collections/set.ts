/** Requests on sets, from their plain form to that of the protocol. */
import {
  type SetAddRequestShape,
  type SetCombineRequestShape,
  SetOperation as SetOperationNumber,
  type SetPopRequestShape,
  type SetRemoveRequestShape,
} from '../../../../gen/kelp/v1/set_codec.ts';
import type { Key, Value } from '../../../api.ts';
import { toKey, toKeyList, toTtl } from '../request.ts';
import { toElements } from './elements.ts';
import type { CreateOptions, SetCombineOptions, SetOperation, TakeOptions } from './types.ts';

export const numberByOperation: Readonly<Record<SetOperation, number>> = {
  union: SetOperationNumber.UNION,
  intersection: SetOperationNumber.INTERSECTION,
  difference: SetOperationNumber.DIFFERENCE,
};

export function toSetAdd(key: Key, members: readonly Value[], { ttlMs }: CreateOptions): SetAddRequestShape {
  return { ...toKey(key), members: toElements(members), ttl: toTtl(ttlMs) };
}

export function toSetRemove(key: Key, members: readonly Value[]): SetRemoveRequestShape {
  return { ...toKey(key), members: toElements(members) };
}

export function toSetPop(key: Key, { limit = 1 }: TakeOptions): SetPopRequestShape {
  return { ...toKey(key), limit };
}

export function toSetCombine(
  operation: SetOperation,
  keys: readonly Key[],
  options: SetCombineOptions,
): SetCombineRequestShape {
  return {
    ...toKeyList(keys),
    operation: numberByOperation[operation],
    ...toDestination(options.destination),
    limit: options.limit ?? 0,
  };
}

/** The key that gets a result; empty: none does. */
export function toDestination(given: Key = ''): {
  readonly destination: string;
  readonly destinationBytes: Uint8Array;
} {
  const { key, keyBytes } = toKey(given);
  return { destination: key, destinationBytes: keyBytes };
}
