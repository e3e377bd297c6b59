/**
 * What a segment of the log looks like on disk; writer and readers share this page. `docs/format.md` tells it at
 * length, `docs/decisions/0002-log-frames.md` says why.
 *
 *   8 bytes   "KELPLOG1"
 *   frame     the segment header (kelp.storage.v1.SegmentHeader)
 *   frames    batches (kelp.storage.v1.Batch) and marks, each where the one before ends
 *   zeros     at least as many as a frame header has: the end of the content
 *
 * Invariants that recovery builds on:
 *
 * - A segment gets its name after its header and first zeros were flushed.
 * - Before a frame is written, the file has been flushed with a length that holds the frame and the zeros behind it.
 *   So a frame that the end of the file cuts, or that no zeros follow, is damage, never a torn write.
 * - A frame's `durableOffset` is true: what lies below it was flushed before the frame was written.
 * - The next segment gets its name after all of this one, its closing mark included, was flushed.
 */
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { FRAME_ALIGNMENT_BYTES, FRAME_HEADER_BYTES } from '../../wire/frame.ts';

/** What new segments have. From 2 on they may hold collections, which a program of before them would pass over in part. */
export const FORMAT_VERSION = 2;
/** The oldest that is read. None of them is gone on with: the next batch goes into a new segment. */
const FORMAT_VERSION_OLDEST = 1;
export const SEGMENT_MAGIC = Buffer.from('KELPLOG1');

/** Why a segment of this form is not read; `undefined`: it is. */
export function faultOfFormat(version: number): string | undefined {
  if (version >= FORMAT_VERSION_OLDEST && version <= FORMAT_VERSION) return undefined;
  const [fault, advice] =
    version > FORMAT_VERSION
      ? ['a newer version wrote it', 'use that one or a later one']
      : ['it is too old', 'use the version that wrote it'];
  return `the segment has format ${version}, and this version reads ${FORMAT_VERSION_OLDEST} to ${FORMAT_VERSION}: ${fault}, so ${advice}`;
}

/** The first frame of a segment begins here. */
export const SEGMENT_HEADER_OFFSET = SEGMENT_MAGIC.length;
/** The zeros that stand behind the last frame at all times. */
export const END_BYTES = FRAME_HEADER_BYTES;
/** The length of a store's id. */
export const STORE_ID_BYTES = 16;

/**
 * A segment grows by zeros of this length, flushed ahead of use: writing and flushing 4 KiB takes 184 to 250 us in
 * such zeros and 352 us where the file grows by it, because the length need not be flushed too.
 */
const CHUNK_BYTES_MAX = 1024 * 1024;
export const CHUNK_BYTES_MIN = 4096;

/** The chunk of segments that end at this length: four or more make a segment. */
export function chunkBytes(segmentBytes: number): number {
  const quarterBytes = Math.floor(segmentBytes / 4 / CHUNK_BYTES_MIN) * CHUNK_BYTES_MIN;
  return Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, quarterBytes));
}

/** The range of the length at which a segment ends. `durableOffset` has 32 bits, and one frame may go past the end. */
export const SEGMENT_BYTES_MIN = 4096;
export const SEGMENT_BYTES_MAX = 2 ** 31;

/** What the payload of a frame is. */
export const frameKind = {
  segmentHeader: 1,
  batch: 2,
  /** Nothing: the frame is there for its `durableOffset`, which vouches for the frames before. */
  mark: 3,
} as const;

export const FRAME_KIND_MAX = frameKind.mark;

assert(
  SEGMENT_BYTES_MAX + fixed.segmentOverrunBytesMax + 2 * fixed.frameBytesMax < 2 ** 32,
  'every offset has 32 bits: the frame being written and the one being gathered may pass the length that is checked',
);
assert(SEGMENT_HEADER_OFFSET % FRAME_ALIGNMENT_BYTES === 0, 'the first frame is aligned');

const REVISION_DIGITS = 20;
const PART_DIGITS = 6;
const NAME_PATTERN = /^(\d{20})(?:-(\d{6}))?\.log$/;
const TEMPORARY_SUFFIX = '.tmp';

/**
 * What a segment's name says. Segments that begin at the same revision (the earlier ones hold notes only) are told
 * apart by their part: 0 for the first, which the name leaves out.
 */
export interface SegmentName {
  readonly firstRevision: number;
  readonly part: number;
}

export function formatSegmentName(name: SegmentName): string {
  const revision = String(name.firstRevision).padStart(REVISION_DIGITS, '0');
  return name.part === 0
    ? `${revision}.log`
    : `${revision}-${String(name.part).padStart(PART_DIGITS, '0')}.log`;
}

/** `undefined` for a file that is no segment. */
export function parseSegmentName(fileName: string): SegmentName | undefined {
  const match = NAME_PATTERN.exec(fileName);
  if (match === null) return undefined;
  const name = { firstRevision: Number(match[1]), part: Number(match[2] ?? 0) };
  return formatSegmentName(name) === fileName ? name : undefined;
}

/** The name of a segment that is being made. */
export function temporaryName(fileName: string): string {
  return fileName + TEMPORARY_SUFFIX;
}

/** Whether a file was to become a segment when its writer was stopped. */
export function isTemporaryName(fileName: string): boolean {
  if (!fileName.endsWith(TEMPORARY_SUFFIX)) return false;
  return parseSegmentName(fileName.slice(0, -TEMPORARY_SUFFIX.length)) !== undefined;
}
