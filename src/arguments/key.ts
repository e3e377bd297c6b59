/**
 * Keys in the forms in which a program may have them: text, or bytes. Bytes that are UTF-8 name the same key as their text,
 * so each key has one form that is handed out: its text, and only where it has none, its bytes.
 */
import { isUtf8 } from 'node:buffer';
import type { Key, NamedKey } from '../api-value.ts';
import { type Check, listOf, mustBe, text } from './check.ts';
import { isDetached } from './value.ts';

export const isKey: Check<Key> = (given) => {
  if (typeof given === 'string') return text(given);
  if (!(given instanceof Uint8Array)) return mustBe(given, 'text or bytes (a Uint8Array)');
  // The bytes of one that was transferred are gone; in a range it would count as left out.
  if (given.length === 0 && isDetached(given.buffer)) {
    return ' is the view of a buffer that was transferred away; it must hold its bytes';
  }
  return undefined;
};

export const keyList = listOf(isKey, 'keys');

/** The form in which a key is handed out; bytes are a copy. */
export function canonicalKey(given: Key): Key {
  if (typeof given === 'string') return given;
  if (!isUtf8(given)) return new Uint8Array(given);
  return Buffer.from(given.buffer, given.byteOffset, given.length).toString('utf8');
}

/** What names a key in an entry, an event or a request. @param canonical in the form in which it is handed out. */
export function namedKey(canonical: Key): NamedKey {
  return typeof canonical === 'string' ? { key: canonical } : { key: '', keyBytes: canonical };
}

/** The key of an entry or event, in the form in which it is handed out. */
export function keyOf({ key, keyBytes }: NamedKey): Key {
  return keyBytes ?? key;
}
