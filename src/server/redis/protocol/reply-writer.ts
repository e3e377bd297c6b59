/**
 * `ReplyWriter`: replies in RESP2 or RESP3, one behind the other in one buffer that grows.
 *
 * What is written makes no garbage beside the buffer itself. Invariant: between two replies no array is open, so that what lies
 * before `length` may be taken. A command that fails leaves nothing: its caller goes back to the `length` from before.
 *
 * Example: `array(2)`, `bulk('a')`, `nil()` give `*2\r\n$1\r\na\r\n$-1\r\n` in RESP2, and `_\r\n` at the end in RESP3.
 */
import type { Reply } from '../commands/command.ts';
import { coordinateText, doubleText } from './double-text.ts';

const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
const MINUS = 0x2d;
const FIRST_BYTES = 16 * 1024;
/** Below this a loop copies faster than `TypedArray.set` of a view. */
const LOOP_BYTES_MAX = 48;
/** A type, a sign, the digits of 64 bits, and the end of the line. */
const LINE_BYTES_MAX = 1 + 20 + 2;
/** The header of an array of up to nine elements, for which room is left before the length is known. */
const SHORT_HEADER_BYTES = 4;

const types = {
  simple: 0x2b,
  error: 0x2d,
  integer: 0x3a,
  bulk: 0x24,
  array: 0x2a,
  map: 0x25,
  set: 0x7e,
  push: 0x3e,
  double: 0x2c,
  boolean: 0x23,
  bigNumber: 0x28,
  verbatim: 0x3d,
  nil: 0x5f,
} as const;

export class ReplyWriter implements Reply {
  version: 2 | 3 = 2;
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;
  #openArrays = 0;

  /** Whether an array is being written whose length is not known. */
  get isOpen(): boolean {
    return this.#openArrays > 0;
  }

  /** How many bytes were written and not taken. */
  get length(): number {
    return this.#length;
  }

  /** Forgets what was written since. @param length as it was then. */
  rollBack(length: number): void {
    this.#length = length;
    this.#openArrays = 0;
  }

  /** What was written, in memory of its own; nothing is left. */
  take(): Buffer {
    const length = this.#length;
    this.#length = 0;
    const buffer = this.#buffer;
    if (length <= FIRST_BYTES) {
      const copy = Buffer.allocUnsafe(length);
      buffer.copy(copy, 0, 0, length);
      return copy;
    }
    this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
    return buffer.subarray(0, length);
  }

  ok(): void {
    this.simple('OK');
  }

  simple(text: string): void {
    this.#line(types.simple, text);
  }

  error(text: string): void {
    this.#line(types.error, text);
  }

  integer(value: number | bigint): void {
    this.#reserve(LINE_BYTES_MAX);
    if (typeof value === 'number') this.#header(types.integer, value);
    else this.#line(types.integer, value.toString());
  }

  bulk(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(LINE_BYTES_MAX + length + 2);
    this.#header(types.bulk, length);
    const buffer = this.#buffer;
    let at = this.#length;
    if (length <= LOOP_BYTES_MAX)
      for (let index = 0; index < length; index++) buffer[at++] = bytes[index] ?? 0;
    else {
      buffer.set(bytes, at);
      at += length;
    }
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.#length = at;
  }

  /** Bytes that lie in others. */
  bulkPart(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > LOOP_BYTES_MAX) {
      this.bulk(bytes.subarray(start, end));
      return;
    }
    this.#reserve(LINE_BYTES_MAX + length + 2);
    this.#header(types.bulk, length);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let index = start; index < end; index++) buffer[at++] = bytes[index] ?? 0;
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.#length = at;
  }

  text(text: string): void {
    const { length } = text;
    if (length > LOOP_BYTES_MAX) {
      this.bulk(Buffer.from(text, 'utf8'));
      return;
    }
    const begun = this.#length;
    this.#reserve(LINE_BYTES_MAX + length + 2);
    this.#header(types.bulk, length);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.#length = begun;
        this.bulk(Buffer.from(text, 'utf8'));
        return;
      }
      buffer[at++] = code;
    }
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.#length = at;
  }

  nil(): void {
    if (this.version === 3) this.#line(types.nil, '');
    else this.#line(types.bulk, '-1');
  }

  nilArray(): void {
    if (this.version === 3) this.#line(types.nil, '');
    else this.#line(types.array, '-1');
  }

  array(count: number): void {
    this.#aggregate(types.array, count);
  }

  map(count: number): void {
    if (this.version === 3) this.#aggregate(types.map, count);
    else this.#aggregate(types.array, 2 * count);
  }

  set(count: number): void {
    this.#aggregate(this.version === 3 ? types.set : types.array, count);
  }

  push(count: number): void {
    this.#aggregate(this.version === 3 ? types.push : types.array, count);
  }

  double(value: number): void {
    if (this.version === 3) this.#line(types.double, doubleText(value));
    else this.text(doubleText(value));
  }

  coordinate(value: number): void {
    const text = coordinateText(value);
    if (this.version === 3) this.#line(types.double, text);
    else this.text(text);
  }

  boolean(value: boolean): void {
    if (this.version === 3) this.#line(types.boolean, value ? 't' : 'f');
    else this.integer(value ? 1 : 0);
  }

  bigNumber(value: bigint | string): void {
    if (this.version === 3) this.#line(types.bigNumber, value.toString());
    else this.text(value.toString());
  }

  verbatim(format: string, text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    if (this.version === 2) {
      this.bulk(bytes);
      return;
    }
    const begun = this.#length;
    this.bulk(Buffer.concat([Buffer.from(`${format}:`, 'latin1'), bytes]));
    // The two differ in their first byte alone.
    this.#buffer[begun] = types.verbatim;
  }

  beginArray(): number {
    this.#reserve(SHORT_HEADER_BYTES);
    const begun = this.#length;
    this.#length += SHORT_HEADER_BYTES;
    this.#openArrays++;
    return begun;
  }

  endArray(begun: number, count: number): void {
    const end = this.#length;
    const more = String(count).length - 1;
    this.#reserve(more);
    const first = begun + SHORT_HEADER_BYTES;
    if (more > 0) this.#buffer.copyWithin(first + more, first, end);
    this.#length = begun;
    this.#header(types.array, count);
    this.#length = end + more;
    this.#openArrays--;
  }

  /** Bytes that are a reply already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #aggregate(type: number, count: number): void {
    this.#reserve(LINE_BYTES_MAX);
    this.#header(type, count);
  }

  /** A line of Latin-1. */
  #line(type: number, text: string): void {
    const { length } = text;
    this.#reserve(length + 3);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = type;
    if (length <= LOOP_BYTES_MAX)
      for (let index = 0; index < length; index++) buffer[at++] = text.charCodeAt(index);
    else at += buffer.write(text, at, 'latin1');
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.#length = at;
  }

  /** A line with a whole number; there must be room for it. */
  #header(type: number, value: number): void {
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = type;
    if (value >= 0 && value < 10) buffer[at++] = ZERO + value;
    else at = this.#digits(at, value);
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.#length = at;
  }

  #digits(start: number, value: number): number {
    const buffer = this.#buffer;
    let at = start;
    let rest = value;
    if (rest < 0) {
      buffer[at++] = MINUS;
      rest = -rest;
    }
    let end = at + 1;
    for (let bound = 10; bound <= rest; bound *= 10) end++;
    for (let index = end - 1; index >= at; index--) {
      const tenth = Math.floor(rest / 10);
      buffer[index] = ZERO + (rest - 10 * tenth);
      rest = tenth;
    }
    return end;
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed > this.#buffer.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
