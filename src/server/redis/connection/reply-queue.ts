/**
 * Replies of all connections that wait for the disk: each goes out once all that it may depend on is durable.
 *
 * Invariant: the sequences in the queue never go down, since each is the newest of its moment. So those that may go out are at its
 * head, and the replies of one connection go out in their order.
 *
 * While there are more bytes of them than `redisWaitingBytesOfAllPaused`, commands whose replies would come to them wait before they
 * begin, and their clients are not read from.
 */
import { serverFixed } from '../../../limits.ts';
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
  readonly #later: (run: () => void) => void;
  /** Commands that wait until there are fewer. */
  #held: (() => void)[] = [];
  #bytes = 0;

  /** @param later runs what was held, in a turn of its own. */
  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** The sequence of the last one; 0: there is none. */
  get lastSequence(): number {
    return this.#waiting.last()?.sequence ?? 0;
  }

  get isFull(): boolean {
    return this.#bytes > serverFixed.redisWaitingBytesOfAllPaused;
  }

  /** Runs something once it is not full any more. */
  hold(run: () => void): void {
    this.#held.push(run);
  }

  /** Replies that wait elsewhere count among those of all; `bytes` below 0: they wait no more. */
  charge(bytes: number): void {
    this.#bytes += bytes;
    if (bytes < 0) this.#release();
  }

  add(sequence: number, target: ReplyTarget, bytes: Buffer): void {
    this.#bytes += bytes.length;
    this.#waiting.push({ sequence: Math.max(sequence, this.lastSequence), target, bytes });
  }

  durable(sequence: number): void {
    for (
      let first = this.#waiting.peek();
      first !== undefined && first.sequence <= sequence;
      first = this.#waiting.peek()
    ) {
      this.#waiting.shift();
      this.#bytes -= first.bytes.length;
      first.target.send(first.bytes);
    }
    this.#release();
  }

  fail(): void {
    for (let first = this.#waiting.shift(); first !== undefined; first = this.#waiting.shift()) {
      this.#bytes -= first.bytes.length;
      first.target.fail();
    }
    this.#release();
  }

  #release(): void {
    if (this.isFull || this.#held.length === 0) return;
    for (const run of this.#held.splice(0)) this.#later(run);
  }
}
