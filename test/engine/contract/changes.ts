/** Changes for the tests of engines. */
import { type Change, deletionOf } from '../../../src/engine/version.ts';

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** A first write of a key, but for the fields that are given. */
export function put(key: string, revision: number, value = '', fields: Partial<Change> = {}): Change {
  return {
    key: bytes(key),
    revision,
    deleted: false,
    value: bytes(value),
    kind: 0,
    collectionId: 0,
    createRevision: revision,
    modRevision: revision,
    version: 1,
    leaseId: 0,
    ttlMs: 0,
    expireTimeMs: 0,
    ...fields,
  };
}

export function deletion(key: string, revision: number): Change {
  return deletionOf(bytes(key), revision);
}
