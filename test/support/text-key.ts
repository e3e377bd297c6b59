/** Keys as the models have them. */
import type { Key } from '../../src/api.ts';

/** A key as the models have them, which make no others. */
export function textKey(key: Key): string {
  if (typeof key !== 'string') throw new Error('the models have keys of text alone');
  return key;
}
