/**
 * `SharedBarrier`: the connections that wait for one answer of the shared log share it. Those that come while a question is under way
 * share the next one, since the answer to that may be older than what they have read.
 */
import type { ClusterView } from '../../../cluster/cluster-view.ts';

/** @param isWriter whether this node surely was the writer when it was asked. */
export type BarrierWaiter = (isWriter: boolean) => void;

export class SharedBarrier {
  readonly #view: Pick<ClusterView, 'readBarrier' | 'role'>;
  readonly #yieldNow: (run: () => void) => void;
  #waiting: BarrierWaiter[] = [];
  #isUnderWay = false;

  /** @param yieldNow runs something behind what other sockets have brought in this turn. */
  constructor(view: Pick<ClusterView, 'readBarrier' | 'role'>, yieldNow: (run: () => void) => void) {
    this.#view = view;
    this.#yieldNow = yieldNow;
  }

  wait(waiter: BarrierWaiter): void {
    this.#waiting.push(waiter);
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    this.#yieldNow(() => void this.#askForAll());
  }

  async #askForAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      const isWriter = await this.#ask();
      for (const waiter of waiting) waiter(isWriter);
    }
    this.#isUnderWay = false;
  }

  async #ask(): Promise<boolean> {
    try {
      await this.#view.readBarrier();
    } catch {
      return false;
    }
    // What a follower is told by a barrier is nothing about what it has read as the writer.
    return this.#view.role === 'writer';
  }
}
