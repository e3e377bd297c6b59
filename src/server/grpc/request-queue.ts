/**
 * The messages of a stream of requests, as its method asks for them. The client may send more only as they are taken: one
 * that waits to be taken holds the next back. What waits is charged to the call, and holds up no other stream of the connection.
 * Who has the queue is told when the next message to be taken begins to come, and when it has come: that is the client's time.
 * While one waits to be taken what follows is none of its client's.
 *
 * One consumer: it asks for the next message when it has done with the one before.
 */
import type { ServerStream } from '../../http2/contract/stream.ts';
import type { Call } from '../calls/call.ts';
import { MessageReader, cutShortError } from './message-reader.ts';

/** Where messages come from. */
type Body = Pick<ServerStream, 'accountForBody' | 'consumed'>;

export class RequestQueue implements AsyncIterableIterator<Buffer> {
  readonly #reader: MessageReader;
  readonly #stream: Body;
  readonly #call: Call;
  /** When something came last, ... */
  #heardAtMs = 0;
  /** ... and by when the message that is taken next had come whole. */
  #wholeAtMs = 0;
  readonly #onComing: (isComing: boolean) => void;
  /** The message that is taken next has begun, and is not whole. */
  #isComing = false;
  /** What has come, and the client may not send again yet. */
  #unconsumedBytes = 0;
  #hasEnded = false;
  #error: Error | undefined = undefined;
  /** Resolves what the consumer waits for. */
  #wake: (() => void) | undefined = undefined;

  constructor(stream: Body, call: Call, messageBytesMax: number, onComing: (isComing: boolean) => void) {
    this.#onComing = onComing;
    this.#stream = stream;
    this.#call = call;
    this.#reader = new MessageReader(call, messageBytesMax);
    // The reader charges what waits here to the call; what comes behind an error is dropped.
    stream.accountForBody();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  data(buffer: Buffer, from: number, to: number): void {
    if (this.#error !== undefined) return;
    this.#heardAtMs = performance.now();
    if (!this.#reader.isWhole) this.#wholeAtMs = this.#heardAtMs;
    try {
      this.#reader.append(buffer, from, to);
      this.#unconsumedBytes += to - from;
      this.#note();
    } catch (error) {
      this.#error = error as Error;
    }
    this.#wakeUp();
  }

  /** The client sends no more. */
  end(): void {
    this.#hasEnded = true;
    this.#wakeUp();
  }

  async next(): Promise<IteratorResult<Buffer>> {
    const reader = this.#reader;
    // The consumer has done with the message before.
    reader.release();
    for (;;) {
      reader.check();
      if (reader.isWhole) {
        const value = reader.take();
        this.#call.messageWaitedMs = performance.now() - this.#wholeAtMs;
        this.#wholeAtMs = this.#heardAtMs;
        this.#note();
        return { done: false, value };
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#hasEnded) {
        if (reader.length > 0) throw cutShortError();
        return DONE;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Of what has come or was taken. What is not whole may come on, however long; what is has to be taken first. */
  #note(): void {
    const { isWhole, length } = this.#reader;
    const isComing = !isWhole && length > 0;
    if (isComing !== this.#isComing) {
      this.#isComing = isComing;
      this.#onComing(isComing);
    }
    if (isWhole || this.#unconsumedBytes === 0) return;
    const bytes = this.#unconsumedBytes;
    this.#unconsumedBytes = 0;
    this.#stream.consumed(bytes);
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
