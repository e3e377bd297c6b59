/**
 * The calls of one turn of the event loop, as one batch.
 *
 * The first call of a turn runs at once: a caller that is alone waits for nothing. Those that follow before the promises of
 * the turn have had their say are queued, and run behind it one after the other, in their order: so their keys are fetched
 * together, which takes a third of the time of fetching them one by one.
 */
import type { Key } from '../api.ts';
import { fixed } from '../limits.ts';
import { encodeKey } from '../store/views/keys.ts';

/** A call that waits. */
interface Queued {
  /** What it will look at first. */
  readonly key: Key;
  readonly run: () => void;
}

export class Turn {
  readonly #fetch: (keys: readonly Uint8Array[]) => void;
  #queue: Queued[] = [];
  #isOpen = false;
  readonly #end = (): void => {
    this.#isOpen = false;
    this.runQueued();
  };

  constructor(fetch: (keys: readonly Uint8Array[]) => void) {
    this.#fetch = fetch;
  }

  /**
   * Whether the call that comes now is the first, and may run at once; it begins the turn. Another one is to be queued, with
   * copies of what its caller may change.
   */
  begin(): boolean {
    if (this.#isOpen) return false;
    this.#isOpen = true;
    queueMicrotask(this.#end);
    return true;
  }

  /** @param run must not throw. */
  queue(key: Key, run: () => void): void {
    this.#queue.push({ key, run });
    if (this.#queue.length >= fixed.turnCallsMax) this.runQueued();
  }

  /** Runs what waits: for a call that can't be queued, and must not overtake. */
  runQueued(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = [];
    if (queue.length > 1) this.#fetchAll(queue);
    for (const { run } of queue) run();
  }

  #fetchAll(queue: readonly Queued[]): void {
    const keys: Uint8Array[] = [];
    for (const { key } of queue) {
      // What is no key is for its call to refuse.
      if (key.length === 0 || key.length > KEY_LENGTH_MAX) continue;
      if (typeof key !== 'string' || key.isWellFormed()) keys.push(encodeKey(key));
    }
    this.#fetch(keys);
  }
}

/** Of the keys that are fetched: text is three bytes a character at most. */
const KEY_LENGTH_MAX = 64;
