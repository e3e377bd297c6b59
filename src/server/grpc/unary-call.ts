/**
 * A call with one request message and one reply. A request that came in one piece is read where it lies, and a reply that
 * needs no promise goes out before the next frame is read.
 */
import type { BodyWriter, ServerStream } from '../../http2/contract/stream.ts';
import { grpcCode } from '../../grpc-code.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { moreThanOneError, noMessageError, tooLongError } from '../calls/call-error.ts';
import { PREFIX_BYTES, writePrefix } from '../services/envelope.ts';
import { type UnaryMethod, readRequest, runTraced } from '../services/method.ts';
import { type ClusterDoors, isFollower } from '../cluster/cluster-doors.ts';
import { askWriter } from '../cluster/writer-stream.ts';
import { GrpcCall, type GrpcContext } from './grpc-call.ts';
import { MessageReader, checkPrefix, cutShortError } from './message-reader.ts';
import type { Served } from './routes.ts';
import { okTrailers, replyHead } from './status.ts';

export class UnaryCall extends GrpcCall {
  readonly #store: KvStore;
  readonly #served: Served<UnaryMethod>;
  /** Of a request that comes in pieces. */
  #reader: MessageReader | undefined = undefined;
  #isRunning = false;
  readonly #cluster: ClusterDoors | undefined;

  constructor(
    context: GrpcContext,
    store: KvStore,
    served: Served<UnaryMethod>,
    stream: ServerStream,
    timeoutMs: number | undefined,
  ) {
    super(context, stream, served, { isStream: false, timeoutMs });
    this.#store = store;
    this.#served = served;
    this.#cluster = context.cluster;
  }

  override data(buffer: Buffer, from: number, to: number, isLast: boolean): void {
    if (this.isAnswered) return;
    this.received(to - from);
    try {
      if (isLast && this.#reader === undefined) this.#runWhole(buffer, from, to);
      else this.#gather(buffer, from, to);
    } catch (error) {
      this.fail(error);
    }
  }

  override end(): void {
    if (this.isAnswered || this.#isRunning) return;
    try {
      if (this.#reader === undefined) throw noMessageError();
      const message = this.#reader.takeOnly();
      this.#runAllowed(message, 0, message.length);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The reply goes out at once, as far as the connection is concerned. */
  override drained(): void {}

  #runWhole(buffer: Buffer, from: number, to: number): void {
    const { requestBytesMax } = this.#served;
    const start = from + PREFIX_BYTES;
    if (start > to) throw cutShortError();
    if (to - start > requestBytesMax) throw tooLongError(requestBytesMax);
    const length = buffer.readUInt32BE(from + 1);
    checkPrefix(buffer.readUInt8(from), length, requestBytesMax);
    if (start + length > to) throw cutShortError();
    if (start + length < to) throw moreThanOneError();
    if (!this.isLoggingIn && this.#served.method.keepsRequest !== true) return this.#run(buffer, start, to);
    // Where it lies comes the next one.
    this.call.chargeRequest(length);
    this.#runAllowed(Buffer.from(buffer.subarray(start, to)), 0, length);
  }

  /** @param bytes stay as they are. */
  #runAllowed(bytes: Buffer, start: number, end: number): void {
    this.#isRunning = true;
    this.requestDone();
    this.whenLoggedIn(() => this.#run(bytes, start, end));
  }

  #gather(buffer: Buffer, from: number, to: number): void {
    this.#reader ??= new MessageReader(this.call, this.#served.requestBytesMax);
    this.#reader.append(buffer, from, to);
    this.#reader.checkAlone();
    this.consumed(to - from);
  }

  #run(bytes: Buffer, start: number, end: number): void {
    this.#isRunning = true;
    this.requestDone();
    const { method } = this.#served;
    const { call } = this;
    const { span } = call;
    const request = readRequest(method, bytes, start, end);
    const cluster = this.#cluster;
    if (cluster !== undefined && isFollower(cluster) && method.mayChange?.(request) === true) {
      void this.#answerByWriter(
        askWriter(cluster, call, `/${this.#served.name}`, bytes.subarray(start, end)),
      );
      return;
    }
    const reply =
      span === undefined
        ? method.run(this.#store, request, call)
        : runTraced(method, this.#store, request, call, span);
    if (reply instanceof Promise) void this.#answerLater(reply);
    else this.#answer(reply);
  }

  async #answerLater(reply: Promise<unknown>): Promise<void> {
    this.call.beginWork();
    try {
      this.#answer(await reply);
    } catch (error) {
      this.fail(error);
    }
    this.call.endWork();
  }

  async #answerByWriter(reply: Promise<Buffer>): Promise<void> {
    try {
      const message = await reply;
      if (!this.isAnswered) this.#send(message, PREFIX_BYTES + message.length, messageWriter);
    } catch (error) {
      this.fail(error);
    }
  }

  #answer(reply: unknown): void {
    if (this.isAnswered) return;
    const { method, writer } = this.#served;
    this.#send(reply, PREFIX_BYTES + method.codecs.sizeOf(reply), writer);
  }

  #send<Reply>(reply: Reply, size: number, writer: BodyWriter<Reply>): void {
    this.answered(grpcCode.Ok);
    this.sent(size);
    this.stream.answer(replyHead, reply, size, writer, okTrailers);
    // What is held back by then waits for the client to read, in one piece until all of it has gone.
    if (this.stream.queuedBytes === 0) return;
    // Nothing of the request lies here any more.
    this.stream.accountForBody();
    this.call.requestRead();
    this.call.holdUnread(size);
    this.call.setStalled(true);
  }
}

/** Of a reply that is encoded already. */
const messageWriter: BodyWriter<Buffer> = {
  write(message, buffer, start) {
    writePrefix(buffer, start, message.length);
    message.copy(buffer, start + PREFIX_BYTES);
  },
};
