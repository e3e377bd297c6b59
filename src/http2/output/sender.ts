/**
 * What a connection sends: frames into the outbox, bodies as windows allow.
 *
 * - Frames that are not DATA go at once: they are few, and no window bounds them.
 * - DATA goes at once while the windows of stream and connection have room and little output waits. Otherwise the stream holds
 *   its body, and streams that hold some take turns, by 16 KiB, as an update of a window or the socket makes room. What a
 *   stream writes when it is told that all is sent belongs to its turn too: many short pieces are few frames then.
 * - Pieces of a body that follow each other are one frame, and its end is a flag in the last one.
 */
import { http2 } from '../../limits.ts';
import type { BodyQueue } from './body-queue.ts';
import type { ErrorCode } from '../contract/error-code.ts';
import {
  FRAME_BYTES_DEFAULT,
  FRAME_HEADER_BYTES,
  GOAWAY_BYTES,
  PING_BYTES,
  PREFACE,
  SETTING_BYTES,
  WINDOW_DEFAULT,
  WORD_BYTES,
  flag,
  frameType,
  writeFrameHeader,
  writeWord,
} from '../frames/frame.ts';
import { TABLE_SIZE_ZERO } from '../hpack/encoder.ts';
import type { Outbox } from './outbox.ts';
import type { BodyWriter } from '../contract/stream.ts';

const NO_BYTES = Buffer.alloc(0);

/** The line of a connection on which no stream has waited yet: many have none all their lives, and a set takes 250 bytes. */
const NO_STREAMS: Set<SendingStream> = new Set();

/** Up to this length a loop copies faster than a call. */
const LOOP_BYTES_MAX = 64;

/** DATA frames are no longer, whatever the peer takes: others get their turn in between. */
const DATA_BYTES_MAX = Math.min(http2.chunkBytesMax, FRAME_BYTES_DEFAULT);

/** A stream that has something to send. */
export interface SendingStream {
  readonly id: number;
  /** What the peer lets it send; below zero after it lowered its windows. */
  sendWindow: number;
  /** What it holds of its body. */
  readonly held: BodyQueue;
  /** Whether its side ends with what it holds. */
  readonly endsWithBody: boolean;
  /** Nothing is held any more. */
  bodySent(): void;
}

export class Sender {
  readonly outbox: Outbox;
  /** What the peer lets the connection send. */
  window = WINDOW_DEFAULT;
  /** The peer has lowered the size of its dynamic table, which the next header block has to confirm. RFC 7541, section 4.2. */
  isTableSizeDue = false;
  /** Frames of streams that were sent, for the monitor of idle frames. */
  streamFrames = 0;
  /** Streams that hold bytes which their own window lets go, in the order of their turns. */
  #line: Set<SendingStream> = NO_STREAMS;
  #isServingLine = false;
  /** The one whose turn it is, while it is told that what it held is sent, and how much more it may send in this turn. */
  #served: SendingStream | undefined;
  #servedBytesLeft = 0;
  /** Bytes of bodies that were sent in this turn of the event loop, short frames as longer: with a fast socket nothing else would bound them. */
  #turnBytes = 0;

  constructor(outbox: Outbox) {
    this.outbox = outbox;
  }

