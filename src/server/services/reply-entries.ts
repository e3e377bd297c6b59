/** Entries of the store as replies carry them, and what they take, which is charged before they are encoded. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { EntryShape } from '../../../gen/kelp/v1/types_codec.ts';
import type { EntrySchema } from '../../../gen/kelp/v1/types_pb.ts';
import type { Entry } from '../../api.ts';

type EntryMessage = MessageInitShape<typeof EntrySchema>;

export function entryMessage(entry: Entry): EntryMessage {
  return {
    key: entry.key,
    value: entry.value,
    createRevision: BigInt(entry.createRevision),
    modRevision: BigInt(entry.modRevision),
    version: BigInt(entry.version),
    leaseId: BigInt(entry.leaseId),
    ...(entry.expireTimeMs === 0 ? {} : { expireTime: timestampFromMs(entry.expireTimeMs) }),
  };
}

/** The same for the generated codecs. */
export function entryShape(entry: Entry): EntryShape {
  const { key, value, createRevision, modRevision, version, leaseId, expireTimeMs } = entry;
  const expireTime = expireTimeMs === 0 ? undefined : timestampShape(expireTimeMs);
  return { key, value, createRevision, modRevision, version, leaseId, expireTime };
}

function timestampShape(ms: number): NonNullable<EntryShape['expireTime']> {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: (ms - seconds * 1000) * 1_000_000 };
}

/** An entry that may be none; to be spread into a reply, where a field that is absent is left out. */
export function optionalEntry<Field extends 'entry' | 'previous'>(
  field: Field,
  entry: Entry | undefined,
): { [name in Field]?: EntryMessage } {
  if (entry === undefined) return {};
  return { [field]: entryMessage(entry) } as { [name in Field]: EntryMessage };
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
