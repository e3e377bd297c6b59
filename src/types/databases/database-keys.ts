/**
 * The databases that Redis' clients select, as ranges of the engine's keys:
 *
 *     database 0        the keys of all doors, as `store/views/regions.ts` has them: as they are, or behind F8
 *     databases 1..15   F9 database key
 *
 * In each the order of keys is that of their users' bytes, so that what begins with the same bytes lies side by side.
 */
import type { EngineRange } from '../../engine/engine.ts';
import { prefixEnd } from '../../store/views/range.ts';
import {
  DATABASE,
  DATABASE_HEAD_BYTES,
  escapeLength,
  isEscaped,
  toEngineBound,
  toUserKey,
  USER_KEYS,
  USER_KEYS_END,
} from '../../store/views/regions.ts';

export const DATABASE_COUNT = 16;

/** The engine's key for a user's: in bytes of its own, or the same bytes. @param database 0 to 15. */
export function toDatabaseKey(database: number, userKey: Uint8Array): Uint8Array {
  if (database !== 0) return withHead(database, userKey);
  return isEscaped(userKey) ? toEngineBound(userKey) : userKey;
}

/** The database that a key of the engine belongs to. */
export function databaseOf(key: Uint8Array): number {
  return key[0] === DATABASE ? (key[1] ?? 0) : 0;
}

/** The user's key that the engine has: a view of it. */
export function toKeyOfDatabase(key: Uint8Array): Uint8Array {
  return key[0] === DATABASE ? key.subarray(DATABASE_HEAD_BYTES) : toUserKey(key);
}

/** How many bytes before the user's key a key of the engine has, by its first byte. */
export function headLength(firstByte: number | undefined): number {
  return firstByte === DATABASE ? DATABASE_HEAD_BYTES : escapeLength(firstByte);
}

/** All keys of a database. */
export function databaseRange(database: number): EngineRange {
  if (database === 0) return USER_KEYS;
  return {
    start: Uint8Array.of(DATABASE, database),
    end: Uint8Array.of(DATABASE, database + 1),
  };
}

/** The keys of a database whose users' bytes begin with `head`. */
export function headRange(database: number, head: Uint8Array): EngineRange {
  if (head.length === 0) return databaseRange(database);
  if (database !== 0) {
    const start = withHead(database, head);
    return { start, end: prefixEnd(start) };
  }
  const end = prefixEnd(head);
  return { start: toEngineBound(head), end: end === undefined ? USER_KEYS_END : toEngineBound(end) };
}

function withHead(database: number, bytes: Uint8Array): Uint8Array {
  const key = new Uint8Array(DATABASE_HEAD_BYTES + bytes.length);
  key[0] = DATABASE;
  key[1] = database;
  key.set(bytes, DATABASE_HEAD_BYTES);
  return key;
}
