/**
 * An entry as JSON, in the form of `api-json.ts`, so that what `kelp scan --json` prints can be imported as well:
 *
 *     {"key":"greeting","value":"hello"}
 *     {"key":"session/7","value":"Alice","expireTime":"2026-11-27T12:00:00.000Z"}
 *     {"keyBytes":"/wE=","value":{"base64":"AAEC"}}
 *
 * A value or key that is UTF-8 is a text; any other is base64. A time to live is the instant of its end, or with
 * `ttlMs` what was left of it. In a document the key stands before the entry, and an entry that is nothing but text or
 * bytes is its value alone:
 *
 *     "greeting": "hello"
 *     "photo": {"base64":"AAEC"}
 *     "session/7": {"value":"Alice","ttlMs":60000}
 *
 * What `kelp scan --json` has besides is read over, but for `leaseId`: such an entry is not imported.
 */
import { isUtf8 } from 'node:buffer';
import type { Key } from '../../api.ts';
import { canonicalKey } from '../../arguments/key.ts';
import { parseInstant } from '../../arguments/instant.ts';
import { unknownName } from '../../arguments/check.ts';
import { fixed, transfer as limits } from '../../limits.ts';
import type { TransferEntry } from '../contract/entry.ts';
import type { TtlForm } from '../contract/words.ts';
import { type JsonReader, type Reading, mark } from './json-reader.ts';

/** What an entry in a line is, without the end of the line. */
export function lineOf(entry: TransferEntry, ttlForm: TtlForm, nowMs: number): string {
  const { key } = entry;
  const keyText = typeof key === 'string' ? `"key":${JSON.stringify(key)}` : `"keyBytes":"${base64Of(key)}"`;
  return `{${keyText},"value":${valueText(entry.value)}${lifetimeText(entry, ttlForm, nowMs)}}`;
}

/** What stands behind the key of an entry in a document. */
export function memberOf(entry: TransferEntry, ttlForm: TtlForm, nowMs: number): string {
  const value = valueText(entry.value);
  const lifetime = lifetimeText(entry, ttlForm, nowMs);
  return lifetime === '' ? value : `{"value":${value}${lifetime}}`;
}

