/** Entries, times and lengths of time of the store as replies carry them, and what those take, which is charged before. */
import type { DurationShape } from '../../../gen/google/protobuf/duration_codec.ts';
import type { TimestampShape } from '../../../gen/google/protobuf/timestamp_codec.ts';
import type { EntryShape } from '../../../gen/kelp/v1/types_codec.ts';
import type { Entry } from '../../api.ts';

export function entryShape(entry: Entry): EntryShape {
  const { key, value, createRevision, modRevision, version, leaseId, expireTimeMs } = entry;
  const expireTime = expireTimeMs === 0 ? undefined : timestampShape(expireTimeMs);
  return { key, value, createRevision, modRevision, version, leaseId, expireTime };
}

export function optionalEntry(entry: Entry | undefined): EntryShape | undefined {
  return entry === undefined ? undefined : entryShape(entry);
}

export function timestampShape(ms: number): TimestampShape {
  return secondsAndNanos(ms);
}

/** @param ms not negative. */
export function durationShape(ms: number): DurationShape {
  return secondsAndNanos(ms);
}

function secondsAndNanos(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: (ms - seconds * 1000) * 1_000_000 };
}

/** What an entry takes in a reply, at most. */
export function entryBytes(entry: Entry | undefined): number {
  // A character of a key takes up to three bytes; nobody needs to know better.
  return entry === undefined ? 0 : entry.value.length + 3 * entry.key.length + ENTRY_BYTES;
}

export function entriesBytes(entries: readonly Entry[]): number {
  return entries.reduce((bytes, entry) => bytes + entryBytes(entry), 0);
}

export function keysBytes(keys: readonly string[]): number {
  return keys.reduce((bytes, key) => bytes + 3 * key.length + KEY_BYTES, 0);
}

/** What an entry and a key take besides their texts and values. */
const ENTRY_BYTES = 64;
const KEY_BYTES = 4;
