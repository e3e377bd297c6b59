/**
 * One try of a call over HTTP/2: a request on a stream of its own, and what comes back on it. It ends once, whatever comes
 * first: with its reply, a failure of the server or the connection, its deadline, its signal, or because its user has enough.
 *
 * - "placed": it waits for a connection. When it ends nothing was sent.
 * - "under way": it has a stream. When it ends before the reply has come the stream is reset with CANCEL, so that the server
 *   leaves off.
 * - "settled": its user knows how it went. The stream may be closed a little later.
 */
import type { Lost, Session } from '../connection/session.ts';
import type { Applicant, SessionPool } from '../connection/session-pool.ts';
import { systemClock } from '../../clock.ts';
import { type Deadlines, Timed } from '../../deadlines.ts';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';
import { type ErrorCode, errorCode } from '../../http2/error-code.ts';
import type { Field, ResponseHead } from '../../http2/fields.ts';
import type { BodyWriter, ClientStream, ClientStreamHandler, ClosedBy } from '../../http2/stream.ts';
import { client as limits } from '../../limits.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { MessageReader, type MessageTaker, PREFIX_BYTES, handOn, messageLength } from './message-reader.ts';
import type { Method } from './method.ts';
import { isOk, meaningOf, noGrpcFailure, statusFailure } from './status.ts';

/** What the exchanges of a client share. */
export interface Surroundings {
  readonly pool: SessionPool;
  readonly deadlines: Deadlines;
}

interface Writes {
  writeRequest(buffer: Buffer, start: number, end: number): void;
}

const requestWriter: BodyWriter<Writes> = {
  write: (exchange, buffer, start, end) => exchange.writeRequest(buffer, start, end),
};

