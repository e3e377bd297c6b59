/**
 * Which keys of the engine belong to whom: one closed table of first bytes.
 *
 *     00 .. F7   a key of a user, its bytes as they are
 *     F8 key     a key of a user whose own first byte is F8 or above
 *     F9 .. FF   the store's own; none is in use yet
 *
 * UTF-8 has no byte above F4, so text stays as it is. The order of users' keys is that of their bytes on both sides.
 */
import type { EngineRange } from '../../engine/engine.ts';
import { NO_BYTES } from '../../wire/bytes.ts';

const ESCAPE = 0xf8;

/** Behind the last key of a user. */
export const USER_KEYS_END = Uint8Array.of(0xf9);

export const USER_KEYS: EngineRange = { start: NO_BYTES, end: USER_KEYS_END };

/** The engine's key, or bound of a range, for a user's. */
export function toEngineKey(key: Uint8Array): Uint8Array {
  if ((key[0] ?? 0) < ESCAPE) return key;
  const escaped = new Uint8Array(key.length + 1);
  escaped[0] = ESCAPE;
  escaped.set(key, 1);
  return escaped;
}

/** How many of the first bytes of a key in the engine, a user's, are not the user's. */
export function escapeBytes(firstByte: number | undefined): number {
  return firstByte === ESCAPE ? 1 : 0;
}
