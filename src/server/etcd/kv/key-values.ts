/**
 * Keys with their values as etcd's replies carry them. A key that holds a collection (of `kelp.v1` or Redis) has an empty value here,
 * and the revisions, version and lease that it has.
 */
import type { KeyValueShape } from '../../../../gen/etcd/api/mvccpb/kv_codec.ts';
import type { PlacedChange, Version } from '../../../engine/version.ts';
import { kinds } from '../../../store/collections/kinds.ts';
import { toUserKey } from '../../../store/views/regions.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { toEtcd } from '../revisions.ts';

/** What one takes in a reply besides its key and value, at most. */
const KEY_VALUE_BYTES = 64;

/** @param key the user's, in memory of its own. */
export function keyValueOf(key: Uint8Array, version: Version): KeyValueShape {
  return withValue(key, version, plainValueOf(version));
}

/** Of an entry that is only shown, with a key and, if it is wanted, a value of its own. */
export function copyKeyValue(shown: PlacedChange, wantsValue: boolean): KeyValueShape {
  const hasValue = wantsValue && shown.kind === kinds.plain;
  return withValue(toUserKey(shown.copyKey()), shown, hasValue ? shown.copyValue() : NO_BYTES);
}

/** The value as etcd's clients have it. */
export function plainValueOf({ kind, value }: Pick<Version, 'kind' | 'value'>): Uint8Array {
  return kind === kinds.plain ? value : NO_BYTES;
}

export function bytesOfShown(shown: PlacedChange, wantsValue: boolean): number {
  const valueBytes = wantsValue ? shown.valueEnd - shown.valueStart : 0;
  return KEY_VALUE_BYTES + shown.keyEnd - shown.keyStart + valueBytes;
}

export function bytesOfKeyValue({ key, value }: Pick<KeyValueShape, 'key' | 'value'>): number {
  return KEY_VALUE_BYTES + key.length + value.length;
}

function withValue(
  key: Uint8Array,
  { createRevision, modRevision, version, leaseId }: Omit<Version, 'value'>,
  value: Uint8Array,
): KeyValueShape {
  return {
    key,
    createRevision: toEtcd(createRevision),
    modRevision: toEtcd(modRevision),
    version,
    value,
    lease: leaseId,
  };
}
