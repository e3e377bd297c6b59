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

/** Who waits for a result. */
export interface Caller<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Waiter {
  readonly sequence: number;
  readonly hasChanged: boolean;
  readonly caller: Caller<never>;
  readonly result: unknown;
  readonly error: unknown;
}

export class Acknowledgements {
  readonly #log: Sequences;
  readonly #waiters = new Fifo<Waiter>();
  #failure: Failure | undefined;

  constructor(log: Sequences) {
    this.#log = log;
  }

  /**
   * Gives the caller its result, or its error if there is one, once all that is committed now is durable.
   * @param hasChanged whether the call has committed something itself.
   */
  add<Result>(caller: Caller<Result>, result: Result | undefined, error: unknown, hasChanged: boolean): void {
    const sequence = this.#log.committedSequence;
    if (sequence <= this.#log.durableSequence) settle(caller, result, error);
    // Since then nothing could be committed.
    else if (this.#failure !== undefined) caller.reject(this.#failure.whenUnchanged);
    else this.#waiters.push({ sequence, hasChanged, caller, result, error });
  }

  /** Everything up to `sequence` is durable, and shown. */
  durable(sequence: number): void {
    const waiters = this.#waiters;
    for (let next = waiters.peek(); next !== undefined && next.sequence <= sequence; next = waiters.peek()) {
      waiters.shift();
      settle(next.caller, next.result, next.error);
    }
  }

  /** The log has failed for good: whatever is not durable now will never be reported as done. */
  fail(failure: Failure): void {
    this.#failure = failure;
    for (let next = this.#waiters.shift(); next !== undefined; next = this.#waiters.shift())
      next.caller.reject(next.hasChanged ? failure.whenChanged : failure.whenUnchanged);
  }
}

function settle({ resolve, reject }: Caller<never>, result: unknown, error: unknown): void {
  if (error === undefined) resolve(result as never);
  else reject(error);
}
