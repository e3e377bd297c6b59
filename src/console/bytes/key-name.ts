/**
 * Keys as the page has them: a text, or bytes where they are not UTF-8, as in `src/api-value.ts`. Here are the forms in which requests,
 * addresses and people have them.
 */
import { fromHex, toHex } from './text.ts';

export type Key = string | Uint8Array;

interface NamedKey {
  readonly key: string;
  readonly keyBytes: Uint8Array;
}

export function keyOf({ key, keyBytes }: NamedKey): Key {
  return keyBytes.length === 0 ? key : keyBytes;
}

/** The fields by which a request names a key. */
export function keyFields(key: Key): { readonly key?: string; readonly keyBytes?: Uint8Array } {
  return typeof key === 'string' ? { key } : { keyBytes: key };
}

export function bytesOf(key: Key): Uint8Array {
  return typeof key === 'string' ? new TextEncoder().encode(key) : key;
}

/** What people see; bytes as hexadecimal digits. Characters that would not show, or turn the line around, are named. */
export function labelOf(key: Key): string {
  if (typeof key !== 'string') return `0x${toHex(key)}`;
  return key.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

export function isSameKey(one: Key, other: Key): boolean {
  return idOf(one) === idOf(other);
}

/** Tells keys apart, and is what an address has: a letter for the form, then the text or the digits. */
export function idOf(key: Key): string {
  return typeof key === 'string' ? `t${key}` : `x${toHex(key)}`;
}

export function keyWithId(id: string): Key | undefined {
  if (id.startsWith('t') && id.length > 1) return id.slice(1);
  return id.startsWith('x') ? fromHex(id.slice(1)) : undefined;
}

/** A range of keys: from `start`, inclusive, to `end`, exclusive. Empty: from the first, to the last. */
export interface Range {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

export function rangeFields({ start, end }: Range): {
  readonly startBytes: Uint8Array;
  readonly endBytes: Uint8Array;
} {
  return { startBytes: start, endBytes: end };
}

export function prefixRange(prefix: Key): Range {
  const start = bytesOf(prefix);
  return { start, end: prefixEnd(start) };
}

/** The first key behind all that begin with these bytes; empty: there is none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  const end = new Uint8Array(prefix.subarray(0, last + 1));
  if (last >= 0) end[last] = (end[last] ?? 0) + 1;
  return end;
}

/** The first key that can lie behind one. */
export function keyAfter(key: Key): Uint8Array {
  const bytes = bytesOf(key);
  const next = new Uint8Array(bytes.length + 1);
  next.set(bytes);
  return next;
}
