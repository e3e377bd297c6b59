/** The changes of a mirror that a reader has not taken yet, in their order. */
import { client as limits } from '../../limits.ts';
import { KelpError } from '../errors/error.ts';
import type { Entry } from '../messages/entry.ts';
import { keyOf } from './mirrored-entries.ts';
import type { MirrorChange } from './types.ts';

export interface QueueBounds {
  readonly changesMax: number;
  /** Of all entries that they hold: see `bytesOf`. */
  readonly bytesMax: number;
}

interface Waiting {
  readonly change: MirrorChange;
  readonly bytes: number;
}

/**
 * What a change holds in memory: the new and the previous entry of each event, as the mirror lets go of the previous one and the
 * change alone keeps it.
 */
export function bytesOf({ events }: MirrorChange): number {
  let byteCount = 0;
  for (const event of events) {
    if (event.type === 'put') byteCount += entryBytes(event.entry);
    if (event.previous !== undefined) byteCount += entryBytes(event.previous);
  }
  return byteCount;
}

function entryBytes(entry: Entry): number {
  return limits.mirror.entryOverheadBytes + Buffer.byteLength(keyOf(entry)) + entry.value.length;
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
