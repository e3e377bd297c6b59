/**
 * A record as it lies in the log:
 *
 *   offset  type  field
 *        0  u32   checksum     CRC-32 of all that follows, seeded with that of the store's id
 *        4  u8    format       2
 *        5  u8    kind         1: batch, 2: taken over
 *        6  u16   zero
 *        8  u64   epoch
 *       16  u64   position
 *       24  u64   bytesBefore  of all records before it, from the first one of the log on, as they lie there
 *       32  u32   behind       checksum of the record before; 0: there is none
 *       36        the bytes of the batch, or the address of the writer in UTF-8
 *
 * Numbers are little-endian. Records say their position themselves, so that one under a wrong key is found. And each says what it
 * was put behind, so that they form a chain: two histories that differ in a record differ in the checksums of all that follow.
 */
import { assert } from '../errors.ts';
import { sharedLog as limits } from '../limits.ts';
import { crc32 } from '../wire/crc32.ts';
import { readText } from '../wire/text.ts';
import type { StoredRecord } from './log-storage.ts';
import type { BatchRecord, LogHead, LogRecord, TakeOverRecord } from './shared-log.ts';
import { SharedLogError } from './shared-log-error.ts';

const FORMAT = 2;
const KIND_BATCH = 1;
const KIND_TAKE_OVER = 2;
const HEADER_BYTES = 36;

const WORD = 2 ** 32;
/** The upper word of 2^53 - 1. */
const HIGH_MAX = 2 ** 21 - 1;

assert(HEADER_BYTES + limits.batchBytesMax < 1.4 * 1024 * 1024, 'a record fits into a request of etcd');

/** A record that is yet to be put into the log: its checksum comes of its bytes. */
export type NewRecord = Omit<BatchRecord, 'checksum'> | Omit<TakeOverRecord, 'checksum'>;

export function encodeRecord(record: NewRecord, storeId: Uint8Array): Buffer {
  const payload = record.kind === 'batch' ? record.bytes : Buffer.from(record.address);
  const buffer = Buffer.allocUnsafeSlow(HEADER_BYTES + payload.length);
  buffer[4] = FORMAT;
  buffer[5] = record.kind === 'batch' ? KIND_BATCH : KIND_TAKE_OVER;
  buffer.writeUInt16LE(0, 6);
  writeNumber(buffer, 8, record.epoch);
  writeNumber(buffer, 16, record.position);
  writeNumber(buffer, 24, record.bytesBefore);
  buffer.writeUInt32LE(record.behind, 32);
  buffer.set(payload, HEADER_BYTES);
  buffer.writeUInt32LE(checksumOf(buffer, storeId), 0);
  return buffer;
}

/** What goes behind a head, and the head then. @param nonce of the epoch. */
export function recordBehind(
  { storeId, position: before, checksum: behind, logBytes: bytesBefore }: LogHead,
  content: Pick<BatchRecord, 'kind' | 'epoch' | 'bytes'> | Pick<TakeOverRecord, 'kind' | 'epoch' | 'address'>,
  nonce: string,
): { readonly record: Buffer; readonly head: LogHead } {
  const position = before + 1;
  const record = encodeRecord({ ...content, position, behind, bytesBefore }, storeId);
  const checksum = record.readUInt32LE(0);
  const logBytes = bytesBefore + record.length;
  return { record, head: { storeId, epoch: content.epoch, position, checksum, logBytes, nonce } };
}

/** The bytes of a batch are a view. @throws SharedLogError `damaged` */
export function decodeRecord({ position, bytes }: StoredRecord, storeId: Uint8Array): LogRecord {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length <= HEADER_BYTES) throw damaged(position, `it has ${buffer.length} bytes`);
  const checksum = buffer.readUInt32LE(0);
  if (checksum !== checksumOf(buffer, storeId)) throw damaged(position, 'its checksum is wrong');
  if (buffer[4] !== FORMAT) throw damaged(position, `it is of format ${buffer[4]}, which is not known here`);
  const epoch = readNumber(buffer, 8);
  const bytesBefore = readNumber(buffer, 24);
  if (epoch === undefined || bytesBefore === undefined || readNumber(buffer, 16) !== position)
    throw damaged(position, 'it is of another place');
  const placed = { epoch, position, bytesBefore, behind: buffer.readUInt32LE(32), checksum };
  if (buffer[5] === KIND_BATCH) return { kind: 'batch', ...placed, bytes: buffer.subarray(HEADER_BYTES) };
  const address = readText(buffer, HEADER_BYTES, buffer.length);
  if (buffer[5] !== KIND_TAKE_OVER || address === undefined)
    throw damaged(position, 'its kind is not known here');
  return { kind: 'takeOver', ...placed, address };
}

/** Of all records up to this one, as they lie in the log. */
export function bytesThrough(record: LogRecord): number {
  const payloadBytes = record.kind === 'batch' ? record.bytes.length : Buffer.byteLength(record.address);
  return record.bytesBefore + HEADER_BYTES + payloadBytes;
}

function checksumOf(buffer: Buffer, storeId: Uint8Array): number {
  return crc32(buffer.subarray(4), crc32(storeId));
}

function writeNumber(buffer: Buffer, offset: number, value: number): void {
  buffer.writeUInt32LE(value % WORD, offset);
  buffer.writeUInt32LE(Math.floor(value / WORD), offset + 4);
}

function readNumber(buffer: Buffer, offset: number): number | undefined {
  const high = buffer.readUInt32LE(offset + 4);
  return high > HIGH_MAX ? undefined : high * WORD + buffer.readUInt32LE(offset);
}

function damaged(position: number, why: string): SharedLogError {
  return new SharedLogError(
    'damaged',
    `the record at position ${position} of the shared log is damaged: ${why}`,
  );
}
