/**
 * One request of an HTTP interface and its reply, from its head to the end of the response. It is a call among all calls: it
 * counts, its request has its time to come, what it holds is charged, and a reply that is not read stalls and may be cut for
 * others.
 *
 *     reading --> running --> answered --> closed
 *        |           |                       ^
 *        +-----------+-----------------------+   the client is gone, or the call was cut
 *
 * reading: parameters are checked, and a body comes. running: the operation has the call. answered: the reply is written, no
 * faster than the client reads. closed: all is given back; `CallEnd` tells of it once, whatever came before.
 */
import type { Key } from '../../api.ts';
import { type Deadlines, Timed } from '../../deadlines.ts';
import { grpcCode } from '../../grpc-code.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { serverFixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { recoveringError, tooSlowError } from '../calls/call-error.ts';
import type { Call, CallChannel, Peer } from '../calls/call.ts';
import type { CallTable } from '../calls/call-table.ts';
import { isUnforeseen } from '../calls/outcome.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import { type ForwardedTo, forwardRequest } from '../http/forward-request.ts';
import type { HeaderList, HttpRequest, HttpResponse } from '../http/http-message.ts';
import { HttpKind } from '../tracing/http-kind.ts';
import { traceHeadersOf } from '../tracing/parent-context.ts';
import { type BodyLimit, BodyReader } from './body-reader.ts';
import type { CallEnd } from './call-end.ts';
import { percentDecoded } from './percent.ts';
import { type Problem, problemOf } from './problem.ts';
import { RestError } from './rest-error.ts';

export interface RestCallContext {
  /** `undefined` until it is open. */
  readonly store: () => KvStore | undefined;
  readonly calls: CallTable;
  readonly deadlines: Deadlines;
  readonly requestTimeoutMs: number;
  /** Writes a problem in the form of the interface. */
  readonly writeProblem: (call: RestCall, problem: Problem) => void;
  /** An operation failed by a fault of our own. */
  readonly onUnforeseen: (name: string, error: unknown) => void;
  /** Told of each call when it is closed; left out: that is of no interest. */
  readonly onEnd?: ((end: CallEnd) => void) | undefined;
}

/** What is known of a call by its path and method. */
export interface CallAbout {
  readonly name: string;
  readonly meter: CallMeter;
  /** Of the path, still encoded. */
  readonly parameter: string;
  readonly isStream: boolean;
  /** It is in no trace. */
  readonly isProbe: boolean;
  /** Left out: that of the interface. */
  readonly writeProblem?: RestCallContext['writeProblem'] | undefined;
}

/** Bytes as text: Node sends that with the head in one piece, where bytes would be a second one, which takes a tenth of all. */
function joined(bytes: Uint8Array): string {
  return latin1Slice.call(bytes, 0, bytes.length);
}
const { latin1Slice } = Buffer.prototype;

const NOTHING_LISTENS = (): void => undefined;
const NOTHING_ASKED = (): void => undefined;

export class RestCall extends Timed implements CallChannel {
  readonly request: HttpRequest;
  readonly call: Call;
  /** A `GET` whose reply has no body. */
  readonly isHead: boolean;
  /** The key in the path; empty where there is none. */
  pathKey: Key = '';
  /** The body of the request, once the operation runs. It is the call's own and stays as it is. */
  body: Uint8Array = NO_BYTES;
  /** Throws unless it is allowed. It was asked when the operation began, which asks again behind what it waits for. */
  checkAllowed = NOTHING_ASKED;
  readonly #context: RestCallContext;
  readonly #response: HttpResponse;
  /** As `GET /v1/keys/{key}`. */
  readonly name: string;
  readonly #meter: CallMeter;
  readonly #parameter: string;
  readonly #writeProblem: RestCallContext['writeProblem'];
  readonly #startMs: number;
  /** The head of the reply is sent. */
  #isAnswered = false;
  #reader: BodyReader | undefined;
  #bytesOut = 0;
  #onDrain = NOTHING_LISTENS;

