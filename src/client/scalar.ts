/**
 * Numbers, times and texts between their plain form and that of the protocol. What a caller hands in wrongly is
 * refused here, before anything is sent.
 */
import type { Duration } from '@bufbuild/protobuf/wkt';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { fixed } from '../limits.ts';
import { KelpError } from './error.ts';

/** A 64-bit integer of a reply. */
export function toNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new KelpError(
      'internal',
      `the server sent the number ${value}, which is out of range; is it a KelpDB server?`,
      undefined,
    );
  }
  return number;
}

/** A revision, lease id or the like of a request; nothing counts as 0. */
export function toInt64(value: number | undefined, name: string): bigint {
  if (value === undefined) return 0n;
  if (!Number.isSafeInteger(value) || value < 0) throw outOfRange(name, value, fixed.integerMax);
  return BigInt(value);
}

/** The number of items in a request; nothing counts as 0, which means the default. */
export function toInt32(value: number | undefined, name: string): number {
  if (value === undefined) return 0;
  if (!Number.isSafeInteger(value) || value < 0) throw outOfRange(name, value, INT32_MAX);
  return Math.min(value, INT32_MAX);
}

const INT32_MAX = 2 ** 31 - 1;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** What an increment adds. */
export function toDelta(delta: bigint | number): bigint {
  if (typeof delta === 'number' && !Number.isSafeInteger(delta)) throw badDelta(delta);
  const delta64 = BigInt(delta);
  if (delta64 < INT64_MIN || delta64 > INT64_MAX) throw badDelta(delta);
  return delta64;
}

function badDelta(delta: bigint | number): KelpError {
  return new KelpError(
    'invalidArgument',
    `delta is ${delta}; it must be a whole number of 64 bits`,
    undefined,
  );
}

/** A time to live or interval of a request, rounded up to whole milliseconds. */
export function toDuration(milliseconds: number, name: string): Duration {
  if (!(milliseconds >= 0 && milliseconds <= fixed.ttlMsMax))
    throw outOfRange(name, milliseconds, fixed.ttlMsMax);
  return durationFromMs(Math.ceil(milliseconds));
}

/** An interval of a reply; nothing counts as 0. */
export function toMilliseconds(duration: Duration | undefined): number {
  return duration === undefined ? 0 : durationMs(duration);
}

const utf8 = new TextEncoder();

/** A value of a request. */
export function toBytes(value: Uint8Array | string): Uint8Array {
  return typeof value === 'string' ? utf8.encode(toText(value, 'value')) : value;
}

/**
 * A text of a request. One with half a surrogate pair has no form in UTF-8: the encoder would put U+FFFD in its place
 * and so name another key.
 */
export function toText(text: string, name: string): string {
  if (text.isWellFormed()) return text;
  throw new KelpError('invalidArgument', `${name} holds half a surrogate pair, which is no text`, undefined);
}

function outOfRange(name: string, value: number, max: number): KelpError {
  return new KelpError(
    'invalidArgument',
    `${name} is ${value}; it must be a whole number from 0 to ${max}`,
    undefined,
  );
}
