/**
 * The calls that are made of a store in one turn of the event loop, one batch.
 *
 * The first call of a turn runs at once: a caller that is alone waits for nothing. Those that follow before the promises of
 * the turn have had their say are queued, and run behind it one after the other, in their order: so their keys are fetched
 * together, which takes a third of the time of fetching them one by one, and the clock is read once.
 *
 * Each call is bounded, and so are all together: when they have done so much (`turnVisitsMax`, `turnBytesMax`), or those that were
 * queued have taken so long (`turnMs`), the turn rests, and whatever is called is queued until other work has had its turn. What was
 * done in several turns adds up, which costs a rest now and then and no look at where a turn ends.
 *
 * Decisions call functions that may call in their turn: listeners, and what looks at a result before it is made. Such calls are
 * queued as well, and run behind the decision.
 */
import type { GetResult, Key, PutResult, Value } from '../../api.ts';
import type { Clock } from '../../clock.ts';
import { fixed } from '../../limits.ts';
import type { DurableStore } from '../../store/durable-store.ts';
import { TurnTime } from '../../turn-time.ts';
import type { WorkDone } from '../../work-budget.ts';
import { KeptValues } from './kept-values.ts';
import type { KeyFetcher } from '../reads/key-fetcher.ts';
import { isPlainGetCall, PlainGets } from './plain-gets.ts';
import { isPlainPutCall, PlainPuts } from './plain-puts.ts';
import type { CallOwner } from './room-waits.ts';
import type { TurnCall } from './turn-call.ts';

export interface TurnParts {
  readonly store: DurableStore;
  readonly fetcher: KeyFetcher;
  readonly clock: Clock;
}

const NOTHING: WorkDone = { visitsSpent: 0, bytesSpent: 0 };
/** Calls that are run one by one before the clock is read again. */
const CALLS_PER_LOOK = 16;

