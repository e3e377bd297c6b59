/** What the first frame of a segment says: writing and reading it. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type SegmentHeader, SegmentHeaderSchema } from '../../../gen/kelp/storage/v1/log_pb.ts';
import type { DiskFile } from '../../disk/disk.ts';
import { crc32 } from '../../wire/crc32.ts';
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  isPayloadIntact,
  peekPayloadBytes,
  readFrameHeader,
  sealFrame,
} from '../../wire/frame.ts';
import { damageError, LogFormatError } from '../frames/damage.ts';
import {
  faultOfFormat,
  frameKind,
  SEGMENT_HEADER_OFFSET,
  SEGMENT_MAGIC,
  type SegmentName,
  STORE_ID_BYTES,
} from '../frames/format.ts';

/** More than a segment header ever takes. */
const HEADER_READ_BYTES = 512;

/** What the first frame of a segment says. */
export interface SegmentStart {
  /** Of those that are read (`format.ts`). */
  readonly formatVersion: number;
  readonly storeId: Uint8Array;
  readonly firstRevision: number;
  readonly previousChecksum: number;
  readonly previousFirstRevision: number;
}

/** The checksums of all frames of a store begin from this. */
export function frameSeed(storeId: Uint8Array): number {
  return crc32(storeId);
}

/** The bytes that a segment begins with: the magic and the first frame. */
export function segmentStartBytes(start: SegmentStart): { bytes: Buffer; headerChecksum: number } {
  const payload = toBinary(
    SegmentHeaderSchema,
    create(SegmentHeaderSchema, {
      formatVersion: start.formatVersion,
      storeId: start.storeId,
      firstRevision: BigInt(start.firstRevision),
      previousChecksum: start.previousChecksum,
      previousFirstRevision: BigInt(start.previousFirstRevision),
    }),
  );
  const bytes = Buffer.alloc(SEGMENT_HEADER_OFFSET + frameBytes(payload.length));
  SEGMENT_MAGIC.copy(bytes);
  bytes.set(payload, SEGMENT_HEADER_OFFSET + FRAME_HEADER_BYTES);
  const headerChecksum = sealFrame(
    bytes,
    SEGMENT_HEADER_OFFSET,
    {
      kind: frameKind.segmentHeader,
      payloadBytes: payload.length,
      previousChecksum: start.previousChecksum,
      durableOffset: 0,
      revision: start.firstRevision - 1,
    },
    frameSeed(start.storeId),
  );
  return { bytes, headerChecksum };
}

/**
 * Reads and verifies the first frame of the segment. The checksum is seeded with the store's id, which the frame
 * itself names; whether it is the right store is for the caller to see.
 */
export async function readSegmentStart(
  file: DiskFile,
  path: string,
  name: SegmentName,
): Promise<SegmentStart> {
  const wholeRevision = name.firstRevision - 1;
  const damage = (what: string): Error => damageError(path, 0, what, wholeRevision);

  const buffer = Buffer.alloc(HEADER_READ_BYTES);
  const bytes = await file.read(buffer, 0);
  if (bytes < SEGMENT_HEADER_OFFSET + FRAME_HEADER_BYTES) throw damage('the file is too short for a segment');
  if (!buffer.subarray(0, SEGMENT_MAGIC.length).equals(SEGMENT_MAGIC))
    throw damage('the file is no log segment');

  const message = parseHeader(buffer, bytes);
  if (message?.storeId.length !== STORE_ID_BYTES) throw damage('the segment header is broken');
  const seed = frameSeed(message.storeId);
  const header = readFrameHeader(buffer, SEGMENT_HEADER_OFFSET, seed);
  if (header === undefined || !isPayloadIntact(buffer, SEGMENT_HEADER_OFFSET, header, seed)) {
    throw damage('the checksum of the segment header is wrong');
  }
  const fault = faultOfFormat(message.formatVersion);
  if (fault !== undefined) throw new LogFormatError(path, fault, wholeRevision);
  const firstRevision = Number(message.firstRevision);
  if (firstRevision !== name.firstRevision || header.revision !== wholeRevision) {
    throw damage(`the segment begins at revision ${firstRevision}, which is not its name`);
  }
  if (header.kind !== frameKind.segmentHeader || header.previousChecksum !== message.previousChecksum) {
    throw damage('the segment header contradicts itself');
  }
  return {
    formatVersion: message.formatVersion,
    storeId: message.storeId,
    firstRevision,
    previousChecksum: message.previousChecksum,
    previousFirstRevision: Number(message.previousFirstRevision),
  };
}

/** The payload of the first frame, not verified. */
function parseHeader(buffer: Buffer, bytes: number): SegmentHeader | undefined {
  const payloadBytes = peekPayloadBytes(buffer, SEGMENT_HEADER_OFFSET);
  const payloadStart = SEGMENT_HEADER_OFFSET + FRAME_HEADER_BYTES;
  if (SEGMENT_HEADER_OFFSET + frameBytes(payloadBytes) > bytes) return undefined;
  try {
    return fromBinary(SegmentHeaderSchema, buffer.subarray(payloadStart, payloadStart + payloadBytes));
  } catch {
    return undefined;
  }
}
