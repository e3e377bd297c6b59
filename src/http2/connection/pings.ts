/** The PINGs that were sent and not answered yet (RFC 9113, section 6.7). Their bytes are a number each. */
import { PING_BYTES, readWord, WORD_BYTES, writeWord } from '../frames/frame.ts';

/** Who waits for the answer to a PING. */
export interface PingWaiter {
  answered(): void;
  /** The connection ended before. */
  lost(): void;
}

export class Pings {
  #count = 0;
  /** Made with the first one. */
  #waiterByNumber: Map<number, PingWaiter> | undefined;

  /** @returns the bytes of the frame to send. */
  add(waiter: PingWaiter): Buffer {
    const number = ++this.#count;
    (this.#waiterByNumber ??= new Map()).set(number, waiter);
    const payload = Buffer.alloc(PING_BYTES);
    writeWord(payload, WORD_BYTES, number);
    return payload;
  }

  /** An answer has come. @returns false when it is one to nothing. */
  answered(payload: Buffer): boolean {
    const number = readWord(payload, 0) === 0 ? readWord(payload, WORD_BYTES) : 0;
    const waiter = this.#waiterByNumber?.get(number);
    if (waiter === undefined) return false;
    this.#waiterByNumber?.delete(number);
    waiter.answered();
    return true;
  }

  lose(): void {
    const waiters = [...(this.#waiterByNumber?.values() ?? [])];
    this.#waiterByNumber = undefined;
    for (const waiter of waiters) waiter.lost();
  }
}
