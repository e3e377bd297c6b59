/**
 * What carries calls to the server. Both kinds have it: connections of the client's own, and a transport of Connect that its
 * user gave it. It makes one try of a call; what is to be tried again, and when, `caller.ts` knows.
 */
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import type { Method } from './method.ts';

/**
 * - Every failure is a `CallFailure`, and `DeadlineExceeded` when `timeoutMs` has passed; one that the signal ended may be
 *   any.
 * - Replies hold bytes of their own.
 */
export interface CallTransport {
  /** Of the server, for messages. */
  readonly address: string;
  unary<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    trace: TraceHeaders | undefined,
  ): Promise<Reply>;
  /** Begins with the first message that is asked for, and ends when the loop is left. Without a timeout it has no end. */
  stream<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number | undefined,
    signal: AbortSignal,
    trace: TraceHeaders | undefined,
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
