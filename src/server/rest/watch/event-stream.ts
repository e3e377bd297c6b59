/**
 * The stream of one watch: its events, as they come and as its reader takes them.
 *
 * As with gRPC, a stream takes memory for a message before the store makes it and gives it back when it is written: one that is not
 * read holds nothing, and when what it has not seen is no longer kept it ends. The last event says why a stream ends, unless it ends
 * within an event.
 */
import type { WatchRequest } from '../../../api.ts';
import { serverFixed } from '../../../limits.ts';
import type { PulledWatch, WatchReader } from '../../../store/watch/messages/pulled-watch.ts';
import { isUnforeseen } from '../../calls/outcome.ts';
import { jsonTurns } from '../../json/turn-work.ts';
import { problemOf } from '../problem.ts';
import { PacedReply } from '../replies/paced-reply.ts';
import type { RestCall } from '../rest-call.ts';
import { CONTINUED, type EventText, errorText, eventForms, retryText, textOf } from './event-text.ts';

export const eventStreamHeaders = [
  'content-type',
  'text/event-stream',
  'cache-control',
  'no-store',
  // Of nginx: it would keep events back until there are many.
  'x-accel-buffering',
  'no',
];

export class EventStream implements WatchReader {
  readonly #call: RestCall;
  readonly #hasValues: boolean;
  readonly #watch: PulledWatch<EventText>;
  #goOn: (() => void) | undefined;
  /** An event was begun and not ended. */
  #isWithinEvent = false;
  /** Where to go on behind what was sent. */
  #resumeRevision: number;

  /** Throws what the store says of a watch that can't begin. */
  constructor(call: RestCall, request: WatchRequest) {
    this.#call = call;
    this.#hasValues = request.keysOnly !== true;
    this.#resumeRevision = request.startRevision ?? 0;
    this.#watch = call.store.openWatch(
      request,
      this.#hasValues ? eventForms.withValues : eventForms.keysOnly,
      this,
    );
  }

  /** Resolves when the stream has ended. */
  async send(): Promise<void> {
    const reply = new PacedReply(this.#call, eventStreamHeaders, () => this.#stop());
    try {
      await reply.write(Buffer.from(retryText(serverFixed.eventsRetryMs)));
      await this.#sendAll(reply);
      const { isEndedByServer, isClosed, abortReason } = this.#call.call;
      if (isEndedByServer) throw this.#call.call.serverEnd(this.#resumeRevision);
      // It is not allowed any more.
      if (!isClosed && abortReason instanceof Error) throw abortReason;
    } catch (error) {
      this.#watch.end();
      if (isUnforeseen(error)) throw error;
      await this.#sendEnd(reply, this.#call.call.watchEnd(error, this.#resumeRevision));
    }
    reply.end();
  }

  /** Of the watch: there may be something to take. */
  ready(): void {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }

  admit(bytes: number): boolean | Promise<boolean> {
    return this.#call.call.holdForMessages(bytes);
  }

  #stop(): void {
    this.#watch.end();
    this.ready();
  }

  async #sendAll(reply: PacedReply): Promise<void> {
    for (;;) {
      const text = this.#watch.take();
      if (text !== undefined) {
        this.#call.call.checkMessage(text.contentBytes);
        await this.#sendText(reply, text);
      } else if (this.#watch.isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#goOn = resolve;
        });
      }
    }
  }

  async #sendText(reply: PacedReply, text: EventText): Promise<void> {
    const isContinued = this.#isWithinEvent;
    this.#isWithinEvent = true;
    if (text.written === undefined) {
      await this.#sendLong(reply, text, isContinued);
    } else {
      const { bytes, continuedAt } = text.written;
      if (isContinued) await reply.write(CONTINUED);
      await reply.write(isContinued ? bytes.subarray(continuedAt) : bytes);
    }
    this.#isWithinEvent = text.isOpen;
    this.#resumeRevision = text.resumeRevision ?? this.#resumeRevision;
  }

  async #sendLong(reply: PacedReply, { message }: EventText, isContinued: boolean): Promise<void> {
    const json = await jsonTurns.run(() => textOf(message, this.#hasValues, isContinued));
    for (;;) {
      const piece = await jsonTurns.run(() => json.take());
      if (piece === undefined || !(await reply.write(piece))) return;
    }
  }

  async #sendEnd(reply: PacedReply, error: unknown): Promise<void> {
    const problem = problemOf(error);
    this.#call.call.outcome = problem.grpcCode;
    // What stands there of an event is dropped by its reader, and would be taken for a part of this one.
    if (!this.#isWithinEvent) await reply.write(Buffer.from(errorText(problem)));
  }
}
