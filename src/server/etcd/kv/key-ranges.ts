/** Keys and ranges of etcd's requests, as the engine has them. */
import type { EngineRange } from '../../../engine/engine.ts';
import { fixed } from '../../../limits.ts';
import { encodeKey, keyAfter } from '../../../store/views/keys.ts';
import { toEngineBound, USER_KEYS_END } from '../../../store/views/regions.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { etcdError } from '../errors.ts';

/** What names keys in requests: `rangeEnd` empty is `key` alone, a zero byte is all from `key` on. */
export interface KeyRangeShape {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export const NO_KEYS: EngineRange = { start: NO_BYTES, end: NO_BYTES };

/** Throws `emptyKey`. */
export function checkKeyGiven({ key }: { readonly key: Uint8Array }): void {
  if (key.length === 0) throw etcdError('emptyKey');
}

export function isOneKey({ rangeEnd }: KeyRangeShape): boolean {
  return rangeEnd.length === 0;
}

/** Whether there may be such a key: etcd has no bound for it but that of requests. */
export function isPossibleKey(key: Uint8Array): boolean {
  return key.length > 0 && key.length <= fixed.keyBytesMax;
}

/** In memory of its own. A range whose end is not behind its start has no keys. Throws `requestTooLarge` for bounds that no key has. */
export function engineRangeOf({ key, rangeEnd }: KeyRangeShape): EngineRange {
  if (rangeEnd.length === 0) {
    if (!isPossibleKey(key)) return NO_KEYS;
    const start = encodeKey(key);
    return { start, end: keyAfter(start) };
  }
  if (key.length > fixed.keyBytesMax || rangeEnd.length > fixed.keyBytesMax)
    throw etcdError('requestTooLarge');
  if (rangeEnd.length === 1 && rangeEnd[0] === 0) return { start: boundOf(key), end: USER_KEYS_END };
  if (Buffer.compare(key, rangeEnd) >= 0) return NO_KEYS;
  return { start: boundOf(key), end: boundOf(rangeEnd) };
}

function boundOf(bound: Uint8Array): Uint8Array {
  return toEngineBound(new Uint8Array(bound));
}
