/** Entries, times and lengths of time of the store as replies carry them, and what those take, which is charged before. */
import type { DurationShape } from '../../../gen/google/protobuf/duration_codec.ts';
import type { TimestampShape } from '../../../gen/google/protobuf/timestamp_codec.ts';
import type { EntryShape } from '../../../gen/kelp/v1/types_codec.ts';
import { ValueType } from '../../../gen/kelp/v1/types_codec.ts';
import type { Entry, Key, NamedKey, ValueType as ValueTypeName } from '../../api.ts';
import type { Call } from '../calls/call.ts';
import { NO_BYTES } from '../../wire/bytes.ts';

export function entryShape(entry: Entry): EntryShape {
  const {
    key,
    keyBytes = NO_BYTES,
    value,
    createRevision,
    modRevision,
    version,
    leaseId,
    expireTimeMs,
    type,
  } = entry;
  const expireTime = expireTimeMs === 0 ? undefined : timestampShape(expireTimeMs);
  return {
    key,
    value,
    createRevision,
    modRevision,
    version,
    leaseId,
    expireTime,
    keyBytes,
    type: valueTypeNumber(type),
  };
}

const numberByType: Readonly<Record<ValueTypeName, number>> = {
  hash: ValueType.HASH,
  list: ValueType.LIST,
  set: ValueType.SET,
  sortedSet: ValueType.SORTED_SET,
  stream: ValueType.STREAM,
  bloomFilter: ValueType.BLOOM_FILTER,
};

function valueTypeNumber(type: ValueTypeName | undefined): number {
  return type === undefined ? ValueType.UNSPECIFIED : numberByType[type];
}

/** A list of keys: an empty text stands for each that is bytes. */
export function keyLists(keys: readonly Key[]): {
  readonly keys: string[];
  readonly keysBytes: Uint8Array[];
} {
  return {
    keys: keys.map((key) => (typeof key === 'string' ? key : '')),
    keysBytes: keys.filter((key) => typeof key !== 'string'),
  };
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
  return entry === undefined ? 0 : entry.value.length + keyFieldsBytes(entry) + ENTRY_BYTES;
}

/** A character of a key takes up to three bytes; that is exact enough. */
export function keyFieldsBytes({ key, keyBytes = NO_BYTES }: NamedKey): number {
  return 3 * key.length + keyBytes.length;
}

export function entriesBytes(entries: readonly Entry[]): number {
  return entries.reduce((bytes, entry) => bytes + entryBytes(entry), 0);
}

export function keysBytes(keys: readonly Key[]): number {
  return keys.reduce((bytes, key) => bytes + 3 * key.length + KEY_BYTES, 0);
}

/** Takes memory for a page, item by item before each is made; of how many bytes the message is, is known afterwards. */
export function pageCharge(call: Call): (bytes: number) => void {
  return (bytes) => call.charge(call.replyMemoryBytes(bytes));
}

/** What the result of an operation takes as objects, besides its entry. */
export const RESULT_OBJECT_BYTES = 192;

/** What an entry and a key take besides their texts and values. */
const ENTRY_BYTES = 64;
const KEY_BYTES = 4;
