/**
 * Reads segments without changing anything: every frame verified, the end judged as recovery would, one batch at a time
 * at the pace of the caller. Memory is bounded by the longest frame.
 */
import { readRecord, type RecordShape } from '../../gen/kelp/storage/v1/log_codec.ts';
import { faultOfAccess } from '../access/records/access-records.ts';
import { faultOfRecord } from '../store/recovery/recorded-items.ts';
import { damageError } from '../wal/frames/damage.ts';
import { frameKind, SEGMENT_HEADER_OFFSET } from '../wal/frames/format.ts';
import { FrameCursor, PIECE_BYTES } from '../wal/frames/frame-cursor.ts';
import { visitRecords } from '../wal/frames/records.ts';
import { judgeSegmentEnd, type BrokenFrame, type TornTail } from '../wal/segments/segment-end.ts';
import type { Segment } from '../wal/segments/segment.ts';
import { WireError } from '../wire/wire-error.ts';

/** A frame with records. Its bytes are valid until the next one is asked for. */
export interface LogBatch {
  readonly path: string;
  readonly offset: number;
  /** The highest revision before the frame, and in it. */
  readonly revisionBefore: number;
  readonly revision: number;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/** A record, and where its bytes lie in the buffer of its batch. */
export interface PlacedRecord {
  readonly record: RecordShape;
  readonly start: number;
  readonly end: number;
}

/** What the frames of a segment follow, and what they lead to. */
export interface ChainLink {
  /** The header checksum of the last frame. */
  readonly checksum: number;
  /** The highest revision so far. */
  readonly revision: number;
}

export interface SegmentEnd extends ChainLink {
  readonly torn: TornTail | undefined;
}

/** What a segment says of itself that it follows. */
export function linkBefore(segment: Segment): ChainLink {
  return { checksum: segment.previousChecksum, revision: segment.firstRevision - 1 };
}

/** @throws StoreError `damaged`, from the first place on that can't be the outcome of a crash. */
export async function* readBatches(
  segment: Segment,
  seed: number,
  after: ChainLink,
): AsyncGenerator<LogBatch, SegmentEnd> {
  const file = await segment.acquire('read');
  try {
    const cursor = new FrameCursor(seed, {
      offset: SEGMENT_HEADER_OFFSET,
      previousChecksum: after.checksum,
      revision: after.revision,
    });
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    let limit = segment.fileBytes;
    let broken: BrokenFrame | undefined;
    for (let isAtEnd = false; !isAtEnd;) {
      const { offset, revision } = cursor;
      switch (cursor.read(limit)) {
        case 'frame':
          if (cursor.header?.kind === frameKind.batch) yield batchAt(cursor, segment.path, offset, revision);
          break;
        case 'more': {
          const buffer = cursor.bytesNeeded > piece.length ? Buffer.allocUnsafe(cursor.bytesNeeded) : piece;
          limit = await cursor.load(file, buffer, limit);
          break;
        }
        case 'zeros':
          isAtEnd = true;
          break;
        case 'broken':
          broken = { fault: cursor.fault, searchOffset: cursor.searchOffset };
          isAtEnd = true;
          break;
        case 'wrong':
          throw damageError(segment.path, offset, cursor.fault, revision);
      }
    }
    const torn = await judgeSegmentEnd(file, segment, cursor, broken, seed);
    return { checksum: cursor.previousChecksum, revision: cursor.revision, torn };
  } finally {
    await segment.release();
  }
}

/** Reads segments that follow each other. @throws StoreError `damaged`. */
export async function* readRow(
  segments: readonly Segment[],
  seed: number,
): AsyncGenerator<LogBatch, SegmentEnd> {
  let end: SegmentEnd = { checksum: 0, revision: 0, torn: undefined };
  for (const [index, segment] of segments.entries()) {
    end = yield* readBatches(segment, seed, index === 0 ? linkBefore(segment) : end);
  }
  return end;
}

/**
 * The records of a batch, decoded one by one.
 * @throws StoreError `damaged` when they are not what a batch of these revisions holds.
 */
export function* recordsOf(batch: LogBatch): Generator<PlacedRecord, void> {
  const { buffer, path, offset } = batch;
  let { revisionBefore: revision } = batch;
  const damage = (what: string): Error => damageError(path, offset, what, revision);
  // Decoded ahead, the records of a long frame would take many times its length.
  const bounds: number[] = [];
  if (!visitRecords(buffer, batch.start, batch.end, (_, start, end) => bounds.push(start, end))) {
    throw damage('a frame holds no batch of records');
  }
  for (let index = 0; index < bounds.length; index += 2) {
    const start = bounds[index] ?? 0;
    const end = bounds[index + 1] ?? 0;
    const record = decode(buffer, start, end, damage);
    if (record.revision !== 0 && record.revision !== revision + 1) {
      throw damage(`a record of revision ${record.revision} follows revision ${revision}`);
    }
    if (record.effects.some(({ effect }) => effect.case === undefined)) {
      throw damage('a record has an effect that this version does not know; use the version that wrote it');
    }
    const fault = faultOfRecord(record) ?? faultOfItsAccess(record);
    if (fault !== undefined) throw damage(`no store writes such a thing: ${fault}`);
    if (record.revision !== 0) revision = record.revision;
    yield { record, start, end };
  }
  if (revision !== batch.revision) {
    throw damage(`a frame says that it ends at revision ${batch.revision}, its records at ${revision}`);
  }
}

function faultOfItsAccess({ effects }: RecordShape): string | undefined {
  for (const { effect } of effects) {
    const fault = effect.case === 'put' ? faultOfAccess(effect.value.key, effect.value.value) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function decode(buffer: Buffer, start: number, end: number, damage: (what: string) => Error): RecordShape {
  try {
    return readRecord(buffer, start, end);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw damage(`a record can not be understood (${error.message}); use the version that wrote it`);
  }
}

function batchAt(cursor: FrameCursor, path: string, offset: number, revisionBefore: number): LogBatch {
  return {
    path,
    offset,
    revisionBefore,
    revision: cursor.revision,
    buffer: cursor.buffer,
    start: cursor.payloadStart,
    end: cursor.payloadEnd,
  };
}
