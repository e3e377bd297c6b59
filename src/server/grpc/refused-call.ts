/**
 * A call that is not served: the method is not known, or the server can't take it now. It is told so when its request has
 * ended, since some clients lose a reply that comes before; a request that is long, or does not come, is not waited for. Nor is
 * any while very many are: what refuses calls since there are too many must not hold any number of them. Nor is one of a method
 * that takes a stream of them: it may go on as long as its client has something to say.
 */
import type { ServerStream } from '../../http2/contract/stream.ts';
import { serverFixed } from '../../limits.ts';
import type { CallTable } from '../calls/call-table.ts';
import { type Called, GrpcCall, type GrpcContext } from './grpc-call.ts';

export class RefusedCall extends GrpcCall {
  readonly #refusal: Error;
  readonly #calls: CallTable;
  #isWaiting: boolean;
  #byteCount = 0;

  constructor(
    context: GrpcContext,
    called: Called,
    stream: ServerStream,
    refusal: Error,
    takesStream = false,
  ) {
    const requestTimeoutMs = takesStream ? 0 : serverFixed.refusedRequestMs;
    super(context, stream, called, {
      isStream: false,
      isTimed: false,
      timeoutMs: undefined,
      requestTimeoutMs,
    });
    this.#refusal = refusal;
    this.#calls = context.calls;
    this.#isWaiting = this.#calls.mayRefuseLater();
    if (!this.#isWaiting) this.fail(refusal);
  }

  override data(_buffer: Buffer, from: number, to: number): void {
    if (this.isAnswered) return;
    this.#byteCount += to - from;
    if (this.#byteCount > serverFixed.smallRequestBytesMax) this.fail(this.#refusal);
    else this.stream.consumed(to - from);
  }

  override end(): void {
    this.fail(this.#refusal);
  }

  override drained(): void {}

  override closed(...end: Parameters<GrpcCall['closed']>): void {
    super.closed(...end);
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#calls.refusalTold();
  }

  override expire(): void {
    this.fail(this.#refusal);
  }
}
