/** A stream of HTTP/2 without a connection: what a handler sends is kept, and a test plays the peer. */
import { type ErrorCode, errorCode } from '../../../src/http2/contract/error-code.ts';
import type { Field, HeaderBlock, RequestHead } from '../../../src/http2/contract/fields.ts';
import { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';
import type {
  BodyWriter,
  ClosedBy,
  ServerStream,
  StreamHandler,
} from '../../../src/http2/contract/stream.ts';

export class FakeStream implements ServerStream {
  readonly id = 1;
  readonly connection = { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', isTls: false };
  #handler: StreamHandler | undefined;
  /** The informational heads. */
  readonly informed: Record<string, string>[] = [];
  /** Head and trailers together. */
  readonly fields: Record<string, string> = {};
  readonly written: Buffer[] = [];
  consumedBytes = 0;
  isBodyAccountedFor = false;
  queuedBytes = 0;
  /** How the handler ended its side. */
  ended: 'response' | ErrorCode | undefined;
  /** The peer takes no more bytes: what is sent is queued. */
  isBlocked = false;
  #hasRequestEnded = false;
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get body(): Buffer {
    return Buffer.concat(this.written);
  }

  get handler(): StreamHandler | undefined {
    return this.#handler;
  }

  /** One that comes late is told of the end at once, as by a connection. */
  set handler(handler: StreamHandler | undefined) {
    this.#handler = handler;
    if (this.#isClosed) handler?.closed(errorCode.NO_ERROR, 'user');
  }

  inform(head: HeaderBlock): void {
    this.informed.push(Object.fromEntries(decoded(head)));
  }

  respond(head: HeaderBlock, isEnd: boolean): void {
    this.#keep(head);
    if (isEnd) this.#end();
  }

  answer<Body>(
    head: HeaderBlock,
    body: Body,
    size: number,
    writer: BodyWriter<Body>,
    trailers: HeaderBlock,
  ): void {
    this.#keep(head);
    this.writeInPlace(body, size, writer);
    this.end(trailers);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isClosed) return false;
    this.written.push(Buffer.from(bytes));
    if (this.isBlocked) this.queuedBytes += bytes.length;
    return this.queuedBytes === 0;
  }

  writeInPlace<Body>(body: Body, size: number, writer: BodyWriter<Body>): boolean {
    // Not at the beginning of its buffer.
    const buffer = Buffer.alloc(size + 7, 0xee);
    writer.write(body, buffer, 4, size + 4);
    return this.write(buffer.subarray(4, size + 4));
  }

  end(trailers?: HeaderBlock): void {
    if (trailers !== undefined) this.#keep(trailers);
    this.#end();
  }

  reset(code: ErrorCode): void {
    if (!this.#isClosed) this.ended = code;
    this.close(code, 'user');
  }

  consumed(bytes: number): void {
    this.consumedBytes += bytes;
  }

  accountForBody(): void {
    this.isBodyAccountedFor = true;
  }

  /** The peer sends bytes of its request; they are overwritten afterwards, as a connection may. */
  receive(bytes: Uint8Array, isLast = false): void {
    const buffer = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(2)]);
    if (isLast) this.#hasRequestEnded = true;
    this.handler?.data(buffer, 3, 3 + bytes.length, isLast);
    buffer.fill(0xee);
    if (isLast && !this.#isClosed) this.#endRequest();
  }

  /** The peer ends its request by an empty frame. */
  receiveEnd(): void {
    this.#endRequest();
  }

  /** The peer has read what was queued. */
  drain(): void {
    this.isBlocked = false;
    this.queuedBytes = 0;
    if (this.ended !== undefined && this.#hasRequestEnded) this.close(errorCode.NO_ERROR, 'user');
    else this.handler?.drained();
  }

  close(code: ErrorCode, by: ClosedBy): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.handler?.closed(code, by);
  }

  #endRequest(): void {
    this.#hasRequestEnded = true;
    this.handler?.end([]);
    if (this.ended !== undefined && this.queuedBytes === 0) this.close(errorCode.NO_ERROR, 'user');
  }

  #end(): void {
    this.ended ??= 'response';
    // A request that has not ended is not wanted any more.
    if (this.queuedBytes === 0) this.close(errorCode.NO_ERROR, 'user');
  }

  #keep(block: HeaderBlock): void {
    for (const [name, value] of decoded(block)) this.fields[name] = value;
  }
}

export function headOf(path: string, fields: readonly Field[] = []): RequestHead {
  return {
    method: 'POST',
    scheme: 'http',
    authority: 'kelp',
    path,
    contentLength: undefined,
    fields: [['content-type', 'application/grpc'], ['te', 'trailers'], ...fields],
    memo: undefined,
  };
}

function decoded(block: HeaderBlock): Field[] {
  const fields = new HpackDecoder(64 * 1024).decode(block, 0, block.length);
  return (fields ?? []).map(({ name, value }) => [name, value]);
}