  /** A header block of `length` bytes, with CONTINUATION frames when the peer takes no frame so long. */
  headers(streamId: number, block: Buffer, length: number, isEnd: boolean): void {
    this.streamFrames++;
    const endFlag = isEnd ? flag.END_STREAM : 0;
    if (this.isTableSizeDue) {
      this.isTableSizeDue = false;
      this.#longHeaders(
        streamId,
        Buffer.concat([Buffer.of(TABLE_SIZE_ZERO), block.subarray(0, length)]),
        endFlag,
      );
    } else if (length > FRAME_BYTES_DEFAULT) {
      this.#longHeaders(streamId, block.subarray(0, length), endFlag);
    } else {
      this.#frame(frameType.HEADERS, flag.END_HEADERS | endFlag, streamId, block, length);
    }
  }

  /** Whether a body of so many bytes can go now, without waiting for a window or for the socket. */
  canSend(stream: SendingStream, bytes: number): boolean {
    return (
      bytes <= DATA_BYTES_MAX &&
      bytes <= stream.sendWindow &&
      bytes <= this.window &&
      (stream === this.#served ? bytes <= this.#servedBytesLeft : this.#line.size === 0) &&
      !this.#isBusy
    );
  }

  /** DATA of a stream that `canSend`. */
  data(stream: SendingStream, bytes: Uint8Array): void {
    const { outbox } = this;
    const at = this.#openData(stream, bytes.length);
    outbox.length = copy(bytes, bytes.length, outbox.buffer, at);
  }

  /** DATA of a stream that `canSend`, written where it is sent from. */
  dataInPlace<Body>(stream: SendingStream, body: Body, size: number, writer: BodyWriter<Body>): void {
    const { outbox } = this;
    const at = this.#openData(stream, size);
    writer.write(body, outbox.buffer, at, at + size);
    outbox.length = at + size;
  }

  /** The end of a body that was sent: a flag in its last DATA frame, if that has not left yet. */
  endData(streamId: number): void {
    const { outbox } = this;
    if (outbox.dataStreamId === streamId) {
      outbox.buffer[outbox.dataAt + 4] = flag.END_STREAM;
      outbox.dataStreamId = 0;
    } else {
      this.streamFrames++;
      this.#frame(frameType.DATA, flag.END_STREAM, streamId, NO_BYTES, 0);
    }
  }

  /**
   * Whether a whole reply can go now: one that is longer than a DATA frame too, since it is written in one piece. A small one
   * passes those that wait for the socket.
   */
  canAnswer(stream: SendingStream, bytes: number, head: Buffer, trailers: Buffer): boolean {
    if (bytes > stream.sendWindow || bytes > this.window || this.isTableSizeDue) return false;
    if (head.length > FRAME_BYTES_DEFAULT || trailers.length > FRAME_BYTES_DEFAULT) return false;
    return bytes <= DATA_BYTES_MAX
      ? !this.outbox.isFull
      : !this.#isBusy && this.#line.size === 0 && answerBytes(bytes, head, trailers) <= http2.outputBytes;
  }

  /** A whole reply, for which `canAnswer` was asked. */
  answer<Body>(
    stream: SendingStream,
    head: Buffer,
    body: Body,
    size: number,
    writer: BodyWriter<Body>,
    trailers: Buffer,
  ): void {
    const { outbox } = this;
    const { id } = stream;
    let at = outbox.reserve(answerBytes(size, head, trailers));
    const { buffer } = outbox;
    at = writeFrameHeader(buffer, at, head.length, frameType.HEADERS, flag.END_HEADERS, id);
    at = copy(head, head.length, buffer, at);
    if (size > 0) {
      const bodyAt = at + FRAME_HEADER_BYTES;
      writer.write(body, buffer, bodyAt, bodyAt + size);
      at = frameBody(buffer, at, size, id);
      this.#spend(stream, size);
    }
    at = writeFrameHeader(
      buffer,
      at,
      trailers.length,
      frameType.HEADERS,
      flag.END_HEADERS | flag.END_STREAM,
      id,
    );
    outbox.length = copy(trailers, trailers.length, buffer, at);
    this.streamFrames += 3;
  }

  /** Another turn of the event loop has begun, or the socket has room again. */
  beginTurn(): void {
    this.#turnBytes = 0;
    if (this.#line.size > 0) this.serveLine();
  }

  /** A stream holds bytes, or may send what it holds: it gets its turn. */
  join(stream: SendingStream): void {
    if (stream.sendWindow <= 0) return;
    if (this.#line === NO_STREAMS) this.#line = new Set();
    this.#line.add(stream);
    this.serveLine();
  }

  /** A stream is closed, and what it held is gone. */
  leave(stream: SendingStream): void {
    this.#line.delete(stream);
  }

  /** Sends for the streams that wait, in turns, as far as the connection's window and the socket go. */
  serveLine(): void {
    if (this.#isServingLine) return;
    this.#isServingLine = true;
    try {
      for (const stream of this.#line) {
        if (this.window <= 0 || this.#isBusy) break;
        this.#serve(stream);
      }
    } finally {
      this.#isServingLine = false;
    }
  }

  reset(streamId: number, code: ErrorCode): void {
    this.#words(frameType.RST_STREAM, streamId, code);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#words(frameType.WINDOW_UPDATE, streamId, increment);
  }

  settings(entries: readonly (readonly [setting: number, value: number])[]): void {
    const payload = Buffer.alloc(entries.length * SETTING_BYTES);
    entries.forEach(([id, value], index) => {
      payload.writeUInt16BE(id, index * SETTING_BYTES);
      payload.writeUInt32BE(value, index * SETTING_BYTES + 2);
    });
    this.#frame(frameType.SETTINGS, 0, 0, payload, payload.length);
  }

  settingsAck(): void {
    this.#frame(frameType.SETTINGS, flag.ACK, 0, NO_BYTES, 0);
  }

  ping(payload: Buffer, isAck: boolean): void {
    this.#frame(frameType.PING, isAck ? flag.ACK : 0, 0, payload, PING_BYTES);
  }

  goaway(lastStreamId: number, code: ErrorCode, debugText: string): void {
    const payload = Buffer.alloc(GOAWAY_BYTES + Math.min(Buffer.byteLength(debugText), http2.debugBytesMax));
    writeWord(payload, writeWord(payload, 0, lastStreamId), code);
    payload.write(debugText, GOAWAY_BYTES);
    this.#frame(frameType.GOAWAY, 0, 0, payload, payload.length);
  }

  /** What a client begins with. */
  preface(): void {
    const { outbox } = this;
    const at = outbox.reserve(PREFACE.length);
    outbox.length = copy(PREFACE, PREFACE.length, outbox.buffer, at);
  }

  /** Whether bodies have to wait for the socket or for the next turn. */
  get #isBusy(): boolean {
    return this.#turnBytes >= http2.waitingOutputBytesMax || this.outbox.isBusy;
  }

  #spend(stream: SendingStream, bytes: number): void {
    this.window -= bytes;
    stream.sendWindow -= bytes;
    this.#turnBytes += bytes;
    if (stream === this.#served) this.#servedBytesLeft -= bytes;
  }

  #serve(stream: SendingStream): void {
    const { held } = stream;
    const size = Math.min(held.byteLength, stream.sendWindow, this.window, DATA_BYTES_MAX);
    // To the end of the line: a Set goes through what joins while it is gone through.
    this.#line.delete(stream);
    if (size > 0) {
      const { outbox } = this;
      const at = this.#openData(stream, size);
      held.move(size, outbox.buffer, at);
      outbox.length = at + size;
    }
    if (held.byteLength > 0) {
      if (stream.sendWindow > 0) this.#line.add(stream);
      return;
    }
    if (stream.endsWithBody) this.endData(stream.id);
    this.#served = stream;
    this.#servedBytesLeft = DATA_BYTES_MAX - size;
    try {
      stream.bodySent();
    } finally {
      this.#served = undefined;
    }
  }

  /** Begins a DATA frame, or makes the last one longer. @returns where its next `size` bytes go. */
  #openData(stream: SendingStream, size: number): number {
    const { outbox } = this;
    this.#spend(stream, size);
    if (outbox.dataStreamId === stream.id) {
      const length = outbox.length - outbox.dataAt - FRAME_HEADER_BYTES + size;
      if (length <= DATA_BYTES_MAX && outbox.length + size <= outbox.buffer.length) {
        writeFrameHeader(outbox.buffer, outbox.dataAt, length, frameType.DATA, 0, stream.id);
        return outbox.length;
      }
    }
    this.streamFrames++;
    if (size < http2.turnBytesOfFrame) this.#turnBytes += http2.turnBytesOfFrame - size;
    outbox.dataAt = outbox.reserve(FRAME_HEADER_BYTES + size);
    outbox.dataStreamId = stream.id;
    return writeFrameHeader(outbox.buffer, outbox.dataAt, size, frameType.DATA, 0, stream.id);
  }

  #longHeaders(streamId: number, block: Buffer, endFlag: number): void {
    // Every peer takes frames of this length, and needs no longer ones.
    const partBytes = FRAME_BYTES_DEFAULT;
    for (let from = 0; from === 0 || from < block.length; from += partBytes) {
      const part = block.subarray(from, from + partBytes);
      const isLast = from + partBytes >= block.length;
      const flags = (from === 0 ? endFlag : 0) | (isLast ? flag.END_HEADERS : 0);
      this.#frame(
        from === 0 ? frameType.HEADERS : frameType.CONTINUATION,
        flags,
        streamId,
        part,
        part.length,
      );
    }
  }

  #frame(type: number, flags: number, streamId: number, payload: Buffer, length: number): void {
    const { outbox } = this;
    const start = outbox.reserve(FRAME_HEADER_BYTES + length);
    const at = writeFrameHeader(outbox.buffer, start, length, type, flags, streamId);
    outbox.length = copy(payload, length, outbox.buffer, at);
  }

  #words(type: number, streamId: number, word: number): void {
    const { outbox } = this;
    const start = outbox.reserve(FRAME_HEADER_BYTES + WORD_BYTES);
    const at = writeFrameHeader(outbox.buffer, start, WORD_BYTES, type, 0, streamId);
    outbox.length = writeWord(outbox.buffer, at, word);
  }
}

