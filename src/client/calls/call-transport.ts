/**
 * What carries calls to the server. Both kinds have it: connections of the client's own, and a transport of Connect that its
 * user gave it. It makes one try of a call; what is to be tried again, and when, `caller.ts` knows.
 */
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import type { Method } from './method.ts';

/** The way of one call, or of one stream that goes on, over several servers. */
export interface Route {
  /** Whether the next try goes to a server that it was not tried at since the last pause: it needs none. */
  readonly goesElsewhere: boolean;
  /** How long to pause at least: no server is asked before. */
  readonly restMs: number;
  /** There is a pause: behind it each server may be tried again. */
  paused(): void;
}

/**
 * - Every failure is a `CallFailure`, and `DeadlineExceeded` when `timeoutMs` has passed; one that the signal ended may be
 *   any.
 * - Replies hold bytes of their own.
 */
export interface CallTransport {
  /** Begins the way of a call; left out: there is one server. */
  newRoute?(): Route;
  /** Of the server, for messages. */
  readonly address: string;
  unary<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    trace: TraceHeaders | undefined,
    route?: Route,
  ): Promise<Reply>;
  /** Begins with the first message that is asked for, and ends when the loop is left. Without a timeout it has no end. */
  stream<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number | undefined,
    signal: AbortSignal,
    trace: TraceHeaders | undefined,
    route?: Route,
  ): AsyncIterable<Reply>;
  /** Requests that begin from now on show this, as the header `authorization`. */
  authorize(value: string): void;
  /** Whether connections that are made anew may show another client certificate. */
  readonly isCertificateRenewable: boolean;
  /** Requests that begin from now on go over connections that are made anew. */
  renewCertificate(): void;
  /** Breaks off what is under way; calls made later fail. */
  close(): void;
}
