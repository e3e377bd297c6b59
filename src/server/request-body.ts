/**
 * Reads the body of a request, within its bounds of length, time and memory.
 *
 * Connect's reader makes room for a message as soon as its length is announced, and keeps a chunk object for each
 * frame; a client that announces much and sends little, or sends it byte by byte, would cost far more than it sends.
 * So Connect is given whole bodies, or whole messages of a stream of requests, gathered here in buffers that grow with
 * what has come.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { limitReachedError } from './errors.ts';
import type { Call } from './calls.ts';
import type { HttpRequest } from './http-message.ts';

export interface BodyRules {
  /** Of one message, as sent. */
  readonly messageBytesMax: number;
  /** For the whole body; streams of requests are free of it. */
  readonly timeoutMs: number;
  /** Told of the message, if it is not compressed; throws when it is none. */
  readonly check: (message: Uint8Array) => void;
}

/** Before each message of gRPC, gRPC-Web and Connect streams: a byte of flags, four of the message's length. */
const PREFIX_BYTES = 5;

/** The body of a call with one request message, as one chunk. Nothing is read before the first chunk is asked for. */
export async function* wholeBody(
  request: HttpRequest,
  call: Call,
  rules: BodyRules,
): AsyncGenerator<Uint8Array> {
  const body = await readWhole(request, call, rules);
  if (body.length === 0) return;
  if (isEnveloped(request)) {
    // One that is cut short, or followed by another, is for Connect to refuse.
    if (body[0] === 0) rules.check(body.subarray(PREFIX_BYTES));
  } else if (request.headers['content-encoding'] === undefined) {
    rules.check(body);
  }
  yield body;
}

function readWhole(request: HttpRequest, call: Call, rules: BodyRules): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const buffer = new BodyBuffer(call);
  const hasPrefix = isEnveloped(request);
  const bodyBytesMax = rules.messageBytesMax + (hasPrefix ? PREFIX_BYTES : 0);
  const timer = setTimeout(() => fail(tooSlowError(rules.timeoutMs)), rules.timeoutMs);

  request.on('data', onData).once('end', onEnd).once('close', onClose);
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) fail(tooLongError(rules));
  return promise;

  function onData(chunk: Buffer): void {
    try {
      if (buffer.length + chunk.length > bodyBytesMax) throw tooLongError(rules);
      buffer.append(chunk);
      // The announced length tells early what the bytes would tell late.
      if (hasPrefix && (buffer.messageLength() ?? 0) > rules.messageBytesMax) throw tooLongError(rules);
    } catch (error) {
      fail(error as Error);
    }
  }
  function onEnd(): void {
    // HTTP/2 ends the body of a stream that was reset, too; half a message could pass for a whole one.
    if (request.aborted === true) return onClose();
    stop();
    resolve(buffer.take(buffer.length));
  }
  function onClose(): void {
    fail(new ConnectError('the client went away within its request', Code.Canceled));
  }
  function fail(error: Error): void {
    stop();
    reject(error);
    // What still comes is dropped; how long it may come is the connection's business.
    request.resume();
  }
  function stop(): void {
    clearTimeout(timer);
    request.off('data', onData).off('end', onEnd).off('close', onClose);
  }
}

/** The messages of a stream of requests, each with its prefix. */
export async function* messagesOf(
  request: HttpRequest,
  call: Call,
  rules: BodyRules,
): AsyncGenerator<Uint8Array> {
  const buffer = new BodyBuffer(call);
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    buffer.append(chunk as Buffer);
    for (;;) {
      const length = buffer.messageLength();
      if (length === undefined) break;
      if (length > rules.messageBytesMax) throw tooLongError(rules);
      if (buffer.length < PREFIX_BYTES + length) break;
      yield buffer.take(PREFIX_BYTES + length);
      // Whoever asks for the next message has done with this one.
      buffer.release();
    }
  }
  // A message that was cut off: its reader says so.
  if (buffer.length > 0) yield buffer.take(buffer.length);
}

/** Bytes that have come and are not taken yet. Room is charged to the call; what was taken stays in it until released. */
class BodyBuffer {
  readonly #call: Call;
  /** Its length is the room; the first `#length` bytes have come. */
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #chargedBytes = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (this.#length === 0) {
      this.#hold(chunk);
    } else {
      if (length > this.#bytes.length) this.#grow(Math.max(length, 2 * this.#bytes.length));
      chunk.copy(this.#bytes, this.#length);
    }
    this.#length = length;
  }

  /** The announced length of the first message; `undefined` before its prefix is whole. */
  messageLength(): number | undefined {
    return this.#length < PREFIX_BYTES ? undefined : this.#bytes.readUInt32BE(1);
  }

  /** Takes the first `count` bytes out; they are never written to again. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(0, count);
    // What follows keeps no room beyond its end, so appending to it moves it to a place of its own.
    this.#bytes = this.#bytes.subarray(count, this.#length);
    this.#length = this.#bytes.length;
    return taken;
  }

  /** Gives back the room of what was taken. */
  release(): void {
    this.#call.release(this.#chargedBytes - this.#length);
    this.#chargedBytes = this.#length;
  }

  /** The first chunk is kept as it is, for most bodies have no other, unless it keeps a far larger buffer alive. */
  #hold(chunk: Buffer): void {
    this.#charge(chunk.length);
    this.#bytes = chunk.length * 4 < chunk.buffer.byteLength ? copyOf(chunk, chunk.length) : chunk;
  }

  #grow(capacity: number): void {
    this.#charge(capacity - this.#bytes.length);
    this.#bytes = copyOf(this.#bytes.subarray(0, this.#length), capacity);
  }

  #charge(bytes: number): void {
    this.#call.charge(bytes);
    this.#chargedBytes += bytes;
  }
}

/** A copy that shares its memory with nothing, with room for `capacity` bytes. */
function copyOf(bytes: Buffer, capacity: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(capacity);
  bytes.copy(copy);
  return copy;
}

/** A unary call of Connect has its message bare; all others put a prefix before it. */
function isEnveloped({ headers }: HttpRequest): boolean {
  return !/^application\/(?:json|proto)\b/i.test(headers['content-type'] ?? 'application/json');
}

function tooLongError({ messageBytesMax }: BodyRules): ConnectError {
  return limitReachedError(
    `the request message is longer than ${messageBytesMax} bytes (--request-bytes-max)`,
  );
}

function tooSlowError(timeoutMs: number): ConnectError {
  return new ConnectError(
    `the request was not complete within ${timeoutMs} ms (--request-timeout)`,
    Code.DeadlineExceeded,
  );
}
