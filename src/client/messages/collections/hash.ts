/** Requests on hashes, from their plain form to that of the protocol. */
import type {
  HashDeleteRequestShape,
  HashFieldShape,
  HashGetRequestShape,
  HashIncrementRequestShape,
  HashSetRequestShape,
} from '../../../../gen/kelp/v1/hash_codec.ts';
import type { Key, Value } from '../../../api.ts';
import { copyOf } from '../../../arguments/value.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { toKey, toTtl } from '../request.ts';
import { pairsOf, toElements } from './elements.ts';
import type { CreateOptions, Fields, HashGetOptions, HashSetOptions } from './types.ts';

export function toHashSet(key: Key, given: Fields, options: HashSetOptions): HashSetRequestShape {
  const { onlyIfAbsent = false, ttlMs } = options;
  return { ...toKey(key), fields: toFields(given), onlyIfAbsent, ttl: toTtl(ttlMs) };
}

function toFields(given: Fields): HashFieldShape[] {
  const bytes = toElements(pairsOf(given).flat());
  const fields: HashFieldShape[] = [];
  for (let index = 0; index < bytes.length; index += 2) {
    fields.push({ name: bytes[index] ?? NO_BYTES, value: bytes[index + 1] ?? NO_BYTES });
  }
  return fields;
}

export function toHashGet(key: Key, options: HashGetOptions): HashGetRequestShape {
  const { names = [], revision = 0, refreshTtl = false } = options;
  return { ...toKey(key), names: toElements(names), revision, refreshTtl };
}

export function toHashDelete(key: Key, names: readonly Value[]): HashDeleteRequestShape {
  return { ...toKey(key), names: toElements(names) };
}

export function toHashIncrement(
  key: Key,
  name: Value,
  amount: HashIncrementRequestShape['amount'],
  { ttlMs }: CreateOptions,
): HashIncrementRequestShape {
  return { ...toKey(key), name: copyOf(name), amount, ttl: toTtl(ttlMs) };
}
