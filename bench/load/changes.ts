/** Versions as the store gives them to an engine. */
import type { Change } from '../../src/engine/version.ts';

export function put(key: Uint8Array, value: Uint8Array, revision: number): Change {
  return {
    key,
    value,
    revision,
    deleted: false,
    kind: 0,
    collectionId: 0,
    createRevision: revision,
    modRevision: revision,
    version: 1,
    leaseId: 0,
    ttlMs: 0,
    expireTimeMs: 0,
  };
}
