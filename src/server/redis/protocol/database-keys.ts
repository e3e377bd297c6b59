/**
 * Users' keys of the sixteen databases as the engine has them (`store/views/regions.ts`): those of database 0 as they are, which
 * are those of all doors, the others behind `F9` and the database.
 */
import { fixed } from '../../../limits.ts';
import { isEscaped, isEscapedByte, writeEscaped } from '../../../store/views/regions.ts';
import { keyHasNoBytes, keyIsTooLong } from '../replies/errors.ts';

/** The byte before a key of database 0 whose own first one is it or above. */
const ESCAPED_KEYS = 0xf8;
/** The byte before the keys of the databases 1 to 15. */
const OTHER_DATABASES = 0xf9;

/**
 * Writes keys into memory of its own, for calls that read and write one key at a time: a view of each length is made once. What it
 * returns holds until the next key.
 */
export class KeyPlace {
  readonly #bytes = new Uint8Array(fixed.keyBytesMax + 2);
  readonly #views: (Uint8Array | undefined)[] = [];

  /** @param database 0 to 15. */
  put(database: number, source: Uint8Array, start: number, end: number): Uint8Array {
    checkLength(end - start);
    const bytes = this.#bytes;
    let at = 0;
    if (database !== 0) {
      bytes[at++] = OTHER_DATABASES;
      bytes[at++] = database;
    } else if (isEscapedByte(source[start])) bytes[at++] = ESCAPED_KEYS;
    for (let index = start; index < end; index++) bytes[at++] = source[index] ?? 0;
    return (this.#views[at] ??= bytes.subarray(0, at));
  }
}

/** A key in bytes of its own, or a view of the user's. */
export function toEngineKey(database: number, userKey: Uint8Array): Uint8Array {
  checkLength(userKey.length);
  if (database === 0) {
    if (!isEscaped(userKey)) return userKey;
    const escaped = new Uint8Array(userKey.length + 1);
    writeEscaped(escaped, userKey);
    return escaped;
  }
  const key = new Uint8Array(userKey.length + 2);
  key[0] = OTHER_DATABASES;
  key[1] = database;
  key.set(userKey, 2);
  return key;
}

function checkLength(length: number): void {
  if (length === 0) throw keyHasNoBytes();
  if (length > fixed.keyBytesMax) throw keyIsTooLong(length);
}
