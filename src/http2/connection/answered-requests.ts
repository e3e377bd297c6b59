/**
 * The requests whose response is complete while they go on: what comes of them is dropped, until the client ends them, too much
 * has come, or they have had their time. RST_STREAM right behind the response (RFC 9113, section 8.1) would be less work, but
 * some clients lose a response that it follows, and so never learn why they were refused. It comes behind the end of the request
 * all the same: curl 7.88, which ends a body early when it is refused, waits for a frame then before it looks at what it has.
 */
import type { Clock, Timer } from '../../clock.ts';
import { http2 } from '../../limits.ts';
import { errorCode } from '../contract/error-code.ts';
import type { ServerStream, StreamHandler } from '../contract/stream.ts';

export class AnsweredRequests {
  readonly #clock: Clock;
  /** In the order in which their times end, since all have the same. */
  readonly #requests = new Set<AnsweredRequest>();
  /** Set for the first of them, or one that has ended since. */
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns what is to have the rest of it. */
  add(stream: ServerStream): StreamHandler {
    const dueMs = this.#clock.monotonicMs() + http2.answeredRequestMs;
    const request = new AnsweredRequest(stream, dueMs, this.#requests);
    this.#requests.add(request);
    this.#timer ??= this.#clock.setTimer(http2.answeredRequestMs, () => this.#expire());
    return request;
  }

  /** The connection is over. */
  close(): void {
    this.#timer?.cancel();
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const request of this.#requests) {
      if (request.dueMs > nowMs) {
        this.#timer = this.#clock.setTimer(request.dueMs - nowMs, () => this.#expire());
        return;
      }
      request.giveUp();
    }
  }
}

class AnsweredRequest implements StreamHandler {
  readonly dueMs: number;
  readonly #stream: ServerStream;
  readonly #all: Set<AnsweredRequest>;
  #droppedBytes = 0;

  constructor(stream: ServerStream, dueMs: number, all: Set<AnsweredRequest>) {
    this.#stream = stream;
    this.dueMs = dueMs;
    this.#all = all;
  }

  data(_buffer: Buffer, from: number, to: number): void {
    this.#droppedBytes += to - from;
    if (this.#droppedBytes > http2.answeredRequestBytesMax) this.giveUp();
    else this.#stream.consumed(to - from);
  }

  end(): void {
    this.giveUp();
  }

  drained(): void {}

  closed(): void {
    this.#all.delete(this);
  }

  giveUp(): void {
    this.#stream.reset(errorCode.NO_ERROR);
  }
}
