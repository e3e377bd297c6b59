/**
 * Decides when a result may leave the store by a promise: not before everything that it depends on is as durable as the policy
 * asks.
 *
 * Every committed record has a sequence number of the log. A result, be it of a write, of a failed condition or of a
 * read within a transaction, depends at most on the records committed before it was computed; it waits for the newest of
 * them. When the log reports a sequence number as durable, the visible revision has moved before results go out.
 *
 * That a record is durable also proves that this store was still the one that writes. A result that comes without a record proves nothing:
 * where others may take over it has to be confirmed (`confirmBy`), behind the moment at which it was computed. A read is no such result:
 * the doors have its caller choose how new it must be, and have confirmed that before it runs.
 */
import type { Failure } from '../seam.ts';
import { Fifo } from '../fifo.ts';

/** The part of the log that is needed here. */
export interface Sequences {
  readonly committedSequence: number;
  readonly durableSequence: number;
}

let resolveMade: (result: unknown) => void;
let rejectMade: (error: unknown) => void;
/** The functions of the promise that was made last: taken over at once, they need no function of their own for each. */
const takeOver = (resolve: (result: never) => void, reject: (error: unknown) => void): void => {
  resolveMade = resolve as (result: unknown) => void;
  rejectMade = reject;
};

/** What waits until all that was committed before is durable. */
export interface Waiter {
  /** Of the log: what must be durable first. */
  sequence: number;
  /** Whether it needs no confirmation where others may write: it has committed something itself, or only reads. */
  readonly isConfirmed: boolean;
  /** Whether it is held while changes outrun the disk (`answer-gate.ts`): it has committed something itself. */
  readonly isHeldBack: boolean;
  settle(): void;
  /** Called in place of `settle` when the log has failed. */
  fail(failure: Failure): void;
}

/** A promise, with what it is settled by and what it waits for: one object for a call's whole way. */
export class Answer<Result> implements Waiter {
  readonly promise: Promise<Result> = new Promise(takeOver);
  readonly #resolve = resolveMade;
  readonly #reject = rejectMade;
  result: Result | undefined;
  /** What it is rejected with instead. */
  error: unknown;
  sequence = 0;
  /** Whether the call has committed something itself. */
  hasChanged = false;

  get isConfirmed(): boolean {
    return this.hasChanged;
  }

  get isHeldBack(): boolean {
    return this.hasChanged;
  }

  settle(): void {
    if (this.error === undefined) this.#resolve(this.result);
    else this.#reject(this.error);
  }

  fail({ whenChanged, whenUnchanged }: Failure): void {
    this.#reject(this.hasChanged ? whenChanged : whenUnchanged);
  }
}

/** The answer to what only reads. */
export class ReadAnswer<Result> extends Answer<Result> {
  override get isConfirmed(): boolean {
    return true;
  }
}

export class Acknowledgements {
  readonly #log: Sequences;
  readonly #gate: { readonly sequence: number };
  readonly #waiters = new Fifo<Waiter>();
  /** Of what is durable, those that the gate holds. */
  readonly #held = new Fifo<Waiter>();
  #failure: Failure | undefined;
  #confirm: (() => Promise<void>) | undefined;

  /** @param gate up to which sequence those are answered that have changed something; left out: as soon as that is durable. */
  constructor(log: Sequences, gate: { readonly sequence: number } = { sequence: Infinity }) {
    this.#log = log;
    this.#gate = gate;
  }

  /** From now on what is not confirmed waits until this resolves, too; what it rejects with is the answer otherwise. */
  confirmBy(confirm: () => Promise<void>): void {
    this.#confirm = confirm;
  }

  /** Settles what waits once all that is committed now is durable. */
  add(waiter: Waiter): void {
    if (waiter.isConfirmed || this.#confirm === undefined) this.#add(waiter);
    else void this.#addConfirmed(waiter, this.#confirm);
  }

  async #addConfirmed(waiter: Waiter, confirm: () => Promise<void>): Promise<void> {
    const sequence = this.#log.committedSequence;
    try {
      await confirm();
    } catch (error) {
      waiter.fail({ whenChanged: error as Error, whenUnchanged: error as Error });
      return;
    }
    // It does not wait for what was committed meanwhile.
    if (sequence <= this.#log.durableSequence) this.#settle(waiter);
    else this.#add(waiter);
  }

  #add(waiter: Waiter): void {
    const sequence = this.#log.committedSequence;
    waiter.sequence = sequence;
    if (sequence <= this.#log.durableSequence) this.#settle(waiter);
    else if (this.#failure !== undefined) waiter.fail(this.#failure);
    else this.#waiters.push(waiter);
  }

  /** Everything up to `sequence` is durable, and shown. */
  durable(sequence: number): void {
    const waiters = this.#waiters;
    for (let next = waiters.peek(); next !== undefined && next.sequence <= sequence; next = waiters.peek()) {
      waiters.shift();
      this.#settle(next);
    }
  }

  /** The gate lets out what it has held up to `sequence`. */
  released(sequence: number): void {
    const held = this.#held;
    for (let next = held.peek(); next !== undefined && next.sequence <= sequence; next = held.peek()) {
      held.shift();
      next.settle();
    }
  }

  /** The log has failed for good: whatever is not durable now will never be reported as done. */
  fail(failure: Failure): void {
    this.#failure = failure;
    for (let next = this.#waiters.shift(); next !== undefined; next = this.#waiters.shift())
      next.fail(failure);
  }

  /** What it waits for is durable. */
  #settle(waiter: Waiter): void {
    if (waiter.isHeldBack && waiter.sequence > this.#gate.sequence) this.#held.push(waiter);
    else waiter.settle();
  }
}
