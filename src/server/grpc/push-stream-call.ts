/**
 * A call with one request whose replies are pushed as bytes: no promise and no copy of its own for each of them. Nothing more is
 * sent to a client that does not read until what it was sent has left for the socket.
 */
import type { ServerStream } from '../../http2/contract/stream.ts';
import { grpcCode } from '../../grpc-code.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { type PushedReplies, type ReplyOutlet, readRequest } from '../services/method.ts';
import { GrpcCall, type GrpcContext } from './grpc-call.ts';
import { MessageReader } from './message-reader.ts';
import type { ServedPush } from './routes.ts';
import { okTrailers, replyHead } from './status.ts';

export class PushStreamCall extends GrpcCall implements ReplyOutlet {
  readonly #store: KvStore;
  readonly #served: ServedPush;
  /** Of the request, until that is read. */
  #reader: MessageReader | undefined = undefined;
  #replies: PushedReplies | undefined = undefined;
  /** The replies have not come to their end. */
  #isAtWork = false;
  /** For what was sent and not read, beyond what the method has charged for it. */
  #unreadBytes = 0;

  constructor(
    context: GrpcContext,
    store: KvStore,
    served: ServedPush,
    stream: ServerStream,
    timeoutMs: number | undefined,
  ) {
    super(context, stream, served, { isStream: true, timeoutMs });
    this.#store = store;
    this.#served = served;
    this.#reader = new MessageReader(this.call, served.requestBytesMax);
  }

  override data(buffer: Buffer, from: number, to: number): void {
    if (this.isAnswered || this.#reader === undefined) return;
    this.received(to - from);
    try {
      this.#reader.append(buffer, from, to);
      this.#reader.checkAlone();
      this.consumed(to - from);
    } catch (error) {
      this.fail(error);
    }
  }

  override end(): void {
    if (this.isAnswered || this.#reader === undefined) return;
    const reader = this.#reader;
    this.#reader = undefined;
    this.requestDone();
    this.whenLoggedIn(() => this.#open(reader));
  }

  override closed(...end: Parameters<GrpcCall['closed']>): void {
    super.closed(...end);
    // Nothing of what was sent has to be written any more.
    this.#replies?.goOn();
  }

  override drained(): void {
    this.call.setStalled(false);
    this.call.release(this.#unreadBytes);
    this.#unreadBytes = 0;
    this.#replies?.goOn();
  }

  send(message: Buffer): boolean {
    if (this.isAnswered) return false;
    if (!this.hasHead) this.#sendHead();
    this.sent(message.length);
    const isWritten = this.stream.write(message);
    if (!isWritten && !this.isAnswered) {
      this.#unreadBytes = this.call.holdUnread(message.length);
      this.call.setStalled(true);
    }
    return isWritten;
  }

  finish(error: unknown): void {
    if (this.#isAtWork) {
      this.#isAtWork = false;
      this.call.endWork();
    }
    if (error !== undefined) return this.fail(error);
    if (this.isAnswered) return;
    this.#sendHead();
    this.answered(grpcCode.Ok);
    this.stream.end(okTrailers);
  }

  #open(reader: MessageReader): void {
    const message = reader.takeOnly();
    const { method } = this.#served;
    const request = readRequest(method, message, 0, message.length);
    // Before it is opened: it may take memory for its first message then.
    if (method.keepsRequest !== true) this.call.requestRead();
    const replies = method.open(this.#store, request, this.call, this);
    this.#replies = replies;
    this.#isAtWork = true;
    this.call.beginWork();
    this.call.stopOnAbort(replies);
    replies.goOn();
  }

  #sendHead(): void {
    if (this.hasHead) return;
    this.hasHead = true;
    this.stream.respond(replyHead, false);
  }
}
