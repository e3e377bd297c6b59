/**
 * The request and response of a stream of HTTP/2 in the form that Node gives them for HTTP/1.1: for everything that is not
 * plain gRPC, so that both versions have the same handlers.
 *
 * A request is read at the pace of its handler: what has come and is not read counts against the windows of the stream and of
 * its connection. A response is written at the pace of its client: `drain` tells when all that was written has left for the
 * socket.
 */
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { errorCode } from '../../http2/error-code.ts';
import type { Field, RequestHead } from '../../http2/fields.ts';
import { encodeBlock } from '../../http2/hpack/encoder.ts';
import type { ServerStream, StreamHandler } from '../../http2/stream.ts';
import type { HttpRequest, HttpResponse } from './http-message.ts';

/** @param handle is given the two messages at once; the body follows. */
export function http2Exchange(
  stream: ServerStream,
  head: RequestHead,
  handle: (request: HttpRequest, response: HttpResponse) => void,
): StreamHandler {
  const request = new Http2Request(stream, head);
  const response = new Http2Response(stream, head.method === 'HEAD');
  handle(request, response);
  return {
    data: (buffer, from, to) => request.receive(buffer, from, to),
    end: () => request.receiveEnd(),
    drained: () => void response.emit('drain'),
    closed: () => {
      // A stream that was reset has no end of its body: half a message could pass for a whole one.
      if (!request.hasEnded) request.breakOff();
      response.closed();
    },
  };
}

class Http2Request extends Readable implements HttpRequest {
  readonly httpVersion = '2.0';
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  aborted = false;
  /** All of the body has come. */
  hasEnded = false;
  readonly #stream: ServerStream;
  /** What has come since the handler last asked for more. */
  #unconsumedBytes = 0;

  constructor(stream: ServerStream, head: RequestHead) {
    super({ autoDestroy: false });
    this.#stream = stream;
    this.method = head.method;
    this.url = head.path;
    this.headers = headersOf(head);
    this.on('error', () => undefined);
  }

  receive(buffer: Buffer, from: number, to: number): void {
    this.#unconsumedBytes += to - from;
    if (this.push(Buffer.from(buffer.subarray(from, to)))) this.#consume();
  }

  receiveEnd(): void {
    this.hasEnded = true;
    this.push(null);
  }

  breakOff(): void {
    this.aborted = true;
    this.destroy();
  }

  override _read(): void {
    this.#consume();
  }

  #consume(): void {
    const bytes = this.#unconsumedBytes;
    this.#unconsumedBytes = 0;
    if (bytes > 0) this.#stream.consumed(bytes);
  }
}

/** A name that comes more than once has its values behind each other: RFC 9110, section 5.3. Any name may come. */
function headersOf({ authority, fields }: RequestHead): IncomingHttpHeaders {
  const headers = Object.create(null) as IncomingHttpHeaders;
  headers.host = authority;
  for (const [name, value] of fields) {
    if (name === 'host') continue;
    const before = headers[name];
    headers[name] =
      before === undefined ? value : `${String(before)}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}

class Http2Response extends EventEmitter implements HttpResponse {
  headersSent = false;
  statusCode = 200;
  writableEnded = false;
  readonly #stream: ServerStream;
  /** Of a request for the head alone, whose response has no body (RFC 9110, section 9.3.2). */
  readonly #isHeadOnly: boolean;
  #head: readonly Field[] = [];
  #trailers: readonly Field[] = [];

  constructor(stream: ServerStream, isHeadOnly: boolean) {
    super();
    this.#stream = stream;
    this.#isHeadOnly = isHeadOnly;
  }

  writeHead(status: number, headers: Readonly<Record<string, string>>): void {
    this.statusCode = status;
    this.#head = [[':status', String(status)], ...fieldsOf(headers), ['date', new Date().toUTCString()]];
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isHeadOnly) return true;
    this.#sendHead(false);
    return this.#stream.write(chunk);
  }

  addTrailers(trailers: Readonly<Record<string, string>>): void {
    this.#trailers = fieldsOf(trailers);
  }

  end(text = ''): void {
    if (this.writableEnded) return;
    this.writableEnded = true;
    const hasTrailers = this.#trailers.length > 0;
    const body = this.#isHeadOnly ? '' : text;
    if (!this.headersSent && body === '' && !hasTrailers) return this.#sendHead(true);
    this.#sendHead(false);
    if (body !== '') this.#stream.write(Buffer.from(body));
    if (hasTrailers) this.#stream.end(encodeBlock(this.#trailers));
    else this.#stream.end();
  }

  destroy(): void {
    this.#stream.reset(errorCode.INTERNAL_ERROR);
  }

  /** gRPC maps this code of HTTP/2 to RESOURCE_EXHAUSTED. */
  cut(): void {
    this.#stream.reset(errorCode.ENHANCE_YOUR_CALM);
  }

  closed(): void {
    this.emit('close');
  }

  #sendHead(isEnd: boolean): void {
    if (this.headersSent) return;
    this.headersSent = true;
    if (this.#head.length === 0) this.writeHead(this.statusCode, {});
    this.#stream.respond(encodeBlock(this.#head), isEnd);
  }
}

function fieldsOf(headers: Readonly<Record<string, string>>): Field[] {
  return Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
}
