/** Requests on sketches, from their plain form to that of the protocol. */
import type {
  BloomAddRequestShape,
  BloomCreateRequestShape,
  HllAddRequestShape,
  HllMergeRequestShape,
} from '../../../../gen/kelp/v1/sketch_codec.ts';
import type { CollectionArguments } from '../../../api-collections.ts';
import { toKey, toKeyList, toTtl } from '../request.ts';
import { toElements } from './elements.ts';

export function toHllAdd({ key, elements, ttlMs }: CollectionArguments['hllAdd']): HllAddRequestShape {
  return { ...toKey(key), elements: toElements(elements), ttl: toTtl(ttlMs) };
}

export function toHllMerge({ key, sources: given }: CollectionArguments['hllMerge']): HllMergeRequestShape {
  const sources = toKeyList(given);
  return { ...toKey(key), sources: sources.keys, sourcesBytes: sources.keysBytes };
}

/** What is 0 gets its default from the server. */
export function toBloomCreate(given: CollectionArguments['bloomCreate']): BloomCreateRequestShape {
  const { key, errorRate = 0, capacity = 0, expansion = 0, nonScaling = false, ttlMs } = given;
  return { ...toKey(key), errorRate, capacity, expansion, nonScaling, ttl: toTtl(ttlMs) };
}

export function toBloomAdd({ key, elements, ttlMs }: CollectionArguments['bloomAdd']): BloomAddRequestShape {
  return { ...toKey(key), elements: toElements(elements), ttl: toTtl(ttlMs) };
}
