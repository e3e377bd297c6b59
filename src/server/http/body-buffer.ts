/** The bytes of a body as they come, charged to their call as they take memory, which is not before they are there. */
import type { Call } from '../calls/call.ts';
import { PREFIX_BYTES } from '../services/envelope.ts';

const NO_BYTES = Buffer.alloc(0);

/** Bytes that have come and are not taken yet. Room is charged to the call; what was taken stays in it until released. */
export class BodyBuffer {
  readonly #call: Call;
  /** Its length is the room; the first `#length` bytes have come. */
  #bytes: Buffer = NO_BYTES;
  #length = 0;
  #chargedBytes = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends bytes that stay as they are. */
  append(chunk: Buffer): void {
    if (this.#length === 0) {
      this.#hold(chunk);
      this.#length = chunk.length;
    } else {
      this.appendCopy(chunk, 0, chunk.length);
    }
  }

  /** Appends what lies in `chunk` from `from` to `to`, and may change afterwards. */
  appendCopy(chunk: Buffer, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#bytes.length) {
      this.#grow(this.#length === 0 ? length : Math.max(length, 2 * this.#bytes.length));
    }
    chunk.copy(this.#bytes, this.#length, from, to);
    this.#length = length;
  }

  /** The announced length of the first message; `undefined` before its prefix is whole. */
  messageLength(): number | undefined {
    return this.#length < PREFIX_BYTES ? undefined : this.#bytes.readUInt32BE(1);
  }

  /** Those of the first message; 0 before they are there. */
  flags(): number {
    return this.#length === 0 ? 0 : this.#bytes.readUInt8(0);
  }

  /** Takes the first `count` bytes out; they are never written to again. */
  take(count: number): Buffer {
    const taken = this.#bytes.subarray(0, count);
    // What follows keeps no room beyond its end, so appending to it moves it to a place of its own.
    this.#bytes = this.#length > count ? this.#bytes.subarray(count, this.#length) : NO_BYTES;
    this.#length = this.#bytes.length;
    return taken;
  }

  /** Gives back the room of what was taken, which is not used any more. */
  release(): void {
    if (isSmallPart(this.#bytes)) this.#bytes = copyOf(this.#bytes, this.#length);
    this.#call.releaseRequest(this.#chargedBytes - this.#length);
    this.#chargedBytes = this.#length;
  }

  /** The first chunk is kept as it is, for most bodies have no other, unless it keeps a far larger buffer alive. */
  #hold(chunk: Buffer): void {
    this.#charge(chunk.length);
    this.#bytes = isSmallPart(chunk) ? copyOf(chunk, chunk.length) : chunk;
  }

  #grow(capacity: number): void {
    this.#charge(capacity - this.#bytes.length);
    this.#bytes = copyOf(this.#bytes.subarray(0, this.#length), capacity);
  }

  #charge(bytes: number): void {
    this.#call.chargeRequest(bytes);
    this.#chargedBytes += bytes;
  }
}

/** Whether it keeps a far larger buffer alive. */
function isSmallPart(bytes: Buffer): boolean {
  return bytes.length > 0 && bytes.length * 4 < bytes.buffer.byteLength;
}

/** A copy that shares its memory with nothing, with room for `capacity` bytes. */
function copyOf(bytes: Buffer, capacity: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(capacity);
  bytes.copy(copy);
  return copy;
}
