/**
 * One stream, as both sides have it: the body that is sent, the body that is received, and the end.
 *
 * - A body is sent at once, or held while it has to wait. Its end and trailers wait behind what is held.
 * - What was received and not consumed is owed to the windows: of the stream while the peer may send, of the connection unless
 *   the user accounts for the body.
 * - `closed` of the handler comes once, last. The handler may be given after that: then it comes at once.
 */
import { BodyQueue } from '../output/body-queue.ts';
import { errorCode, type ErrorCode } from '../contract/error-code.ts';
import type { Field, HeaderBlock } from '../contract/fields.ts';
import type { SendingStream, Sender } from '../output/sender.ts';
import { StreamState } from './stream-state.ts';
import type { BodyWriter, ClosedBy, Stream, StreamHandler } from '../contract/stream.ts';
import type { ReceiveWindow } from '../output/window.ts';

/** What a stream needs of its connection. */
export interface StreamCarrier {
  readonly sender: Sender;
  /** The window that the peer takes a stream to begin with. */
  readonly streamWindowBytes: number;
  newReceiveWindow(): ReceiveWindow;
  /** Opens the connection's window by bytes that were consumed, in time. */
  consumed(bytes: number): void;
  /** Sends RST_STREAM, and remembers it. */
  sendReset(streamId: number, code: ErrorCode): void;
  /** A peer that breaks rules stream by stream is not borne forever. */
  countViolation(): void;
  /** The stream is closed; `isDone` when both sides came to their end. */
  released(stream: BodyStream): void;
}

export const NO_FIELDS: readonly Field[] = [];

/** The length of a body that was not told. */
const UNKNOWN = -1;

export abstract class BodyStream extends StreamState implements SendingStream, Stream {
  readonly id: number;
  sendWindow: number;
  protected readonly carrier: StreamCarrier;
  /** What of the received body is still to come. */
  protected bodyBytesLeft = UNKNOWN;
  #handler: StreamHandler | undefined;
  #held: BodyQueue | undefined;
  #isEnding = false;
  #trailers: HeaderBlock | undefined;
  #isDrainAwaited = false;
  /** Made when a frame comes that is not the last. */
  #receiveWindow: ReceiveWindow | undefined;
  #unconsumedBytes = 0;
  /** What is not consumed is owed to the window of the stream alone. */
  #isBodyAccountedFor = false;
  /** What a handler that comes late is told: all is over for it already. */
  #closing: readonly [ErrorCode, ClosedBy] | undefined;

  constructor(carrier: StreamCarrier, id: number, sendWindow: number) {
    super();
    this.carrier = carrier;
    this.id = id;
    this.sendWindow = sendWindow;
  }

  /** Whether a head has been sent that a body may follow, or nothing can be sent any more. */
  protected abstract get isBodyDue(): boolean;

  /** This side has come to its end. */
  protected abstract localEnded(): void;

  get queuedBytes(): number {
    return this.#held?.byteLength ?? 0;
  }

