/**
 * `UnconfirmedReplies`: replies of one connection to the writer that tell what was read. They wait until the shared log has confirmed,
 * after the read, that this node still was the writer: one that is cut off would tell what others have changed since. What goes out
 * behind them waits with them.
 *
 * A reply that waits for a record of its own to become durable needs no question: the shared log takes it from the writer alone. So
 * a change covers what was read before it.
 */
import { Fifo } from '../../../store/fifo.ts';
import type { BarrierWaiter } from './shared-barrier.ts';

interface Unconfirmed {
  readonly bytes: Buffer;
  /** Whether it waits for an answer itself, not only for what is before it. */
  readonly isRead: boolean;
}

export interface UnconfirmedTarget {
  /** It may go out, as far as the cluster is concerned. */
  confirmed(bytes: Buffer): void;
  /** Nothing of what waits may ever go out. */
  refused(): void;
}

export class UnconfirmedReplies {
  readonly #wait: (waiter: BarrierWaiter) => void;
  readonly #target: UnconfirmedTarget;
  readonly #waiting = new Fifo<Unconfirmed>();
  /** Something was read since the last change. */
  #hasRead = false;

  constructor(wait: (waiter: BarrierWaiter) => void, target: UnconfirmedTarget) {
    this.#wait = wait;
    this.#target = target;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** A call has run. @param hasChanged whether its reply waits for a record of its own. */
  ran(hasChanged: boolean): void {
    this.#hasRead = !hasChanged;
  }

  /** @returns false: nothing is to be waited for. */
  hold(bytes: Buffer): boolean {
    const isRead = this.#hasRead;
    this.#hasRead = false;
    if (!isRead && this.isEmpty) return false;
    this.#waiting.push({ bytes, isRead });
    if (isRead) this.#wait(this.#answered);
    return true;
  }

  /** Before a long reply begins. @returns false: `begin` is for the caller to call. */
  holdLong(begin: () => void): boolean {
    if (!this.#hasRead) return false;
    this.#hasRead = false;
    this.#wait((isWriter) => {
      if (isWriter) begin();
      else this.#target.refused();
    });
    return true;
  }

  /** The connection is closed. */
  close(): void {
    while (this.#waiting.length > 0) this.#waiting.shift();
  }

  readonly #answered: BarrierWaiter = (isWriter) => {
    const first = this.#waiting.shift();
    if (first === undefined) return;
    if (!isWriter) {
      this.close();
      this.#target.refused();
      return;
    }
    this.#target.confirmed(first.bytes);
    for (let next = this.#waiting.peek(); next?.isRead === false; next = this.#waiting.peek()) {
      this.#waiting.shift();
      this.#target.confirmed(next.bytes);
    }
  };
}
