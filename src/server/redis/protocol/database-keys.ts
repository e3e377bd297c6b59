/**
 * The keys in the words of calls, as the engine has them (`types/databases/database-keys.ts`); what no key can be is refused.
 */
import { fixed } from '../../../limits.ts';
import { DATABASE, DATABASE_HEAD_BYTES, ESCAPE, isEscapedByte } from '../../../store/views/regions.ts';
import { toDatabaseKey } from '../../../types/databases/database-keys.ts';
import { keyHasNoBytes, keyIsTooLong } from '../replies/errors.ts';

/** Where a word is put that is no key. */
export interface WordPlace {
  /** @returns the word, or what it becomes there; it holds until the next one. */
  putWord(source: Uint8Array, start: number, end: number): Uint8Array;
}

/**
 * Writes keys into memory of its own, for calls that read and write one key at a time: a view of each length is made once. What it
 * returns holds until the next key.
 */
export class KeyPlace implements WordPlace {
  readonly #bytes: Uint8Array;
  readonly #views: (Uint8Array | undefined)[] = [];

  /** @param bytesMax of the words that are put here. */
  constructor(bytesMax: number = fixed.keyBytesMax) {
    this.#bytes = new Uint8Array(bytesMax + DATABASE_HEAD_BYTES);
  }

  /** @param database 0 to 15. */
  put(database: number, source: Uint8Array, start: number, end: number): Uint8Array {
    checkLength(end - start);
    const bytes = this.#bytes;
    let at = 0;
    if (database !== 0) {
      bytes[at++] = DATABASE;
      bytes[at++] = database;
    } else if (isEscapedByte(source[start])) bytes[at++] = ESCAPE;
    for (let index = start; index < end; index++) bytes[at++] = source[index] ?? 0;
    return (this.#views[at] ??= bytes.subarray(0, at));
  }

  /** Of a word that is no key. */
  putWord(source: Uint8Array, start: number, end: number): Uint8Array {
    const bytes = this.#bytes;
    let at = 0;
    for (let index = start; index < end; index++) bytes[at++] = source[index] ?? 0;
    return (this.#views[at] ??= bytes.subarray(0, at));
  }
}

/** A key in bytes of its own, or a view of the user's. */
export function toEngineKey(database: number, userKey: Uint8Array): Uint8Array {
  checkLength(userKey.length);
  return toDatabaseKey(database, userKey);
}

function checkLength(length: number): void {
  if (length === 0) throw keyHasNoBytes();
  if (length > fixed.keyBytesMax) throw keyIsTooLong(length);
}
