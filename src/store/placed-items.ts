/**
 * What a snapshot or a recovery goes through by the million, read into and written from a `PlacedChange`: keys and values
 * are copied once, and no object is made for an item. Everything else, and every item that is put together in an unusual
 * way, goes by the generated codecs, which read and write the same messages to the same effect.
 */
import type { PlacedChange } from '../engine/placed-change.ts';
import { assert } from '../errors.ts';
import type { Cursor } from '../wire/cursor.ts';
import { copyBytes, memoryOf, type Memory } from '../wire/memory.ts';
import { prependInt64, prependVarint32, sizeOfInt64, sizeOfUint32, sizeWithLength } from '../wire/varint.ts';

/** Tags: the number of a field in `proto/kelp/storage/v1`, times 8, and 2 for what has a length, 0 for a number. */
const BLOCK_VERSION = 0x0a;
const BLOCK_LEASE = 0x12;
const RECORD_REVISION = 0x08;
const RECORD_TIME_MS = 0x10;
const RECORD_LEASE_CLOCK_MS = 0x18;
const RECORD_EFFECT = 0x22;
const EFFECT_PUT = 0x0a;
const EFFECT_DELETE = 0x12;
const PUT_KEY = 0x0a;
const PUT_VALUE = 0x12;
const PUT_CREATE_REVISION = 0x18;
const PUT_VERSION = 0x20;
const PUT_LEASE_ID = 0x28;
const PUT_TTL_MS = 0x30;
const PUT_EXPIRE_TIME_MS = 0x38;
const PUT_KIND = 0x40;
const DELETE_KEY = 0x0a;
const DELETE_REASON = 0x10;
const VERSION_KEY = 0x0a;
const VERSION_REVISION = 0x10;
const VERSION_DELETED = 0x18;
const VERSION_VALUE = 0x22;
const VERSION_CREATE_REVISION = 0x28;
const VERSION_MOD_REVISION = 0x30;
const VERSION_VERSION = 0x38;
const VERSION_LEASE_ID = 0x40;
const VERSION_TTL_MS = 0x48;
const VERSION_EXPIRE_TIME_MS = 0x50;
const VERSION_KIND = 0x58;

/** A buffer that items are written to, with the memory that it is the whole of. */
export interface ItemBuffer {
  readonly buffer: Buffer;
  readonly memory: Memory;
}

export function itemBuffer(byteLength: number): ItemBuffer {
  const buffer = Buffer.allocUnsafeSlow(byteLength);
  return { buffer, memory: memoryOf(buffer) };
}

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

/** The bytes of a `SnapshotVersion` message. */
export function sizeOfVersion(change: PlacedChange): number {
  const keyBytes = change.keyEnd - change.keyStart;
  const valueBytes = change.valueEnd - change.valueStart;
  let size = 0;
  if (keyBytes !== 0) size += 1 + sizeWithLength(keyBytes);
  if (change.revision !== 0) size += 1 + sizeOfInt64(change.revision);
  if (change.deleted) size += 2;
  if (valueBytes !== 0) size += 1 + sizeWithLength(valueBytes);
  if (change.createRevision !== 0) size += 1 + sizeOfInt64(change.createRevision);
  if (change.modRevision !== 0) size += 1 + sizeOfInt64(change.modRevision);
  if (change.version !== 0) size += 1 + sizeOfInt64(change.version);
  if (change.leaseId !== 0) size += 1 + sizeOfInt64(change.leaseId);
  if (change.ttlMs !== 0) size += 1 + sizeOfInt64(change.ttlMs);
  if (change.expireTimeMs !== 0) size += 1 + sizeOfInt64(change.expireTimeMs);
  if (change.kind !== 0) size += 1 + sizeOfUint32(change.kind);
  return size;
}

/** The bytes that a `SnapshotBlock` grows by with a version of so many bytes. */
export function blockBytesOfVersion(byteLength: number): number {
  return 1 + sizeWithLength(byteLength);
}

/** Writes a version of `byteLength` bytes as the next one of a block. @returns where it ends. */
export function writeVersionToBlock(
  change: PlacedChange,
  byteLength: number,
  { buffer, memory }: ItemBuffer,
  offset: number,
): number {
  const end = offset + blockBytesOfVersion(byteLength);
  let start = end;
  if (change.kind !== 0) {
    start = prependVarint32(buffer, start, change.kind);
    buffer[--start] = VERSION_KIND;
  }
  start = prependNumber(buffer, start, VERSION_EXPIRE_TIME_MS, change.expireTimeMs);
  start = prependNumber(buffer, start, VERSION_TTL_MS, change.ttlMs);
  start = prependNumber(buffer, start, VERSION_LEASE_ID, change.leaseId);
  start = prependNumber(buffer, start, VERSION_VERSION, change.version);
  start = prependNumber(buffer, start, VERSION_MOD_REVISION, change.modRevision);
  start = prependNumber(buffer, start, VERSION_CREATE_REVISION, change.createRevision);
  start = prependBytes(
    buffer,
    memory,
    start,
    VERSION_VALUE,
    change.memory,
    change.valueStart,
    change.valueEnd,
  );
  if (change.deleted) {
    buffer[--start] = 1;
    buffer[--start] = VERSION_DELETED;
  }
  start = prependNumber(buffer, start, VERSION_REVISION, change.revision);
  start = prependBytes(buffer, memory, start, VERSION_KEY, change.memory, change.keyStart, change.keyEnd);
  start = prependVarint32(buffer, start, byteLength);
  buffer[--start] = BLOCK_VERSION;
  assert(start === offset, 'a version has the size that was computed for it');
  return end;
}

function prependNumber(buffer: Buffer, end: number, tag: number, value: number): number {
  if (value === 0) return end;
  const start = prependInt64(buffer, end, value) - 1;
  buffer[start] = tag;
  return start;
}

function prependBytes(
  buffer: Buffer,
  memory: Memory,
  end: number,
  tag: number,
  source: Memory,
  sourceStart: number,
  sourceEnd: number,
): number {
  const byteCount = sourceEnd - sourceStart;
  if (byteCount === 0) return end;
  let start = end - byteCount;
  copyBytes(memory, start, source, sourceStart, byteCount);
  start = prependVarint32(buffer, start, byteCount) - 1;
  buffer[start] = tag;
  return start;
}
