/** Requests on sets, from their plain form to that of the protocol. */
import {
  type SetAddRequestShape,
  type SetCombineRequestShape,
  SetOperation as SetOperationNumber,
  type SetPopRequestShape,
  type SetRemoveRequestShape,
} from '../../../../gen/kelp/v1/set_codec.ts';
import type { CollectionArguments, SetOperation } from '../../../api-collections.ts';
import type { Key } from '../../../api-value.ts';
import { NO_DEMAND } from '../read-demand.ts';
import { toKey, toKeyList, toTtl } from '../request.ts';
import { toElements } from './elements.ts';

export const numberByOperation: Readonly<Record<SetOperation, number>> = {
  union: SetOperationNumber.UNION,
  intersection: SetOperationNumber.INTERSECTION,
  difference: SetOperationNumber.DIFFERENCE,
};

export function toSetAdd({ key, members, ttlMs }: CollectionArguments['setAdd']): SetAddRequestShape {
  return { ...toKey(key), members: toElements(members), ttl: toTtl(ttlMs) };
}

export function toSetRemove({ key, members }: CollectionArguments['setRemove']): SetRemoveRequestShape {
  return { ...toKey(key), members: toElements(members) };
}

export function toSetPop({ key, limit = 1 }: CollectionArguments['setPop']): SetPopRequestShape {
  return { ...toKey(key), limit };
}

export function toSetCombine(given: CollectionArguments['setCombine']): SetCombineRequestShape {
  const { keys, operation, destination, limit = 0 } = given;
  return {
    ...toKeyList(keys),
    operation: numberByOperation[operation],
    ...toDestination(destination),
    ...NO_DEMAND,
    limit,
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
