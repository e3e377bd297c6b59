/**
 * Keys as the mirror sorts and finds them: a string with one character for each byte, so that strings compare as the bytes do.
 * A text of ASCII is its own.
 */
import type { Key, KeyRange } from '../../api.ts';
import { invalidArgument } from '../errors/refuse.ts';

export interface IdRange {
  readonly start: string;
  /** Exclusive; `undefined`: there is no end. */
  readonly end: string | undefined;
}

const BEYOND_ASCII = /[^\0-\x7f]/;

export function idOf(key: Key): string {
  if (typeof key !== 'string') {
    return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
  }
  return BEYOND_ASCII.test(key) ? Buffer.from(key).toString('latin1') : key;
}

/** @returns the first id behind all that begin with this one; `undefined`: there is none. */
function idAfterPrefix(prefix: string): string | undefined {
  let length = prefix.length;
  while (length > 0 && prefix.charCodeAt(length - 1) === 0xff) length--;
  if (length === 0) return undefined;
  return prefix.slice(0, length - 1) + String.fromCharCode(prefix.charCodeAt(length - 1) + 1);
}

/** @throws KelpError `invalidArgument` when the range is given in several ways. */
export function idRangeOf({ key = '', prefix = '', start = '', end = '' }: KeyRange): IdRange {
  const kindsGiven =
    Number(key.length > 0) + Number(prefix.length > 0) + Number(start.length > 0 || end.length > 0);
  if (kindsGiven > 1) {
    throw invalidArgument(
      'a range is given by key, or by prefix, or by start and end: not by several of them',
    );
  }
  if (key.length > 0) return { start: idOf(key), end: `${idOf(key)}\0` };
  if (prefix.length > 0) return { start: idOf(prefix), end: idAfterPrefix(idOf(prefix)) };
  return { start: idOf(start), end: end.length > 0 ? idOf(end) : undefined };
}
