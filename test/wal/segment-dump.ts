/** A log as text: each segment frame by frame, and whatever else is in it. */
import { fromBinary } from '@bufbuild/protobuf';
import { SegmentHeaderSchema } from '../../gen/kelp/storage/v1/log_pb.ts';
import {
  formatSegmentName,
  frameKind,
  parseSegmentName,
  SEGMENT_HEADER_OFFSET,
  SEGMENT_MAGIC,
} from '../../src/wal/frames/format.ts';
import { visitRecords } from '../../src/wal/frames/records.ts';
import { frameSeed } from '../../src/wal/segments/segment-header.ts';
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  type FrameHeader,
  isZero,
  readFrameHeader,
} from '../../src/wire/frame.ts';
import { DIRECTORY, STORE_ID } from './test-log.ts';
import type { SimulatedDisk } from '../support/simulated-disk.ts';

const SEED = frameSeed(STORE_ID);

/** Where a frame lies in its segment. */
export interface PlacedFrame {
  readonly start: number;
  readonly end: number;
  readonly header: FrameHeader;
}

/** The frames from the start of a segment up to the first that is none. */
export function framesOf(bytes: Uint8Array): PlacedFrame[] {
  const buffer = Buffer.from(bytes);
  const frames: PlacedFrame[] = [];
  let start = SEGMENT_HEADER_OFFSET;
  while (start + FRAME_HEADER_BYTES <= buffer.length) {
    const header = readFrameHeader(buffer, start, SEED);
    if (header === undefined) break;
    const end = start + frameBytes(header.payloadBytes);
    frames.push({ start, end, header });
    start = end;
  }
  return frames;
}

/** The paths of the segments, oldest first. */
export async function segmentPaths(disk: SimulatedDisk): Promise<string[]> {
  const names = (await disk.list(DIRECTORY)).flatMap((fileName) => parseSegmentName(fileName) ?? []);
  names.sort((a, b) => a.firstRevision - b.firstRevision || a.part - b.part);
  return names.map((name) => `${DIRECTORY}/${formatSegmentName(name)}`);
}

export async function dumpLog(disk: SimulatedDisk): Promise<string[]> {
  const lines: string[] = [];
  for (const path of await segmentPaths(disk)) lines.push(...dumpSegment(path, disk.contentOf(path)));
  return lines;
}

function dumpSegment(path: string, bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  const lines = [
    `${path}, ${bytes.length} bytes`,
    `  0 magic ${buffer.toString('latin1', 0, SEGMENT_MAGIC.length)}`,
  ];
  const frames = framesOf(bytes);
  for (const frame of frames) lines.push(`  ${frame.start} ${describeFrame(buffer, frame)}`);
  const end = frames.at(-1)?.end ?? SEGMENT_HEADER_OFFSET;
  const rest = isZero(buffer, end, buffer.length)
    ? 'zeros'
    : buffer.toString('latin1', end).replace(/\0+$/, '');
  lines.push(`  ${end} ${rest.replaceAll('\0', '.')}`);
  return lines;
}

function describeFrame(buffer: Buffer, { start, header }: PlacedFrame): string {
  const { kind, revision, durableOffset, payloadBytes, headerChecksum, previousChecksum } = header;
  const payloadStart = start + FRAME_HEADER_BYTES;
  const payloadEnd = payloadStart + payloadBytes;
  const link = `${hex(previousChecksum)} > ${hex(headerChecksum)}`;
  const head = `revision ${revision}, durable ${durableOffset}, link ${link}`;
  if (kind === frameKind.mark) return `mark: ${head}`;
  if (kind === frameKind.segmentHeader) {
    const message = fromBinary(SegmentHeaderSchema, buffer.subarray(payloadStart, payloadEnd));
    const storeId = Buffer.from(message.storeId).toString('latin1');
    const previous = `${message.previousFirstRevision} (${hex(message.previousChecksum)})`;
    return `header: format ${message.formatVersion}, ${head}\n    store "${storeId}", from revision ${message.firstRevision}, after ${previous}`;
  }
  const records: string[] = [];
  visitRecords(buffer, payloadStart, payloadEnd, (from, recordStart, recordEnd) => {
    records.push(`\n    ${abbreviate(from.toString('utf8', recordStart, recordEnd))}`);
  });
  return `batch: ${head}${records.join('')}`;
}

/** In quotes; a long text by its beginning and length. */
export function abbreviate(text: string): string {
  return text.length <= 40 ? `"${text}"` : `"${text.slice(0, 10)}..." (${text.length} bytes)`;
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
