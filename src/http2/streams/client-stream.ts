/** A stream as the client has it: the request was begun with it, and a response comes. */
import { BodyStream, NO_FIELDS, type StreamCarrier } from './body-stream.ts';
import { errorCode } from '../contract/error-code.ts';
import type { ResponseHead } from '../contract/fields.ts';
import type { ClientStream, ClientStreamHandler } from '../contract/stream.ts';

/** RFC 9110, sections 15.3.5 and 15.4.5: no body follows these, whatever `content-length` they tell. */
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
/** Those below are informational. */
export const FINAL_STATUS_MIN = 200;

export class ResponseStream extends BodyStream implements ClientStream {
  /** Where in all output of the connection its head ends. */
  readonly headEnd: number;
  readonly #client: ClientStreamHandler;
  readonly #isHeadRequest: boolean;
  #isHeadReceived = false;

  constructor(
    carrier: StreamCarrier,
    id: number,
    sendWindow: number,
    headEnd: number,
    handler: ClientStreamHandler,
    isHeadRequest: boolean,
  ) {
    super(carrier, id, sendWindow);
    this.headEnd = headEnd;
    this.#client = handler;
    this.#isHeadRequest = isHeadRequest;
    this.handler = handler;
  }

  /** Whether the next header block is trailers. */
  get isHeadReceived(): boolean {
    return this.#isHeadReceived;
  }

  get outputPosition(): number {
    return this.carrier.sender.outbox.position;
  }

  get outputGiven(): number {
    return this.carrier.sender.outbox.givenBytes;
  }

  end(): void {
    this.endBody(undefined);
  }

  receiveHead(head: ResponseHead, isEnd: boolean): void {
    if (head.status < FINAL_STATUS_MIN) {
      // Section 8.1: an informational response ends nothing.
      if (isEnd) this.violated(errorCode.PROTOCOL_ERROR);
      return;
    }
    this.#isHeadReceived = true;
    const isBodiless = this.#isHeadRequest || head.status === NO_CONTENT || head.status === NOT_MODIFIED;
    if (isBodiless) this.bodyBytesLeft = 0;
    else if (head.contentLength !== undefined) this.bodyBytesLeft = head.contentLength;
    this.#client.head(head);
    if (isEnd && !this.isClosed) this.receiveEnd(NO_FIELDS);
  }

  override receiveData(buffer: Buffer, from: number, to: number, frameBytes: number, isEnd: boolean): void {
    if (this.#isHeadReceived) {
      super.receiveData(buffer, from, to, frameBytes, isEnd);
    } else {
      this.carrier.consumed(frameBytes);
      this.violated(errorCode.PROTOCOL_ERROR);
    }
  }

  protected override get isBodyDue(): boolean {
    return true;
  }

  protected override localEnded(): void {
    if (this.isDone) this.over(errorCode.NO_ERROR, 'user');
  }
}
