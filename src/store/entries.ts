/** From a version of the engine to an entry of the API. */
import type { Version } from '../engine/engine.ts';
import type { Entry } from './store.ts';

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

/** Whether a read at `instantMs` must leave the version out; an instant of 0 leaves nothing out. */
export function isExpired(version: Version, instantMs: number): boolean {
  return version.expireTimeMs !== 0 && version.expireTimeMs <= instantMs;
}
