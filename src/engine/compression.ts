/**
 * Zstandard for what engines keep: values in memory, values and blocks in files. Each is a frame of its own, made and undone on
 * the spot.
 *
 * A call takes 12 µs whatever it does, of which most is for zstd's context; 1 KiB of JSON takes 14 µs and comes to 0.3 of its length,
 * 4 KiB take 18 µs and come to 0.2. Random bytes of 4 KiB would take 15 µs in vain, and of 1 MiB 130 to 500; so what does not look as if it
 * gave way is not tried, which is seen in 0.5 to 1.5 µs at any length.
 */
// The functions of zstd are missing before Node 22.15, whose users shall be told so: imported by name they would stop the start before that.
import * as zlib from 'node:zlib';
import { assert } from '../errors.ts';
import { fixed } from '../limits.ts';

/** What was done so far; an engine that shows it keeps one. */
export class CompressionFigures {
  /** Compressed, because it looked as if that saved enough; ... */
  triedCount = 0;
  /** ... and left, because it did not. */
  skippedCount = 0;
  /** What was tried and did not save enough. */
  vainCount = 0;
  /** The lengths of what was kept compressed, before and behind that. */
  plainBytes = 0;
  storedBytes = 0;
}

/**
 * @param level `fixed.compressionLevelMin` to `fixed.compressionLevelMax`.
 * @param figures is added to.
 * @param savedShareMin of the length.
 * @returns a frame that is shorter by that at least; `undefined`: there is none, as far as could be seen. It
 * lies in a longer buffer: what is to be kept is copied.
 */
export function tryCompress(
  bytes: Uint8Array,
  level: number,
  figures?: CompressionFigures,
  savedShareMin: number = fixed.compressionSavedShareMin,
): Uint8Array | undefined {
  if (!mayGiveWay(bytes)) {
    if (figures !== undefined) figures.skippedCount++;
    return undefined;
  }
  const storedBytesMax = Math.floor(bytes.length * (1 - savedShareMin));
  const stored = zlib.zstdCompressSync(bytes, {
    // What saves enough fits into one buffer.
    chunkSize: Math.max(storedBytesMax + 1, CHUNK_BYTES_MIN),
    params: levelParams(level),
  });
  const isShort = stored.length <= storedBytesMax;
  if (figures !== undefined) {
    figures.triedCount++;
    if (isShort) {
      figures.plainBytes += bytes.length;
      figures.storedBytes += stored.length;
    } else figures.vainCount++;
  }
  return isShort ? stored : undefined;
}

/**
 * What `tryCompress` was given, in a buffer of its own. Throws an `Error` when the bytes are no whole frame of exactly so many bytes;
 * no more memory than for these is taken before that is seen.
 */
export function decompress(stored: Uint8Array, plainBytes: number): Uint8Array {
  const plain = zlib.zstdDecompressSync(stored, {
    // With one byte to spare Node knows that all has been said, and takes no second buffer.
    chunkSize: Math.max(plainBytes + 1, CHUNK_BYTES_MIN),
    maxOutputLength: Math.max(plainBytes, 1),
  });
  if (plain.length !== plainBytes) {
    throw new Error(`${plain.length} bytes were compressed where ${plainBytes} should have been`);
  }
  return plain;
}

/** The shortest buffer that zlib takes. */
const CHUNK_BYTES_MIN = 64;

/** One object for each level: it is not made anew for each value. */
const paramsByLevel = new Map<number, Record<number, number>>();

function levelParams(level: number): Record<number, number> {
  let params = paramsByLevel.get(level);
  if (params === undefined) {
    assert(
      Number.isInteger(level) && level >= fixed.compressionLevelMin && level <= fixed.compressionLevelMax,
      'the level is one that may be chosen',
    );
    params = { [zlib.constants.ZSTD_c_compressionLevel]: level };
    paramsByLevel.set(level, params);
  }
  return params;
}

/** How often each byte came in the sample. */
const counts = new Uint16Array(256);
const PIECES = fixed.compressionSampleBytes / fixed.compressionPieceBytes;

/**
 * Whether bytes of a sample come again so often that an entropy coder saves something, by the pairs of equal bytes: of n random ones
 * n (n - 1) / 2 / 256 are, with a deviation of the root of that (511 and 23 for a sample). Bytes of which 12 % could be saved have
 * twice as many, texts and numbers ten times. A third more is asked for. What is random once and repeated at a distance goes
 * unseen.
 */
function mayGiveWay(bytes: Uint8Array): boolean {
  counts.fill(0);
  const { length } = bytes;
  let pairs = 0;
  let sampled = length;
  if (length <= fixed.compressionSampleBytes) pairs = pairsIn(bytes, 0, length);
  else {
    sampled = fixed.compressionSampleBytes;
    const last = length - fixed.compressionPieceBytes;
    for (let piece = 0; piece < PIECES; piece++) {
      const start = Math.floor((last * piece) / (PIECES - 1));
      pairs += pairsIn(bytes, start, start + fixed.compressionPieceBytes);
    }
  }
  return pairs * 256 * 6 > sampled * (sampled - 1) * 4;
}

/** The bytes that were there before, in what was counted since `counts` was cleared, for each byte. */
function pairsIn(bytes: Uint8Array, start: number, end: number): number {
  let pairs = 0;
  for (let index = start; index < end; index++) pairs += counts[bytes[index]!]!++;
  return pairs;
}
