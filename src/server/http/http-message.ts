/**
 * What the requests and responses of HTTP/1.1, as Node has them, and those of HTTP/2 (`http2-message.ts`) have in common.
 *
 * The rest of this folder is the bytes of either: a request's target and body, which take memory only as they come and
 * charge it to their call, and a reply that is written no faster than its client reads.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Call, Peer } from '../calls/call.ts';

export interface HttpRequest extends Readable {
  readonly httpVersion: string;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** What it came on: the same object for all requests of a connection. */
  readonly socket: Peer;
  /** Whether the client broke the request off. */
  readonly aborted?: boolean;
  /** Charges to the call what has come and is not read; without it that is `readableHighWaterMark` at most. */
  chargeTo?(call: Call): void;
  /** Gives the body to `sink`, what has come at once and the rest as it comes, in place of reading it. Without this it is read as any stream. */
  sendTo?(sink: BodySink): void;
}

/** Takes a body as it comes. */
export interface BodySink {
  /** Bytes that may change afterwards: from `from` to `to`. */
  data(buffer: Buffer, from: number, to: number): void;
  /** All has come. */
  end(): void;
  /** No more comes, and this was not all. */
  brokenOff(): void;
}

export type ResponseHeaders = Readonly<Record<string, string>>;
/** Names and values in turn. */
export type HeaderList = string[];

export interface HttpResponse {
  readonly headersSent: boolean;
  readonly statusCode: number;
  readonly writableEnded: boolean;
  /** Of HTTP/1.1: null while the response waits for those before it on the connection. */
  readonly socket?: object | null;
  /** Whether it is over. */
  readonly closed: boolean;
  /** What was written and has not left for the socket. */
  readonly writableLength: number;
  /** Adds a line to the head, which `writeHead` does not know of; a name may have several. */
  appendHeader(name: string, value: string): unknown;
  writeHead(status: number, headers: ResponseHeaders): unknown;
  writeHead(status: number, headers: HeaderList): unknown;
  /** @returns false when the next one should wait for `drain`. */
  write(chunk: Uint8Array): boolean;
  addTrailers(trailers: Readonly<Record<string, string>>): void;
  end(): unknown;
  end(body: string | Uint8Array): unknown;
  /** A text that has a character for each byte. */
  end(body: string, encoding: 'latin1'): unknown;
  destroy(): unknown;
  /** Says that a call accounts for what its client has not taken. Without it, that is so of all that is written. */
  accountForUnread?(): void;
  /** Breaks the reply off because its client does not read; without it `destroy` does. */
  cut?(): void;
  once(event: 'close' | 'drain', listener: () => void): this;
  off(event: 'close' | 'drain', listener: () => void): this;
}
