/** Changes for the tests of engines. */
import type { Change } from '../../../src/engine/version.ts';

const NO_BYTES = new Uint8Array(0);

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
  return {
    key: bytes(key),
    revision,
    deleted: true,
    value: NO_BYTES,
    kind: 0,
    createRevision: 0,
    modRevision: 0,
    version: 0,
    leaseId: 0,
    ttlMs: 0,
    expireTimeMs: 0,
  };
}
