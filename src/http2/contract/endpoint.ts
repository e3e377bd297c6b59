/**
 * What the owner of a connection gives it and learns from it. A connection reads no clock and sets no timer by any other way
 * than the clock that it is given.
 */
import type { Clock } from '../../clock.ts';
import type { ErrorCode } from './error-code.ts';

/** One object for all connections of a server or client. */
export interface EndpointOptions {
  readonly clock: Clock;
  /** What the peer may send on one stream before its user has consumed some of it. */
  readonly streamWindowBytes: number;
  /** ... and on all streams of the connection together. */
  readonly connectionWindowBytes: number;
  /**
   * Whether what a stream's user has not consumed keeps the connection's window closed too, unless it accounts for it. That
   * bounds what lies with all users together; without it, a stream that is not read does not hold up the others.
   */
  readonly isConnectionWindowHeld: boolean;
  /** The fields of one head or of trailers: lengths of names and values, and 32 for each (RFC 9113, section 6.5.2). */
  readonly headerListBytesMax: number;
  /**
   * A connection is closed when its first SETTINGS and the acknowledgement of ours take longer than this, or a head that was
   * begun.
   */
  readonly handshakeTimeoutMs: number;
}

/** How a connection ended, and who began that. */
export type ConnectionEnd =
  /** It was idle and all was done: `shutdown`, `leave`, or the peer closed it with no stream open. */
  | { readonly kind: 'done' }
  /** Its owner destroyed it, or ended it by `goaway`. */
  | { readonly kind: 'owner'; readonly error: Error | undefined }
  /** The peer told an error by GOAWAY and closed it. */
  | { readonly kind: 'peer'; readonly code: ErrorCode; readonly debugText: string }
  /** The peer broke the protocol or a limit; it was told so by GOAWAY, unless it is one that does not read. */
  | { readonly kind: 'violation'; readonly code: ErrorCode; readonly reason: string }
  /** The socket failed, or the peer closed it with streams open (then there is no error). */
  | { readonly kind: 'io'; readonly error: Error | undefined };
