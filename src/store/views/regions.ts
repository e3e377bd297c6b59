/**
 * Which keys of the engine belong to whom: one closed table of first bytes.
 *
 *     00 .. F7            a key of a user in database 0, its bytes as they are
 *     F8 key              a key of a user in database 0 whose own first byte is F8 or above
 *     F9 database key     a key of a user in another database (a byte from 1 on), which Redis' commands come to alone
 *     FA id:u64 tag sub   an element of a collection (`collections/collection-keys.ts`)
 *     FB id:u64           a collection that is to be swept
 *     FC                  users, roles and tokens (`access/records/access-keys.ts`)
 *     FD                  functions of Redis and their libraries (`types/functions/function-keys.ts`)
 *     FE, FF              else the store's own; none is in use yet
 *
 * UTF-8 has no byte above F4, so text stays as it is. The order of users' keys is that of their bytes on both sides. "Users' keys"
 * are those of database 0 wherever nothing else is said: ranges, counts and rights are about them.
 */
import type { EngineRange } from '../../engine/engine.ts';
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';

export const ESCAPE = 0xf8;
export const DATABASE = 0xf9;
export const ELEMENT = 0xfa;
export const SWEPT = 0xfb;
export const FUNCTIONS = 0xfd;

/** The bytes of an element's key before its sub: the region, the id of the collection and the tag. */
export const ELEMENT_HEAD_BYTES = 10;
export const SWEPT_KEY_BYTES = 9;
/** The region and the number of the database. */
export const DATABASE_HEAD_BYTES = 2;
const SCORE_BYTES = 8;

/** Behind the last key of a user. */
export const USER_KEYS_END = Uint8Array.of(DATABASE);

export const USER_KEYS: EngineRange = { start: NO_BYTES, end: USER_KEYS_END };

/** Whether only elements of collections may lie in a range. */
export function hasElementsAlone({ start, end }: EngineRange): boolean {
  return start[0] === ELEMENT && end?.[0] === ELEMENT;
}

/** Whether the engine may have such a key: it is in one of the regions, and of a length that there is. */
export function isEngineKey(key: Uint8Array): boolean {
  const first = key[0];
  if (first === undefined) return false;
  return first < ESCAPE ? key.length <= fixed.keyBytesMax : faultOfKey(key, 0, key.length) === undefined;
}

/** Why the engine can't have the key that lies from `start` to `end` (exclusive); `undefined`: it can. */
export function faultOfKey(bytes: Uint8Array, start: number, end: number): string | undefined {
  const first = bytes[start] ?? 0;
  const byteCount = end - start;
  if (byteCount < 1 || byteCount < bytesMinOf(first) || byteCount > bytesMaxOf(first))
    return `a key has ${byteCount} bytes`;
  if (first === ESCAPE && !isEscapedByte(bytes[start + 1])) return 'a key that needs no escape has one';
  if (first === DATABASE && bytes[start + 1] === 0) return 'a key of database 0 names it';
  return undefined;
}

function bytesMinOf(first: number): number {
  if (first === ESCAPE) return 2;
  if (first === DATABASE) return DATABASE_HEAD_BYTES + 1;
  if (first === ELEMENT) return ELEMENT_HEAD_BYTES;
  return first === SWEPT ? SWEPT_KEY_BYTES : 1;
}

function bytesMaxOf(first: number): number {
  if (first === ESCAPE) return fixed.keyBytesMax + 1;
  if (first === DATABASE) return fixed.keyBytesMax + DATABASE_HEAD_BYTES;
  if (first === ELEMENT) return fixed.engineKeyBytesMax;
  return first === SWEPT ? SWEPT_KEY_BYTES : fixed.keyBytesMax;
}

/** The database of users' keys that begin with two bytes; -1: these are no user's. */
export function databaseByHead(first: number, second: number): number {
  if (first < DATABASE) return 0;
  return first === DATABASE ? second : -1;
}

/** Whether a key of the engine is a user's. */
export function isUserKey(key: Uint8Array): boolean {
  return (key[0] ?? 0) <= ESCAPE;
}

/** Whether what lies at a key of the engine is what users wrote, in any database or collection: their limits are for it. */
export function holdsUserData(key: Uint8Array): boolean {
  return (key[0] ?? 0) <= ELEMENT;
}

/** The engine's bound of a range for a user's. */
export function toEngineBound(bound: Uint8Array): Uint8Array {
  if (!isEscaped(bound)) return bound;
  const escaped = new Uint8Array(bound.length + 1);
  writeEscaped(escaped, bound);
  return escaped;
}

/** Whether the engine's key for a user's has a byte more. */
export function isEscaped(key: Uint8Array): boolean {
  return isEscapedByte(key[0]);
}

/** The same by the first byte of the user's key. */
export function isEscapedByte(firstByte: number | undefined): boolean {
  return (firstByte ?? 0) >= ESCAPE;
}

export function writeEscaped(target: Uint8Array, key: Uint8Array): void {
  target[0] = ESCAPE;
  target.set(key, 1);
}

/** The user's key that the engine has, or a view of it. */
export function toUserKey(key: Uint8Array): Uint8Array {
  return key[0] === ESCAPE ? key.subarray(1) : key;
}

/** How many bytes before the user's key a key of the engine has, by its first byte. */
export function escapeLength(firstByte: number | undefined): number {
  return firstByte === ESCAPE ? 1 : 0;
}

assert(
  ELEMENT_HEAD_BYTES + SCORE_BYTES + fixed.memberBytesMax === fixed.engineKeyBytesMax,
  'the longest key is that of a member with its score',
);
