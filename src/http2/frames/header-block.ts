/**
 * A header block that comes in several frames (RFC 9113, section 4.3): HEADERS without END_HEADERS, then CONTINUATION frames,
 * with nothing in between. Gathers them, and refuses a flood of them.
 */
import { http2 } from '../../limits.ts';
import { errorCode } from '../contract/error-code.ts';
import { Violation } from './violation.ts';

export class HeaderBlockParts {
  /** The stream whose block is under way; 0: none. */
  streamId = 0;
  /** Whether the stream ends with it. */
  isEnd = false;
  readonly #bytesMax: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(headerListBytesMax: number) {
    this.#bytesMax = headerListBytesMax * http2.blockTimesListMax;
  }

  begin(streamId: number, isEnd: boolean, buffer: Buffer, from: number, to: number): void {
    this.streamId = streamId;
    this.isEnd = isEnd;
    this.#parts = [copyOf(buffer, from, to)];
    this.#bytes = to - from;
  }

  /** A CONTINUATION frame. @returns the whole block with the last one. */
  add(isLast: boolean, buffer: Buffer, from: number, to: number): Buffer | undefined {
    this.#bytes += to - from;
    if (this.#parts.length > http2.continuationsMax) {
      throw new Violation(
        errorCode.ENHANCE_YOUR_CALM,
        `a header block in more than ${http2.continuationsMax} CONTINUATION frames`,
      );
    }
    if (this.#bytes > this.#bytesMax) {
      throw new Violation(errorCode.ENHANCE_YOUR_CALM, `a header block of more than ${this.#bytesMax} bytes`);
    }
    if (from === to && !isLast) {
      throw new Violation(errorCode.ENHANCE_YOUR_CALM, 'a CONTINUATION frame that brings nothing');
    }
    this.#parts.push(isLast ? buffer.subarray(from, to) : copyOf(buffer, from, to));
    if (!isLast) return undefined;
    const block = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.streamId = 0;
    return block;
  }
}

function copyOf(buffer: Buffer, from: number, to: number): Buffer {
  return Buffer.from(buffer.subarray(from, to));
}
