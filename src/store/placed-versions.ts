/**
 * Writes versions into a `SnapshotBlock` from where the engine keeps them: keys and values are copied once, and no object
 * is made for a version. What comes out is what the generated codec writes, byte by byte.
 */
import type { PlacedChange } from '../engine/placed-change.ts';
import { assert } from '../errors.ts';
import { copyBytes, memoryOf, type Memory } from '../wire/memory.ts';
import { prependInt64, prependVarint32, sizeOfInt64, sizeOfUint32, sizeWithLength } from '../wire/varint.ts';
import {
  BLOCK_VERSION,
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

/** A buffer that items are written to, with the memory that it is the whole of. */
export interface ItemBuffer {
  readonly buffer: Buffer;
  readonly memory: Memory;
}

export function itemBuffer(byteLength: number): ItemBuffer {
  const buffer = Buffer.allocUnsafeSlow(byteLength);
  return { buffer, memory: memoryOf(buffer) };
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
