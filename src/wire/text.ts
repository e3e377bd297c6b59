/** Text as UTF-8. A surrogate without its partner is written as U+FFFD, as everywhere in JavaScript. */

import { isUtf8 } from 'node:buffer';
import { prependVarint32, sizeWithLength } from './varint.ts';

/** Up to this many characters a loop is faster than a call of native code. Measured: docs/decisions/0004. */
const LOOP_CHARACTERS_MAX = 24;

/** One array for each short length, made once, since `fromCharCode` wants its characters in one. */
const codesByLength = Array.from({ length: LOOP_CHARACTERS_MAX + 1 }, (_, length) =>
  Array.from({ length }, () => 0),
);

/** The bytes of a string field's value, its length included. */
export function sizeOfText(text: string): number {
  return sizeWithLength(sizeOfUtf8(text));
}

/** Writes a text and, before it, its length, so that they end before `end`; returns where the length starts. */
export function prependText(buffer: Buffer, end: number, text: string): number {
  const start = prependShortAscii(buffer, end, text) ?? prependUtf8(buffer, end, text);
  return prependVarint32(buffer, start, end - start);
}

/** The text from `start` to `end`, or `undefined` when that is not UTF-8. */
export function readText(buffer: Buffer, start: number, end: number): string | undefined {
  return readShortAscii(buffer, start, end) ?? readUtf8(buffer, start, end);
}

function sizeOfUtf8(text: string): number {
  if (text.length > LOOP_CHARACTERS_MAX) return Buffer.byteLength(text);
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text);
  }
  return text.length;
}

/** Where the text starts; `undefined` when it is not short or not ASCII, and what was written is to be written over. */
function prependShortAscii(buffer: Buffer, end: number, text: string): number | undefined {
  const length = text.length;
  if (length > LOOP_CHARACTERS_MAX) return undefined;
  const start = end - length;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return undefined;
    buffer[start + index] = code;
  }
  return start;
}

function prependUtf8(buffer: Buffer, end: number, text: string): number {
  const size = Buffer.byteLength(text);
  buffer.write(text, end - size, size);
  return end - size;
}

function readShortAscii(buffer: Buffer, start: number, end: number): string | undefined {
  const codes = codesByLength[end - start];
  if (codes === undefined) return undefined;
  for (let at = start; at < end; at++) {
    const code = buffer[at] as number;
    if (code > 0x7f) return undefined;
    codes[at - start] = code;
  }
  return String.fromCharCode.apply(undefined, codes);
}

/** Decoding puts U+FFFD where the bytes are not UTF-8, so that only a text with that character needs a closer look. */
function readUtf8(buffer: Buffer, start: number, end: number): string | undefined {
  const text = buffer.toString('utf8', start, end);
  return text.includes('\ufffd') && !isUtf8(buffer.subarray(start, end)) ? undefined : text;
}
