/**
 * Unary calls of gRPC over HTTP/2, straight on Node's streams: no request and response objects, no headers objects, no
 * chain of generators. Through the adapter for all protocols such a call costs several times as much.
 *
 * Only what is plain comes here: an uncompressed request while the server serves and takes calls. The rest, refusals
 * included, is left to the handlers for all calls, so that there is one place for them.
 */
import { type IncomingHttpHeaders, type ServerHttp2Stream, constants } from 'node:http2';
import { Code, ConnectError } from '@connectrpc/connect';
import { parseTimeout, setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import type { Logger } from 'pino';
import { type Timer, systemClock } from '../../clock.ts';
import type { ServerLimits } from '../../limits.ts';
import type { Store } from '../../api.ts';
import { BodyBuffer, PREFIX_BYTES } from '../http/body-buffer.ts';
import type { Call, CallChannel, CallTable } from '../calls/calls.ts';
import { isBeyondTimers } from '../calls/deadline.ts';
import { isUnforeseen, toConnectError, tooLongError } from '../calls/errors.ts';
import { grpcHeaders } from '../http/grpc-message.ts';
import { tooSlowError } from '../http/request-body.ts';
import { checkBinaryParts } from '../calls/request-parts.ts';
import type { ServerState } from '../health/server-state.ts';
import type { UnaryMethod } from '../services/method.ts';
import type { ServedService } from '../services/services.ts';

/** @returns whether it answers the stream; it must not touch one that it leaves to others. */
export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;

export interface UnaryContext {
  /** `undefined` until it is open. */
  readonly store: () => Store | undefined;
  readonly state: ServerState;
  readonly calls: CallTable;
  readonly services: readonly ServedService[];
  readonly limits: Pick<ServerLimits, 'requestTimeoutMs'>;
  readonly logger: Logger;
}

interface ServedMethod {
  readonly method: UnaryMethod;
  /** For the log, as `kelp.v1.KvService/Get`. */
  readonly name: string;
  readonly requestBytesMax: number;
}

export function grpcUnaryHandler(context: UnaryContext): StreamHandler {
  const servedByPath = unaryMethodsOf(context.services);
  return (stream, headers) => {
    const served = servedByPath.get(headers[':path'] ?? '');
    if (served === undefined || !isPlain(headers)) return false;
    const store = context.store();
    const { phase } = context.state;
    if (store === undefined || phase === 'recovering' || phase === 'stopping' || context.calls.isFull) {
      return false;
    }
    new UnaryCall(context, store, served, stream).begin(headers);
    return true;
  };
}

function unaryMethodsOf(services: readonly ServedService[]): ReadonlyMap<string, ServedMethod> {
  const servedByPath = new Map<string, ServedMethod>();
  for (const { desc, methods, requestBytesMax } of services) {
    for (const method of methods) {
      if (method.kind !== 'unary') continue;
      const name = `${desc.typeName}/${method.desc.name}`;
      servedByPath.set(`/${name}`, { method, name, requestBytesMax });
    }
  }
  return servedByPath;
}

function isPlain(headers: IncomingHttpHeaders): boolean {
  const contentType = headers['content-type'];
  if (contentType !== 'application/grpc' && contentType !== 'application/grpc+proto') return false;
  const encoding = headers['grpc-encoding'];
  return headers[':method'] === 'POST' && (encoding === undefined || encoding === 'identity');
}

const CONTENT_TYPE = 'application/grpc+proto';
const OK_HEADERS = { ':status': 200, 'content-type': CONTENT_TYPE };
const OK_TRAILERS = { 'grpc-status': '0' };
const BEFORE_TRAILERS = { waitForTrailers: true, sendDate: false };
const WITHOUT_BODY = { endStream: true, sendDate: false };

class UnaryCall {
  readonly #context: UnaryContext;
  readonly #store: Store;
  readonly #served: ServedMethod;
  readonly #stream: ServerHttp2Stream;
  readonly #call: Call;
  readonly #body: BodyBuffer;
  #bodyTimer: Timer | undefined;
  #deadlineTimer: Timer | undefined;
  #isAnswered = false;

  constructor(context: UnaryContext, store: Store, served: ServedMethod, stream: ServerHttp2Stream) {
    this.#context = context;
    this.#store = store;
    this.#served = served;
    this.#stream = stream;
    this.#call = context.calls.open(channelOf(stream), false);
    this.#body = new BodyBuffer(this.#call);
  }

  begin(headers: IncomingHttpHeaders): void {
    const stream = this.#stream;
    const { logger, limits } = this.#context;
    if (logger.isLevelEnabled('debug')) this.#logWhenClosed(logger);
    // The close that follows says all that is to be known.
    stream.on('error', () => undefined);
    stream.once('close', () => this.#clearTimers());
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.once('end', () => this.#end());
    this.#bodyTimer = systemClock.setTimer(limits.requestTimeoutMs, () =>
      this.#fail(tooSlowError(limits.requestTimeoutMs)),
    );
    const timeout = headers['grpc-timeout'];
    if (typeof timeout === 'string') this.#setDeadline(timeout);
  }

  #setDeadline(header: string): void {
    if (isBeyondTimers('grpc-timeout', header)) return;
    const { timeoutMs, error } = parseTimeout(header, Number.MAX_SAFE_INTEGER);
    if (error !== undefined) this.#fail(error);
    else if (timeoutMs !== undefined) {
      this.#deadlineTimer = systemClock.setTimer(timeoutMs, () => this.#fail(deadlineError()));
    }
  }

  #take(chunk: Buffer): void {
    if (this.#isAnswered) return;
    const { requestBytesMax } = this.#served;
    try {
      if (this.#body.length + chunk.length > PREFIX_BYTES + requestBytesMax)
        throw tooLongError(requestBytesMax);
      this.#body.append(chunk);
      // The announced length tells early what the bytes would tell late.
      if ((this.#body.messageLength() ?? 0) > requestBytesMax) throw tooLongError(requestBytesMax);
    } catch (error) {
      this.#fail(error);
    }
  }

  #end(): void {
    // HTTP/2 ends the body of a stream that was reset, too; half a message could pass for a whole one.
    if (this.#isAnswered || this.#stream.aborted) return;
    this.#bodyTimer?.cancel();
    const { length } = this.#body;
    const messageLength = this.#body.messageLength();
    if (messageLength === undefined || length !== PREFIX_BYTES + messageLength) {
      return this.#fail(malformedError());
    }
    const request = this.#body.take(length);
    if (request[0] !== 0) return this.#fail(malformedError());
    const { method } = this.#served;
    try {
      checkBinaryParts(method.desc.input, request.subarray(PREFIX_BYTES));
    } catch (error) {
      return this.#fail(error);
    }
    method.serve(this.#store, request, PREFIX_BYTES, this.#call, PREFIX_BYTES).then(
      (reply) => this.#answer(reply),
      (error: unknown) => this.#fail(error),
    );
  }

  /** @param reply with room for its prefix. */
  #answer(reply: Buffer): void {
    if (!this.#finish('Ok')) return;
    reply[0] = 0;
    reply.writeUInt32BE(reply.length - PREFIX_BYTES, 1);
    const stream = this.#stream;
    stream.respond(OK_HEADERS, BEFORE_TRAILERS);
    stream.once('wantTrailers', () => stream.sendTrailers(OK_TRAILERS));
    stream.end(reply);
    if (stream.writableLength >= stream.writableHighWaterMark) this.#call.stalledSinceMs = performance.now();
  }

  #fail(error: unknown): void {
    const connectError = toConnectError(error);
    if (!this.#finish(Code[connectError.code] ?? '')) return;
    if (isUnforeseen(error)) {
      this.#context.logger.error({ method: this.#served.name, err: error }, 'a call failed unexpectedly');
    }
    const headers = new Headers({ 'content-type': CONTENT_TYPE });
    setTrailerStatus(headers, connectError);
    const stream = this.#stream;
    stream.respond({ ':status': 200, ...grpcHeaders(headers) }, WITHOUT_BODY);
    if (stream.readableEnded) return;
    // RFC 9113, section 8.1: a reset without error asks the client to stop sending, and the reply stands.
    stream.resume();
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  }

  /** @returns whether the call is to be answered now: it was not before, and its client is there. */
  #finish(outcome: string): boolean {
    if (this.#isAnswered || this.#call.isClosed || this.#stream.destroyed || this.#stream.closed)
      return false;
    this.#isAnswered = true;
    this.#call.outcome = outcome;
    this.#clearTimers();
    return true;
  }

  #clearTimers(): void {
    this.#bodyTimer?.cancel();
    this.#deadlineTimer?.cancel();
  }

  #logWhenClosed(logger: Logger): void {
    const startMs = performance.now();
    this.#stream.once('close', () => {
      const ms = Math.round((performance.now() - startMs) * 1000) / 1000;
      logger.debug(
        { method: this.#served.name, code: this.#call.outcome ?? 'Canceled', status: 200, ms },
        'call',
      );
    });
  }
}

function channelOf(stream: ServerHttp2Stream): CallChannel {
  return {
    stream,
    destroy: () => stream.destroy(),
    once: (event, listener) => stream.once(event, listener),
  };
}

function deadlineError(): ConnectError {
  return new ConnectError('the operation timed out', Code.DeadlineExceeded);
}

function malformedError(): ConnectError {
  return new ConnectError('the request is not one whole uncompressed message', Code.InvalidArgument);
}
