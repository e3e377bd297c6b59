/**
 * Replies of all connections that wait for the disk: each goes out once all that it may depend on is durable.
 *
 * Invariant: the sequences in the queue never go down, since each is the newest of its moment. So those that may go out are at its
 * head, and the replies of one connection go out in their order.
 */
import { Fifo } from '../../../store/fifo.ts';

/** Whom it goes to. */
export interface ReplyTarget {
  send(bytes: Buffer): void;
  /** What it waits for will never be durable. */
  fail(): void;
}

interface WaitingReply {
  readonly sequence: number;
  readonly target: ReplyTarget;
  readonly bytes: Buffer;
}

export class ReplyQueue {
  readonly #waiting = new Fifo<WaitingReply>();

  get length(): number {
    return this.#waiting.length;
  }

  /** The sequence of the last one; 0: there is none. */
  get lastSequence(): number {
    return this.#waiting.last()?.sequence ?? 0;
  }

  add(sequence: number, target: ReplyTarget, bytes: Buffer): void {
    this.#waiting.push({ sequence: Math.max(sequence, this.lastSequence), target, bytes });
  }

  durable(sequence: number): void {
    for (
      let first = this.#waiting.peek();
      first !== undefined && first.sequence <= sequence;
      first = this.#waiting.peek()
    ) {
      this.#waiting.shift();
      first.target.send(first.bytes);
    }
  }

  fail(): void {
    for (let first = this.#waiting.shift(); first !== undefined; first = this.#waiting.shift())
      first.target.fail();
  }
}