export class Turn {
  readonly #parts: TurnParts;
  readonly #gets: PlainGets;
  readonly #puts: PlainPuts;
  /** Of the calls that were queued, since the last rest. */
  readonly #time: TurnTime;
  readonly #values = new KeptValues();
  /** What waits, in pieces of `turnCallsMax` calls at most, none of which is empty. */
  readonly #queue: TurnCall[][] = [];
  #isOpen = false;
  #isResting = false;
  #isYielding = false;
  /** How often the calls of a turn had done so much that the rest had to wait. */
  restCount = 0;
  /** Queued calls are run, and may call functions of their callers that call. */
  #isRunning = false;
  /** What was done since the last rest. */
  #visits = 0;
  #bytes = 0;
  readonly #end = (): void => {
    this.#isOpen = false;
    this.runQueued();
  };
  readonly #goOn = (): void => {
    this.#isYielding = false;
    this.#isResting = false;
    this.runQueued();
  };

  constructor(parts: TurnParts) {
    this.#parts = parts;
    this.#gets = new PlainGets(parts.store);
    this.#puts = new PlainPuts(parts.store);
    this.#time = new TurnTime(parts.clock);
  }

  /**
   * Before each call that could be queued. @returns whether it may run now; else it has to be queued, with
   * copies of what its caller may change.
   */
  begin(): boolean {
    if (this.#isOpen || this.#isResting) return false;
    this.#isOpen = true;
    queueMicrotask(this.#end);
    return !this.#isBusy;
  }

  /**
   * Runs what waits, before a call that runs at once, if it may, and must not overtake. @returns whether it may; else it has to be
   * queued, as for `begin`.
   */
  beginAlone(): boolean {
    this.runQueued();
    // What is queued in a decision runs behind it.
    return this.beginRead();
  }

  /** Before a call that may run at once, whatever waits. @returns as `beginAlone`. */
  beginRead(): boolean {
    return this.#isBusy ? this.begin() : !this.#isResting;
  }

  /** Whether all calls are to be queued. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** A value that stays as it is until the calls that are queued have run. */
  keep(value: Value): Uint8Array {
    return this.#values.keep(value);
  }

  readonly queue = (call: TurnCall): void => {
    if (this.#append(call) >= fixed.turnCallsMax) this.runQueued();
  };

  /** Queues a get without options. @param key stays as it is. */
  get(key: Key): Promise<GetResult> {
    return this.#gets.add(key, this.queue);
  }

  /** Queues a put of nothing but a key and a value, which both stay as they are until it has run. */
  put(key: Key, value: Uint8Array, owner: CallOwner | undefined): Promise<PutResult> {
    return this.#puts.add(key, value, this.queue, owner);
  }

  /** Runs a call now that was not queued. */
  run(call: TurnCall): void {
    this.note(call.run(this.#parts.store));
  }

  /** A call that is none of a turn's has done so much. */
  note({ visitsSpent, bytesSpent }: WorkDone): void {
    this.#visits += visitsSpent;
    this.#bytes += bytesSpent;
    if (this.#visits >= fixed.turnVisitsMax || this.#bytes >= fixed.turnBytesMax) this.#rest();
  }

  #look(): void {
    if (this.#time.isOver()) this.#rest();
  }

  #rest(): void {
    this.#visits = 0;
    this.#bytes = 0;
    if (this.#isResting) return;
    this.#isResting = true;
    this.restCount++;
    // One that `finish` has ended is still on its way: two would run twice as much in each turn, for as long as something waits.
    if (this.#isYielding) return;
    this.#isYielding = true;
    this.#parts.clock.yieldNow(this.#goOn);
  }

  /** Runs a function behind all calls made before. @returns `undefined`: it has run; else it resolves when it has. */
  inTurn(run: () => void): Promise<void> | undefined {
    if (this.beginAlone()) {
      run();
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#append({
        run: () => {
          try {
            resolve(run());
          } catch (error) {
            reject(error);
          }
          return NOTHING;
        },
      });
    });
  }

  /** Runs what waits, unless it rests. */
  runQueued(): void {
    while (!this.#isResting && this.#mayRun) this.#runSome();
  }

  /** Runs what waits, also while it rests: for what can't wait itself. */
  finish(): void {
    // The rest goes on where nothing waits: it is not over for those who call next.
    if (!this.#mayRun) return;
    this.#isResting = false;
    while (this.#mayRun) {
      this.#runSome();
      this.#isResting = false;
    }
  }

  /** Something waits, and no decision is being made, which may have listeners that call. */
  get #mayRun(): boolean {
    return this.#queue.length > 0 && !this.#isBusy;
  }

  /** A call is being run, or told of, that others must neither overtake nor disturb. */
  get #isBusy(): boolean {
    return this.#isRunning || this.#parts.store.isDeciding;
  }

  /** @returns how many calls wait in the last piece. */
  #append(call: TurnCall): number {
    const last = this.#queue.at(-1);
    if (last !== undefined && last.length < fixed.turnCallsMax) return last.push(call);
    this.#queue.push([call]);
    return 1;
  }

  /** Runs a piece of what waits, until it rests. */
  #runSome(): void {
    const calls = this.#queue.shift() ?? [];
    const { store } = this.#parts;
    let next = 0;
    this.#time.begin();
    this.#fetch(calls);
    this.#gets.begin();
    this.#puts.begin();
    this.#isRunning = true;
    try {
      store.atOneInstant(() => {
        while (next < calls.length && !this.#isResting) {
          const row = this.#puts.run(calls, next) ?? this.#gets.run(calls, next);
          if (row === undefined) {
            const call = calls[next++];
            if (call !== undefined) this.run(call);
            if (next % CALLS_PER_LOOK === 0) this.#look();
          } else {
            next = row.end;
            this.note(row);
            this.#look();
          }
        }
      });
    } finally {
      this.#isRunning = false;
      this.#look();
    }
    if (next < calls.length) this.#queue.unshift(calls.slice(next));
    // A listener to one of them may have queued others.
    if (this.#queue.length === 0) this.#values.release();
  }

  /** Plain calls have theirs fetched as a row, so where there is nothing else it is left to that. */
  #fetch(calls: readonly TurnCall[]): void {
    const { fetcher } = this.#parts;
    if (calls.length === 1 || calls.every(isPlainPutCall) || calls.every(isPlainGetCall)) return;
    for (const { key } of calls) if (key !== undefined) fetcher.add(key);
    fetcher.run();
  }
}
