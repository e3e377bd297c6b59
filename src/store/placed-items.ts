/**
 * Reads what a recovery goes through by the million into a `PlacedChange`: keys and values stay where they are, and no
 * object is made for an item. Everything else, and every item that is put together in an unusual way, goes by the
 * generated codecs, which read the same messages to the same effect.
 */
import type { PlacedChange } from '../engine/placed-change.ts';
import type { Cursor } from '../wire/cursor.ts';
import {
  BLOCK_LEASE,
  BLOCK_VERSION,
  DELETE_KEY,
  DELETE_REASON,
  EFFECT_DELETE,
  EFFECT_PUT,
  PUT_CREATE_REVISION,
  PUT_EXPIRE_TIME_MS,
  PUT_KEY,
  PUT_KIND,
  PUT_LEASE_ID,
  PUT_TTL_MS,
  PUT_VALUE,
  PUT_VERSION,
  RECORD_EFFECT,
  RECORD_LEASE_CLOCK_MS,
  RECORD_REVISION,
  RECORD_TIME_MS,
  VERSION_CREATE_REVISION,
  VERSION_DELETED,
  VERSION_EXPIRE_TIME_MS,
  VERSION_KEY,
  VERSION_KIND,
  VERSION_LEASE_ID,
  VERSION_MOD_REVISION,
  VERSION_REVISION,
  VERSION_TTL_MS,
  VERSION_VALUE,
  VERSION_VERSION,
} from './item-tags.ts';

/** The fields of a `Record` but for its effects, whose places it finds. */
export class RecordHead {
  revision = 0;
  timeMs = 0;
  leaseClockMs = 0;
  effectCount = 0;

  read(cursor: Cursor, end: number): void {
    this.revision = 0;
    this.timeMs = 0;
    this.leaseClockMs = 0;
    this.effectCount = 0;
    while (cursor.position < end) {
      const tag = cursor.tag(end);
      switch (tag) {
        case RECORD_REVISION:
          this.revision = cursor.int64(end);
          break;
        case RECORD_TIME_MS:
          this.timeMs = cursor.int64(end);
          break;
        case RECORD_LEASE_CLOCK_MS:
          this.leaseClockMs = cursor.int64(end);
          break;
        case RECORD_EFFECT:
          this.effectCount++;
          cursor.position = cursor.endOfLength(end);
          break;
        default:
          cursor.skip(tag, end);
      }
    }
  }
}

/** Goes to the next effect of a `Record`. @returns where it ends; 0 when there is no other. */
export function nextEffect(cursor: Cursor, end: number): number {
  return nextOf(RECORD_EFFECT, cursor, end);
}

/** Goes to the next version of a `SnapshotBlock`. @returns where it ends; 0 when there is no other. */
export function nextVersion(cursor: Cursor, end: number): number {
  return nextOf(BLOCK_VERSION, cursor, end);
}

/** Goes to the next lease of a `SnapshotBlock`. @returns where it ends; 0 when there is no other. */
export function nextLease(cursor: Cursor, end: number): number {
  return nextOf(BLOCK_LEASE, cursor, end);
}

function nextOf(wanted: number, cursor: Cursor, end: number): number {
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    if (tag === wanted) return cursor.endOfLength(end);
    cursor.skip(tag, end);
  }
  return 0;
}

/**
 * Goes into an `Effect` that is one put or one delete and nothing else.
 * @returns which; `undefined` for any other, and the cursor stays where it is.
 */
export function enterEffect(cursor: Cursor, end: number): 'put' | 'delete' | undefined {
  const start = cursor.position;
  if (start < end) {
    const tag = cursor.tag(end);
    const isKnown = tag === EFFECT_PUT || tag === EFFECT_DELETE;
    if (isKnown && cursor.endOfLength(end) === end) return tag === EFFECT_PUT ? 'put' : 'delete';
  }
  cursor.position = start;
  return undefined;
}

/**
 * Reads a `PutEffect` that was made at `revision`.
 * @param offset where the cursor's buffer begins in the memory of the change.
 */
export function readPut(
  cursor: Cursor,
  end: number,
  offset: number,
  revision: number,
  change: PlacedChange,
): void {
  change.clear();
  change.revision = revision;
  change.modRevision = revision;
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    switch (tag) {
      case PUT_KEY:
        readKey(cursor, end, offset, change);
        break;
      case PUT_VALUE:
        readValue(cursor, end, offset, change);
        break;
      case PUT_CREATE_REVISION:
        change.createRevision = cursor.int64(end);
        break;
      case PUT_VERSION:
        change.version = cursor.int64(end);
        break;
      case PUT_LEASE_ID:
        change.leaseId = cursor.int64(end);
        break;
      case PUT_TTL_MS:
        change.ttlMs = cursor.int64(end);
        break;
      case PUT_EXPIRE_TIME_MS:
        change.expireTimeMs = cursor.int64(end);
        break;
      case PUT_KIND:
        change.kind = cursor.uint32(end);
        break;
      default:
        cursor.skip(tag, end);
    }
  }
}

/** Reads a `DeleteEffect` that was made at `revision`. @returns the number of its reason. */
export function readDelete(
  cursor: Cursor,
  end: number,
  offset: number,
  revision: number,
  change: PlacedChange,
): number {
  change.clear();
  change.revision = revision;
  change.deleted = true;
  let reason = 0;
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    switch (tag) {
      case DELETE_KEY:
        readKey(cursor, end, offset, change);
        break;
      case DELETE_REASON:
        reason = cursor.uint32(end);
        break;
      default:
        cursor.skip(tag, end);
    }
  }
  return reason;
}

/** Reads a `SnapshotVersion`. */
export function readVersion(cursor: Cursor, end: number, offset: number, change: PlacedChange): void {
  change.clear();
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    switch (tag) {
      case VERSION_KEY:
        readKey(cursor, end, offset, change);
        break;
      case VERSION_REVISION:
        change.revision = cursor.int64(end);
        break;
      case VERSION_DELETED:
        change.deleted = cursor.bool(end);
        break;
      case VERSION_VALUE:
        readValue(cursor, end, offset, change);
        break;
      case VERSION_CREATE_REVISION:
        change.createRevision = cursor.int64(end);
        break;
      case VERSION_MOD_REVISION:
        change.modRevision = cursor.int64(end);
        break;
      case VERSION_VERSION:
        change.version = cursor.int64(end);
        break;
      case VERSION_LEASE_ID:
        change.leaseId = cursor.int64(end);
        break;
      case VERSION_TTL_MS:
        change.ttlMs = cursor.int64(end);
        break;
      case VERSION_EXPIRE_TIME_MS:
        change.expireTimeMs = cursor.int64(end);
        break;
      case VERSION_KIND:
        change.kind = cursor.uint32(end);
        break;
      default:
        cursor.skip(tag, end);
    }
  }
}

function readKey(cursor: Cursor, end: number, offset: number, change: PlacedChange): void {
  const keyEnd = cursor.endOfLength(end);
  change.keyStart = offset + cursor.position;
  change.keyEnd = offset + keyEnd;
  cursor.position = keyEnd;
}

function readValue(cursor: Cursor, end: number, offset: number, change: PlacedChange): void {
  const valueEnd = cursor.endOfLength(end);
  change.valueStart = offset + cursor.position;
  change.valueEnd = offset + valueEnd;
  cursor.position = valueEnd;
}
