/** A stream as the server has it: one request, one response. */
import { errorCode } from '../contract/error-code.ts';
import type { HeaderBlock } from '../contract/fields.ts';
import { BodyStream, type StreamCarrier, written } from './body-stream.ts';
import type { BodyWriter, ConnectionInfo, ServerStream, StreamHandler } from '../contract/stream.ts';

/** What a request needs of its connection. */
export interface RequestCarrier extends StreamCarrier, ConnectionInfo {
  /** The response is complete, and the request is not. @returns what is to have the rest of it. */
  answeredEarly(stream: RequestStream): StreamHandler;
}

export class RequestStream extends BodyStream implements ServerStream {
  readonly connection: RequestCarrier;
  #isHeadSent = false;

  constructor(connection: RequestCarrier, id: number, sendWindow: number, contentLength: number | undefined) {
    super(connection, id, sendWindow);
    this.connection = connection;
    if (contentLength !== undefined) this.bodyBytesLeft = contentLength;
  }

  get isResponseBegun(): boolean {
    return this.#isHeadSent;
  }

  inform(head: HeaderBlock): void {
    if (this.isLocalOpen && !this.#isHeadSent) this.carrier.sender.headers(this.id, head, head.length, false);
  }

  respond(head: HeaderBlock, isEnd: boolean): void {
    if (!this.isLocalOpen || this.#isHeadSent) return;
    this.#isHeadSent = true;
    this.carrier.sender.headers(this.id, head, head.length, isEnd);
    if (!isEnd) return;
    this.endLocal();
    this.localEnded();
  }

  answer<Body>(
    head: HeaderBlock,
    body: Body,
    size: number,
    writer: BodyWriter<Body>,
    trailers: HeaderBlock,
  ): void {
    if (!this.isFresh || this.#isHeadSent) return;
    const { sender } = this.carrier;
    if (sender.canAnswer(this, size, head, trailers)) {
      sender.answer(this, head, body, size, writer, trailers);
      this.#isHeadSent = true;
      this.endLocal();
      this.localEnded();
      return;
    }
    const bytes = written(body, size, writer);
    this.respond(head, false);
    this.write(bytes);
    this.end(trailers);
  }

  end(trailers?: HeaderBlock): void {
    this.endBody(trailers);
  }

  protected override get isBodyDue(): boolean {
    return this.isResponseBegun;
  }

  /** The response is complete: nothing that the client still sends matters. Section 8.1. */
  protected override localEnded(): void {
    if (this.isDone) this.over(errorCode.NO_ERROR, 'user');
    else this.handOver(this.connection.answeredEarly(this));
  }
}
