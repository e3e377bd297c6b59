/**
 * The request and response of a stream of HTTP/2 in the form that Node gives them for HTTP/1.1: for everything that is not
 * plain gRPC, so that both versions have the same handlers.
 *
 * A request is read at the pace of its handler: what has come and is not read counts against the window of its stream. It is
 * charged to its call, or else counts against the window of the connection too, which bounds it. A client that waits for
 * `100 Continue` before it sends the body is told so when the handler begins to read (RFC 9110, section 10.1.1). A response is
 * written at the pace of its client: `drain` tells when all that was written has left for the socket.
 *
 * A short text that its client does not take, such as a probe's, is held by a call of its own, which may be cut as others are.
 */
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { errorCode } from '../../http2/contract/error-code.ts';
import type { Field, RequestHead } from '../../http2/contract/fields.ts';
import { encodeBlock } from '../../http2/hpack/encoder.ts';
import type { ConnectionInfo, ServerStream, StreamHandler } from '../../http2/contract/stream.ts';
import { serverFixed } from '../../limits.ts';
import type { Call } from '../calls/call.ts';
import type { CallTable } from '../calls/call-table.ts';
import type { BodySink, HeaderList, HttpRequest, HttpResponse, ResponseHeaders } from './http-message.ts';

const CONTINUE = encodeBlock([[':status', '100']]);

/** @param handle is given the two messages at once; the body follows. */
export function http2Exchange(
  stream: ServerStream,
  head: RequestHead,
  calls: CallTable,
  handle: (request: HttpRequest, response: HttpResponse) => void,
): StreamHandler {
  const response = new Http2Response(stream, head.method === 'HEAD', calls);
  const request = new Http2Request(stream, head, response);
  handle(request, response);
  return {
    data: (buffer, from, to) => request.receive(buffer, from, to),
    end: () => request.receiveEnd(),
    drained: () => void response.emit('drain'),
    closed: () => {
      // A stream that was reset has no end of its body: half a message could pass for a whole one.
      if (!request.hasEnded) request.breakOff();
      response.close();
    },
  };
}

class Http2Request extends Readable implements HttpRequest {
  readonly httpVersion = '2.0';
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: ConnectionInfo;
  aborted = false;
  /** All of the body has come. */
  hasEnded = false;
  readonly #stream: ServerStream;
  readonly #response: Http2Response;
  #call: Call | undefined;
  #sink: BodySink | undefined;
  /** What has come and the handler has not read, ... */
  #unconsumedBytes = 0;
  /** ... and what is charged for it. */
  #chargedBytes = 0;
  #isContinueDue: boolean;

  constructor(stream: ServerStream, head: RequestHead, response: Http2Response) {
    super({ autoDestroy: false });
    this.#stream = stream;
    this.#response = response;
    this.method = head.method;
    this.url = head.path;
    this.headers = headersOf(head);
    this.socket = stream.connection;
    this.#isContinueDue = this.headers.expect?.toLowerCase() === '100-continue';
    this.on('error', () => undefined);
  }

  chargeTo(call: Call): void {
    this.#call = call;
    this.#stream.accountForBody();
  }

