/** Frames of HTTP/2 as bytes (RFC 9113, section 6), and bytes as frames, for peers that a test plays itself. */
import { frame } from '../../support/bare-http2.ts';

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

export const flag = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

export const setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const FRAME_HEAD_BYTES = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function settingsFrame(values: readonly (readonly [id: number, value: number])[] = []): Buffer {
  const payload = Buffer.alloc(6 * values.length);
  for (const [index, [id, value]] of values.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return frame(frameType.SETTINGS, 0, 0, payload);
}

export const settingsAcknowledged = frame(frameType.SETTINGS, flag.ACK, 0, Buffer.alloc(0));

export function headersFrame(streamId: number, block: Uint8Array, flags: number = flag.END_HEADERS): Buffer {
  return frame(frameType.HEADERS, flags, streamId, block);
}

export function dataFrame(streamId: number, bytes: Uint8Array, flags = 0): Buffer {
  return frame(frameType.DATA, flags, streamId, bytes);
}

export function windowUpdateFrame(streamId: number, bytes: number): Buffer {
  return frame(frameType.WINDOW_UPDATE, 0, streamId, uint32(bytes));
}

export function resetFrame(streamId: number, code: number): Buffer {
  return frame(frameType.RST_STREAM, 0, streamId, uint32(code));
}

export function pingFrame(text: string, flags = 0): Buffer {
  return frame(frameType.PING, flags, 0, Buffer.from(text.padEnd(8).slice(0, 8), 'latin1'));
}

export function goawayFrame(lastStreamId: number, code: number, debugText = ''): Buffer {
  return frame(
    frameType.GOAWAY,
    0,
    0,
    Buffer.concat([uint32(lastStreamId), uint32(code), Buffer.from(debugText)]),
  );
}

/** A payload with so many bytes of padding; its frame needs the flag PADDED. */
export function padded(payload: Uint8Array, padBytes: number): Buffer {
  return Buffer.concat([Buffer.of(padBytes), payload, Buffer.alloc(padBytes)]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Cuts a stream of bytes into frames. */
export class FrameSplitter {
  readonly frames: Frame[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #bytesToSkip = 0;

  /** So many bytes come before the first frame: a preface. */
  skip(bytes: number): void {
    this.#bytesToSkip += bytes;
  }

  push(bytes: Uint8Array): void {
    const skipped = Math.min(this.#bytesToSkip, bytes.length);
    this.#bytesToSkip -= skipped;
    this.#rest = Buffer.concat([this.#rest, bytes.subarray(skipped)]);
    let at = 0;
    while (this.#rest.length - at >= FRAME_HEAD_BYTES) {
      const from = at + FRAME_HEAD_BYTES;
      const to = from + this.#rest.readUIntBE(at, 3);
      if (this.#rest.length < to) break;
      this.frames.push({
        type: this.#rest.readUInt8(at + 3),
        flags: this.#rest.readUInt8(at + 4),
        streamId: this.#rest.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: this.#rest.subarray(from, to),
      });
      at = to;
    }
    this.#rest = this.#rest.subarray(at);
  }
}

/** The header block of a HEADERS frame, without padding and priority. */
export function blockOf({ flags, payload }: Frame): Buffer {
  const padBytes = flags & flag.PADDED ? payload.readUInt8(0) : 0;
  const start = (flags & flag.PADDED ? 1 : 0) + (flags & flag.PRIORITY ? 5 : 0);
  return payload.subarray(start, payload.length - padBytes);
}
