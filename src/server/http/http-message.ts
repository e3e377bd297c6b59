/**
 * What the requests and responses of HTTP/1.1 and HTTP/2, as Node has them, have in common.
 *
 * The rest of this folder is the bytes of either: a request's target and body, which take memory only as they come and
 * charge it to their call, and a reply that is written no faster than its client reads.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';

export interface HttpRequest extends Readable {
  readonly httpVersion: string;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Whether the client broke the request off. */
  readonly aborted?: boolean;
}

export interface HttpResponse {
  /** Only with HTTP/2. */
  readonly stream?: ServerHttp2Stream;
  readonly headersSent: boolean;
  readonly statusCode: number;
  readonly writableEnded: boolean;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  /** @returns false when the next one should wait for `drain`. */
  write(chunk: Uint8Array): boolean;
  addTrailers(trailers: Readonly<Record<string, string>>): void;
  end(): unknown;
  end(text: string): unknown;
  destroy(): unknown;
  once(event: 'close' | 'drain', listener: () => void): this;
  off(event: 'close' | 'drain', listener: () => void): this;
}
