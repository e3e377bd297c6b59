/**
 * Decides when a result may leave the store by a promise: not before everything that it depends on is as durable as the policy
 * asks.
 *
 * Every committed record has a sequence number of the log. A result, be it of a write, of a failed condition or of a
 * read within a transaction, depends at most on the records committed before it was computed; it waits for the newest of
 * them. When the log reports a sequence number as durable, the visible revision has moved before results go out.
 */
import type { Failure } from '../seam.ts';
import { Fifo } from '../fifo.ts';

/** The part of the log that is needed here. */
export interface Sequences {
  readonly committedSequence: number;
  readonly durableSequence: number;
}

interface Waiter {
  readonly sequence: number;
  readonly hasChanged: boolean;
  readonly result: unknown;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

export class Acknowledgements {
  readonly #log: Sequences;
  readonly #waiters = new Fifo<Waiter>();
  #failure: Failure | undefined;

  constructor(log: Sequences) {
    this.#log = log;
  }

  /**
   * Resolves with `result` once all that is committed now is durable.
   * @param hasChanged whether the call has committed something itself.
   */
  whenDurable<Result>(result: Result, hasChanged: boolean): Promise<Result> {
    const sequence = this.#log.committedSequence;
    if (sequence <= this.#log.durableSequence) return Promise.resolve(result);
    // Since then nothing could be committed.
    if (this.#failure !== undefined) return Promise.reject(this.#failure.whenUnchanged);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ sequence, hasChanged, result, resolve, reject });
    });
  }

  /** Everything up to `sequence` is durable, and shown. */
  durable(sequence: number): void {
    const waiters = this.#waiters;
    for (let next = waiters.peek(); next !== undefined && next.sequence <= sequence; next = waiters.peek()) {
      waiters.shift();
      next.resolve(next.result as never);
    }
  }

  /** The log has failed for good: whatever is not durable now will never be reported as done. */
  fail(failure: Failure): void {
    this.#failure = failure;
    for (let next = this.#waiters.shift(); next !== undefined; next = this.#waiters.shift())
      next.reject(next.hasChanged ? failure.whenChanged : failure.whenUnchanged);
  }
}
