/** Ranges of keys: from the API's form to the engine's. */
import { howToDeleteAll } from '../../arguments/requests.ts';
import type { EngineRange } from '../../engine/engine.ts';
import { StoreError } from '../../errors.ts';
import { encodeBound, encodeKey, keyAfter } from './keys.ts';
import { toEngineBound, USER_KEYS, USER_KEYS_END } from './regions.ts';
import type { DeletedRange, Key, KeyRange } from '../../api.ts';

/** Throws `invalidArgument` for a range that contradicts itself. */
export function toEngineRange(range: KeyRange): EngineRange {
  const key = orText(range.key);
  const prefix = orText(range.prefix);
  const start = orText(range.start);
  const end = orText(range.end);
  const kindsGiven = Number(key !== '') + Number(prefix !== '') + Number(start !== '' || end !== '');
  if (kindsGiven > 1) {
    throw new StoreError(
      'invalidArgument',
      'a range is given by key, or by prefix, or by start and end: not by several of them',
    );
  }
  if (key !== '') {
    const bytes = encodeKey(key);
    return { start: bytes, end: keyAfter(bytes) };
  }
  if (prefix !== '') {
    const bytes = encodeBound(prefix, 'the prefix of the range');
    return toEngineBounds(bytes, prefixEnd(bytes));
  }
  const startBytes = encodeBound(start, 'the start of the range');
  if (end === '') return toEngineBounds(startBytes, undefined);
  const endBytes = encodeBound(end, 'the end of the range');
  if (Buffer.compare(startBytes, endBytes) >= 0) {
    throw new StoreError('invalidArgument', 'the end of the range does not lie after its start');
  }
  return toEngineBounds(startBytes, endBytes);
}

/** Whatever is empty, bytes too, as the one form that counts as left out. */
function orText(bound: Key | undefined): Key {
  return bound === undefined || bound.length === 0 ? '' : bound;
}

/** Users' bounds in the region of their keys. @param end `undefined`: behind the last of them. */
function toEngineBounds(start: Uint8Array, end: Uint8Array | undefined): EngineRange {
  return { start: toEngineBound(start), end: end === undefined ? USER_KEYS_END : toEngineBound(end) };
}

/** A range to delete: an empty one, which may come of a variable that was not set, does not stand for all keys. */
export function toDeletedRange(range: DeletedRange): EngineRange {
  if ('all' in range) return USER_KEYS;
  const { key, prefix, start, end } = range;
  if ([key, prefix, start, end].every((bound) => orText(bound) === '')) {
    throw new StoreError('invalidArgument', `the range to delete is empty; ${howToDeleteAll}`);
  }
  return toEngineRange(range);
}

/** The lowest byte sequence above everything that begins with `prefix`; `undefined` when there is none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const byte = prefix[last] ?? 0;
    if (byte === 0xff) continue;
    // A copy: `slice` of a Buffer would share its bytes.
    const end = new Uint8Array(prefix.subarray(0, last + 1));
    end[last] = byte + 1;
    return end;
  }
  return undefined;
}

/** What the bounds of a range cost to look for, in bytes of keys. */
export function boundBytesOf({ start, end }: EngineRange): number {
  return start.length + (end?.length ?? 0);
}
