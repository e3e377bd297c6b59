/**
 * What makes reads of a node linearizable: behind a question to the shared log that was asked after the read had come, the node's
 * visible state has all that was acknowledged before.
 *
 * One question serves all that wait. It must be asked after they came, so those that come while one is under way share the next:
 *
 *     read 1          ask ------------- answer     reads 1
 *     read 2, read 3       ^            ask ------------- answer     reads 2 and 3
 */
import { orAborted } from '../waits/or-aborted.ts';

export class ReadBarrier<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #confirm: (answer: Answer) => Promise<void>;
  #next: PromiseWithResolvers<void> | undefined;
  #isAsking = false;

  /** @param confirm resolves when the visible state has what the answer says. Those of several answers may be under way. */
  constructor(ask: () => Promise<Answer>, confirm: (answer: Answer) => Promise<void>) {
    this.#ask = ask;
    this.#confirm = confirm;
  }

  /** Rejects with what `ask` or `confirm` do, or with the signal's reason. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    if (!this.#isAsking) void this.#askOn();
    return orAborted(promise, signal);
  }

  async #askOn(): Promise<void> {
    this.#isAsking = true;
    // Those that come in this turn share the question.
    await Promise.resolve();
    for (let round = this.#next; round !== undefined; round = this.#next) {
      this.#next = undefined;
      const { resolve, reject, promise } = round;
      // All who waited may have left.
      promise.catch(() => undefined);
      try {
        const answer = await this.#ask();
        this.#confirm(answer).then(resolve, reject);
      } catch (error) {
        reject(error);
      }
    }
    this.#isAsking = false;
  }
}