export abstract class Exchange<Request, Reply>
  extends Timed
  implements Applicant, ClientStreamHandler, Lost, MessageTaker, Writes
{
  readonly #surroundings: Surroundings;
  protected readonly method: Method<Request, Reply>;
  readonly #request: Request;
  readonly #fields: readonly Field[];
  #signal: AbortSignal | undefined;
  #session: Session | undefined;
  protected stream: ClientStream | undefined;
  protected isSettled = false;
  #head: ResponseHead | undefined;
  /** Only for messages that come in several pieces. */
  #reader: MessageReader | undefined;
  /** When it was sent, and what had come over the connection by then. */
  #sentAtMs = 0;
  #heardBytes = 0;

  /** @param fields of the head. */
  constructor(
    surroundings: Surroundings,
    method: Method<Request, Reply>,
    request: Request,
    fields: readonly Field[],
  ) {
    super();
    this.#surroundings = surroundings;
    this.method = method;
    this.#request = request;
    this.#fields = fields;
  }

  /** The reply is complete, and the server says that all went well. */
  protected abstract succeeded(): void;
  /** It has failed. It is settled already. */
  protected abstract failed(failure: CallFailure): void;
  /** So many bytes have been read, and their messages handed on. */
  protected abstract taken(bytes: number): void;
  abstract message(buffer: Buffer, start: number, end: number): void;

  /** Sends it as soon as there is a connection. */
  start(timeoutMs: number | undefined, signal: AbortSignal | undefined): void {
    if (signal?.aborted) return this.fail(canceled(true));
    if (timeoutMs !== undefined) this.#surroundings.deadlines.set(this, timeoutMs);
    if (signal !== undefined) {
      this.#signal = signal;
      signal.addEventListener('abort', this);
    }
    this.#surroundings.pool.place(this);
  }

  begin(session: Session): void {
    const size = this.method.sizeOf(this.#request);
    if (size > limits.messageBytesMax) {
      const message = `the request has ${size} bytes; at most ${limits.messageBytesMax} are sent at once`;
      return this.fail(new CallFailure(grpcCode.ResourceExhausted, message, { isUnprocessed: true }));
    }
    this.#heardBytes = session.bytesRead;
    this.#sentAtMs = systemClock.monotonicMs();
    const stream = session.request(this.#fields, this);
    if (stream === undefined) {
      return this.fail(new CallFailure(grpcCode.Unavailable, 'it takes no request', { isUnprocessed: true }));
    }
    this.#session = session;
    this.stream = stream;
    stream.writeInPlace(this, PREFIX_BYTES + size, requestWriter);
    stream.end();
  }

  refuse(failure: CallFailure): void {
    this.fail(failure);
  }

  writeRequest(buffer: Buffer, start: number, end: number): void {
    buffer[start] = 0;
    buffer.writeUInt32BE(end - start - PREFIX_BYTES, start + 1);
    this.method.prepend(this.#request, buffer, end);
  }

  head(head: ResponseHead): void {
    this.#head = head;
    const meaning = meaningOf(head);
    if (meaning.kind === 'noGrpc') this.fail(noGrpcFailure(head, meaning));
  }

  data(buffer: Buffer, from: number, to: number): void {
    if (this.isSettled) return this.stream?.consumed(to - from);
    try {
      if (
        this.#reader === undefined &&
        to - from >= PREFIX_BYTES &&
        messageLength(buffer, from) === to - from - PREFIX_BYTES
      ) {
        handOn(this, buffer, from + PREFIX_BYTES, to);
      } else {
        this.#reader ??= new MessageReader(this);
        this.#reader.read(buffer, from, to);
      }
      this.taken(to - from);
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      this.fail(error);
    }
  }

  end(trailers: readonly Field[]): void {
    if (this.isSettled) return;
    const isInHead = this.#head !== undefined && meaningOf(this.#head).kind === 'status';
    const fields = isInHead && this.#head !== undefined ? this.#head.fields : trailers;
    if (!isOk(fields)) this.fail(statusFailure(fields, this.#head));
    else if (this.#reader?.isWithin === true) {
      this.fail(new CallFailure(grpcCode.Internal, 'the reply ends within a message'));
    } else this.succeeded();
  }

  /** The request is not long, or waits within the connection. */
  drained(): void {}

  closed(code: ErrorCode, by: ClosedBy): void {
    this.#session?.ended();
    if (this.isSettled) return;
    if (code === errorCode.REFUSED_STREAM) {
      const message = 'it refused the request';
      this.fail(new CallFailure(grpcCode.Unavailable, message, { isUnprocessed: true }));
    } else if (by === 'connection' && this.#session !== undefined) this.#session.explain(this);
    else this.fail(new CallFailure(codeOfReset(code), resetText(code, by)));
  }

  lost(reason: Error): void {
    this.fail(new CallFailure(grpcCode.Unavailable, reason.message, { cause: reason }));
  }

  expire(): void {
    const session = this.#session;
    const isUnprocessed = session === undefined;
    this.fail(new CallFailure(grpcCode.DeadlineExceeded, 'no answer in time', { isUnprocessed }));
    const isSilent =
      session?.bytesRead === this.#heardBytes &&
      systemClock.monotonicMs() - this.#sentAtMs >= limits.silenceMsMin;
    if (session !== undefined && isSilent) this.#surroundings.pool.distrust(session);
  }

  /** Of the signal. */
  handleEvent(): void {
    this.fail(canceled(this.#session === undefined));
  }

  /** Its user has enough. */
  protected abandon(): void {
    if (this.isSettled) return;
    this.settle();
    this.stream?.reset(errorCode.CANCEL);
  }

  protected fail(failure: CallFailure): void {
    if (this.isSettled) return;
    this.settle();
    this.stream?.reset(errorCode.CANCEL);
    this.failed(failure);
  }

  /** Leaves nothing behind: no timer, no listener, no stream that the server still works on. */
  protected settle(): void {
    this.isSettled = true;
    if (this.list !== undefined) this.#surroundings.deadlines.cancel(this);
    this.#signal?.removeEventListener('abort', this);
    if (this.#session === undefined) this.#surroundings.pool.withdraw(this);
  }
}

function canceled(isUnprocessed: boolean): CallFailure {
  return new CallFailure(grpcCode.Canceled, 'the call was canceled', { isUnprocessed });
}

/** "gRPC over HTTP2", Errors. */
function codeOfReset(code: ErrorCode): GrpcCode {
  switch (code) {
    case errorCode.CANCEL:
      return grpcCode.Canceled;
    case errorCode.ENHANCE_YOUR_CALM:
      return grpcCode.ResourceExhausted;
    case errorCode.INADEQUATE_SECURITY:
      return grpcCode.PermissionDenied;
    default:
      return grpcCode.Internal;
  }
}

function resetText(code: ErrorCode, by: ClosedBy): string {
  const name = Object.entries(errorCode).find(([, value]) => value === code)?.[0] ?? String(code);
  return by === 'violation' ? `the reply breaks the rules of HTTP/2: ${name}` : `it was reset with ${name}`;
}
