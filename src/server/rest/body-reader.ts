/**
 * Reads the body of a request into one buffer, as it comes.
 *
 * The buffer is made for the length that was announced, but not before a sixteenth of that has come: a client that announces much
 * and sends little holds no memory. What is charged to the call is the buffer's length.
 */
import { type SettableLimit, limitName } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { CallError } from '../calls/call-error.ts';
import type { Call } from '../calls/call.ts';
import type { BodySink, HttpRequest } from '../http/http-message.ts';
import { RestError } from './rest-error.ts';

const FIRST_BYTES = 64 * 1024;
/** How many times what has come the buffer may be long when the length was announced, and when it was not. */
const ANNOUNCED_GROWTH = 16;
const UNKNOWN_GROWTH = 2;

export interface BodyLimit {
  readonly bytesMax: number;
  /** Where that comes from, for the error. */
  readonly limit?: SettableLimit;
  /** What a longer one is answered with; left out: that it is too long. */
  readonly refusal?: () => Error;
}

export class BodyReader implements BodySink {
  /** Of the body, so far. */
  bytesIn = 0;
  readonly #request: HttpRequest;
  readonly #call: Call;
  readonly #rules: BodyLimit;
  /** `undefined`: it was not announced. */
  readonly #length: number | undefined;
  /** Told once; nothing is, after `leave`. */
  #done: ((body: Uint8Array | Error) => void) | undefined;
  /** Its first `bytesIn` bytes have come. */
  #bytes: Buffer = NO_BUFFER;

  constructor(request: HttpRequest, call: Call, rules: BodyLimit, done: (body: Uint8Array | Error) => void) {
    this.#request = request;
    this.#call = call;
    this.#rules = rules;
    this.#done = done;
    const length = request.headers['content-length'];
    this.#length = length === undefined ? undefined : Number(length);
  }

  begin(): void {
    const request = this.#request;
    if ((this.#length ?? 0) > this.#rules.bytesMax) return this.#fail(bodyTooLong(this.#rules));
    if (request.sendTo !== undefined) return request.sendTo(this);
    request.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose);
  }

  /** What still comes is dropped; how long it may come is the connection's business. */
  leave(): void {
    if (this.#done === undefined) return;
    this.#done = undefined;
    this.#bytes = NO_BUFFER;
    const request = this.#request;
    if (request.sendTo !== undefined) return;
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    request.resume();
  }

  data(buffer: Buffer, from: number, to: number): void {
    if (this.#done === undefined) return;
    const end = this.bytesIn + to - from;
    if (end > this.#rules.bytesMax) return this.#fail(bodyTooLong(this.#rules));
    if (end > this.#bytes.length) {
      try {
        this.#grow(end);
      } catch (error) {
        return this.#fail(error as Error);
      }
    }
    buffer.copy(this.#bytes, this.bytesIn, from, to);
    this.bytesIn = end;
  }

  end(): void {
    const done = this.#done;
    const body = this.#bytes.subarray(0, this.bytesIn);
    this.#done = undefined;
    this.#bytes = NO_BUFFER;
    done?.(body);
  }

  brokenOff(): void {
    this.#fail(new CallError('canceled', 'the client went away within its request'));
  }

  readonly #onData = (chunk: Buffer): void => this.data(chunk, 0, chunk.length);
  readonly #onEnd = (): void => (this.#request.aborted === true ? this.brokenOff() : this.end());
  readonly #onClose = (): void => this.brokenOff();

  #fail(error: Error): void {
    const done = this.#done;
    this.leave();
    done?.(error);
  }

  #grow(needed: number): void {
    const times = this.#length === undefined ? UNKNOWN_GROWTH : ANNOUNCED_GROWTH;
    const most = Math.max(this.#length ?? this.#rules.bytesMax, needed);
    const length = Math.min(most, Math.max(needed, FIRST_BYTES, this.bytesIn * times));
    this.#call.chargeRequest(length - this.#bytes.length);
    const bytes = Buffer.allocUnsafeSlow(length);
    this.#bytes.copy(bytes, 0, 0, this.bytesIn);
    this.#bytes = bytes;
  }
}

const NO_BUFFER = Buffer.from(NO_BYTES.buffer, 0, 0);

function bodyTooLong({ bytesMax, limit, refusal }: BodyLimit): Error {
  if (refusal !== undefined) return refusal();
  const name = limit === undefined ? '' : ` (${limitName(limit)})`;
  return new RestError('bodyTooLong', `the body is longer than ${bytesMax} bytes${name}`);
}
