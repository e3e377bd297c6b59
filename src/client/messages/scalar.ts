/**
 * Numbers and times between their plain form and that of the protocol. What a caller hands in has been checked by then,
 * see `arguments.ts`.
 */
import type { Duration } from '@bufbuild/protobuf/wkt';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { KelpError } from '../errors/error.ts';

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
export function toInt64(value = 0): bigint {
  return BigInt(value);
}

/** A time to live or interval of a request, rounded up to whole milliseconds. */
export function toDuration(milliseconds: number): Duration {
  return durationFromMs(Math.ceil(milliseconds));
}

/** An interval of a reply; nothing counts as 0. */
export function toMilliseconds(duration: Duration | undefined): number {
  return duration === undefined ? 0 : durationMs(duration);
}
