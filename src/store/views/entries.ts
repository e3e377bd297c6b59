/** From a version of the engine to an entry of the API. */
import type { PlacedChange, Version } from '../../engine/version.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { decodeKey } from './keys.ts';
import type { Entry } from '../../api.ts';

export function toEntry(key: string, version: Version): Entry {
  return {
    key,
    value: version.value,
    createRevision: version.createRevision,
    modRevision: version.modRevision,
    version: version.version,
    leaseId: version.leaseId,
    expireTimeMs: version.expireTimeMs,
  };
}

/** The entry of a version that is only shown, with a value of its own. */
export function copyEntry(shown: PlacedChange, withValue: boolean): Entry {
  return {
    key: decodeKey(shown.key),
    value: withValue ? shown.copyValue() : NO_BYTES,
    createRevision: shown.createRevision,
    modRevision: shown.modRevision,
    version: shown.version,
    leaseId: shown.leaseId,
    expireTimeMs: shown.expireTimeMs,
  };
}
