/**
 * Takes a log apart and puts it together again with checksums, lengths and links that are right, so that changes in it
 * are not found by those: what lies behind them has to deal with them.
 */
import { type RecordShape, sizeOfRecord, writeRecord } from '../../gen/kelp/storage/v1/log_codec.ts';
import { readRecord, readSegmentHeader } from '../../gen/kelp/storage/v1/log_codec.ts';
import { type SegmentHeaderShape, sizeOfSegmentHeader } from '../../gen/kelp/storage/v1/log_codec.ts';
import { writeSegmentHeader } from '../../gen/kelp/storage/v1/log_codec.ts';
import { END_BYTES, frameKind, SEGMENT_HEADER_OFFSET, SEGMENT_MAGIC } from '../../src/wal/frames/format.ts';
import { recordPrefixBytes, visitRecords, writeRecordPrefix } from '../../src/wal/frames/records.ts';
import { frameSeed } from '../../src/wal/segments/segment-header.ts';
import { FRAME_HEADER_BYTES, frameBytes, readFrameHeader, sealFrame } from '../../src/wire/frame.ts';
import { peekPayloadBytes } from '../../src/wire/frame.ts';

export interface LogFrame {
  kind: number;
  revision: number;
  /** Where it stood, and how much before it had been flushed then. */
  readonly offset: number;
  durableOffset: number;
  payload: Buffer;
}

export interface LogSegment {
  readonly path: string;
  header: SegmentHeaderShape;
  /** Those behind the header. */
  frames: LogFrame[];
  fileBytes: number;
}

export function takeApart(path: string, content: Uint8Array): LogSegment {
  const bytes = Buffer.from(content);
  const headerStart = SEGMENT_HEADER_OFFSET + FRAME_HEADER_BYTES;
  const header = readSegmentHeader(
    bytes,
    headerStart,
    headerStart + peekPayloadBytes(bytes, SEGMENT_HEADER_OFFSET),
  );
  const seed = frameSeed(header.storeId);
  const frames: LogFrame[] = [];
  let offset = SEGMENT_HEADER_OFFSET;
  for (;;) {
    const head = readFrameHeader(bytes, offset, seed);
    if (head === undefined) break;
    const start = offset + FRAME_HEADER_BYTES;
    const { kind, revision, durableOffset, payloadBytes } = head;
    frames.push({
      kind,
      revision,
      offset,
      durableOffset,
      payload: bytes.subarray(start, start + payloadBytes),
    });
    offset += frameBytes(payloadBytes);
  }
  return { path, header, frames: frames.slice(1), fileBytes: bytes.length };
}

/** The files of a log; each segment names the last frame of the one before. */
export function putTogether(segments: readonly LogSegment[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let previousChecksum = 0;
  for (const segment of segments) {
    const sealed = seal(segment, previousChecksum);
    files.set(segment.path, sealed.bytes);
    previousChecksum = sealed.checksum;
  }
  return files;
}

export function recordsIn(payload: Buffer): RecordShape[] {
  const records: RecordShape[] = [];
  visitRecords(payload, 0, payload.length, (buffer, start, end) =>
    records.push(readRecord(buffer, start, end)),
  );
  return records;
}

export function batchOf(records: readonly RecordShape[]): Buffer {
  return Buffer.concat(
    records.map((record) => {
      const byteLength = sizeOfRecord(record);
      const bytes = Buffer.alloc(recordPrefixBytes(byteLength) + byteLength);
      writeRecord(record, bytes, writeRecordPrefix(bytes, 0, byteLength));
      return bytes;
    }),
  );
}

function seal(segment: LogSegment, previousChecksum: number): { bytes: Buffer; checksum: number } {
  const { frames } = segment;
  const header = { ...segment.header, previousChecksum };
  const seed = frameSeed(header.storeId);
  const payload = Buffer.alloc(sizeOfSegmentHeader(header));
  writeSegmentHeader(header, payload, 0);
  const all = [
    {
      kind: frameKind.segmentHeader,
      revision: header.firstRevision - 1,
      durableOffset: 0,
      offset: 0,
      payload,
    },
    ...frames,
  ];
  const contentBytes = all.reduce(
    (sum, frame) => sum + frameBytes(frame.payload.length),
    SEGMENT_HEADER_OFFSET,
  );
  const bytes = Buffer.alloc(Math.max(segment.fileBytes, contentBytes + END_BYTES));
  SEGMENT_MAGIC.copy(bytes);
  let offset = SEGMENT_HEADER_OFFSET;
  let checksum = previousChecksum;
  for (const frame of all) {
    const { kind, revision } = frame;
    frame.payload.copy(bytes, offset + FRAME_HEADER_BYTES);
    // What had been flushed was the end of some frame; frames that became longer or shorter must not contradict it.
    const durableOffset =
      frame.durableOffset > frame.offset ? frame.durableOffset : Math.min(frame.durableOffset, offset);
    const fields = {
      kind,
      revision,
      durableOffset,
      payloadBytes: frame.payload.length,
      previousChecksum: checksum,
    };
    checksum = sealFrame(bytes, offset, fields, seed);
    offset += frameBytes(frame.payload.length);
  }
  return { bytes, checksum };
}
