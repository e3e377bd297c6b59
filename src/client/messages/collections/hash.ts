/** Requests on hashes, from their plain form to that of the protocol. */
import type {
  HashDeleteRequestShape,
  HashFieldShape,
  HashIncrementRequestShape,
  HashSetRequestShape,
} from '../../../../gen/kelp/v1/hash_codec.ts';
import type { CollectionArguments, HashFieldInput } from '../../../api-collections.ts';
import { copyOf } from '../../../arguments/value.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { refuse } from '../../errors/refuse.ts';
import { toKey, toTtl } from '../request.ts';
import { toElements } from './elements.ts';

export function toHashSet(given: CollectionArguments['hashSet']): HashSetRequestShape {
  const { key, fields, onlyIfAbsent = false, ttlMs } = given;
  return { ...toKey(key), fields: toFields(fields), onlyIfAbsent, ttl: toTtl(ttlMs) };
}

function toFields(given: readonly HashFieldInput[]): HashFieldShape[] {
  const bytes = toElements(given.flatMap(({ name, value }) => [name, value]));
  const fields: HashFieldShape[] = [];
  for (let index = 0; index < bytes.length; index += 2) {
    fields.push({ name: bytes[index] ?? NO_BYTES, value: bytes[index + 1] ?? NO_BYTES });
  }
  return fields;
}

export function toHashDelete({ key, names }: CollectionArguments['hashDelete']): HashDeleteRequestShape {
  return { ...toKey(key), names: toElements(names) };
}

/** That neither or both of the amounts are given is told with the place in the transaction, where there is one. */
export function toHashIncrement(given: CollectionArguments['hashIncrement']): HashIncrementRequestShape {
  const { key, name, delta, floatDelta, ttlMs } = given;
  if (delta !== undefined && floatDelta !== undefined) {
    refuse('hashIncrement has delta and floatDelta; it must have one of them');
  }
  const target = { ...toKey(key), name: copyOf(name), ttl: toTtl(ttlMs) };
  if (floatDelta !== undefined) return { ...target, amount: { case: 'floatDelta', value: floatDelta } };
  if (delta === undefined) return { ...target, amount: { case: undefined } };
  return { ...target, amount: { case: 'delta', value: BigInt(delta) } };
}
