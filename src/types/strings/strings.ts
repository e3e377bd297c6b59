/**
 * Strings: plain bytes under a key, kind 0, as every other door has them too. Bitmaps and HyperLogLogs are strings.
 *
 *     user's key → the bytes
 *
 * What replaces a value (`setString`) drops its time to live, deadline and lease unless told otherwise; what changes one in
 * place (append, increment, ...) keeps them. All but the writes that replace whatever there is throw `wrongType` for a
 * collection.
 */
import type { Version } from '../../engine/version.ts';
import { StoreError } from '../../errors.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { expectKind } from '../collections/metadata.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { keepLifetime } from '../lifetime.ts';
import { addIntegers, integerText, parseIntegerText } from './integer-text.ts';
import { addLongDoubles, formatLongDouble, LONG_DOUBLE_ZERO, parseLongDouble } from './long-double.ts';

/** The longest string of Redis (its `proto-max-bulk-len`); the store's own limit is lower. */
const STRING_BYTES_MAX = 512 * 1024 * 1024;

/** The string of a key with its version; `undefined`: there is none. */
export function readString(view: ReadView, key: Uint8Array): Version | undefined {
  const version = view.read(key);
  if (version !== undefined) expectKind(version, kinds.plain);
  return version;
}

/** Puts a string in place of what there is, with a deadline: one that has passed leaves nothing. @param ttlMs may be negative. */
export function setStringFor(view: View, key: Uint8Array, value: Uint8Array, ttlMs: number): void {
  if (ttlMs > 0) view.put(key, value, { ttlMs });
  else view.delete(key, 'expired');
}

/** Writes a string where there is `before`, with its lifetime; `undefined`: there is none yet. */
export function putInPlace(
  view: View,
  key: Uint8Array,
  value: Uint8Array,
  before: Version | undefined,
): void {
  if (before === undefined) view.put(key, value);
  else view.put(key, value, keepLifetime(before));
}

/** @returns the length now. */
export function appendString(view: View, key: Uint8Array, tail: Uint8Array): number {
  const before = readString(view, key);
  const length = (before?.value.length ?? 0) + tail.length;
  const value = resized(view, before, length);
  value.set(tail, length - tail.length);
  putInPlace(view, key, value, before);
  return length;
}

/**
 * Overwrites a part; what lies between the end and `offset` becomes zeros. Without bytes to write nothing changes.
 * @returns the length now.
 */
export function setRange(view: View, key: Uint8Array, offset: number, part: Uint8Array): number {
  const before = readString(view, key);
  const length = before?.value.length ?? 0;
  if (part.length === 0) return length;
  const value = resized(view, before, Math.max(length, offset + part.length));
  value.set(part, offset);
  putInPlace(view, key, value, before);
  return value.length;
}

/** A part of a string, both ends inclusive; negative ones count from the end. A view of the bytes. */
export function partOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const { length } = bytes;
  if (length === 0 || (start < 0 && end < 0 && start > end)) return NO_BYTES;
  const first = Math.max(0, start < 0 ? length + start : start);
  const last = Math.min(length - 1, Math.max(0, end < 0 ? length + end : end));
  return first > last ? NO_BYTES : bytes.subarray(first, last + 1);
}

/** Adds to a number. @throws StoreError `notAnInteger`, `integerOverflow`. @returns the sum. */
export function incrementString(view: View, key: Uint8Array, delta: number | bigint): number | bigint {
  const before = readString(view, key);
  const current = before === undefined ? 0 : parseIntegerText(before.value);
  if (current === undefined) {
    throw new StoreError('notAnInteger', 'the value is not the decimal text of a signed 64-bit integer');
  }
  const sum = addIntegers(current, delta);
  if (sum === undefined) {
    throw new StoreError('integerOverflow', 'the sum does not fit into a signed 64-bit integer');
  }
  putInPlace(view, key, integerText(sum), before);
  return sum;
}

/** Adds to a number with a fraction. @throws StoreError `notAFloat`, `notANumber`. @returns the text of the sum. */
export function incrementFloat(view: View, key: Uint8Array, deltaText: Uint8Array): Uint8Array {
  const before = readString(view, key);
  const current = before === undefined ? LONG_DOUBLE_ZERO : parseLongDouble(before.value);
  const delta = parseLongDouble(deltaText);
  if (current === undefined || delta === undefined) {
    throw new StoreError('notAFloat', 'the value is not the text of a number');
  }
  const sum = addLongDoubles(current, delta);
  if (sum === undefined || sum.infinity !== 0) {
    throw new StoreError('notANumber', 'the sum is not a finite number');
  }
  const text = Buffer.from(formatLongDouble(sum), 'latin1');
  putInPlace(view, key, text, before);
  return text;
}

/**
 * The bytes of a string in memory of their own, with another length: cut off, or zeros behind them. Paid before memory is taken.
 * @throws StoreError `invalidArgument` beyond the longest string of Redis, `limitReached`.
 */
export function resized(view: View, before: Version | undefined, length: number): Uint8Array {
  if (length > STRING_BYTES_MAX) {
    throw new StoreError('invalidArgument', 'string exceeds maximum allowed size (proto-max-bulk-len)');
  }
  view.budget.spendBytes(length);
  if (view.budget.isSpent) throw budgetSpent(view.budget);
  if (before === undefined) return new Uint8Array(length);
  const { value } = before;
  if (value.length >= length) return value.slice(0, length);
  const grown = new Uint8Array(length);
  grown.set(value);
  return grown;
}
