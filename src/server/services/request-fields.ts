/** Fields of requests as the store takes them; what can't be taken is `invalidArgument` and names the field. */
import type { DurationShape } from '../../../gen/google/protobuf/duration_codec.ts';
import type { ConditionShape, KeyRangeShape } from '../../../gen/kelp/v1/types_codec.ts';
import { howToDeleteAll } from '../../arguments/requests.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { Condition, DeletedRange, Key, KeyRange } from '../../api.ts';

/** A key, prefix or bound, which is given as text or as bytes; one that is given as neither is for the store to refuse. */
export function keyOf(field: string, text: string, bytes: Uint8Array): Key {
  if (bytes.length === 0) return text;
  if (text === '') return bytes;
  throw new StoreError('invalidArgument', `${field} and ${field}_bytes are both given; give one of them`);
}

/** The key that a request is for. */
export function keyIn({ key, keyBytes }: { readonly key: string; readonly keyBytes: Uint8Array }): Key {
  return keyOf('key', key, keyBytes);
}

/** A list of keys, where empty texts stand for those that are given as bytes. */
export function keysOf(texts: readonly string[], bytes: readonly Uint8Array[], field = 'keys'): Key[] {
  let next = 0;
  const keys = texts.map((text): Key => (text === '' ? (bytes[next++] ?? '') : text));
  if (next !== bytes.length) {
    throw new StoreError(
      'invalidArgument',
      `${field} has ${next} empty texts, but ${field}_bytes has ${bytes.length} keys; each empty text stands for one of them`,
    );
  }
  return keys;
}

/** A revision, lease id or the like: 0 to 2^53 - 1. */
export function wholeNumber(field: string, value: number): number {
  if (value < 0) throw wholeNumberError(field, value);
  return value;
}

/** @param value outside of 0 to 2^53 - 1. */
export function wholeNumberError(field: string, value: number | bigint): StoreError {
  return new StoreError('invalidArgument', `${field} is ${value}; it must be 0 to ${fixed.integerMax}`);
}

/** A page's limit; the store takes care of the upper bound. */
export function pageLimit(limit: number, field = 'limit'): number {
  if (limit < 0) throw new StoreError('invalidArgument', `${field} is ${limit}; it must not be negative`);
  return limit;
}

/** A length of time in milliseconds, rounded up, not negative; `undefined` when the field is absent. */
export function milliseconds(field: string, duration: DurationShape | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const { seconds, nanos } = duration;
  if (seconds < 0 || nanos < 0 || nanos > 999_999_999 || seconds > fixed.ttlMsMax / 1000)
    throw durationError(field, seconds);
  const ms = seconds * 1000 + Math.ceil(nanos / 1_000_000);
  if (ms > fixed.ttlMsMax) throw durationError(field, ms / 1000);
  return ms;
}

/** @param seconds of a length of time that is negative, malformed or too long. */
export function durationError(field: string, seconds: number | bigint): StoreError {
  return new StoreError(
    'invalidArgument',
    seconds > fixed.ttlMsMax / 1000
      ? `${field} is ${seconds} s; it must be at most 100 years`
      : `${field} must not be negative, and its nanos at most 999999999`,
  );
}

/** A time to live of at least a millisecond; `undefined` when the field is absent. */
export function timeToLiveMs(field: string, duration: DurationShape | undefined): number | undefined {
  const ms = milliseconds(field, duration);
  if (ms === 0)
    throw new StoreError('invalidArgument', `${field} is 0; it must be at least 1 ms, or left out`);
  return ms;
}

/** The time to live of a lease. */
export function leaseTtlMs(field: string, duration: DurationShape | undefined): number {
  const ms = timeToLiveMs(field, duration);
  if (ms === undefined) throw new StoreError('invalidArgument', `${field} is missing; a lease needs one`);
  if (ms < fixed.leaseTtlMsMin) {
    throw new StoreError(
      'invalidArgument',
      `the time to live of a lease is ${fixed.leaseTtlMsMin} ms to 100 years, not ${ms} ms`,
    );
  }
  return ms;
}

/** A range of keys that are read; it may be left out, which is all keys. */
export function keyRange(range: KeyRangeShape | undefined): KeyRange {
  if (range === undefined) return {};
  if (range.all) {
    throw new StoreError(
      'invalidArgument',
      'range.all is for deletes only; where keys are read an empty range is all keys',
    );
  }
  return boundsOf('range', range);
}

function boundsOf(
  field: string,
  range: KeyRangeShape,
): KeyRange & Record<'key' | 'prefix' | 'start' | 'end', Key> {
  return {
    key: keyOf(`${field}.key`, range.key, range.keyBytes),
    prefix: keyOf(`${field}.prefix`, range.prefix, range.prefixBytes),
    start: keyOf(`${field}.start`, range.start, range.startBytes),
    end: keyOf(`${field}.end`, range.end, range.endBytes),
  };
}

/** A range of keys that are deleted, for which nothing stands for all keys but `all`. */
export function deletedRange(field: string, range: KeyRangeShape | undefined): DeletedRange {
  if (range === undefined) throw new StoreError('invalidArgument', `${field} is missing; ${howToDeleteAll}`);
  const { all } = range;
  const bounds = boundsOf(field, range);
  const isEmpty = Object.values(bounds).every((bound) => bound.length === 0);
  if (isEmpty && !all) throw new StoreError('invalidArgument', `${field} is empty; ${howToDeleteAll}`);
  if (all && !isEmpty) throw new StoreError('invalidArgument', `${field} has all and other fields`);
  return all ? { all } : bounds;
}

export function condition(message: ConditionShape | undefined): Condition | undefined {
  const choice = message?.condition;
  switch (choice?.case) {
    case 'mustNotExist':
    case 'mustExist':
      if (!choice.value) {
        throw new StoreError(
          'invalidArgument',
          `condition.${choice.case} is false; set it to true or leave it out`,
        );
      }
      return { kind: choice.case };
    case 'modRevisionEquals':
      return {
        kind: 'modRevisionEquals',
        modRevision: wholeNumber('condition.mod_revision_equals', choice.value),
      };
    case undefined:
      return undefined;
  }
}
