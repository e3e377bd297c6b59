/** The changes of a mirror that a reader has not taken yet, in their order. */
import { KelpError } from '../errors/error.ts';
import type { MirrorChange } from './types.ts';

export interface QueueBounds {
  readonly changesMax: number;
  /** Of the keys and values in them. */
  readonly bytesMax: number;
}

interface Waiting {
  readonly change: MirrorChange;
  readonly bytes: number;
}

export class ChangeQueue {
  readonly #bounds: QueueBounds;
  readonly #onEnd: (queue: ChangeQueue) => void;
  #waiting: Waiting[] = [];
  #byteCount = 0;
  #failure: KelpError | undefined;
  #isEnded = false;
  #wake: (() => void)[] = [];

  constructor(bounds: QueueBounds, onEnd: (queue: ChangeQueue) => void) {
    this.#bounds = bounds;
    this.#onEnd = onEnd;
  }

  push(change: MirrorChange, bytes: number): void {
    if (this.#isEnded) return;
    this.#waiting.push({ change, bytes });
    this.#byteCount += bytes;
    const { changesMax, bytesMax } = this.#bounds;
    // One that is longer than all may be together is handed out by itself.
    if (this.#waiting.length > changesMax || (this.#byteCount > bytesMax && this.#waiting.length > 1)) {
      this.fail(
        new KelpError(
          'limitReached',
          `the reader of the changes of a mirror has not taken ${this.#waiting.length} of them with ${this.#byteCount} bytes; a mirror ` +
            `keeps ${changesMax} and ${bytesMax} bytes for it: read faster, or look at the mirror anew`,
          undefined,
        ),
      );
      return;
    }
    this.#wakeAll();
  }

  /** What is waiting is dropped: with a change missing the others say nothing. */
  fail(error: KelpError): void {
    this.#failure = error;
    this.end();
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#waiting = [];
    this.#onEnd(this);
    this.#wakeAll();
  }

  async next(): Promise<IteratorResult<MirrorChange, void>> {
    for (;;) {
      const first = this.#waiting.shift();
      if (first !== undefined) {
        this.#byteCount -= first.bytes;
        return { done: false, value: first.change };
      }
      if (this.#isEnded) {
        const failure = this.#failure;
        this.#failure = undefined;
        if (failure !== undefined) throw failure;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #wakeAll(): void {
    const waking = this.#wake;
    this.#wake = [];
    for (const wake of waking) wake();
  }
}