export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function valueText(value: Uint8Array): string {
  if (!isUtf8(value)) return `{"base64":"${base64Of(value)}"}`;
  return JSON.stringify(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'));
}

function lifetimeText({ expireTimeMs }: TransferEntry, ttlForm: TtlForm, nowMs: number): string {
  if (expireTimeMs === 0) return '';
  if (ttlForm === 'deadline') return `,"expireTime":"${new Date(expireTimeMs).toISOString()}"`;
  // What is over already must not live for ever when it is imported.
  return `,"ttlMs":${Math.max(1, expireTimeMs - nowMs)}`;
}

const valueNames = ['value', 'base64', 'expireTime', 'ttlMs'];
const lineNames = ['key', 'keyBytes', 'value', 'expireTime', 'ttlMs', 'leaseId'];
/** What `kelp scan --json` has, and an import has no use for. */
const namesReadOver = ['createRevision', 'modRevision', 'version'];

/** The members that were read of an entry. */
interface Members {
  key?: string;
  keyBytes?: Uint8Array;
  value?: Uint8Array;
  base64?: Uint8Array;
  expireTimeMs?: number;
  ttlMs?: number;
  leaseId?: number;
}

/** Reads the object of a line. @param nowMs the instant from which a `ttlMs` counts. */
export function* readLine(reader: JsonReader, nowMs: () => number): Reading<TransferEntry> {
  const members = yield* readMembers(reader, 'an entry', lineNames, namesReadOver);
  const { value } = members;
  if (value === undefined) throw reader.fault('an entry without "value"');
  return entryOf(reader, lineKey(reader, members), value, members, nowMs);
}

/** Reads what stands behind a key in a document. */
export function* readMember(reader: JsonReader, key: Key, nowMs: () => number): Reading<TransferEntry> {
  if ((yield* reader.peek()) !== mark.objectStart) {
    const what = 'a text, or an object such as {"base64":"..."}, as the value';
    const value = textBytes(reader, yield* reader.text(what, limits.textBytesMax), 'a value');
    return entryOf(reader, key, value, {}, nowMs);
  }
  const members = yield* readMembers(reader, 'a value', valueNames, []);
  const value = members.value ?? members.base64;
  if (value === undefined) throw reader.fault('an object without "value" or "base64" as the value');
  const isBytesAlone = Object.keys(members).length === 1;
  if (members.base64 !== undefined && !isBytesAlone) {
    throw reader.fault('"base64" beside other members; write {"value":{"base64":"..."}, ...}');
  }
  return entryOf(reader, key, value, members, nowMs);
}

/** Checks a key of the store. */
export function keyOfText(reader: JsonReader, text: string): Key {
  checkLength(reader, textBytes(reader, text, 'a key').length);
  return text;
}

/** A key in base64. */
export function keyOfBase64(reader: JsonReader, text: string): Key {
  const bytes = bytesOfBase64(reader, text);
  checkLength(reader, bytes.length);
  return canonicalKey(bytes);
}

function checkLength(reader: JsonReader, length: number): void {
  if (length === 0) throw reader.fault('an empty key; a key has at least 1 byte');
  if (length > fixed.keyBytesMax) {
    throw reader.fault(`a key of ${length} bytes; at most ${fixed.keyBytesMax} are allowed`);
  }
}

function* readMembers(
  reader: JsonReader,
  what: string,
  names: readonly string[],
  readOver: readonly string[],
): Reading<Members> {
  const members: Members = {};
  const seen = new Set<string>();
  yield* reader.object(what, function* (name) {
    if (seen.has(name)) throw reader.fault(`"${name}" twice in one object`);
    if (readOver.includes(name)) yield* reader.wholeNumber('a whole number');
    else if (names.includes(name)) yield* readMemberOf(reader, name, members);
    else throw reader.fault(`${what}${unknownName(name, 'member', names)}`);
    seen.add(name);
  });
  return members;
}

function* readMemberOf(reader: JsonReader, name: string, members: Members): Reading<void> {
  switch (name) {
    case 'key':
      members.key = yield* reader.text('a text as the key', limits.nameBytesMax);
      return;
    case 'keyBytes':
      members.keyBytes = bytesOfBase64(reader, yield* reader.text('base64 as the key', limits.nameBytesMax));
      return;
    case 'value':
      members.value = yield* readValue(reader);
      return;
    case 'base64':
      members.base64 = bytesOfBase64(reader, yield* reader.text('base64 as the value', limits.textBytesMax));
      return;
    case 'expireTime':
      members.expireTimeMs = instantOf(reader, yield* reader.text('a time', limits.nameBytesMax));
      return;
    case 'ttlMs':
      members.ttlMs = yield* reader.wholeNumber('a time to live in milliseconds');
      return;
    default:
      members.leaseId = yield* reader.wholeNumber('the id of a lease');
  }
}

/** A text, or `{"base64": "..."}`. */
function* readValue(reader: JsonReader): Reading<Uint8Array> {
  if ((yield* reader.peek()) !== mark.objectStart) {
    const what = 'a text, or {"base64":"..."}, as the value';
    return textBytes(reader, yield* reader.text(what, limits.textBytesMax), 'a value');
  }
  const { base64 } = yield* readMembers(reader, 'a value', ['base64'], []);
  if (base64 === undefined) throw reader.fault('an object without "base64" as the value');
  return base64;
}

function lineKey(reader: JsonReader, { key, keyBytes }: Members): Key {
  if (keyBytes === undefined) {
    if (key === undefined) throw reader.fault('an entry without "key" or "keyBytes"');
    return keyOfText(reader, key);
  }
  if (key !== undefined && key !== '') throw reader.fault('an entry with both "key" and "keyBytes"');
  checkLength(reader, keyBytes.length);
  return canonicalKey(keyBytes);
}

function entryOf(
  reader: JsonReader,
  key: Key,
  value: Uint8Array,
  { expireTimeMs, ttlMs, leaseId = 0 }: Members,
  nowMs: () => number,
): TransferEntry {
  if (expireTimeMs !== undefined && ttlMs !== undefined) {
    throw reader.fault('both "expireTime" and "ttlMs"; leave one of them out');
  }
  if (ttlMs !== undefined && (ttlMs < 1 || ttlMs > fixed.ttlMsMax)) {
    throw reader.fault(`a time to live of ${ttlMs} ms; it is 1 to ${fixed.ttlMsMax}`);
  }
  const deadlineMs = expireTimeMs ?? (ttlMs === undefined ? 0 : nowMs() + ttlMs);
  return { key, value, expireTimeMs: deadlineMs, isLeased: leaseId !== 0, isCollection: false };
}

function instantOf(reader: JsonReader, text: string): number {
  const timeMs = parseInstant(text);
  // 0 would stand for an entry that lives for ever.
  if (timeMs !== undefined && timeMs > 0) return timeMs;
  throw reader.fault('a time that is none; it is such as "2026-01-31T12:00:00Z"');
}

function textBytes(reader: JsonReader, text: string, what: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  throw reader.fault(`${what} with half a surrogate pair, which is no text`);
}

/** Only what an encoder makes: a text that was cut or mistyped must not pass for other bytes. */
function bytesOfBase64(reader: JsonReader, text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) {
    throw reader.fault('a text that is not base64 (RFC 4648, section 4, with its padding)');
  }
  return bytes;
}
