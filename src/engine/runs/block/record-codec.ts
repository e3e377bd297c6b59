/**
 * A record in a block, and a hint, which is a record whose value lies elsewhere:
 *
 * ```text
 * varint  bytes of the key
 *         key
 * varint  flags (`recordFlag`)
 * varint  revision
 * varint  bytes of the value, unless it is a deletion
 * varint  for each flagged one of createRevision, modRevision, version, expireTimeMs, ttlMs, leaseId, kind, collectionId
 * varint  where the value is apart: the offset of its block, and the bytes of that
 *         value, unless it is apart
 * ```
 */
import { writeInt64 } from '../../../wire/varint.ts';
import { copyBytes, memoryOf } from '../../../wire/memory.ts';
import type { Memory, WholeBuffer } from '../../../wire/memory.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import type { PlacedChange } from '../../version.ts';
import { recordFlag } from '../format.ts';

const {
  deleted,
  modRevision,
  createRevision,
  version,
  expireTimeMs,
  ttlMs,
  apart,
  leaseId,
  kind,
  collectionId,
} = recordFlag;

/** Of a value that was not read: its place tells its length alone. */
const NOT_READ: Memory = memoryOf(NO_BYTES);

/**
 * Writes all of a record but a value that follows. There must be room.
 * @param blockOffset where the value lies apart; -1: it follows.
 * @returns where it ends.
 */
export function writeRecordHead(
  target: WholeBuffer,
  offset: number,
  change: PlacedChange,
  blockOffset: number,
  blockBytes: number,
): number {
  const { buffer } = target;
  const keyBytes = change.keyEnd - change.keyStart;
  let at = writeInt64(buffer, offset, keyBytes);
  copyBytes(target.memory, at, change.keyMemory, change.keyStart, keyBytes);
  at += keyBytes;
  const { revision } = change;
  let flags = blockOffset < 0 ? 0 : apart;
  if (change.deleted) flags |= deleted;
  else {
    if (change.createRevision !== revision) flags |= createRevision;
    if (change.modRevision !== revision) flags |= modRevision;
    if (change.version !== 1) flags |= version;
    if (change.expireTimeMs !== 0) flags |= expireTimeMs;
    if (change.ttlMs !== 0) flags |= ttlMs;
    if (change.leaseId !== 0) flags |= leaseId;
    if (change.kind !== 0) flags |= kind;
    if (change.collectionId !== 0) flags |= collectionId;
  }
  at = writeInt64(buffer, at, flags);
  at = writeInt64(buffer, at, revision);
  if (!change.deleted) {
    at = writeInt64(buffer, at, change.valueEnd - change.valueStart);
    if ((flags & createRevision) !== 0) at = writeInt64(buffer, at, change.createRevision);
    if ((flags & modRevision) !== 0) at = writeInt64(buffer, at, change.modRevision);
    if ((flags & version) !== 0) at = writeInt64(buffer, at, change.version);
    if ((flags & expireTimeMs) !== 0) at = writeInt64(buffer, at, change.expireTimeMs);
    if ((flags & ttlMs) !== 0) at = writeInt64(buffer, at, change.ttlMs);
    if ((flags & leaseId) !== 0) at = writeInt64(buffer, at, change.leaseId);
    if ((flags & kind) !== 0) at = writeInt64(buffer, at, change.kind);
    if ((flags & collectionId) !== 0) at = writeInt64(buffer, at, change.collectionId);
  }
  if (blockOffset < 0) return at;
  return writeInt64(buffer, writeInt64(buffer, at, blockOffset), blockBytes);
}

/** Reads varints and records from a memory, one behind the other. One object serves for many. */
export class RecordReader {
  /** Where the next read begins. */
  position = 0;
  /** Of the record read last: where its value lies apart; -1: it follows, or there is none. */
  blockOffset = -1;
  blockBytes = 0;

  /** A whole number from 0 to 2^53 - 1. */
  number(bytes: Uint8Array): number {
    let byte = bytes[this.position++]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    byte = bytes[this.position++]!;
    value |= (byte & 0x7f) << 7;
    if (byte < 0x80) return value;
    byte = bytes[this.position++]!;
    value |= (byte & 0x7f) << 14;
    if (byte < 0x80) return value;
    byte = bytes[this.position++]!;
    value |= (byte & 0x7f) << 21;
    for (let scale = 2 ** 28; byte >= 0x80; scale *= 128) {
      byte = bytes[this.position++]!;
      value += (byte & 0x7f) * scale;
    }
    return value;
  }

  /**
   * Makes `placed` what the record at `position` says, its value included if it follows; else that has its length alone.
   * @returns whether it is not a deletion.
   */
  record(memory: Memory, placed: PlacedChange): boolean {
    const { bytes } = memory;
    const keyBytes = this.number(bytes);
    const keyStart = this.position;
    this.position = keyStart + keyBytes;
    const flags = this.number(bytes);
    const revision = this.number(bytes);
    placed.keyMemory = memory;
    placed.keyStart = keyStart;
    placed.keyEnd = keyStart + keyBytes;
    placed.revision = revision;
    placed.replacedBy = 0;
    let valueBytes = 0;
    if ((flags & deleted) !== 0) {
      placed.deleted = true;
      placed.createRevision = 0;
      placed.modRevision = 0;
      placed.version = 0;
    } else {
      placed.deleted = false;
      valueBytes = this.number(bytes);
      placed.createRevision = (flags & createRevision) === 0 ? revision : this.number(bytes);
      placed.modRevision = (flags & modRevision) === 0 ? revision : this.number(bytes);
      placed.version = (flags & version) === 0 ? 1 : this.number(bytes);
    }
    placed.expireTimeMs = (flags & expireTimeMs) === 0 ? 0 : this.number(bytes);
    placed.ttlMs = (flags & ttlMs) === 0 ? 0 : this.number(bytes);
    placed.leaseId = (flags & leaseId) === 0 ? 0 : this.number(bytes);
    placed.kind = (flags & kind) === 0 ? 0 : this.number(bytes);
    placed.collectionId = (flags & collectionId) === 0 ? 0 : this.number(bytes);
    if ((flags & apart) === 0) {
      this.blockOffset = -1;
      placed.valueMemory = memory;
      placed.valueStart = this.position;
      this.position += valueBytes;
      placed.valueEnd = this.position;
    } else {
      this.blockOffset = this.number(bytes);
      this.blockBytes = this.number(bytes);
      placed.valueMemory = NOT_READ;
      placed.valueStart = 0;
      placed.valueEnd = valueBytes;
    }
    return !placed.deleted;
  }
}
