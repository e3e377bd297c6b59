/**
 * The ids of a stream's entries: two unsigned 64-bit numbers, mostly milliseconds and a sequence number, as 16 bytes, big-endian. So
 * their order is that of the bytes, which they have as keys, too.
 *
 *     1526919030474-55  →  00 00 01 63 83 77 66 ca  00 00 00 00 00 00 00 37
 */
import { readUint32, TWO_32, writeUint32, writeUint53 } from './numbers.ts';

const HALF_BYTES = 8;
export const ID_BYTES = 2 * HALF_BYTES;

/** `0-0`, the id of no entry. */
export const ID_ZERO: Uint8Array = new Uint8Array(ID_BYTES);
/** The last one that there can be. */
export const ID_MAX: Uint8Array = new Uint8Array(ID_BYTES).fill(0xff);

/** The highest half, exclusive, whose number is a safe integer. */
const SAFE_HIGH = 2 ** 21;
const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MAX = 2n ** 63n - 1n;
/** So many digits are always a safe integer. */
const SAFE_DIGITS = 15;
/** Longer texts are no ids. */
const TEXT_MAX = 127;

export function compareIds(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < ID_BYTES; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function isZero(id: Uint8Array): boolean {
  return compareIds(id, ID_ZERO) === 0;
}

/** The id of a time with the sequence number 0. @param ms a safe integer. */
export function idOfTime(ms: number): Uint8Array {
  const id = new Uint8Array(ID_BYTES);
  writeHalf(id, 0, ms);
  return id;
}

/** Both numbers of an id. */
export function halvesOf(id: Uint8Array): readonly [ms: bigint, sequence: bigint] {
  const data = new DataView(id.buffer, id.byteOffset, ID_BYTES);
  return [data.getBigUint64(0), data.getBigUint64(HALF_BYTES)];
}

/** The id of two numbers, of which 64 bits count. */
export function idOfHalves(ms: bigint, sequence: bigint): Uint8Array {
  const id = new Uint8Array(ID_BYTES);
  const data = new DataView(id.buffer);
  data.setBigUint64(0, ms);
  data.setBigUint64(HALF_BYTES, sequence);
  return id;
}

/** The next id; `undefined` behind the last one. */
export function idAfter(id: Uint8Array): Uint8Array | undefined {
  const next = new Uint8Array(id);
  return addOne(next) ? next : undefined;
}

/** @returns false: it was the last one. */
function addOne(id: Uint8Array): boolean {
  for (let at = ID_BYTES - 1; at >= 0; at--) {
    const byte = ((id[at] ?? 0) + 1) & 0xff;
    id[at] = byte;
    if (byte !== 0) return true;
  }
  return false;
}

/** The id before; `undefined` before the first one. */
export function idBefore(id: Uint8Array): Uint8Array | undefined {
  const previous = new Uint8Array(id);
  for (let at = ID_BYTES - 1; at >= 0; at--) {
    const byte = previous[at] ?? 0;
    previous[at] = (byte - 1) & 0xff;
    if (byte !== 0) return previous;
  }
  return undefined;
}

/** The next id with the same milliseconds; `undefined`: there is none. */
export function sequenceAfter(id: Uint8Array): Uint8Array | undefined {
  const next = idAfter(id);
  return next !== undefined && hasSameTime(next, id) ? next : undefined;
}

export function hasSameTime(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < HALF_BYTES; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** The smallest id of a new entry at a time: the time itself, or what follows on the last id; `undefined`: there is none. */
export function nextId(lastId: Uint8Array, nowMs: number): Uint8Array | undefined {
  const id = new Uint8Array(ID_BYTES);
  return writeNextId(id, lastId, nowMs) ? id : undefined;
}

/** As `nextId`, in memory of the caller's. @returns false: there is none. */
export function writeNextId(id: Uint8Array, lastId: Uint8Array, nowMs: number): boolean {
  writeHalf(id, 0, nowMs);
  id.fill(0, HALF_BYTES);
  if (compareIds(id, lastId) > 0 && !hasSameTime(id, lastId)) return true;
  copyId(id, 0, lastId);
  return addOne(id);
}

/** An id is short: to copy it byte by byte takes less than `set`. */
export function copyId(target: Uint8Array, at: number, id: Uint8Array): void {
  for (let index = 0; index < ID_BYTES; index++) target[at + index] = id[index] ?? 0;
}

/** Ids that are told one behind the other have mostly the same milliseconds, whose text takes longer to make than all the rest. */
let toldHigh = 0;
let toldLow = 0;
let toldMs = '0';

export function formatId(id: Uint8Array): string {
  const high = readUint32(id, 0);
  const low = readUint32(id, 4);
  if (low !== toldLow || high !== toldHigh) {
    toldMs = formatHalf(id, 0);
    toldHigh = high;
    toldLow = low;
  }
  return `${toldMs}-${formatHalf(id, HALF_BYTES)}`;
}

export interface ParsedId {
  readonly id: Uint8Array;
  /** `ms-*`: the sequence number is left to the stream; it is 0 here. */
  readonly isOpen: boolean;
}

/**
 * `ms-seq`, or `ms` alone. @param missing the sequence number of the latter: the lowest or the highest.
 * @returns `undefined`: it is no id.
 */
export function parseId(text: string, missing: 'lowest' | 'highest' = 'lowest'): Uint8Array | undefined {
  const parsed = parseOpenId(text, missing);
  return parsed === undefined || parsed.isOpen ? undefined : parsed.id;
}

/** As `parseId`, and `ms-*`. */
export function parseOpenId(text: string, missing: 'lowest' | 'highest' = 'lowest'): ParsedId | undefined {
  if (text.length > TEXT_MAX) return undefined;
  const dash = text.indexOf('-');
  const id = new Uint8Array(ID_BYTES);
  const ms = parseHalf(dash === -1 ? text : text.slice(0, dash));
  if (ms === undefined) return undefined;
  writeHalf(id, 0, ms);
  if (dash === -1) {
    if (missing === 'highest') id.fill(0xff, HALF_BYTES);
    return { id, isOpen: false };
  }
  const rest = text.slice(dash + 1);
  if (rest === '*') return { id, isOpen: true };
  const sequence = parseHalf(rest);
  if (sequence === undefined) return undefined;
  writeHalf(id, HALF_BYTES, sequence);
  return { id, isOpen: false };
}

/** What Redis takes goes through C's `strtoull`: spaces and a sign may stand before the digits, and what is negative is wrapped. */
const LOOSE = /^[\t-\r ]*([+-]?)(\d+)$/;
const NEGATIVE = /^-[1-9]\d*$/;

function parseHalf(text: string): number | bigint | undefined {
  const match = LOOSE.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = ''] = match;
  if (sign !== '-' && digits.length <= SAFE_DIGITS) return Number(digits);
  const value = BigInt(digits);
  // What is a signed number of 64 bits by its form is told to be below 0.
  if (value > UINT64_MAX || (NEGATIVE.test(text) && value <= INT64_MAX + 1n)) return undefined;
  return sign === '-' ? BigInt.asUintN(64, -value) : value;
}

function writeHalf(id: Uint8Array, at: number, value: number | bigint): void {
  if (typeof value === 'number') {
    writeUint53(id, at, value);
    return;
  }
  writeUint32(id, at, Number(value >> 32n));
  writeUint32(id, at + 4, Number(value & 0xffff_ffffn));
}

function formatHalf(id: Uint8Array, at: number): string {
  const high = readUint32(id, at);
  const low = readUint32(id, at + 4);
  if (high < SAFE_HIGH) return String(high * TWO_32 + low);
  return String((BigInt(high) << 32n) + BigInt(low));
}
