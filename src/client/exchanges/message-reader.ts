/**
 * Messages out of the body of a reply, which comes in pieces of any length. Before each message stand five bytes: whether it
 * is compressed, and its length ("gRPC over HTTP2", Length-Prefixed-Message).
 *
 * Messages that are kept are copied, since the pieces are the connection's. Short ones share a slab, as those of Node's own
 * `Buffer` do: an allocation for each would cost more than all the rest of its reading.
 */
import { grpcCode } from '../../grpc-code.ts';
import { client as limits } from '../../limits.ts';
import { CallFailure } from '../errors/call-failure.ts';

export const PREFIX_BYTES = 5;

/** What is given the messages: each one lies in `buffer` from `start` to `end`. */
export interface MessageTaker {
  /** Whether the bytes of a message are to stay as they are; else they need only do so during the call. */
  readonly keepsMessages: boolean;
  message(buffer: Buffer, start: number, end: number): void;
}

let slab = Buffer.allocUnsafeSlow(limits.messageSlabBytes);
let slabBytesUsed = 0;

/** Writes the prefix of the message that follows it and ends at `end`. */
export function writePrefix(buffer: Buffer, start: number, end: number): void {
  buffer[start] = 0;
  buffer.writeUInt32BE(end - start - PREFIX_BYTES, start + 1);
}

/** @returns the length of the message whose prefix lies at `from`. Throws a `CallFailure` when there is none to be read. */
export function messageLength(buffer: Buffer, from: number): number {
  if (buffer[from] !== 0) {
    throw new CallFailure(grpcCode.Internal, 'the reply is compressed, which was not asked for');
  }
  const length = buffer.readUInt32BE(from + 1);
  if (length > limits.messageBytesMax) {
    throw new CallFailure(
      grpcCode.ResourceExhausted,
      `the reply has ${length} bytes; the client reads at most ${limits.messageBytesMax}`,
    );
  }
  return length;
}

/** Hands on the message that lies from `start` to `end` in a buffer that is written to again. */
export function handOn(taker: MessageTaker, buffer: Buffer, start: number, end: number): void {
  if (!taker.keepsMessages) return taker.message(buffer, start, end);
  const length = end - start;
  if (length > limits.slabMessageBytesMax) {
    const own = Buffer.allocUnsafeSlow(length);
    buffer.copy(own, 0, start, end);
    return taker.message(own, 0, length);
  }
  if (length > limits.messageSlabBytes - slabBytesUsed) {
    slab = Buffer.allocUnsafeSlow(limits.messageSlabBytes);
    slabBytesUsed = 0;
  }
  const slabStart = slabBytesUsed;
  slabBytesUsed += length;
  buffer.copy(slab, slabStart, start, end);
  taker.message(slab, slabStart, slabStart + length);
}

export class MessageReader {
  readonly #taker: MessageTaker;
  /** The prefix of the message that has come in part, ... */
  readonly #prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  #prefixBytes = 0;
  /** ... and its bytes, in a buffer that has room for some of them at least. */
  #body = this.#prefix;
  #bodyBytes = 0;
  #length = 0;

  constructor(taker: MessageTaker) {
    this.#taker = taker;
  }

  /** Whether a message has come in part. */
  get isWithin(): boolean {
    return this.#prefixBytes > 0;
  }

  /** Hands on the messages that end within a piece. Throws a `CallFailure`. */
  read(buffer: Buffer, from: number, to: number): void {
    for (let at = from; at < to;) {
      if (this.#prefixBytes === 0 && to - at >= PREFIX_BYTES) {
        const end = at + PREFIX_BYTES + messageLength(buffer, at);
        if (end <= to) {
          handOn(this.#taker, buffer, at + PREFIX_BYTES, end);
          at = end;
          continue;
        }
      }
      at =
        this.#prefixBytes < PREFIX_BYTES ? this.#takePrefix(buffer, at, to) : this.#takeBody(buffer, at, to);
    }
  }

  #takePrefix(buffer: Buffer, at: number, to: number): number {
    const end = Math.min(to, at + PREFIX_BYTES - this.#prefixBytes);
    buffer.copy(this.#prefix, this.#prefixBytes, at, end);
    this.#prefixBytes += end - at;
    if (this.#prefixBytes === PREFIX_BYTES) {
      this.#length = messageLength(this.#prefix, 0);
      this.#body = Buffer.allocUnsafeSlow(Math.min(this.#length, limits.messageFirstBytes));
      this.#bodyBytes = 0;
      this.#handOnWhole();
    }
    return end;
  }

  #takeBody(buffer: Buffer, at: number, to: number): number {
    const end = Math.min(to, at + this.#length - this.#bodyBytes);
    const bodyBytes = this.#bodyBytes + end - at;
    if (bodyBytes > this.#body.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(this.#length, Math.max(bodyBytes, 2 * this.#body.length)),
      );
      this.#body.copy(larger, 0, 0, this.#bodyBytes);
      this.#body = larger;
    }
    buffer.copy(this.#body, this.#bodyBytes, at, end);
    this.#bodyBytes = bodyBytes;
    this.#handOnWhole();
    return end;
  }

  #handOnWhole(): void {
    if (this.#bodyBytes < this.#length) return;
    const body = this.#body;
    this.#prefixBytes = 0;
    this.#body = this.#prefix;
    this.#taker.message(body, 0, this.#length);
  }
}
