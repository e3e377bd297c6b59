/**
 * The exchange of a call whose replies are a stream, read one by one. The server may send as far ahead as the stream's window
 * reaches: a message gives its bytes back when it is taken. The one that the reader waits for does so as it comes, since it
 * may be longer than the window. So no more lies here than that one and a window.
 */
import type { CallFailure } from '../errors/call-failure.ts';
import { PREFIX_BYTES } from './message-reader.ts';
import { readReply } from '../calls/method.ts';
import { RequestExchange } from './request-exchange.ts';

interface Waiting {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** What the stream gets back when it is taken. */
  readonly owedBytes: number;
}

export class StreamExchange<Request, Reply> extends RequestExchange<Request, Reply> {
  #messages: Waiting[] = [];
  #taken = 0;
  /** Of the message that has come in part so many bytes have been given back, ... */
  #paidBytes = 0;
  /** ... and so many not. */
  #unpaidBytes = 0;
  #failure: CallFailure | undefined;
  #wake: (() => void) | undefined;

  /** Makes the call. Leaving the loop, or aborting the signal, ends it. */
  async *replies(timeoutMs: number | undefined, signal: AbortSignal): AsyncGenerator<Reply, void, undefined> {
    this.start(timeoutMs, signal);
    try {
      for (;;) {
        const message = this.#messages[this.#taken];
        if (message !== undefined) yield this.#take(message);
        else if (this.#failure !== undefined) throw this.#failure;
        else if (this.isOver) return;
        else await this.#next();
      }
    } finally {
      this.abandon();
    }
  }

  /** What has come and was not read is not wanted any more. */
  override handleEvent(): void {
    this.#messages = [];
    this.#taken = 0;
    super.handleEvent();
  }

  message(buffer: Buffer, start: number, end: number): void {
    const owedBytes = PREFIX_BYTES + end - start - this.#paidBytes;
    this.#paidBytes = 0;
    this.#unpaidBytes -= owedBytes;
    this.#messages.push({ buffer, start, end, owedBytes });
    this.#wakeReader();
  }

  protected taken(bytes: number): void {
    this.#unpaidBytes += bytes;
    if (this.#wake !== undefined) this.#payForPart();
  }

  protected succeeded(): void {
    this.finish();
    this.#wakeReader();
  }

  protected failed(failure: CallFailure): void {
    this.#failure = failure;
    this.#wakeReader();
  }

  #take({ buffer, start, end, owedBytes }: Waiting): Reply {
    this.stream?.consumed(owedBytes);
    if (++this.#taken === this.#messages.length) {
      this.#messages = [];
      this.#taken = 0;
    }
    return readReply(this.method, buffer, start, end);
  }

  #next(): Promise<void> {
    this.#payForPart();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** The reader waits for the message that has come in part. */
  #payForPart(): void {
    if (this.#unpaidBytes === 0) return;
    this.#paidBytes += this.#unpaidBytes;
    this.stream?.consumed(this.#unpaidBytes);
    this.#unpaidBytes = 0;
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
