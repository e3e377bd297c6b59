/**
 * The messages of a request of gRPC as they come: a byte of flags, four of the length, and the message, cut anywhere
 * ("gRPC over HTTP2", Length-Prefixed-Message). Bytes are kept, and charged to the call, only as they come: a length that
 * is announced takes no memory.
 */
import { StoreError } from '../../errors.ts';
import { moreThanOneError, noMessageError, tooLongError } from '../calls/call-error.ts';
import type { Call } from '../calls/call.ts';
import { BodyBuffer } from '../http/body-buffer.ts';
import { PREFIX_BYTES } from '../services/envelope.ts';

export class MessageReader {
  readonly #body: BodyBuffer;
  readonly #messageBytesMax: number;

  constructor(call: Call, messageBytesMax: number) {
    this.#body = new BodyBuffer(call);
    this.#messageBytesMax = messageBytesMax;
  }

  /** What has come and is not taken. */
  get length(): number {
    return this.#body.length;
  }

  /** Keeps what lies in `chunk` from `from` to `to`. Throws `limitReached` and, for a compressed message, `invalidArgument`. */
  append(chunk: Buffer, from: number, to: number): void {
    this.#body.appendCopy(chunk, from, to);
    this.check();
  }

  /** Whether bytes have come behind the first message. */
  get #hasMore(): boolean {
    const length = this.#body.messageLength();
    return length !== undefined && this.#body.length > PREFIX_BYTES + length;
  }

  /** Whether the first message has come to its end. */
  get isWhole(): boolean {
    const length = this.#body.messageLength();
    return length !== undefined && this.#body.length >= PREFIX_BYTES + length;
  }

  /** Throws when more has come than one message. */
  checkAlone(): void {
    if (this.length > PREFIX_BYTES + this.#messageBytesMax) throw tooLongError(this.#messageBytesMax);
    if (this.#hasMore) throw moreThanOneError();
  }

  /** Takes the one message of a request that has ended, and was alone. Throws for none and half of one. */
  takeOnly(): Buffer {
    if (this.length === 0) throw noMessageError();
    if (!this.isWhole) throw cutShortError();
    return this.take();
  }

  /** Takes the first message, which must be whole; its bytes are never written to again. */
  take(): Buffer {
    const length = this.#body.messageLength() ?? 0;
    return this.#body.take(PREFIX_BYTES + length).subarray(PREFIX_BYTES);
  }

  /** Gives back the memory of what was taken. */
  release(): void {
    this.#body.release();
  }

  /** Throws for what the first message can't be: its prefix tells early what its bytes would tell late. */
  check(): void {
    const length = this.#body.messageLength();
    if (length !== undefined) checkPrefix(this.#body.flags(), length, this.#messageBytesMax);
  }
}

/** Throws for the prefix of a message that is not read. */
export function checkPrefix(flags: number, length: number, messageBytesMax: number): void {
  if (length > messageBytesMax) throw tooLongError(messageBytesMax);
  if (flags !== 0)
    throw new StoreError('invalidArgument', 'the request message is compressed, with no grpc-encoding');
}

/** The request ended within a message, or without one. */
export function cutShortError(): StoreError {
  return new StoreError('invalidArgument', 'the request ends before the end of its message');
}
