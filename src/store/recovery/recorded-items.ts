/**
 * What a record of the log, or a block of a snapshot, can hold. Their checksums say that the bytes are those that were
 * written; these rules say that a store can have written them. What breaks one came from another version or from memory
 * that failed, and is refused here, where its place is known, before it breaks an invariant of the engine or of the
 * leases far from its cause.
 *
 * All functions tell what is wrong, or `undefined`. They run for every item of a recovery.
 */
import type { EffectShape, PlacedDeleteEffect, RecordShape } from '../../../gen/kelp/storage/v1/log_codec.ts';
import type {
  PlacedSnapshotVersion,
  SnapshotHeaderShape,
  SnapshotIncarnationShape,
  SnapshotLeaseShape,
  SnapshotVersionShape,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { PlacedChange } from '../../engine/version.ts';
import { fixed } from '../../limits.ts';
import { isDeleteReason } from '../commit/effects.ts';
import { INCARNATION_BYTES, Incarnations, toLife } from '../history/incarnations.ts';
import { toKeyText } from '../views/keys.ts';
import { faultOfKey } from '../views/regions.ts';

/** The end of the year 9999, the last that Protobuf knows. */
const TIME_MS_MAX = 253_402_300_799_999;
/** A deadline lies a time to live behind a time. */
const DEADLINE_MS_MAX = TIME_MS_MAX + fixed.ttlMsMax;

/** Also whether the effects go together; what the store held before the record is for its owner to compare. */
export function faultOfRecord(record: RecordShape): string | undefined {
  const headFault = faultOfRecordHead(record);
  if (headFault !== undefined) return headFault;
  const { effects, revision } = record;
  const keys = effects.length > 1 ? new Set<string>() : undefined;
  let lifeCount = 0;
  for (const { effect } of effects) {
    const fault = faultOfEffect(effect, revision);
    if (fault !== undefined) return fault;
    if (effect.case === 'place' && effects.length > 1)
      return 'a place of the shared log is told beside something else';
    if (effect.case === 'incarnation' && ++lifeCount > 1) return 'a record begins two lives of the store';
    if (keys === undefined || !('key' in (effect.value ?? {}))) continue;
    const key = toKeyText((effect.value as { readonly key: Uint8Array }).key);
    if (keys.has(key)) return 'a record changes a key twice';
    keys.add(key);
  }
  return undefined;
}

type RecordNumbers = Omit<RecordShape, 'effects'>;

export function faultOfRecordHead({ revision, timeMs, leaseClockMs }: RecordNumbers): string | undefined {
  if (revision < 0) return `a record has revision ${revision}`;
  if (!isTime(timeMs) || !isTime(leaseClockMs)) return `a record has the times ${timeMs} and ${leaseClockMs}`;
  return undefined;
}

export function faultOfEffect(effect: EffectShape['effect'], revision: number): string | undefined {
  switch (effect.case) {
    case 'put':
    case 'touch': {
      if (revision === 0) return 'a note changes a key';
      const { value } = effect;
      const modRevision = effect.case === 'put' ? revision : effect.value.modRevision;
      return faultOfEntry({ ...value, revision, modRevision }) ?? faultOfKey(value.key, 0, value.key.length);
    }
    case 'delete':
      if (revision === 0) return 'a note changes a key';
      if (!isDeleteReason(effect.value.reason)) return `a delete has the reason ${effect.value.reason}`;
      return faultOfKey(effect.value.key, 0, effect.value.key.length);
    case 'incarnation':
      if (revision === 0) return 'a note begins a life of the store';
      return faultOfIncarnation(effect.value.id);
    case 'collectionIds':
      return effect.value.end < 1 ? `ids of collections up to ${effect.value.end}` : undefined;
    case 'swept': {
      const { collectionId, revision: sweptRevision } = effect.value;
      if (revision !== 0) return 'a transaction sweeps a collection';
      return collectionId < 1 || sweptRevision < 1
        ? `collection ${collectionId} is swept at ${sweptRevision}`
        : undefined;
    }
    case 'place': {
      const { position, epoch } = effect.value;
      if (revision !== 0) return 'a transaction tells a place of the shared log';
      // Of epoch 0 are the places of a server that is followed: its revisions, of which there may be none yet.
      return position < Math.min(epoch, 1) || epoch < 0
        ? `the place ${position} of epoch ${epoch}`
        : undefined;
    }
    case 'lease':
      return faultOfLease(effect.value);
    case 'leaseEnd':
    case 'compact':
    case undefined:
      return undefined;
  }
}

export function faultOfItemCount(found: number, told: number): string | undefined {
  return found === told ? undefined : `a block has ${found} items, not ${told}`;
}

/** What a loader refuses of a snapshot. */
export const TWO_NEWEST = 'a key has two newest versions';
export const MISFIT_OLDER = 'an old version does not fit the others of its key';

export function faultOfSnapshotHeader(header: SnapshotHeaderShape): string | undefined {
  const { revision, oldestRevision, compactedRevision, timeMs, leaseClockMs, collectionIdsEnd } = header;
  if (
    Math.min(oldestRevision, compactedRevision) < 0 ||
    Math.max(oldestRevision, compactedRevision) > revision
  )
    return `a snapshot of revision ${revision} reaches back to ${oldestRevision} and ${compactedRevision}`;
  if (!isTime(timeMs) || !isTime(leaseClockMs))
    return `a snapshot has the times ${timeMs} and ${leaseClockMs}`;
  if (collectionIdsEnd < 0) return `a snapshot has ids of collections up to ${collectionIdsEnd}`;
  const placeFault = faultOfPlace(header.place, revision);
  if (placeFault !== undefined) return placeFault;
  return faultOfIncarnations(header.incarnations, revision);
}

function faultOfPlace(place: SnapshotHeaderShape['place'], snapshotRevision: number): string | undefined {
  if (place === undefined) return undefined;
  const { position, epoch, revision } = place;
  // Those of epoch 0 are revisions of a server that is followed.
  const isRevision = epoch > 0 || position === revision;
  return isRevision && position >= 0 && epoch >= 0 && revision >= 0 && revision <= snapshotRevision
    ? undefined
    : `a snapshot of revision ${snapshotRevision} has revision ${revision} at the place ${position} of epoch ${epoch}`;
}

function faultOfIncarnations(
  incarnations: readonly SnapshotIncarnationShape[],
  snapshotRevision: number,
): string | undefined {
  if (incarnations.length > fixed.incarnationsKept)
    return `a snapshot has ${incarnations.length} incarnations`;
  const before = new Incarnations();
  for (const each of incarnations) {
    const life = toLife(each);
    const fault = faultOfIncarnation(each.id) ?? before.faultOfNext(life);
    if (fault !== undefined) return fault;
    before.begin(life);
  }
  const newest = before.lives.at(-1)?.firstRevision ?? 0;
  return newest <= snapshotRevision
    ? undefined
    : `a life begins at revision ${newest}, behind the snapshot's ${snapshotRevision}`;
}

function faultOfIncarnation(id: Uint8Array): string | undefined {
  return id.length === INCARNATION_BYTES ? undefined : `an incarnation has ${id.length} bytes`;
}

/** Goes through the items of a snapshot in the order in which they stand there. */
export class SnapshotOrder {
  readonly #snapshotRevision: number;
  #lastLeaseId = 0;
  #hasVersions = false;
  #lastReplacedBy = 0;

  constructor(snapshotRevision: number) {
    this.#snapshotRevision = snapshotRevision;
  }

  /** Whether leases may still come. */
  get mayHaveLeases(): boolean {
    return !this.#hasVersions;
  }

  faultOfLease(lease: SnapshotLeaseShape): string | undefined {
    if (this.#hasVersions) return 'leases stand behind keys';
    if (lease.leaseId <= this.#lastLeaseId) return 'leases are out of order';
    this.#lastLeaseId = lease.leaseId;
    return faultOfLease(lease);
  }

  faultOfVersion(version: SnapshotVersionShape): string | undefined {
    const { key } = version;
    return this.#faultOfVersion(version, faultOfKey(key, 0, key.length));
  }

  faultOfPlacedVersion(version: PlacedSnapshotVersion): string | undefined {
    const { keyMemory, keyStart, keyEnd } = version;
    return this.#faultOfVersion(version, faultOfKey(keyMemory.bytes, keyStart, keyEnd));
  }

  #faultOfVersion(version: VersionNumbers, keyFault: string | undefined): string | undefined {
    const { replacedBy } = version;
    this.#hasVersions = true;
    if (replacedBy < this.#lastReplacedBy) return 'versions are out of order';
    this.#lastReplacedBy = replacedBy;
    return keyFault ?? faultOfVersionNumbers(version, this.#snapshotRevision);
  }
}

/** For a put of the log. */
export function faultOfPlacedPut(change: PlacedChange): string | undefined {
  return faultOfKey(change.keyMemory.bytes, change.keyStart, change.keyEnd) ?? faultOfEntry(change);
}

/** For a delete of the log. */
export function faultOfPlacedDelete(effect: PlacedDeleteEffect): string | undefined {
  if (!isDeleteReason(effect.reason)) return `a delete has the reason ${effect.reason}`;
  return faultOfKey(effect.keyMemory.bytes, effect.keyStart, effect.keyEnd);
}

function faultOfVersionNumbers(version: VersionNumbers, snapshotRevision: number): string | undefined {
  const { revision, deleted, replacedBy } = version;
  const revisionMax = replacedBy === 0 ? snapshotRevision : replacedBy - 1;
  const revisionMin = deleted && replacedBy !== 0 ? 0 : 1;
  if (revision < revisionMin || revision > revisionMax || replacedBy < 0 || replacedBy > snapshotRevision)
    return `a version of revision ${revision}, replaced by ${replacedBy}, in a snapshot of ${snapshotRevision}`;
  return deleted ? undefined : faultOfEntry(version);
}

type VersionNumbers = Omit<SnapshotVersionShape, 'key' | 'value' | 'kind'>;
type EntryNumbers = Omit<VersionNumbers, 'deleted' | 'replacedBy'>;

function faultOfEntry(entry: EntryNumbers): string | undefined {
  const { revision, createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs, collectionId } =
    entry;
  if (createRevision < 1 || createRevision > modRevision || modRevision > revision)
    return `an entry of revision ${revision} was created at ${createRevision} and written at ${modRevision}`;
  if (version < 1) return `an entry has version ${version}`;
  if (leaseId < 0) return `an entry has lease ${leaseId}`;
  if (collectionId < 0) return `an entry has collection ${collectionId}`;
  if (ttlMs < 0 || ttlMs > fixed.ttlMsMax || expireTimeMs < 0 || expireTimeMs > DEADLINE_MS_MAX)
    return `an entry lives ${ttlMs} ms, to ${expireTimeMs}`;
  return undefined;
}

function faultOfLease({ leaseId, ttlMs, deadlineMs, owner }: SnapshotLeaseShape): string | undefined {
  if (owner.length > fixed.accessNameCharactersMax)
    return `the owner of lease ${leaseId} has ${owner.length} characters`;
  return leaseId >= 1 && ttlMs >= 1 && deadlineMs >= 0 && deadlineMs <= DEADLINE_MS_MAX
    ? undefined
    : `lease ${leaseId} lives ${ttlMs} ms, to ${deadlineMs}`;
}

function isTime(timeMs: number): boolean {
  return timeMs >= 0 && timeMs <= TIME_MS_MAX;
}
