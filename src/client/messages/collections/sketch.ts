/** Requests on sketches, from their plain form to that of the protocol. */
import type {
  BloomAddRequestShape,
  BloomCreateRequestShape,
  HllAddRequestShape,
  HllMergeRequestShape,
} from '../../../../gen/kelp/v1/sketch_codec.ts';
import type { Key, Value } from '../../../api.ts';
import { toKey, toKeyList, toTtl } from '../request.ts';
import { toElements } from './elements.ts';
import type { BloomCreateOptions, CreateOptions } from './types.ts';

export function toHllAdd(key: Key, elements: readonly Value[], { ttlMs }: CreateOptions): HllAddRequestShape {
  return { ...toKey(key), elements: toElements(elements), ttl: toTtl(ttlMs) };
}

export function toHllMerge(key: Key, given: readonly Key[]): HllMergeRequestShape {
  const sources = toKeyList(given);
  return { ...toKey(key), sources: sources.keys, sourcesBytes: sources.keysBytes };
}

export function toBloomCreate(key: Key, options: BloomCreateOptions): BloomCreateRequestShape {
  const { errorRate = 0, capacity = 0, expansion = 0, nonScaling = false, ttlMs } = options;
  return { ...toKey(key), errorRate, capacity, expansion, nonScaling, ttl: toTtl(ttlMs) };
}

export function toBloomAdd(
  key: Key,
  elements: readonly Value[],
  { ttlMs }: CreateOptions,
): BloomAddRequestShape {
  return { ...toKey(key), elements: toElements(elements), ttl: toTtl(ttlMs) };
}
