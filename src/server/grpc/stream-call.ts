/**
 * A call with a stream of replies, and perhaps of requests. The next reply is asked for when the one before has left for the
 * socket: a client that does not read costs one message, which is charged to its call, by the method before it is made, and what
 * the method has not charged when it is not read.
 */
import type { ServerStream } from '../../http2/contract/stream.ts';
import type { Login } from '../../access/login/login.ts';
import { grpcCode } from '../../grpc-code.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { mapped } from '../calls/mapped.ts';
import { PREFIX_BYTES } from '../services/envelope.ts';
import {
  type BidiStreamMethod,
  type ServerStreamMethod,
  type StreamMethod,
  UnreadRequest,
  readRequest,
} from '../services/method.ts';
import { GrpcCall, type GrpcContext } from './grpc-call.ts';
import { MessageReader } from './message-reader.ts';
import { RequestQueue } from './request-queue.ts';
import type { Served } from './routes.ts';
import { okTrailers, replyHead } from './status.ts';

abstract class StreamCall<Method extends StreamMethod> extends GrpcCall {
  protected readonly store: KvStore;
  protected readonly served: Served<Method>;
  /** Goes on when the last reply has left, or the call is over. */
  #resume: (() => void) | undefined = undefined;

  constructor(
    context: GrpcContext,
    store: KvStore,
    served: Served<Method>,
    stream: ServerStream,
    timeoutMs: number | undefined,
  ) {
    super(context, stream, served, { isStream: true, timeoutMs });
    this.store = store;
    this.served = served;
  }

  override drained(): void {
    this.call.setStalled(false);
    this.#goOn();
  }

  override closed(...end: Parameters<GrpcCall['closed']>): void {
    super.closed(...end);
    this.#goOn();
  }

  override cut(): void {
    super.cut();
    this.#goOn();
  }

  protected override fail(error: unknown): void {
    super.fail(error);
    this.#goOn();
  }

  /** Sends the replies one after the other, to the end of them or of the call. */
  protected async reply(replies: AsyncIterable<unknown>): Promise<void> {
    const items = replies[Symbol.asyncIterator]();
    this.call.beginWork();
    try {
      while (!this.isAnswered) {
        const { done, value } = await items.next();
        // Waiting took time.
        if (this.isAnswered) break;
        if (done === true) {
          this.#end();
          return;
        }
        const unreadBytes = this.#send(value);
        if (unreadBytes > 0) await this.#untilRead(unreadBytes);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      // Ends a method that is in the middle of its stream. It may take its time, so it is not waited for.
      items.return?.().catch(() => undefined);
      this.call.endWork();
    }
  }

  /** @returns the bytes that wait for the client to read; 0: they have left. */
  #send(reply: unknown): number {
    const { method, writer } = this.served;
    const size = PREFIX_BYTES + method.codecs.sizeOf(reply);
    this.#sendHead();
    this.sent(size);
    return this.stream.writeInPlace(reply, size, writer) ? 0 : size;
  }

  /** Resolves when the last reply, of so many bytes, has left, or the call is over. */
  async #untilRead(bytes: number): Promise<void> {
    if (this.isAnswered) return;
    const charged = this.call.holdUnread(bytes);
    await this.#untilDrained();
    this.call.release(charged);
  }

  #end(): void {
    this.#sendHead();
    this.answered(grpcCode.Ok);
    this.stream.end(okTrailers);
  }

  /** Not before there is something to say: what fails before has no need of it. */
  #sendHead(): void {
    if (this.hasHead) return;
    this.hasHead = true;
    this.stream.respond(replyHead, false);
  }

  async #untilDrained(): Promise<void> {
    if (this.isAnswered) return;
    this.call.setStalled(true);
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
  }

  #goOn(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}

/** One request, many replies. */
export class ServerStreamCall extends StreamCall<ServerStreamMethod> {
  /** Of the request, until that is read. */
  #reader: MessageReader | undefined = new MessageReader(this.call, this.served.requestBytesMax);

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
    this.requestDone();
    const reader = this.#reader;
    this.#reader = undefined;
    this.whenLoggedIn(() => {
      const { method } = this.served;
      const message = reader.takeOnly();
      const request = readRequest(method, message, 0, message.length);
      const replies = method.run(this.store, request, this.call, this.call.signal);
      if (method.keepsRequest !== true) this.call.requestRead();
      void this.reply(replies);
    });
  }
}

/** Requests and replies at the pace of either side. */
export class BidiStreamCall extends StreamCall<BidiStreamMethod> {
  readonly #requests = new RequestQueue(
    {
      accountForBody: () => this.stream.accountForBody(),
      consumed: (bytes) => this.consumed(bytes),
    },
    this.call,
    this.served.requestBytesMax,
    (isComing) => {
      if (isComing) this.requestBegun();
      else this.requestDone();
    },
  );

  /** A stream of requests may last: there is a time for each message, and none for it. */
  override begin(login: Login | Promise<Login>): void {
    super.begin(login);
    this.requestDone();
    this.whenLoggedIn(() => {
      const { method } = this.served;
      const requests = mapped(this.#requests, (bytes) => new UnreadRequest(method, bytes));
      void this.reply(method.run(this.store, requests, this.call, this.call.signal));
    });
  }

  override data(buffer: Buffer, from: number, to: number): void {
    if (this.isAnswered) return;
    this.received(to - from);
    this.#requests.data(buffer, from, to);
  }

  override end(): void {
    this.#requests.end();
  }
}
