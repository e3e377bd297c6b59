/**
 * What a connection and those who use it say to each other of one stream. The connection knows HTTP/2 and nothing of what
 * it carries; its user knows nothing of frames.
 *
 * - A received chunk is valid during the call only; who keeps bytes copies them.
 * - The peer may send more only as `consumed` gives its bytes back, on the stream and on the connection. What the user does
 *   not consume stays charged to the connection's window, unless it accounts for its memory (`accountForBody`); the connection
 *   consumes the rest when the stream is closed.
 * - A handler's `closed` comes exactly once, last, whatever happened: both sides ended, a reset by either, the connection
 *   lost. It may come within the user's own call of `answer`, `respond`, `end` or `reset`. Nothing that the user sends
 *   afterwards goes anywhere, and nothing of it throws.
 * - A server that ends its response before the request has ended is told `closed` at once. What still comes is dropped, and when
 *   it does not end soon RST_STREAM with NO_ERROR asks for no more of it (RFC 9113, section 8.1).
 * - What is sent goes out at the end of the turn of the event loop, in one write for all streams of the connection.
 */
import type { Field, HeaderBlock, RequestHead, ResponseHead } from './fields.ts';
import type { ErrorCode } from './error-code.ts';

/** What a stream has received, in order. */
export interface StreamHandler {
  /**
   * Bytes of the body lie in `buffer` from `from` to `to`.
   * @param isLast the body ends with them, as its `content-length` says if there is one: a message that came whole can be
   * acted on where it lies. `end` follows all the same, unless the stream was closed by then.
   */
  data(buffer: Buffer, from: number, to: number, isLast: boolean): void;
  /** The peer has ended its side; `trailers` are empty when it sent none. */
  end(trailers: readonly Field[]): void;
  /** The sending may go on, after a `write` returned false. */
  drained(): void;
  /** Over. `code` is NO_ERROR when both sides came to their end. */
  closed(code: ErrorCode, by: ClosedBy): void;
}

/** Who ended a stream: its user, the peer by RST_STREAM, the connection as it went down, or a peer that broke the protocol. */
export type ClosedBy = 'user' | 'peer' | 'connection' | 'violation';

/** On the client the head of the response comes before all else. */
export interface ClientStreamHandler extends StreamHandler {
  head(head: ResponseHead): void;
}

/** What both sides may do with a stream. */
export interface Stream {
  readonly id: number;
  /** Bytes of the body that the stream holds because they wait for windows or for the peer to read. */
  readonly queuedBytes: number;
  /**
   * Sends bytes of the body, which must not change from now on; several streams may send the same.
   * @returns false when the stream holds some of them, so that `drained` is worth waiting for; to send more is no error.
   */
  write(bytes: Uint8Array): boolean;
  /** Lets the peer send so many bytes more. */
  consumed(bytes: number): void;
  /** Ends both sides at once. */
  reset(code: ErrorCode): void;
}

/** How a body is written in place: `size` bytes from `start` on. */
export interface BodyWriter<Body> {
  write(body: Body, buffer: Buffer, start: number, end: number): void;
}

export interface ServerStream extends Stream {
  /** Of the connection: for limits and logs. */
  readonly connection: ConnectionInfo;
  /**
   * Says that its user accounts for the memory of what has come and will come, so that this is bounded: what is not consumed
   * keeps the window of this stream closed, and no longer that of the connection, whose other streams go on.
   */
  accountForBody(): void;
  /** Sends an informational head (1xx) before that of the response; any number of them may. RFC 9110, section 15.2. */
  inform(head: HeaderBlock): void;
  /** Sends the head of the response; with `isEnd` there is nothing else. A head that is not prebuilt goes by `encodeBlock`. */
  respond(head: HeaderBlock, isEnd: boolean): void;
  /** A whole response: head, a body of `size` bytes that `writer` writes where it is sent from, trailers. */
  answer<Body>(
    head: HeaderBlock,
    body: Body,
    size: number,
    writer: BodyWriter<Body>,
    trailers: HeaderBlock,
  ): void;
  /** Like `write`, the bytes made where they are sent from. */
  writeInPlace<Body>(body: Body, size: number, writer: BodyWriter<Body>): boolean;
  /** Ends the response. */
  end(trailers?: HeaderBlock): void;
}

export interface ClientStream extends Stream {
  /** Where in all output of the connection its next frame begins: behind what this stream has sent. */
  readonly outputPosition: number;
  /** Up to where the socket was given the output: what lies behind has surely not been sent. Also once it is closed. */
  readonly outputGiven: number;
  writeInPlace<Body>(body: Body, size: number, writer: BodyWriter<Body>): boolean;
  /** Ends the request. */
  end(): void;
}

export interface ConnectionInfo {
  readonly remoteAddress: string;
  /** Of this end; empty when it has none, as a socket of a file. */
  readonly localAddress: string;
  readonly isTls: boolean;
}

/** Takes a request once its head is whole. */
export type RequestReceiver = (stream: ServerStream, head: RequestHead) => StreamHandler;