  sendTo(sink: BodySink): void {
    this.#sink = sink;
    if (this.aborted) return sink.brokenOff();
    if (this.#isContinueDue) this.#inform();
    // A handler may have waited for something first.
    const come = this.read() as Buffer | null;
    if (come !== null) sink.data(come, 0, come.length);
    if (this.hasEnded) sink.end();
  }

  receive(buffer: Buffer, from: number, to: number): void {
    this.#isContinueDue = false;
    if (this.#sink !== undefined) {
      this.#stream.consumed(to - from);
      return this.#sink.data(buffer, from, to);
    }
    if (this.#call !== undefined) {
      const bytes = to - from + serverFixed.waitingPieceBytes;
      if (!this.#call.holdCome(bytes)) return;
      this.#chargedBytes += bytes;
    }
    this.#unconsumedBytes += to - from;
    this.push(Buffer.from(buffer.subarray(from, to)));
    this.#consume();
  }

  receiveEnd(): void {
    this.#isContinueDue = false;
    this.hasEnded = true;
    if (this.#sink === undefined) this.push(null);
    else this.#sink.end();
  }

  breakOff(): void {
    this.aborted = true;
    if (this.#sink === undefined) this.destroy();
    else this.#sink.brokenOff();
  }

  override _read(): void {
    if (this.#isContinueDue) this.#continue();
  }

  override read(size?: number): unknown {
    const bytes: unknown = super.read(size);
    this.#consume();
    return bytes;
  }

  /** Gives back what came, once nothing of it lies here. */
  #consume(): void {
    const bytes = this.#unconsumedBytes;
    if (bytes === 0 || this.readableLength > 0) return;
    this.#unconsumedBytes = 0;
    this.#call?.releaseRequest(this.#chargedBytes);
    this.#chargedBytes = 0;
    this.#stream.consumed(bytes);
  }

  /** Unless the body is only dropped, since the request was answered without it. */
  #continue(): void {
    const isDropped = this.listenerCount('data') + this.listenerCount('readable') === 0;
    if (!isDropped && !this.#response.headersSent) this.#inform();
  }

  #inform(): void {
    this.#isContinueDue = false;
    this.#stream.inform(CONTINUE);
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
  closed = false;
  headersSent = false;
  statusCode = 200;
  writableEnded = false;
  readonly #stream: ServerStream;
  /** Of a request for the head alone, whose response has no body (RFC 9110, section 9.3.2). */
  readonly #isHeadOnly: boolean;
  readonly #calls: CallTable;
  /** A call has what its client has not taken. */
  #isUnreadCharged = false;
  /** Of a text that its client has not taken. */
  #unread: Call | undefined;
  #head: readonly Field[] = [];
  readonly #appended: Field[] = [];
  #trailers: readonly Field[] = [];

  constructor(stream: ServerStream, isHeadOnly: boolean, calls: CallTable) {
    super();
    this.#stream = stream;
    this.#isHeadOnly = isHeadOnly;
    this.#calls = calls;
  }

  get writableLength(): number {
    return this.#stream.queuedBytes;
  }

  accountForUnread(): void {
    this.#isUnreadCharged = true;
  }

  appendHeader(name: string, value: string): void {
    this.#appended.push([name, value]);
  }

  writeHead(status: number, headers: ResponseHeaders | HeaderList): void {
    this.statusCode = status;
    this.#head = [
      [':status', String(status)],
      ...fieldsOf(headers),
      ...this.#appended,
      ['date', new Date().toUTCString()],
    ];
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isHeadOnly) return true;
    this.#sendHead(false);
    return this.#stream.write(chunk);
  }

  addTrailers(trailers: Readonly<Record<string, string>>): void {
    this.#trailers = fieldsOf(trailers);
  }

  end(body: string | Uint8Array = '', encoding: 'utf8' | 'latin1' = 'utf8'): void {
    if (this.writableEnded) return;
    this.writableEnded = true;
    const hasTrailers = this.#trailers.length > 0;
    const isEmpty = this.#isHeadOnly || body.length === 0;
    if (!this.headersSent && isEmpty && !hasTrailers) return this.#sendHead(true);
    this.#sendHead(false);
    if (!isEmpty) this.#stream.write(typeof body === 'string' ? Buffer.from(body, encoding) : body);
    if (hasTrailers) this.#stream.end(encodeBlock(this.#trailers));
    else this.#stream.end();
    if (this.#stream.queuedBytes > 0 && !this.#isUnreadCharged) this.#holdUnread(this.#stream.queuedBytes);
  }

  destroy(): void {
    this.#stream.reset(errorCode.INTERNAL_ERROR);
  }

  /** gRPC maps this code of HTTP/2 to RESOURCE_EXHAUSTED. */
  cut(): void {
    this.#stream.reset(errorCode.ENHANCE_YOUR_CALM);
  }

  close(): void {
    this.closed = true;
    this.#unread?.close();
    this.emit('close');
  }

  #holdUnread(bytes: number): void {
    if (!this.#calls.makeRoom()) return this.cut();
    this.#unread = this.#calls.open(this, false);
    this.#unread.holdUnread(bytes);
    this.#unread.setStalled(true);
  }

  #sendHead(isEnd: boolean): void {
    if (this.headersSent) return;
    this.headersSent = true;
    if (this.#head.length === 0) this.writeHead(this.statusCode, {});
    this.#stream.respond(encodeBlock(this.#head), isEnd);
  }
}

function fieldsOf(headers: ResponseHeaders | HeaderList): Field[] {
  if (Array.isArray(headers)) {
    const fields: Field[] = [];
    for (let at = 0; at < headers.length; at += 2) fields.push([headers[at] ?? '', headers[at + 1] ?? '']);
    return fields;
  }
  return Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
}