/** The DATA frames of a body. */
function frameCount(size: number): number {
  return Math.ceil(size / DATA_BYTES_MAX);
}

/** The length of a whole reply, with the headers of its frames. */
function answerBytes(size: number, head: Buffer, trailers: Buffer): number {
  const frames = size <= DATA_BYTES_MAX ? 3 : 2 + frameCount(size);
  return head.length + size + trailers.length + frames * FRAME_HEADER_BYTES;
}

/**
 * Makes DATA frames of a body that lies behind the room for one frame's header, which begins at `start`: the parts behind the
 * first are moved by the headers before them, the last one first.
 *
 * @returns where the last frame ends.
 */
function frameBody(buffer: Buffer, start: number, size: number, streamId: number): number {
  const bodyAt = start + FRAME_HEADER_BYTES;
  if (size <= DATA_BYTES_MAX) {
    writeFrameHeader(buffer, start, size, frameType.DATA, 0, streamId);
    return bodyAt + size;
  }
  const count = frameCount(size);
  for (let index = count - 1; index >= 0; index--) {
    const from = index * DATA_BYTES_MAX;
    const length = Math.min(DATA_BYTES_MAX, size - from);
    const frameAt = start + from + index * FRAME_HEADER_BYTES;
    if (index > 0) buffer.copyWithin(frameAt + FRAME_HEADER_BYTES, bodyAt + from, bodyAt + from + length);
    writeFrameHeader(buffer, frameAt, length, frameType.DATA, 0, streamId);
  }
  return bodyAt + size + (count - 1) * FRAME_HEADER_BYTES;
}

/** @returns where the copy ends. */
function copy(from: Uint8Array, length: number, to: Buffer, at: number): number {
  if (length > LOOP_BYTES_MAX) {
    to.set(length === from.length ? from : from.subarray(0, length), at);
  } else {
    for (let index = 0; index < length; index++) to[at + index] = from[index]!;
  }
  return at + length;
}
