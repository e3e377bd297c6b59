/** Entries of the store as replies carry them. Their size is charged to the call before they are encoded. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { EntrySchema } from '../../../gen/kelp/v1/types_pb.ts';
import type { Entry } from '../../store/store.ts';
import type { Call } from '../calls.ts';

export function entryMessage(entry: Entry, call: Call): MessageInitShape<typeof EntrySchema> {
  // A character of a key takes up to three bytes; nobody needs to know better.
  call.chargeReply(entry.value.length + 3 * entry.key.length + ENTRY_BYTES);
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

/** An entry that may be none; to be spread into a reply, where a field that is absent is left out. */
export function optionalEntry<Field extends 'entry' | 'previous'>(
  field: Field,
  entry: Entry | undefined,
  call: Call,
): { [name in Field]?: MessageInitShape<typeof EntrySchema> } {
  if (entry === undefined) return {};
  return { [field]: entryMessage(entry, call) } as { [name in Field]: MessageInitShape<typeof EntrySchema> };
}

/** Keys of a reply. */
export function chargeKeys(keys: readonly string[], call: Call): void {
  let bytes = 0;
  for (const key of keys) bytes += 3 * key.length + KEY_BYTES;
  call.chargeReply(bytes);
}

/** What an entry and a key take besides their texts and values. */
const ENTRY_BYTES = 64;
const KEY_BYTES = 4;
