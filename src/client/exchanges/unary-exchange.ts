/** The exchange of a call with one request and one reply. */
import { grpcCode } from '../../grpc-code.ts';
import type { Field } from '../../http2/contract/fields.ts';
import { CallFailure } from '../errors/call-failure.ts';
import type { Surroundings } from './exchange.ts';
import { type Method, readReply } from '../calls/method.ts';
import { RequestExchange } from './request-exchange.ts';

export class UnaryExchange<Request, Reply> extends RequestExchange<Request, Reply> {
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (failure: CallFailure) => void;
  #reply: Reply | undefined;
  #isReplied = false;

  constructor(
    surroundings: Surroundings,
    method: Method<Request, Reply>,
    request: Request,
    fields: readonly Field[],
    resolve: (reply: Reply) => void,
    reject: (failure: CallFailure) => void,
    once?: readonly Field[],
  ) {
    super(surroundings, method, request, fields, once);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  message(buffer: Buffer, start: number, end: number): void {
    if (this.#isReplied) throw new CallFailure(grpcCode.Internal, 'the reply has more than one message');
    this.#reply = readReply(this.method, buffer, start, end);
    this.#isReplied = true;
  }

  /** What is longer than a piece is paid for as it comes; the rest goes back when the stream is closed. */
  protected taken(bytes: number): void {
    if (!this.#isReplied) this.stream?.consumed(bytes);
  }

  protected succeeded(): void {
    if (!this.#isReplied) return this.fail(new CallFailure(grpcCode.Internal, 'the reply has no message'));
    this.finish();
    this.#resolve(this.#reply as Reply);
  }

  protected failed(failure: CallFailure): void {
    this.#reject(failure);
  }
}
