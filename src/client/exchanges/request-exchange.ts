/**
 * One try of a call on a stream of its own: an exchange with one request, which may end by its deadline or its signal, too.
 */
import { systemClock } from '../../clock.ts';
import { grpcCode } from '../../grpc-code.ts';
import type { Field } from '../../http2/contract/fields.ts';
import type { BodyWriter, ClientStream } from '../../http2/contract/stream.ts';
import { client as limits } from '../../limits.ts';
import type { Session } from '../connection/session.ts';
import { CallFailure, canceled, outOfTime } from '../errors/call-failure.ts';
import { Exchange, type Surroundings } from './exchange.ts';
import { PREFIX_BYTES, writePrefix } from './message-reader.ts';
import type { Method } from '../calls/method.ts';

interface Writes {
  writeRequest(buffer: Buffer, start: number, end: number): void;
}

const requestWriter: BodyWriter<Writes> = {
  write: (exchange, buffer, start, end) => exchange.writeRequest(buffer, start, end),
};

export abstract class RequestExchange<Request, Reply> extends Exchange implements Writes {
  protected readonly method: Method<Request, Reply>;
  override readonly keepsMessages = true;
  readonly #request: Request;
  #requestBytes = 0;
  #signal: AbortSignal | undefined;
  /** When it was sent, and what had come over the connection by then. */
  #sentAtMs = 0;
  #heardBytes = 0;

  constructor(
    surroundings: Surroundings,
    method: Method<Request, Reply>,
    request: Request,
    fields: readonly Field[],
    once?: readonly Field[],
  ) {
    super(surroundings, fields, once);
    this.method = method;
    this.#request = request;
  }

  /** Sends it as soon as there is a connection. */
  start(timeoutMs: number | undefined, signal: AbortSignal | undefined): void {
    if (signal?.aborted) return this.fail(canceled(true));
    if (timeoutMs !== undefined) this.surroundings.deadlines.set(this, timeoutMs);
    if (signal !== undefined) {
      this.#signal = signal;
      signal.addEventListener('abort', this);
    }
    this.surroundings.pool.place(this);
  }

  override begin(session: Session): void {
    const size = this.method.sizeOf(this.#request);
    if (size > limits.messageBytesMax) {
      const message = `the request has ${size} bytes; at most ${limits.messageBytesMax} are sent at once`;
      return this.fail(new CallFailure(grpcCode.ResourceExhausted, message, { isUnprocessed: true }));
    }
    this.#requestBytes = size;
    this.#heardBytes = session.bytesRead;
    this.#sentAtMs = systemClock.monotonicMs();
    super.begin(session);
  }

  writeRequest(buffer: Buffer, start: number, end: number): void {
    writePrefix(buffer, start, end);
    this.method.prepend(this.#request, buffer, end);
  }

  expire(): void {
    const { session } = this;
    this.fail(outOfTime(this.#isUnsent));
    if (session !== undefined) this.surroundings.pool.doubt(session, this.#heardBytes, this.#sentAtMs);
  }

  /** Of the signal. */
  handleEvent(): void {
    this.fail(canceled(this.#isUnsent));
  }

  /** Whether the server has not been sent all of it, and will not be when it ends now. */
  get #isUnsent(): boolean {
    return this.stream === undefined || this.stream.queuedBytes > 0;
  }

  protected override opened(stream: ClientStream): void {
    stream.writeInPlace(this, PREFIX_BYTES + this.#requestBytes, requestWriter);
    stream.end();
  }

  /** Nor does it leave a listener behind. */
  protected override finish(): void {
    super.finish();
    this.#signal?.removeEventListener('abort', this);
  }
}
