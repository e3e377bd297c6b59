/**
 * Times between their plain form and that of the protocol. What a caller hands in has been checked by then, see
 * `arguments.ts`.
 */
import type { DurationShape } from '../../../gen/google/protobuf/duration_codec.ts';
import type { TimestampShape } from '../../../gen/google/protobuf/timestamp_codec.ts';

/** A time to live or interval of a request, rounded up to whole milliseconds. */
export function toDuration(milliseconds: number): DurationShape {
  const ms = Math.ceil(milliseconds);
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: (ms - seconds * 1000) * 1_000_000 };
}

/** An interval of a reply, or an instant since 1970-01-01 UTC; nothing counts as 0. */
export function toMilliseconds(time: DurationShape | TimestampShape | undefined): number {
  return time === undefined ? 0 : time.seconds * 1000 + Math.round(time.nanos / 1_000_000);
}
