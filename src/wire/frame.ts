/**
 * The frame: a checked length of bytes in a file.
 *
 *   offset  type  field
 *        0  u32   headerChecksum    CRC-32 of the 28 bytes that follow, seeded
 *        4  u32   payloadBytes      without the padding
 *        8  u32   payloadChecksum   CRC-32 of the payload, seeded
 *       12  u32   previousChecksum  headerChecksum of the frame before: the chain
 *       16  u32   durableOffset     below this offset of the file all had been flushed when the frame was written
 *       20  u32   kind              what the payload is; never 0, so that 32 zero bytes are no header
 *       24  u64   revision          the highest revision up to and including this frame
 *       32        payload, then zeros up to the next multiple of 8
 *
 * Numbers are little-endian. The header checksum covers the payload checksum, so the next frame's `previousChecksum`
 * vouches for the payload too. The seed (the checksum of the store's id) makes the frames of one store meaningless in
 * another.
 */
import { assert } from '../errors.ts';
import { crc32 } from './crc32.ts';

export const FRAME_HEADER_BYTES = 32;
/** Frames begin at multiples of this. */
export const FRAME_ALIGNMENT_BYTES = 8;

const OFFSET_HEADER_CHECKSUM = 0;
const OFFSET_PAYLOAD_BYTES = 4;
const OFFSET_PAYLOAD_CHECKSUM = 8;
const OFFSET_PREVIOUS_CHECKSUM = 12;
const OFFSET_DURABLE_OFFSET = 16;
const OFFSET_KIND = 20;
const OFFSET_REVISION_LOW = 24;
const OFFSET_REVISION_HIGH = 28;

const WORD = 2 ** 32;
/** The upper word of the largest revision, 2^53 - 1. */
const REVISION_HIGH_MAX = 2 ** 21 - 1;

assert(OFFSET_REVISION_HIGH + 4 === FRAME_HEADER_BYTES, 'the revision ends the frame header');
assert(FRAME_HEADER_BYTES % FRAME_ALIGNMENT_BYTES === 0, 'a frame without payload keeps the alignment');

/** What the writer of a frame says; the rest is computed. */
export interface FrameFields {
  readonly kind: number;
  readonly payloadBytes: number;
  readonly previousChecksum: number;
  readonly durableOffset: number;
  readonly revision: number;
}

export interface FrameHeader extends FrameFields {
  readonly headerChecksum: number;
  readonly payloadChecksum: number;
}

/** The length of a whole frame: header, payload and padding. */
export function frameBytes(payloadBytes: number): number {
  return FRAME_HEADER_BYTES + Math.ceil(payloadBytes / FRAME_ALIGNMENT_BYTES) * FRAME_ALIGNMENT_BYTES;
}

/**
 * Makes a frame of the payload that stands at `start + FRAME_HEADER_BYTES`: writes the header before it and the
 * padding behind it.
 * @returns the checksum of the header, which the next frame names.
 */
export function sealFrame(buffer: Buffer, start: number, fields: FrameFields, seed: number): number {
  const payloadStart = start + FRAME_HEADER_BYTES;
  const payloadEnd = payloadStart + fields.payloadBytes;
  buffer.fill(0, payloadEnd, start + frameBytes(fields.payloadBytes));
  buffer.writeUInt32LE(fields.payloadBytes, start + OFFSET_PAYLOAD_BYTES);
  buffer.writeUInt32LE(
    crc32(buffer.subarray(payloadStart, payloadEnd), seed),
    start + OFFSET_PAYLOAD_CHECKSUM,
  );
  buffer.writeUInt32LE(fields.previousChecksum, start + OFFSET_PREVIOUS_CHECKSUM);
  buffer.writeUInt32LE(fields.durableOffset, start + OFFSET_DURABLE_OFFSET);
  buffer.writeUInt32LE(fields.kind, start + OFFSET_KIND);
  buffer.writeUInt32LE(fields.revision % WORD, start + OFFSET_REVISION_LOW);
  buffer.writeUInt32LE(Math.floor(fields.revision / WORD), start + OFFSET_REVISION_HIGH);
  const headerChecksum = crc32(buffer.subarray(start + OFFSET_PAYLOAD_BYTES, payloadStart), seed);
  buffer.writeUInt32LE(headerChecksum, start + OFFSET_HEADER_CHECKSUM);
  return headerChecksum;
}

/** The header at `start`, or `undefined` when its checksum says that there is none. All 32 bytes must be there. */
export function readFrameHeader(buffer: Buffer, start: number, seed: number): FrameHeader | undefined {
  const kind = buffer.readUInt32LE(start + OFFSET_KIND);
  const revisionHigh = buffer.readUInt32LE(start + OFFSET_REVISION_HIGH);
  if (kind === 0 || revisionHigh > REVISION_HIGH_MAX) return undefined;
  const headerChecksum = buffer.readUInt32LE(start + OFFSET_HEADER_CHECKSUM);
  const checked = buffer.subarray(start + OFFSET_PAYLOAD_BYTES, start + FRAME_HEADER_BYTES);
  if (crc32(checked, seed) !== headerChecksum) return undefined;
  return {
    headerChecksum,
    kind,
    payloadBytes: buffer.readUInt32LE(start + OFFSET_PAYLOAD_BYTES),
    payloadChecksum: buffer.readUInt32LE(start + OFFSET_PAYLOAD_CHECKSUM),
    previousChecksum: buffer.readUInt32LE(start + OFFSET_PREVIOUS_CHECKSUM),
    durableOffset: buffer.readUInt32LE(start + OFFSET_DURABLE_OFFSET),
    revision: revisionHigh * WORD + buffer.readUInt32LE(start + OFFSET_REVISION_LOW),
  };
}

/** The length of the payload as the header at `start` has it, which may be no header at all. */
export function peekPayloadBytes(buffer: Buffer, start: number): number {
  return buffer.readUInt32LE(start + OFFSET_PAYLOAD_BYTES);
}

/**
 * Whether payload and padding are what the header says. The whole frame must be in the buffer.
 */
export function isPayloadIntact(buffer: Buffer, start: number, header: FrameHeader, seed: number): boolean {
  const payloadStart = start + FRAME_HEADER_BYTES;
  const payloadEnd = payloadStart + header.payloadBytes;
  const frameEnd = start + frameBytes(header.payloadBytes);
  for (let offset = payloadEnd; offset < frameEnd; offset++) if (buffer[offset] !== 0) return false;
  return crc32(buffer.subarray(payloadStart, payloadEnd), seed) === header.payloadChecksum;
}

/**
 * A cheap look at whether a header could stand at `start`, for a search that tries every position: the kind is known
 * and the durable offset lies in (`above`, `upTo`]. What passes still has to be read.
 */
export function mayBeFrameHeader(
  buffer: Buffer,
  start: number,
  kindMax: number,
  above: number,
  upTo: number,
): boolean {
  const kind = buffer.readUInt32LE(start + OFFSET_KIND);
  if (kind === 0 || kind > kindMax) return false;
  const durableOffset = buffer.readUInt32LE(start + OFFSET_DURABLE_OFFSET);
  return durableOffset > above && durableOffset <= upTo;
}

/** Whether the bytes from `start` to `end` are all zero. */
export function isZero(buffer: Buffer, start: number, end: number): boolean {
  for (let offset = start; offset < end; offset++) if (buffer[offset] !== 0) return false;
  return true;
}