  constructor(
    context: RestCallContext,
    request: HttpRequest,
    response: HttpResponse,
    { name, meter, parameter, isStream, isProbe, writeProblem = context.writeProblem }: CallAbout,
  ) {
    super();
    this.#context = context;
    this.request = request;
    this.#response = response;
    this.isHead = request.method === 'HEAD';
    this.name = name;
    this.#meter = meter;
    this.#parameter = parameter;
    this.#writeProblem = writeProblem;
    this.#startMs = performance.now();
    meter.begin();
    this.call = context.calls.open(this, isStream);
    response.accountForUnread?.();
    response.once('close', () => this.#closed());
    const { tracer } = context.calls.traces;
    if (tracer !== undefined && !isProbe) {
      const route = name.slice(name.indexOf(' ') + 1);
      const headers = traceHeadersOf(request.headers);
      this.call.beginSpan(tracer, headers, () => new HttpKind(request.method, route, response));
    }
  }

  /** Throws while there is none. */
  get store(): KvStore {
    const store = this.#context.store();
    if (store === undefined) throw recoveringError();
    return store;
  }

  /** Reads the key in the path. Throws `invalidArgument`. */
  readPathKey(): void {
    if (this.#parameter !== '') this.pathKey = percentDecoded(this.#parameter, 'the key in the path');
  }

  get isClosed(): boolean {
    return this.call.isClosed;
  }

  /** A header of the request that comes once. */
  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return typeof value === 'string' ? value : value?.join(', ');
  }

  /** Reads the body, for which the time of a request runs, then calls `run`. What is wrong with the body is the reply. */
  readBody(limit: BodyLimit, run: () => void): void {
    const { deadlines, requestTimeoutMs } = this.#context;
    deadlines.set(this, requestTimeoutMs);
    this.#reader = new BodyReader(this.request, this.call, limit, (body) => {
      deadlines.cancel(this);
      if (!(body instanceof Uint8Array)) return this.fail(body);
      this.body = body;
      this.call.rate?.countBytes(body.length);
      run();
    });
    this.#reader.begin();
  }

  /** Passes it on to the writer of a cluster, and answers by what comes back. */
  forward(to: ForwardedTo): void {
    this.call.meter = this.#meter;
    forwardRequest(this.request, this.#response, this.call, to, (error) => this.fail(error));
  }

  /**
   * Sends a whole reply. Its length and its date are added to the headers. @param headers names and values in turn.
   * @param body stays as it is until the call is closed.
   */
  send(status: number, headers: HeaderList, body: string | Uint8Array = NO_BYTES): void {
    if (!this.#answer()) return;
    const response = this.#response;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    response.writeHead(status, ['content-length', String(length), ...headers]);
    if (this.isHead || length === 0) {
      response.end();
    } else if (typeof body === 'string' || length <= serverFixed.restPieceBytes) {
      this.#sent(length);
      if (
        typeof body !== 'string' &&
        length <= serverFixed.restJoinedBytesMax &&
        this.request.httpVersion !== '2.0'
      ) {
        response.end(joined(body), 'latin1');
      } else {
        response.end(body);
      }
      this.#holdUnread(length);
    } else {
      this.call.holdOnly(length);
      this.#sendPieces(body);
    }
  }

  /** A reply that may have no body: 204 and 304. */
  sendHead(status: number, headers: HeaderList): void {
    if (!this.#answer()) return;
    this.#response.writeHead(status, headers);
    this.#response.end();
  }

  sendJson(status: number, body: object, headers: HeaderList = []): void {
    this.send(
      status,
      ['content-type', 'application/json', 'cache-control', 'no-store', ...headers],
      `${JSON.stringify(body)}\n`,
    );
  }

  /**
   * Begins a reply that is written piece by piece.
   * @param onDrain called when what was written has left, after a `write` that returned false, and when the call is closed.
   */
  beginStream(status: number, headers: HeaderList, onDrain: () => void): void {
    if (!this.#answer()) return;
    this.#onDrain = onDrain;
    this.#response.writeHead(status, headers);
  }

  /** @returns false when the next piece should wait until `onDrain`: what lies unread is held by the call until then. */
  write(bytes: Uint8Array): boolean {
    if (this.call.isClosed) return false;
    this.#sent(bytes.length);
    if (this.#response.write(bytes)) return true;
    this.#awaitDrain(this.#onDrain);
    return false;
  }

  endStream(): void {
    this.call.outcome ??= grpcCode.Ok;
    if (!this.call.isClosed) this.#response.end();
  }

  /** Answers by an error, unless the reply has begun: then it is broken off. */
  fail(error: unknown): void {
    if (isUnforeseen(error) && !(error instanceof RestError)) this.#context.onUnforeseen(this.name, error);
    if (this.call.isClosed) return;
    const problem = problemOf(error);
    this.#reader?.leave();
    this.call.abort(error);
    if (this.#isAnswered) {
      this.#response.destroy();
      return;
    }
    this.call.outcome = problem.grpcCode;
    this.call.requestRead();
    this.#writeProblem(this, problem);
  }

  get peer(): Peer {
    return this.request.socket;
  }

  override expire(): void {
    this.fail(tooSlowError(this.#context.requestTimeoutMs));
  }

  cut(): void {
    if (this.#response.cut === undefined) this.#response.destroy();
    else this.#response.cut();
  }

  /** @returns false: the call is closed, or was answered. */
  #answer(): boolean {
    if (this.call.isClosed || this.#isAnswered) return false;
    this.#isAnswered = true;
    this.call.outcome ??= grpcCode.Ok;
    // A reply may wait for its client for long.
    this.body = NO_BYTES;
    return true;
  }

  #sendPieces(body: Uint8Array): void {
    const response = this.#response;
    let at = 0;
    const go = (): void => {
      while (at < body.length) {
        if (this.call.isClosed) return;
        const piece = body.subarray(at, at + serverFixed.restPieceBytes);
        at += piece.length;
        this.#sent(piece.length);
        if (!response.write(piece) && at < body.length) return this.#awaitDrain(go);
      }
      response.end();
      this.#holdUnread(body.length);
    };
    go();
  }

  #awaitDrain(goOn: () => void): void {
    const { call } = this;
    const bytes = this.#response.writableLength;
    const charged = call.holdUnread(bytes);
    // It may have been cut for want of memory.
    if (call.isClosed) return;
    call.setStalled(true);
    this.#response.once('drain', () => {
      call.setStalled(false);
      call.release(charged);
      if (!call.isClosed) goOn();
    });
  }

  /** What the client has not taken of a whole reply that was written. */
  #holdUnread(bytes: number): void {
    const { call } = this;
    if (call.isClosed || this.#response.writableLength === 0) return;
    call.requestRead();
    call.holdUnread(bytes);
    call.setStalled(true);
  }

  #sent(bytes: number): void {
    this.#bytesOut += bytes;
    this.#meter.sentBytes += bytes;
    this.call.rate?.countBytes(bytes);
  }

  /** The one place where a call ends. */
  #closed(): void {
    const { onEnd } = this.#context;
    this.#context.deadlines.cancel(this);
    this.#reader?.leave();
    this.call.close();
    this.#onDrain();
    const { statusCode: status, headersSent } = this.#response;
    const { outcome = grpcCode.Canceled } = this.call;
    // A reply that began well may have been broken off.
    const code = outcome === grpcCode.Ok && !this.#response.writableEnded ? grpcCode.Canceled : outcome;
    const tookMs = performance.now() - this.#startMs;
    if (this.call.isStream) this.#meter.endUntimed(code);
    else this.#meter.end(code, tookMs);
    if (headersSent) this.#meter.replied(status);
    const bytesIn = this.#reader?.bytesIn ?? 0;
    this.#meter.receivedBytes += bytesIn;
    if (onEnd === undefined) return;
    onEnd({
      name: this.name,
      code,
      status,
      bytesIn,
      bytesOut: this.#bytesOut,
      tookMs,
      logged: this.call.logged,
    });
  }
}