  get held(): BodyQueue {
    return (this.#held ??= new BodyQueue());
  }

  get endsWithBody(): boolean {
    return this.#isEnding && this.#trailers === undefined;
  }

  set handler(handler: StreamHandler) {
    if (this.#closing === undefined) this.#handler = handler;
    else handler.closed(...this.#closing);
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#canWrite) return false;
    if (bytes.length === 0) return this.queuedBytes === 0;
    const { sender } = this.carrier;
    if (this.queuedBytes > 0 || !sender.canSend(this, bytes.length)) return this.#hold(bytes);
    sender.data(this, bytes);
    return true;
  }

  writeInPlace<Body>(body: Body, size: number, writer: BodyWriter<Body>): boolean {
    if (!this.#canWrite) return false;
    if (size === 0) return this.queuedBytes === 0;
    const { sender } = this.carrier;
    if (this.queuedBytes > 0 || !sender.canSend(this, size)) return this.#hold(written(body, size, writer));
    sender.dataInPlace(this, body, size, writer);
    return true;
  }

  consumed(bytes: number): void {
    const consumedBytes = Math.min(bytes, this.#unconsumedBytes);
    if (consumedBytes <= 0) return;
    this.#unconsumedBytes -= consumedBytes;
    this.#giveBack(consumedBytes);
    this.#openWindow(consumedBytes);
  }

  accountForBody(): void {
    if (this.#isBodyAccountedFor) return;
    this.#giveBack(this.#unconsumedBytes);
    this.#isBodyAccountedFor = true;
  }

  reset(code: ErrorCode): void {
    if (this.isClosed) return;
    this.carrier.sendReset(this.id, code);
    this.over(code, 'user');
  }

  /** What was held has been sent. */
  bodySent(): void {
    if (this.#isEnding) {
      this.#finish();
    } else if (this.#isDrainAwaited) {
      this.#isDrainAwaited = false;
      this.#handler?.drained();
    }
  }

  /** A DATA frame has come; its data lies in `buffer`, and `frameBytes` count for the windows. */
  receiveData(buffer: Buffer, from: number, to: number, frameBytes: number, isEnd: boolean): void {
    const size = to - from;
    if (!this.isRemoteOpen) return this.#refuse(errorCode.STREAM_CLOSED, frameBytes);
    if (!this.#takeWindow(frameBytes, isEnd)) return this.#refuse(errorCode.FLOW_CONTROL_ERROR, frameBytes);
    if (!this.#countBody(size, isEnd)) return this.#refuse(errorCode.PROTOCOL_ERROR, frameBytes);
    this.#unconsumedBytes += frameBytes;
    if (this.#isBodyAccountedFor) this.carrier.consumed(frameBytes);
    if (frameBytes > size) this.consumed(frameBytes - size);
    if (isEnd) this.endRemote();
    if (size > 0) this.#handler?.data(buffer, from, to, isEnd);
    if (isEnd && !this.isClosed) this.#handler?.end(NO_FIELDS);
    this.#closeIfDone();
  }

  /** The peer has ended its side without a further byte of a body. */
  receiveEnd(trailers: readonly Field[]): void {
    if (this.remoteEnded()) this.tellEnd(trailers);
  }

  /** @returns false: less of a body has come than was told, and the stream is reset. */
  remoteEnded(): boolean {
    const isWhole = this.#countBody(0, true);
    if (isWhole) this.endRemote();
    else this.violated(errorCode.PROTOCOL_ERROR);
    return isWhole;
  }

  tellEnd(trailers: readonly Field[]): void {
    if (this.isClosed) return;
    this.#handler?.end(trailers);
    this.#closeIfDone();
  }

  /** The peer has told another size for the windows of its streams. */
  resizeWindow(size: number): void {
    this.#receiveWindow?.resize(size);
  }

  /** The peer broke a rule on this stream: RFC 9113, section 5.4.2. */
  violated(code: ErrorCode): void {
    this.carrier.sendReset(this.id, code);
    this.over(code, 'violation');
    this.carrier.countViolation();
  }

  /** Nothing more goes in or out. */
  over(code: ErrorCode, by: ClosedBy): void {
    this.close();
    if (this.#held !== undefined) {
      this.carrier.sender.leave(this);
      this.#held = undefined;
    }
    this.#giveBack(this.#unconsumedBytes);
    this.#unconsumedBytes = 0;
    this.carrier.released(this);
    if (this.#handler === undefined) this.#closing = [code, by];
    else this.#handler.closed(code, by);
  }

  /** Whether nothing keeps a whole reply from being sent in one piece, on the side of this stream. */
  protected get isFresh(): boolean {
    return this.isLocalOpen && this.#held === undefined && !this.#isEnding;
  }

  /** All is over for the handler, and another one has what still comes. */
  protected handOver(next: StreamHandler): void {
    const handler = this.#handler;
    this.#handler = next;
    // Who is answered may leave off.
    this.bodyBytesLeft = UNKNOWN;
    this.consumed(this.#unconsumedBytes);
    if (handler === undefined) this.#closing = [errorCode.NO_ERROR, 'user'];
    else handler.closed(errorCode.NO_ERROR, 'user');
  }

  protected endBody(trailers: HeaderBlock | undefined): void {
    if (!this.#canWrite) return;
    this.#isEnding = true;
    this.#trailers = trailers;
    if (this.queuedBytes > 0) return;
    if (trailers === undefined) this.carrier.sender.endData(this.id);
    this.#finish();
  }

  get #canWrite(): boolean {
    return this.isLocalOpen && this.isBodyDue && !this.#isEnding;
  }

  #hold(bytes: Uint8Array): boolean {
    this.held.push(bytes);
    this.carrier.sender.join(this);
    this.#isDrainAwaited = this.queuedBytes > 0;
    return !this.#isDrainAwaited;
  }

  #finish(): void {
    const trailers = this.#trailers;
    if (trailers !== undefined) this.carrier.sender.headers(this.id, trailers, trailers.length, true);
    this.endLocal();
    this.localEnded();
  }

  #takeWindow(bytes: number, isEnd: boolean): boolean {
    if (isEnd && this.#receiveWindow === undefined) return bytes <= this.carrier.streamWindowBytes;
    this.#receiveWindow ??= this.carrier.newReceiveWindow();
    return this.#receiveWindow.take(bytes);
  }

  /** Gives bytes back to the connection, unless it had them as they came. */
  #giveBack(bytes: number): void {
    if (bytes > 0 && !this.#isBodyAccountedFor) this.carrier.consumed(bytes);
  }

  #openWindow(bytes: number): void {
    if (!this.isRemoteOpen || this.#receiveWindow === undefined) return;
    const increment = this.#receiveWindow.consume(bytes);
    if (increment > 0) this.carrier.sender.windowUpdate(this.id, increment);
  }

  /** Section 8.1.1: a `content-length` is the sum of all DATA. */
  #countBody(size: number, isEnd: boolean): boolean {
    if (this.bodyBytesLeft === UNKNOWN) return true;
    if (size > this.bodyBytesLeft) return false;
    this.bodyBytesLeft -= size;
    return !isEnd || this.bodyBytesLeft === 0;
  }

  #refuse(code: ErrorCode, frameBytes: number): void {
    this.carrier.consumed(frameBytes);
    this.violated(code);
  }

  #closeIfDone(): void {
    if (this.isDone && !this.isClosed) this.over(errorCode.NO_ERROR, 'peer');
  }
}

/** A body that has to wait, in memory of its own. */
export function written<Body>(body: Body, size: number, writer: BodyWriter<Body>): Buffer {
  const buffer = Buffer.allocUnsafe(size);
  writer.write(body, buffer, 0, size);
  return buffer;
}
