/** A watch as an iteration, for those who hold the store in process: promises around a watch that is pulled. */
import type { WatchMessage, WatchRequest } from '../../api.ts';
import type { PulledWatch, WatchReader } from './messages/pulled-watch.ts';

const DONE: IteratorResult<WatchMessage> = { done: true, value: undefined };

export class WatchIterator implements AsyncIterableIterator<WatchMessage>, WatchReader {
  readonly #watch: PulledWatch<WatchMessage>;
  readonly #admit: WatchRequest['admit'];
  /** Goes on with the call of `next` that found nothing. */
  #goOn: (() => void) | undefined;
  /** Calls of `next` run one after the other. Holds no result of theirs. */
  #lastCall: Promise<void> = Promise.resolve();

  constructor({ admit }: WatchRequest, open: (reader: WatchReader) => PulledWatch<WatchMessage>) {
    this.#admit = admit;
    this.#watch = open(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WatchMessage>> {
    const call = this.#lastCall.then(() => this.#next());
    // A promise that is settled keeps what it was settled with.
    this.#lastCall = call.then(forget, forget);
    return call;
  }

  return(): Promise<IteratorResult<WatchMessage>> {
    this.#watch.end();
    this.ready();
    return Promise.resolve(DONE);
  }

  ready(): void {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }

  admit(bytes: number): boolean | Promise<boolean> {
    return this.#admit?.(bytes) ?? true;
  }

  async #next(): Promise<IteratorResult<WatchMessage>> {
    for (;;) {
      const message = this.#watch.take();
      if (message !== undefined) return { done: false, value: message };
      if (this.#watch.isOver) return DONE;
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
      });
    }
  }
}

function forget(): void {}
