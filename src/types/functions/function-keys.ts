/**
 * The store's own keys for functions of Redis, which no call on keys can read or write:
 *
 *     FD 01 name   a function, by its name in lower case   digest of its library's text, name of the library
 *     FD 02 name   a library                               01, its text, then its functions (`libraries.ts`)
 *
 * A name is 1 to 128 letters, digits and underscores of ASCII. Names of functions are the same in upper and lower case, those of libraries
 * are not.
 */
import type { EngineRange } from '../../engine/engine.ts';
import { FUNCTIONS } from '../../store/views/regions.ts';

const FUNCTION = 1;
const LIBRARY = 2;

/** All of them. */
export const FUNCTION_REGION: EngineRange = rangeOf([FUNCTIONS], [FUNCTIONS + 1]);
export const FUNCTION_KEYS: EngineRange = rangeOf([FUNCTIONS, FUNCTION], [FUNCTIONS, FUNCTION + 1]);
export const LIBRARY_KEYS: EngineRange = rangeOf([FUNCTIONS, LIBRARY], [FUNCTIONS, LIBRARY + 1]);

const HEAD_BYTES = 2;

export function functionKey(name: string): Uint8Array {
  return keyOf(FUNCTION, name.toLowerCase());
}

export function libraryKey(name: string): Uint8Array {
  return keyOf(LIBRARY, name);
}

/** The name in a key of either kind. */
export function nameInKey(key: Uint8Array): string {
  return Buffer.from(key.subarray(HEAD_BYTES)).toString('latin1');
}

function keyOf(kind: number, name: string): Uint8Array {
  const key = Buffer.alloc(HEAD_BYTES + name.length);
  key[0] = FUNCTIONS;
  key[1] = kind;
  key.write(name, HEAD_BYTES, 'latin1');
  return key;
}

function rangeOf(start: readonly number[], end: readonly number[]): EngineRange {
  return { start: Uint8Array.from(start), end: Uint8Array.from(end) };
}
