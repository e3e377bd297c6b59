/**
 * The memory that the watches of one stream hold for messages they make, which is that of their call, all together. So many of them
 * make messages at once; the rest wait, in the order in which they came.
 *
 * Invariant: the call is asked for more one time after the other, since it knows one amount only.
 */
import { serverFixed } from '../../../limits.ts';
import type { Call } from '../../calls/call.ts';

interface Waiting {
  readonly bytes: number;
  readonly answer: (isHeld: boolean | Promise<boolean>) => void;
}

export class StreamMemory {
  readonly #call: Pick<Call, 'holdForMessages'>;
  readonly #bytesByHolder = new Map<object, number>();
  #bytes = 0;
  readonly #waitingByHolder = new Map<object, Waiting>();
  /** The call has been asked, and has not answered. */
  #isAsking = false;

  constructor(call: Pick<Call, 'holdForMessages'>) {
    this.#call = call;
  }

  /** Sets what one of them holds. @returns false: it was dropped, or the call is over. */
  hold(holder: object, bytes: number): boolean | Promise<boolean> {
    if (bytes <= (this.#bytesByHolder.get(holder) ?? 0)) {
      this.#set(holder, bytes);
      this.#goOn();
      return true;
    }
    // What it holds is of messages that were sent: those that wait come before it.
    this.#set(holder, 0);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let answered: boolean | Promise<boolean> = promise;
    this.#waitingByHolder.set(holder, {
      bytes,
      answer: (isHeld) => {
        answered = isHeld;
        resolve(isHeld);
      },
    });
    this.#goOn();
    return answered;
  }

  /** It holds nothing any more, and waits for nothing. */
  drop(holder: object): void {
    this.#waitingByHolder.get(holder)?.answer(false);
    this.#waitingByHolder.delete(holder);
    if (!this.#bytesByHolder.has(holder)) return;
    this.#set(holder, 0);
    this.#goOn();
  }

  #ask(holder: object, bytes: number): boolean | Promise<boolean> {
    this.#set(holder, bytes);
    const answer = this.#call.holdForMessages(this.#bytes);
    return typeof answer === 'boolean' ? answer : this.#answered(answer);
  }

  async #answered(answer: Promise<boolean>): Promise<boolean> {
    this.#isAsking = true;
    const isHeld = await answer;
    this.#isAsking = false;
    // Others may have given back what they had.
    if (isHeld) this.#goOn();
    return isHeld;
  }

  /** Gives back what is held no more, and lets others have it. */
  #goOn(): void {
    if (this.#isAsking) return;
    void this.#call.holdForMessages(this.#bytes);
    for (const [holder, { bytes, answer }] of this.#waitingByHolder) {
      if (this.#isAsking || !this.#hasRoomFor(holder)) return;
      this.#waitingByHolder.delete(holder);
      answer(this.#ask(holder, bytes));
    }
  }

  #hasRoomFor(holder: object): boolean {
    return this.#bytesByHolder.has(holder) || this.#bytesByHolder.size < serverFixed.etcdWatchesAtWorkMax;
  }

  #set(holder: object, bytes: number): void {
    this.#bytes += bytes - (this.#bytesByHolder.get(holder) ?? 0);
    if (bytes === 0) this.#bytesByHolder.delete(holder);
    else this.#bytesByHolder.set(holder, bytes);
  }
}
