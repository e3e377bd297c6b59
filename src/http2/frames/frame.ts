/**
 * Frames as bytes: the numbers of RFC 9113, sections 4.1, 6 and 11, and the header that every frame begins with.
 *
 *     +-----------------------------------------------+
 *     |                 Length (24)                   |   of the payload
 *     +---------------+---------------+---------------+
 *     |   Type (8)    |   Flags (8)   |
 *     +-+-------------+---------------+-------------------------------+
 *     |R|                 Stream Identifier (31)                      |   0: the connection
 *     +=+=============================================================+
 */
import type { ErrorCode } from '../contract/error-code.ts';

export const frameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

/** Which frames a flag stands in is with the frames in RFC 9113, section 6; elsewhere it has no meaning. */
export const flag = {
  END_STREAM: 0x1,
  ACK: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

export const setting = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
} as const;

/** What a client sends before its first frame. Section 3.4. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const FRAME_HEADER_BYTES = 9;
export const SETTING_BYTES = 6;
export const PING_BYTES = 8;
export const PRIORITY_BYTES = 5;
/** GOAWAY without its debug data. */
export const GOAWAY_BYTES = 8;
export const WORD_BYTES = 4;

/** The longest payload until the receiver allows longer ones, and the longest that it may allow. Section 4.2. */
export const FRAME_BYTES_DEFAULT = 2 ** 14;
export const FRAME_BYTES_MAX = 2 ** 24 - 1;

/** A window before anything was said of it, and the largest. Section 6.9. */
export const WINDOW_DEFAULT = 2 ** 16 - 1;
export const WINDOW_MAX = 2 ** 31 - 1;

export const STREAM_ID_MAX = 2 ** 31 - 1;

/** @returns where the payload begins. */
export function writeFrameHeader(
  buffer: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  buffer[at] = length >>> 16;
  buffer[at + 1] = length >>> 8;
  buffer[at + 2] = length;
  buffer[at + 3] = type;
  buffer[at + 4] = flags;
  return writeWord(buffer, at + 5, streamId);
}

/** @returns where the 32 bits end. */
export function writeWord(buffer: Buffer, at: number, value: number): number {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
  return at + WORD_BYTES;
}

export function readWord(buffer: Buffer, at: number): number {
  return ((buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!) >>> 0;
}

/** 31 bits: a stream's id or an increment of a window, without the bit that is reserved. */
export function readId(buffer: Buffer, at: number): number {
  return readWord(buffer, at) & STREAM_ID_MAX;
}

/** The payload's length that a frame's header tells. */
export function readLength(buffer: Buffer, at: number): number {
  return (buffer[at]! << 16) | (buffer[at + 1]! << 8) | buffer[at + 2]!;
}

/** As it stands in RST_STREAM and GOAWAY: any number; those that RFC 9113 does not know are kept as they are. */
export function readErrorCode(buffer: Buffer, at: number): ErrorCode {
  return readWord(buffer, at) as ErrorCode;
}
