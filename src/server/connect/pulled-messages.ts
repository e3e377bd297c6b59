/** What a method pushes, for Connect's handlers, which pull: the next message is made when it is asked for. */
import type { Call } from '../calls/calls.ts';
import type { PushedReplies, ReplyOutlet } from '../services/method.ts';

export class PulledMessages implements AsyncIterableIterator<Buffer>, ReplyOutlet {
  readonly #open: (outlet: ReplyOutlet) => PushedReplies;
  readonly #call: Call;
  #replies: PushedReplies | undefined;
  #asked: PromiseWithResolvers<IteratorResult<Buffer>> | undefined;
  #end: { readonly error: unknown } | undefined;

  constructor(open: (outlet: ReplyOutlet) => PushedReplies, call: Call) {
    this.#open = open;
    this.#call = call;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Asked for one at a time. What was handed out before is written. */
  next(): Promise<IteratorResult<Buffer>> {
    const asked = Promise.withResolvers<IteratorResult<Buffer>>();
    this.#asked = asked;
    if (this.#end !== undefined) {
      this.#settle();
    } else {
      try {
        this.#begun().goOn();
      } catch (error) {
        this.finish(error);
      }
    }
    return asked.promise;
  }

  return(): Promise<IteratorResult<Buffer>> {
    this.#replies?.stop();
    return Promise.resolve(DONE);
  }

  send(message: Buffer): boolean {
    this.#asked?.resolve({ done: false, value: message });
    this.#asked = undefined;
    return false;
  }

  finish(error: unknown): void {
    this.#end ??= { error };
    this.#settle();
  }

  #begun(): PushedReplies {
    if (this.#replies === undefined) {
      const replies = (this.#replies = this.#open(this));
      this.#call.onAbort = () => replies.stop();
    }
    return this.#replies;
  }

  #settle(): void {
    const error = this.#end?.error;
    if (error === undefined) this.#asked?.resolve(DONE);
    else this.#asked?.reject(error);
    this.#asked = undefined;
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
