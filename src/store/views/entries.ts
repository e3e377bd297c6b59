/** From a version of the engine to an entry of the API. */
import type { PlacedChange, Version } from '../../engine/version.ts';
import { canonicalKey } from '../../arguments/key.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { kinds, valueTypeOf } from '../collections/kinds.ts';
import { decodeKey } from './keys.ts';
import type { Entry, Key } from '../../api.ts';

/** @param given the key as it was asked for, or as it is handed out. */
export function toEntry(given: Key, version: Version): Entry {
  return entryOf(canonicalKey(given), version, version.value);
}

/** The same of a version that is only shown, with a value of its own. */
export function ownEntry(given: Key, shown: PlacedChange): Entry {
  return entryOf(canonicalKey(given), shown, shown.copyValue());
}

/** The entry of a version that is only shown, with a value of its own. */
export function copyEntry(shown: PlacedChange, withValue: boolean): Entry {
  return entryOf(decodeKey(shown.key), shown, withValue ? shown.copyValue() : NO_BYTES);
}

/** The entry of a version that is only shown, with a part of its value. */
export function partEntry(given: Key, shown: PlacedChange, part: Uint8Array): Entry {
  return entryOf(canonicalKey(given), shown, part);
}

function entryOf(
  key: Key,
  version: Pick<Version, Exclude<keyof Version, 'value'>>,
  value: Uint8Array,
): Entry {
  const isText = typeof key === 'string';
  const { kind } = version;
  const entry = {
    key: isText ? key : '',
    value: kind === kinds.plain ? value : NO_BYTES,
    createRevision: version.createRevision,
    modRevision: version.modRevision,
    version: version.version,
    leaseId: version.leaseId,
    expireTimeMs: version.expireTimeMs,
  };
  if (kind !== kinds.plain) Object.assign(entry, { type: valueTypeOf(kind) });
  return isText ? entry : { ...entry, keyBytes: key };
}
