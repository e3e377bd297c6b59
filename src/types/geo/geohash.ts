/**
 * A place on the earth as the score of a sorted set, in the way of Redis: each coordinate is the number of its cell among 2^26 of equal
 * width, and the score has the bits of both by turns, beginning with those of the latitude at the lowest one. So places with the first
 * 2n bits alike lie in one cell of a grid of 2^n by 2^n, and these cells are ranges of scores.
 *
 *     bit      51 50 49 48 … 1  0
 *     of       lo la lo la … lo la        lo: longitude from -180 to 180, la: latitude from -85.05112878 to 85.05112878
 *
 *     13.361389, 38.115556 (Palermo)  →  3479099956230698
 *
 * The idea is G. Niemeyer's geohash (2008), the order of bits that of G. M. Morton (1966), and the way to part and join them "Interleave
 * bits by Binary Magic Numbers" of S. E. Anderson's "Bit Twiddling Hacks". The latitudes end where the square map of the web does
 * (EPSG:3857). A place at the highest longitude or latitude has a cell behind the last one, and so one bit more.
 */
export interface Position {
  /** In degrees. */
  readonly longitude: number;
  readonly latitude: number;
}

/** In degrees, from minus this to this, both inclusive. */
export const LONGITUDE_MAX = 180;
export const LATITUDE_MAX = 85.05112878;

/** How often the whole is halved in both directions for the cells of scores. */
export const STEPS_MAX = 26;

const WORD = 2 ** 32;

/** Of a position within bounds. */
export function scoreOfPosition(position: Position): number {
  const { x, y } = cellOf(position, STEPS_MAX, LATITUDE_MAX);
  return 2 * spread(x) + spread(y);
}

/** The middle of the cell that a score stands for, as far as it stands for one: any other score has a position, too. */
export function positionOfScore(score: number): Position {
  const { low, high } = wordsOf(score);
  const x = WORD_HALF * compact(high >>> 1) + compact(low >>> 1);
  const y = WORD_HALF * compact(high) + compact(low);
  const { west, east, south, north } = boundsOfCell(x, y, STEPS_MAX);
  return {
    longitude: clamp((west + east) / 2, LONGITUDE_MAX),
    latitude: clamp((south + north) / 2, LATITUDE_MAX),
  };
}

export interface Bounds {
  /** Longitudes in degrees. */
  readonly west: number;
  readonly east: number;
  /** Latitudes in degrees. */
  readonly south: number;
  readonly north: number;
}

/** The cell at a place in a grid of 2^steps by 2^steps. */
export function boundsOfCell(x: number, y: number, steps: number): Bounds {
  const width = 2 ** steps;
  const longitudeAt = (line: number): number => -LONGITUDE_MAX + (line / width) * (2 * LONGITUDE_MAX);
  const latitudeAt = (line: number): number => -LATITUDE_MAX + (line / width) * (2 * LATITUDE_MAX);
  return {
    west: longitudeAt(x),
    east: longitudeAt((x + 1) >>> 0),
    south: latitudeAt(y),
    north: latitudeAt((y + 1) >>> 0),
  };
}

/** The cell that a position lies in, of a grid of 2^steps by 2^steps; one behind the last for the highest coordinates. */
export function cellOf(
  { longitude, latitude }: Position,
  steps: number,
  latitudeMax: number,
): { readonly x: number; readonly y: number } {
  const width = 2 ** steps;
  return {
    x: Math.floor(((longitude + LONGITUDE_MAX) / (2 * LONGITUDE_MAX)) * width),
    y: Math.floor(((latitude + latitudeMax) / (2 * latitudeMax)) * width),
  };
}

/** The score at which a cell of a grid begins, and that at which it ends (exclusive). */
export function scoresOfCell(
  x: number,
  y: number,
  steps: number,
): { readonly min: number; readonly end: number } {
  // A cell behind the last one has more bits than a number keeps.
  const bits = 2n * BigInt(spread(x)) + BigInt(spread(y));
  const shift = BigInt(2 * (STEPS_MAX - steps));
  return { min: Number(bits << shift), end: Number((bits + 1n) << shift) };
}

const ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz';
const CHARACTERS = 10;
const CHARACTER_BITS = 5;

/**
 * The geohash of a score as other programs have it: latitudes from -90 to 90, five bits a character. The last of the 11 characters is
 * always 0, as a score has bits for ten.
 */
export function geohashText(score: number): string {
  const { x, y } = cellOf(positionOfScore(score), STEPS_MAX, 90);
  const bits = 2n * BigInt(spread(x)) + BigInt(spread(y));
  let text = '';
  for (let at = 1; at <= CHARACTERS; at++) {
    const shift = BigInt(2 * STEPS_MAX - at * CHARACTER_BITS);
    text += ALPHABET.charAt(Number((bits >> shift) & 0x1fn));
  }
  return `${text}0`;
}

/** The cell behind the last one lies outside, and so may scores that are no places. */
function clamp(degrees: number, max: number): number {
  return Math.max(-max, Math.min(max, degrees));
}

const WORD_HALF = 2 ** 16;
const UINT64_MASK = 2n ** 64n - 1n;

/** A score as the 64 bits that a processor of x86 makes of it: other scores than those of places may be fractions, negative or infinite. */
function wordsOf(score: number): { readonly low: number; readonly high: number } {
  if (score >= 0 && score < 2 ** 53) return { low: Math.floor(score) % WORD, high: Math.floor(score / WORD) };
  let bits = 0n;
  if (score < -(2 ** 63)) bits = 1n << 63n;
  else if (score < 2 ** 64) bits = BigInt(Math.trunc(score)) & UINT64_MASK;
  return { low: Number(bits & 0xffff_ffffn), high: Number(bits >> 32n) };
}

/** The bits of a number of up to 27 bits, each with a 0 above it. */
function spread(value: number): number {
  return spreadHalf(value >>> 16) * WORD + spreadHalf(value & 0xffff);
}

function spreadHalf(value: number): number {
  let bits = value;
  bits = (bits | (bits << 8)) & 0x00ff00ff;
  bits = (bits | (bits << 4)) & 0x0f0f0f0f;
  bits = (bits | (bits << 2)) & 0x33333333;
  bits = (bits | (bits << 1)) & 0x55555555;
  return bits;
}

/** Every other bit of 32, from the lowest one on. */
function compact(value: number): number {
  let bits = value & 0x55555555;
  bits = (bits | (bits >>> 1)) & 0x33333333;
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f;
  bits = (bits | (bits >>> 4)) & 0x00ff00ff;
  return (bits | (bits >>> 8)) & 0xffff;
}
