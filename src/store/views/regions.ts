/**
 * Which keys of the engine belong to whom: one closed table of first bytes.
 *
 *     00 .. F7   a key of a user, its bytes as they are
 *     F8 key     a key of a user whose own first byte is F8 or above
 *     FC         users, roles and tokens (`access/records/access-keys.ts`)
 *     F9 .. FF   else the store's own; none is in use yet
 *
 * UTF-8 has no byte above F4, so text stays as it is. The order of users' keys is that of their bytes on both sides.
 */
import type { EngineRange } from '../../engine/engine.ts';
import { fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';

const ESCAPE = 0xf8;

/** Behind the last key of a user. */
export const USER_KEYS_END = Uint8Array.of(0xf9);

export const USER_KEYS: EngineRange = { start: NO_BYTES, end: USER_KEYS_END };

/** Whether the engine may have such a key: it is in one of the regions, and no longer than the longest. */
export function isEngineKey(key: Uint8Array): boolean {
  const first = key[0];
  if (first === undefined) return false;
  if (first !== ESCAPE) return key.length <= fixed.keyBytesMax;
  return key.length > 1 && key.length <= fixed.engineKeyBytesMax && isEscapedByte(key[1]);
}

/** Whether a key of the engine is a user's. */
export function isUserKey(key: Uint8Array): boolean {
  return (key[0] ?? 0) <= ESCAPE;
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
