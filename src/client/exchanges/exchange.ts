/**
 * A request over HTTP/2 on a stream of its own, and what comes back on it. It ends once, whatever comes first: with the status
 * of the server, a failure of the connection, or because its user has enough.
 *
 * - "placed": it waits for a connection. When it ends nothing was sent.
 * - "under way": it has a stream. When it ends before the reply has come the stream is reset with CANCEL, so that the server
 *   leaves off.
 * - "over": its user knows how it went. The stream may be closed a little later.
 */
import type { Lost, Session } from '../connection/session.ts';
import type { Applicant, SessionPool } from '../connection/session-pool.ts';
import { type Deadlines, Timed } from '../../deadlines.ts';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';
import { type ErrorCode, errorCode } from '../../http2/contract/error-code.ts';
import type { Field, ResponseHead } from '../../http2/contract/fields.ts';
import type { ClientStream, ClientStreamHandler, ClosedBy } from '../../http2/contract/stream.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { MessageReader, type MessageTaker, PREFIX_BYTES, handOn, messageLength } from './message-reader.ts';
import { isOk, meaningOf, noGrpcFailure, statusFailure } from './status.ts';

/** What the exchanges of a client share. */
export interface Surroundings {
  readonly pool: SessionPool;
  readonly deadlines: Deadlines;
}

export abstract class Exchange extends Timed implements Applicant, ClientStreamHandler, Lost, MessageTaker {
  protected readonly surroundings: Surroundings;
  protected session: Session | undefined;
  protected stream: ClientStream | undefined;
  protected isOver = false;
  readonly #fields: readonly Field[];
  readonly #once: readonly Field[] | undefined;
  #head: ResponseHead | undefined;
  /** Only for messages that come in several pieces. */
  #reader: MessageReader | undefined;

  /** @param fields of the head. @param once those that only this one has. */
  constructor(surroundings: Surroundings, fields: readonly Field[], once?: readonly Field[]) {
    super();
    this.surroundings = surroundings;
    this.#fields = fields;
    this.#once = once;
  }

  abstract readonly keepsMessages: boolean;
  abstract message(buffer: Buffer, start: number, end: number): void;
  /** Its head is sent. */
  protected abstract opened(stream: ClientStream): void;
  /** The reply is complete, and the server says that all went well. */
  protected abstract succeeded(): void;
  /** It has failed. It is over already. */
  protected abstract failed(failure: CallFailure): void;
  /** So many bytes have been read, and their messages handed on. */
  protected abstract taken(bytes: number): void;

  begin(session: Session): void {
    const stream = session.request(this.#fields, this, this.#once);
    if (stream === undefined) {
      return this.fail(new CallFailure(grpcCode.Unavailable, 'it takes no request', { isUnprocessed: true }));
    }
    this.session = session;
    this.stream = stream;
    this.opened(stream);
  }

  refuse(failure: CallFailure): void {
    this.fail(failure);
  }

  head(head: ResponseHead): void {
    this.#head = head;
    const meaning = meaningOf(head);
    if (meaning.kind === 'noGrpc') this.fail(noGrpcFailure(head, meaning));
  }

  data(buffer: Buffer, from: number, to: number): void {
    if (this.isOver) return this.stream?.consumed(to - from);
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
    if (this.isOver) return;
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
    this.session?.ended();
    if (this.isOver) return;
    if (code === errorCode.REFUSED_STREAM) {
      const message = 'it refused the request';
      this.fail(new CallFailure(grpcCode.Unavailable, message, { isUnprocessed: true }));
    } else if (by === 'connection' && this.session !== undefined) this.session.explain(this);
    else this.fail(new CallFailure(codeOfReset(code), resetText(code, by)));
  }

  lost(reason: Error): void {
    this.fail(new CallFailure(grpcCode.Unavailable, reason.message, { cause: reason }));
  }

  /** Its user has enough. */
  protected abandon(): void {
    if (this.isOver) return;
    this.finish();
    this.stream?.reset(errorCode.CANCEL);
  }

  protected fail(failure: CallFailure): void {
    if (this.isOver) return;
    this.finish();
    this.stream?.reset(errorCode.CANCEL);
    this.failed(failure);
  }

  /** Leaves nothing behind: no timer, no stream that the server still works on. */
  protected finish(): void {
    this.isOver = true;
    if (this.list !== undefined) this.surroundings.deadlines.cancel(this);
    if (this.session === undefined) this.surroundings.pool.withdraw(this);
  }
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
