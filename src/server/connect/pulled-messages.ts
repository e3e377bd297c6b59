/** What a method pushes, for Connect's handlers, which pull: the next message is made when it is asked for. */
import type { KvStore } from '../../kv/kv-store.ts';
import type { Call } from '../calls/call.ts';
import type { PushStreamMethod, PushedReplies, ReplyOutlet } from '../services/method.ts';

export class PulledMessages implements AsyncIterableIterator<Buffer>, ReplyOutlet {
  readonly #method: PushStreamMethod;
  readonly #store: KvStore;
  /** Until that is opened, which keeps nothing of it. */
  #request: unknown;
  readonly #call: Call;
  #replies: PushedReplies | undefined;
  #asked: PromiseWithResolvers<IteratorResult<Buffer>> | undefined;
  #end: { readonly error: unknown } | undefined;

  constructor(method: PushStreamMethod, store: KvStore, request: unknown, call: Call) {
    this.#method = method;
    this.#store = store;
    this.#request = request;
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
      const replies = this.#method.open(this.#store, this.#request, this.#call, this);
      this.#request = undefined;
      this.#replies = replies;
      this.#call.stopOnAbort(replies);
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
