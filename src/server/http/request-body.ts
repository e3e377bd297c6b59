/**
 * Reads the body of a request, within its bounds of length, time and memory.
 *
 * Connect's reader makes room for a message as soon as its length is announced, and keeps a chunk object for each
 * frame; a client that announces much and sends little, or sends it byte by byte, would cost far more than it sends.
 * So Connect is given whole bodies, or whole messages of a stream of requests, gathered here in buffers that grow with
 * what has come.
 */
import { systemClock } from '../../clock.ts';
import { PREFIX_BYTES } from '../services/envelope.ts';
import { BodyBuffer } from './body-buffer.ts';
import { CallError, moreThanOneError, tooLongError, tooSlowError } from '../calls/call-error.ts';
import type { Call } from '../calls/call.ts';
import type { HttpRequest } from './http-message.ts';

export interface BodyRules {
  /** Of one message, as sent. */
  readonly messageBytesMax: number;
  /** For the whole body; in a stream of requests for each message from its first byte. */
  readonly timeoutMs: number;
  /** Told of the message, if it is not compressed; gives what Connect is to read, and rejects when it is none. */
  readonly check: (message: Uint8Array) => Promise<Uint8Array>;
}

/** The flag of a compressed message. */
const COMPRESSED = 1;
const END_OF_STREAM = 2;

/** The body of a call with one request message, as one chunk. Nothing is read before the first chunk is asked for. */
export async function* wholeBody(
  request: HttpRequest,
  call: Call,
  rules: BodyRules,
): AsyncGenerator<Uint8Array> {
  // Kept here no longer than that: what stands for it may be far shorter.
  let body = await readWhole(request, call, rules);
  if (body.length === 0) return;
  if (isEnveloped(request)) {
    checkAlone(body);
    body = await checkEnveloped(body, rules);
  } else if (request.headers['content-encoding'] === undefined) {
    body = await rules.check(body);
  }
  yield body;
}

function readWhole(request: HttpRequest, call: Call, rules: BodyRules): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const buffer = new BodyBuffer(call);
  const hasPrefix = isEnveloped(request);
  const bodyBytesMax = rules.messageBytesMax + (hasPrefix ? PREFIX_BYTES : 0);
  const timer = systemClock.setTimer(rules.timeoutMs, () => fail(tooSlowError(rules.timeoutMs)));

  request.on('data', onData).once('end', onEnd).once('close', onClose);
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax)
    fail(tooLongError(rules.messageBytesMax));
  return promise;

  function onData(chunk: Buffer): void {
    try {
      call.received(chunk.length);
      if (buffer.length + chunk.length > bodyBytesMax) throw tooLongError(rules.messageBytesMax);
      buffer.append(chunk);
      // The announced length tells early what the bytes would tell late.
      if (hasPrefix && (buffer.messageLength() ?? 0) > rules.messageBytesMax)
        throw tooLongError(rules.messageBytesMax);
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
    fail(new CallError('canceled', 'the client went away within its request'));
  }
  function fail(error: Error): void {
    stop();
    reject(error);
    // What still comes is dropped; how long it may come is the connection's business.
    request.resume();
  }
  function stop(): void {
    timer.cancel();
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
  const isConnect = /^application\/connect\+/i.test(request.headers['content-type'] ?? '');
  const chunks = request.iterator({ destroyOnReturn: false });
  /** Of the message that has begun to come. */
  let dueMs = Number.POSITIVE_INFINITY;
  try {
    for (;;) {
      const { done, value } = await comeInTime(chunks.next(), dueMs, rules);
      if (done === true) break;
      call.received((value as Buffer).length);
      buffer.append(value as Buffer);
      for (;;) {
        const length = buffer.messageLength();
        if (length === undefined) break;
        if (length > rules.messageBytesMax) throw tooLongError(rules.messageBytesMax);
        if (buffer.length < PREFIX_BYTES + length) break;
        const message = buffer.take(PREFIX_BYTES + length);
        // Of Connect's streams: no message, and nothing follows it.
        if (isConnect && ((message[0] ?? 0) & END_OF_STREAM) !== 0) return;
        yield await checkEnveloped(message, rules);
        // A caller that asks for the next message has done with this one.
        buffer.release();
        dueMs = Number.POSITIVE_INFINITY;
      }
      if (buffer.length > 0) dueMs = Math.min(dueMs, systemClock.monotonicMs() + rules.timeoutMs);
    }
  } finally {
    // Not waited for: it would come behind a chunk that never comes.
    chunks.return?.().catch(() => undefined);
  }
  // A message that was cut off: its reader says so.
  if (buffer.length > 0) yield buffer.take(buffer.length);
}

/** What has come by then; rejects when nothing has. */
async function comeInTime<Item>(
  coming: Promise<Item>,
  dueMs: number,
  { timeoutMs }: BodyRules,
): Promise<Item> {
  if (dueMs === Number.POSITIVE_INFINITY) return coming;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = systemClock.setTimer(dueMs - systemClock.monotonicMs(), () =>
    reject(tooSlowError(timeoutMs)),
  );
  try {
    return await Promise.race([coming, late]);
  } finally {
    timer.cancel();
  }
}

/** Connect would decode what follows before it refuses it, with this code. One that is cut short it refuses at once. */
function checkAlone(body: Uint8Array): void {
  if (body.length < PREFIX_BYTES) return;
  const { buffer, byteOffset, byteLength } = body;
  const length = new DataView(buffer, byteOffset, byteLength).getUint32(1);
  if (body.length > PREFIX_BYTES + length) throw moreThanOneError();
}

/** A compressed message is checked when it is not compressed any more. */
async function checkEnveloped(message: Uint8Array, rules: BodyRules): Promise<Uint8Array> {
  const [flags = 0] = message;
  if ((flags & COMPRESSED) !== 0) return message;
  const bare = message.subarray(PREFIX_BYTES);
  const checked = await rules.check(bare);
  if (checked === bare) return message;
  const enveloped = Buffer.concat([message.subarray(0, PREFIX_BYTES), checked]);
  enveloped.writeUInt32BE(checked.length, 1);
  return enveloped;
}

/** A unary call of Connect has its message bare; all others put a prefix before it. */
function isEnveloped({ headers }: HttpRequest): boolean {
  return !/^application\/(?:json|proto)\b/i.test(headers['content-type'] ?? 'application/json');
}
