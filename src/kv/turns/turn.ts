/**
 * The calls of one turn of the event loop, run together.
 *
 * The first call of a turn runs at once: a caller that is alone waits for nothing. Those that follow before the promises of
 * the turn have had their say are queued, and run behind it one after the other, in their order: so their keys are fetched
 * together, which takes a third of the time of fetching them one by one, and the clock is read once.
 *
 * Each call is bounded, and so are all together: when they have done so much (`turnVisitsMax`, `turnBytesMax`) the turn rests, and
 * whatever is called is queued until other work has had its turn. What was done in several turns adds up, which costs a rest now
 * and then and no look at where a turn ends.
 */
import type { Value } from '../../api.ts';
import { fixed } from '../../limits.ts';
import type { DurableStore } from '../../store/durable-store.ts';
import type { WorkDone } from '../../work-budget.ts';
import { KeptValues } from './kept-values.ts';
import type { KeyFetcher } from '../reads/key-fetcher.ts';
import { isPlainPut, PlainPuts } from './plain-puts.ts';
import type { TurnCall } from './turn-call.ts';

export interface TurnParts {
  readonly store: DurableStore;
  readonly fetcher: KeyFetcher;
  /** Runs a function once other work has had its turn. */
  yieldNow(run: () => void): void;
}

const NOTHING: WorkDone = { visitsSpent: 0, bytesSpent: 0 };

export class Turn {
  readonly #parts: TurnParts;
  readonly #puts: PlainPuts;
  readonly #values = new KeptValues();
  #queue: TurnCall[] = [];
  #isOpen = false;
  #isResting = false;
  /** What was done since the last rest. */
  #visits = 0;
  #bytes = 0;
  readonly #end = (): void => {
    this.#isOpen = false;
    this.runQueued();
  };
  readonly #goOn = (): void => {
    this.#isResting = false;
    this.runQueued();
  };

  constructor(parts: TurnParts) {
    this.#parts = parts;
    this.#puts = new PlainPuts(parts.store);
  }

  /**
   * Whether the call that comes now is the first, and may run at once; it begins the turn. Another one is to be queued, with
   * copies of what its caller may change.
   */
  begin(): boolean {
    if (this.#isOpen || this.#isResting) return false;
    this.#isOpen = true;
    queueMicrotask(this.#end);
    return true;
  }

  /** Whether all calls are to be queued. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** A value that stays as it is until the calls that are queued have run. */
  keep(value: Value): Uint8Array {
    return this.#values.keep(value);
  }

  queue(call: TurnCall): void {
    this.#queue.push(call);
    if (this.#queue.length >= fixed.turnCallsMax) this.runQueued();
  }

  /** Runs a call now that was not queued. */
  run(call: TurnCall): void {
    this.note(call.run(this.#parts.store));
  }

  /** A call that is none of a turn's has done so much. */
  note({ visitsSpent, bytesSpent }: WorkDone): void {
    this.#visits += visitsSpent;
    this.#bytes += bytesSpent;
    if (this.#visits < fixed.turnVisitsMax && this.#bytes < fixed.turnBytesMax) return;
    this.#visits = 0;
    this.#bytes = 0;
    if (this.#isResting) return;
    this.#isResting = true;
    this.#parts.yieldNow(this.#goOn);
  }

  /** @returns `undefined`: nothing waits; else it resolves when all has run that waits now. */
  caughtUp(): Promise<void> | undefined {
    this.runQueued();
    if (this.#queue.length === 0) return undefined;
    return new Promise((resolve) => {
      this.#queue.push({ run: () => (resolve(), NOTHING) });
    });
  }

  /** Runs what waits, unless it rests: for a call that runs at once, and must not overtake. */
  runQueued(): void {
    while (!this.#isResting && this.#queue.length > 0) this.#runSome();
  }

  /** Runs what waits, also while it rests: for what can't wait itself. */
  finish(): void {
    this.#isResting = false;
    while (this.#queue.length > 0) {
      this.#runSome();
      this.#isResting = false;
    }
  }

  /** Runs calls until it rests, as many as are gathered at most. */
  #runSome(): void {
    const all = this.#queue;
    const queue = all.length <= fixed.turnCallsMax ? all : all.slice(0, fixed.turnCallsMax);
    this.#queue = queue === all ? [] : all.slice(queue.length);
    const { store } = this.#parts;
    let next = 0;
    this.#fetch(queue);
    this.#puts.begin();
    store.atOneInstant(() => {
      while (next < queue.length && !this.#isResting) {
        const done = this.#puts.run(queue, next);
        if (done > next) next = done;
        else {
          const call = queue[next++];
          if (call !== undefined) this.run(call);
        }
      }
    });
    if (next < queue.length) this.#queue.unshift(...queue.slice(next));
    // A listener to one of them may have queued others.
    if (this.#queue.length === 0) this.#values.release();
  }

  /** Plain puts have theirs fetched as a row, so where there is nothing else it is left to that. */
  #fetch(queue: readonly TurnCall[]): void {
    const { fetcher } = this.#parts;
    if (queue.length === 1 || queue.every(isPlainPut)) return;
    for (const { key } of queue) if (key !== undefined) fetcher.add(key);
    fetcher.run();
  }
}
