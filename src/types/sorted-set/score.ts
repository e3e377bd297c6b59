/**
 * Scores as bytes. A score is a double, not NaN; -0 is kept as it was given and is equal to 0.
 *
 *     plain      the 8 bytes of IEEE 754, big-endian
 *     sortable   8 bytes that sort as the numbers do: plain ones with all bits turned round for a negative number, the sign alone for
 *                another. -0 is written as 0.
 *
 *     -inf 000fffffffffffff    -1 400fffffffffffff    0 8000000000000000    1 bff0000000000000    inf fff0000000000000
 */
export const SCORE_BYTES = 8;

const scratch = new DataView(new ArrayBuffer(SCORE_BYTES));
const SIGN = 0x80000000;

/** The 8 bytes of a score, in memory of their own. */
export function scoreBytes(score: number): Uint8Array {
  const bytes = new Uint8Array(SCORE_BYTES);
  writeScore(bytes, 0, score);
  return bytes;
}

export function writeScore(target: Uint8Array, offset: number, score: number): void {
  scratch.setFloat64(0, score);
  putWord(target, offset, scratch.getUint32(0));
  putWord(target, offset + 4, scratch.getUint32(4));
}

export function readScore(bytes: Uint8Array, offset: number): number {
  scratch.setUint32(0, wordAt(bytes, offset));
  scratch.setUint32(4, wordAt(bytes, offset + 4));
  return scratch.getFloat64(0);
}

export function writeSortable(target: Uint8Array, offset: number, score: number): void {
  scratch.setFloat64(0, score === 0 ? 0 : score);
  const high = scratch.getUint32(0);
  const low = scratch.getUint32(4);
  const isNegative = high >= SIGN;
  putWord(target, offset, isNegative ? ~high : high | SIGN);
  putWord(target, offset + 4, isNegative ? ~low : low);
}

export function readSortable(bytes: Uint8Array, offset: number): number {
  const high = wordAt(bytes, offset);
  const low = wordAt(bytes, offset + 4);
  const isNegative = high < SIGN;
  scratch.setUint32(0, isNegative ? ~high : high & ~SIGN);
  scratch.setUint32(4, isNegative ? ~low : low);
  return scratch.getFloat64(0);
}

function putWord(target: Uint8Array, offset: number, word: number): void {
  target[offset] = word >>> 24;
  target[offset + 1] = word >>> 16;
  target[offset + 2] = word >>> 8;
  target[offset + 3] = word;
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] ?? 0) << 24) |
      ((bytes[offset + 1] ?? 0) << 16) |
      ((bytes[offset + 2] ?? 0) << 8) |
      (bytes[offset + 3] ?? 0)) >>>
    0
  );
}
