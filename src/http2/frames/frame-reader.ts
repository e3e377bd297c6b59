/**
 * Cuts what comes from the peer into frames. A frame that is whole in what was read is handed out where it lies; one that is
 * not is gathered in a buffer of its own length, at most 16 KiB: that is the longest that we allow.
 */
import { errorCode } from '../contract/error-code.ts';
import { FRAME_BYTES_DEFAULT, FRAME_HEADER_BYTES, PREFACE, frameType, readId, readLength } from './frame.ts';
import { Violation } from './violation.ts';

export interface FrameReceiver {
  /**
   * The payload lies in `buffer` from `from` to `to`, during the call only.
   * @returns false: no further frame for now.
   */
  frame(type: number, flags: number, streamId: number, buffer: Buffer, from: number, to: number): boolean;
}

export class FrameReader {
  readonly #receiver: FrameReceiver;
  /** The bytes of the preface that are still to come. */
  #prefaceBytes: number;
  /** The frame that is not whole yet: its header, then, once that is known, all of it. */
  #partial: Buffer | undefined;
  #partialBytes = 0;

  constructor(receiver: FrameReceiver, isPrefaceExpected: boolean) {
    this.#receiver = receiver;
    this.#prefaceBytes = isPrefaceExpected ? PREFACE.length : 0;
  }

  /** Whether the header block of a request or response is on its way: its first bytes have come. */
  get isWithinHead(): boolean {
    const type = this.#partialBytes >= FRAME_HEADER_BYTES ? this.#partial?.[3] : undefined;
    return type === frameType.HEADERS || type === frameType.CONTINUATION;
  }

  /**
   * Reads the bytes from `from` to `to`.
   * @returns where to go on: before `to` when the receiver wanted no more for now.
   */
  read(buffer: Buffer, from: number, to: number): number {
    let at = this.#prefaceBytes > 0 ? this.#readPreface(buffer, from, to) : from;
    if (this.#partial !== undefined) {
      at = this.#complete(this.#partial, buffer, at, to);
      const frame: Buffer | undefined = this.#partial;
      if (!isWhole(frame, this.#partialBytes)) return at;
      this.#partial = undefined;
      this.#partialBytes = 0;
      if (!this.#handOut(frame, 0, frame.length)) return at;
    }
    while (to - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + lengthOf(buffer, at);
      if (end > to) break;
      const isWanted = this.#handOut(buffer, at, end);
      at = end;
      if (!isWanted) return at;
    }
    if (at < to) {
      this.#partial = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
      at = this.#complete(this.#partial, buffer, at, to);
    }
    return at;
  }

  #handOut(buffer: Buffer, at: number, end: number): boolean {
    return this.#receiver.frame(
      buffer[at + 3]!,
      buffer[at + 4]!,
      readId(buffer, at + 5),
      buffer,
      at + FRAME_HEADER_BYTES,
      end,
    );
  }

  #readPreface(buffer: Buffer, from: number, to: number): number {
    let at = from;
    for (; at < to && this.#prefaceBytes > 0; at++, this.#prefaceBytes--) {
      if (buffer[at] !== PREFACE[PREFACE.length - this.#prefaceBytes]) {
        throw new Violation(errorCode.PROTOCOL_ERROR, 'the connection preface of HTTP/2 is missing');
      }
    }
    return at;
  }

  /** Adds what belongs to the frame that is not whole yet. @returns where it ended. */
  #complete(partial: Buffer, buffer: Buffer, from: number, to: number): number {
    let at = this.#fill(partial, buffer, from, to);
    if (this.#partialBytes === FRAME_HEADER_BYTES && partial.length === FRAME_HEADER_BYTES) {
      const whole = Buffer.allocUnsafe(FRAME_HEADER_BYTES + lengthOf(partial, 0));
      partial.copy(whole);
      this.#partial = whole;
      at = this.#fill(whole, buffer, at, to);
    }
    return at;
  }

  #fill(partial: Buffer, buffer: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + partial.length - this.#partialBytes);
    this.#partialBytes += buffer.copy(partial, this.#partialBytes, from, end);
    return end;
  }
}

function isWhole(partial: Buffer, bytes: number): boolean {
  return bytes >= FRAME_HEADER_BYTES && bytes === FRAME_HEADER_BYTES + readLength(partial, 0);
}

function lengthOf(buffer: Buffer, at: number): number {
  const length = readLength(buffer, at);
  if (length > FRAME_BYTES_DEFAULT) {
    throw new Violation(
      errorCode.FRAME_SIZE_ERROR,
      `a frame of ${length} bytes is longer than ${FRAME_BYTES_DEFAULT}, which is the limit here`,
    );
  }
  return length;
}
