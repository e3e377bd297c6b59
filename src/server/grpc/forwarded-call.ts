/**
 * A call that a follower of a cluster passes on to the writer as it comes, and answers by what comes back: bytes, whatever its method
 * and its messages. What the writer has not taken yet of a request, and the client of a reply, is charged to the call and held back at
 * its other end.
 */
import type { StoreError } from '../../errors.ts';
import type { Field, HeaderBlock, ResponseHead } from '../../http2/contract/fields.ts';
import type { ServerStream } from '../../http2/contract/stream.ts';
import { encodeBlock } from '../../http2/hpack/encoder.ts';
import { grpcCode } from '../../grpc-code.ts';
import { grpcStatusIn } from '../cluster/answered-status.ts';
import { Upstream, type UpstreamOptions, type UpstreamReceiver } from '../cluster/upstream.ts';
import { lostCallError } from '../cluster/writer-errors.ts';
import { GrpcCall, type GrpcContext } from './grpc-call.ts';
import type { ServedMethod } from './routes.ts';

const HTTP_OK = 200;

export class ForwardedCall extends GrpcCall implements UpstreamReceiver {
  readonly #upstream: Upstream;
  readonly #options: UpstreamOptions;
  /** Of the reply; not sent on before it is known whether a message follows. */
  #head: ResponseHead | undefined;
  /** What the client may not send again before the writer has taken it. */
  #unsentBytes = 0;
  /** What the writer may not send again before the client has taken it, and what is charged for it. */
  #unreadBytes = 0;
  #chargedBytes = 0;

  constructor(
    context: GrpcContext,
    served: ServedMethod,
    stream: ServerStream,
    timeoutMs: number | undefined,
    options: UpstreamOptions,
  ) {
    const takesStream = served.kind === 'bidiStream';
    super(context, stream, served, { isStream: served.kind !== 'unary', timeoutMs });
    this.#options = options;
    this.#upstream = new Upstream(options, this);
    // A stream of requests may last; the writer has a time for each of its messages.
    if (takesStream) this.requestDone();
    stream.accountForBody();
    this.call.beginWork();
    // The server stops, and ends its streams.
    this.call.stopOnAbort({ stop: () => this.fail(this.call.abortReason) });
    this.#upstream.open();
  }

  override data(buffer: Buffer, from: number, to: number): void {
    if (this.isAnswered) return;
    const bytes = to - from;
    this.received(bytes);
    if (!this.call.holdCome(bytes)) return;
    this.#unsentBytes += bytes;
    if (this.#upstream.send(Buffer.from(buffer.subarray(from, to)))) this.requestDrained();
  }

  override end(): void {
    if (this.isAnswered) return;
    this.requestDone();
    this.#upstream.endRequest();
  }

  override drained(): void {
    this.call.setStalled(false);
    this.call.release(this.#chargedBytes);
    this.#chargedBytes = 0;
    this.#consume();
  }

  override closed(...end: Parameters<GrpcCall['closed']>): void {
    this.#stop();
    super.closed(...end);
  }

  override cut(): void {
    this.#stop();
    super.cut();
  }

  requestDrained(): void {
    const bytes = this.#unsentBytes;
    if (bytes === 0 || this.isAnswered) return;
    this.#unsentBytes = 0;
    this.call.releaseRequest(bytes);
    this.stream.consumed(bytes);
  }

  replyHead(head: ResponseHead): void {
    this.#head = head;
    if (head.status !== HTTP_OK) {
      const { address, isRead } = this.#options;
      this.fail(lostCallError(address, `it answered with status ${head.status}`, isRead));
    }
  }

  replyData(buffer: Buffer, from: number, to: number): void {
    if (this.isAnswered) return;
    const bytes = to - from;
    this.#sendHead();
    this.sent(bytes);
    this.#unreadBytes += bytes;
    if (this.stream.write(Buffer.from(buffer.subarray(from, to)))) return this.#consume();
    this.#chargedBytes += this.call.holdUnread(this.#unreadBytes);
    this.call.setStalled(true);
  }

  replyEnd(trailers: readonly Field[]): void {
    if (this.isAnswered) return;
    const isHeadAlone = !this.hasHead && trailers.length === 0;
    const status = isHeadAlone ? (this.#head?.fields ?? []) : trailers;
    if (!isHeadAlone) this.#sendHead();
    this.answered(grpcStatusIn(status) ?? grpcCode.Unknown);
    if (isHeadAlone) this.stream.respond(blockOf(this.#head), true);
    else this.stream.end(encodeBlock(trailers));
    this.call.endWork();
  }

  replyFailed(error: StoreError): void {
    this.fail(error);
  }

  protected override fail(error: unknown): void {
    this.#stop();
    super.fail(error);
  }

  #stop(): void {
    this.#upstream.cancel();
    this.call.endWork();
  }

  #consume(): void {
    const bytes = this.#unreadBytes;
    this.#unreadBytes = 0;
    if (bytes > 0) this.#upstream.consumed(bytes);
  }

  #sendHead(): void {
    if (this.hasHead) return;
    this.hasHead = true;
    this.stream.respond(blockOf(this.#head), false);
  }
}

/** Kept with the head, which is the same object when the same bytes come again. */
function blockOf(head: ResponseHead | undefined): HeaderBlock {
  if (head === undefined) return encodeBlock([[':status', String(HTTP_OK)]]);
  head.memo ??= encodeBlock([[':status', String(head.status)], ...head.fields]);
  return head.memo as HeaderBlock;
}
