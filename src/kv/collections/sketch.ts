/** Operations on HyperLogLogs and Bloom filters. */
import { bytesOf } from '../../arguments/value.ts';
import { StoreError } from '../../errors.ts';
import { encodeKey } from '../../store/views/keys.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { addItems, filterDefaults, reserveFilter } from '../../types/bloom/bloom-filter.ts';
import { addElements, mergeInto } from '../../types/hyperloglog/hyperloglog.ts';
import { combinedKeys, creating, type Preparers, someBytes } from './prepared.ts';

export const sketchPreparers: Preparers<'hllAdd' | 'hllMerge' | 'bloomCreate' | 'bloomAdd'> = {
  hllAdd({ key: named, elements, ttlMs }) {
    const key = encodeKey(named);
    const given = elements.map(bytesOf);
    return (view) =>
      creating(view, key, ttlMs, () => ({
        changed: addElements(view, key, given.length, (index) => given[index] ?? NO_BYTES),
      }));
  },

  hllMerge({ key: named, sources }) {
    const key = encodeKey(named);
    const merged = combinedKeys('sources', sources, 0);
    return (view) => {
      mergeInto(view, key, merged);
      return {};
    };
  },

  bloomCreate({ key: named, errorRate, capacity, expansion, nonScaling = false, ttlMs }) {
    const key = encodeKey(named);
    const options = {
      errorRate: errorRate ?? filterDefaults.errorRate,
      capacity: capacity ?? filterDefaults.capacity,
      expansion: expansion ?? filterDefaults.expansion,
      isScaling: !nonScaling,
    };
    return (view) =>
      creating(view, key, ttlMs, () => {
        if (reserveFilter(view, key, options)) return {};
        const currentModRevision = view.readMeta(key)?.modRevision ?? 0;
        throw new StoreError('conditionFailed', 'the filter exists', { currentModRevision });
      });
  },

  bloomAdd({ key: named, elements, ttlMs }) {
    const key = encodeKey(named);
    const given = someBytes('elements', elements);
    return (view) =>
      creating(view, key, ttlMs, () => {
        const itemAt = (index: number): Uint8Array => given[index] ?? NO_BYTES;
        const results = addItems(view, key, given.length, itemAt, filterDefaults);
        if (results.at(-1) === 'full') {
          throw new StoreError(
            'limitReached',
            'the filter is full, and was made not to grow; nothing was added',
          );
        }
        return { added: results.map((result) => result === 'added') };
      });
  },
};
