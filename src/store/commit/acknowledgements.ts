/**
 * Decides when a result may leave the store: not before everything that it depends on is as durable as the policy asks.
 *
 * Every committed record has a sequence number of the log. A result, be it of a write, of a failed condition or of a
 * read within a transaction, depends at most on the records committed before it was computed; it waits for the newest of
 * them. When the log reports a sequence number as durable, in this order: the visible revision moves, the watch hub
 * learns of the transactions, the results go out.
 */
import type { StoreError } from '../../errors.ts';
import { Fifo } from '../fifo.ts';

/** The part of the log that is needed here. */
export interface Sequences {
  readonly committedSequence: number;
  readonly durableSequence: number;
}

interface Committed<Staged> {
  readonly sequence: number;
  readonly revision: number;
  readonly staged: Staged;
}

interface Waiter {
  readonly sequence: number;
  settle(failure: Failure | undefined): void;
}

/** What a call is told that can't be answered since the log has failed. */
export interface Failure {
  /** It has changed something, which may be on disk or not. */
  readonly whenChanged: StoreError;
  /** It has not. */
  readonly whenUnchanged: StoreError;
}

/** `Staged` is what the publisher wants to get back when the transaction has become visible. */
export class Acknowledgements<Staged> {
  readonly #log: Sequences;
  readonly #publish: (revision: number, staged: Staged) => void;
  readonly #published: () => void;
  readonly #committed = new Fifo<Committed<Staged>>();
  readonly #waiters = new Fifo<Waiter>();
  #visibleRevision: number;
  #failure: Failure | undefined;

  /**
   * @param publish called for each transaction when it has become visible, in order, before any result goes out.
   * @param published called once after a row of them.
   */
  constructor(
    log: Sequences,
    visibleRevision: number,
    publish: (revision: number, staged: Staged) => void,
    published: () => void,
  ) {
    this.#log = log;
    this.#visibleRevision = visibleRevision;
    this.#publish = publish;
    this.#published = published;
  }

  /** The newest revision that reads and watches may show. */
  get visibleRevision(): number {
    return this.#visibleRevision;
  }

  /** A transaction was appended to the log. */
  committed(sequence: number, revision: number, staged: Staged): void {
    this.#committed.push({ sequence, revision, staged });
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
      this.#waiters.push({
        sequence,
        settle: (failure) => {
          if (failure === undefined) resolve(result);
          else reject(hasChanged ? failure.whenChanged : failure.whenUnchanged);
        },
      });
    });
  }

  /** Everything up to `sequence` is durable. */
  durable(sequence: number): void {
    let moved = false;
    for (let next = this.#committed.peek(); next !== undefined && next.sequence <= sequence;) {
      this.#committed.shift();
      this.#visibleRevision = next.revision;
      this.#publish(next.revision, next.staged);
      moved = true;
      next = this.#committed.peek();
    }
    if (moved) this.#published();
    for (let next = this.#waiters.peek(); next !== undefined && next.sequence <= sequence;) {
      this.#waiters.shift();
      next.settle(undefined);
      next = this.#waiters.peek();
    }
  }

  /** The log has failed for good: whatever is not durable now will never be reported as done. */
  fail(failure: Failure): void {
    this.#failure = failure;
    for (let next = this.#waiters.shift(); next !== undefined; next = this.#waiters.shift())
      next.settle(failure);
  }
}
