/**
 * One watch: an iteration that pulls what follows its cursor.
 *
 * Phases:
 * - `current`: hands out the entries of the state at the pinned revision, page by page.
 * - `catchingUp`: behind the newest revision; reads recent changes or the log.
 * - `live`: has said `synced`; waits at the newest revision, and falls back to reading when something comes.
 * - `ended`: by its caller, by its signal, or with an error that was or will be thrown once.
 *
 * Invariants: the cursor never goes back, and never passes the visible revision; every wanted event up to it has been
 * handed out or stands in `#ready`, and of the revision after it those of the first `changesDone` changes. `#ready` holds
 * about one message, and nothing is kept of what was handed out: what a watch does not read waits in the engine and in the
 * log. While the watch waits, everything up to the cursor and all that the hub has told it since, up to the first match, is
 * dealt with. What it does between two turns of the event loop is bounded, whatever it has to go through.
 */
import type { Clock } from '../../clock.ts';
import { fixed } from '../../limits.ts';
import type { WatchMessage, WatchRequest } from '../../api.ts';
import { EventMaker } from './event-maker.ts';
import { LogSource } from './log-source.ts';
import { PresentEntries } from './present-entries.ts';
import { ReadyMessages } from './ready-messages.ts';
import { readRecent } from './recent-reader.ts';
import { toWatchFilter, type WatchFilter } from './watch-filter.ts';
import type { HubWatch, WatchRegistry, WatchSource } from './watch-registry.ts';
import { checkProgressInterval, checkStart } from './watch-start.ts';
import { WatchTurn } from './watch-turn.ts';
import { WatchPlace, type WatchWork } from './watch-work.ts';

/** A watch that waits for a change that it wants. */
interface Wait {
  readonly resolve: () => void;
  /** The first revision that may hold one. */
  matchRevision: number | undefined;
}

const DONE: IteratorResult<WatchMessage> = { done: true, value: undefined };

export class Watcher implements AsyncIterableIterator<WatchMessage>, HubWatch {
  readonly filter: WatchFilter;
  readonly #source: WatchSource;
  readonly #clock: Clock;
  readonly #registry: WatchRegistry;
  readonly #progressIntervalMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #admit: WatchRequest['admit'];
  readonly #place: WatchPlace;
  readonly #turn = new WatchTurn();
  readonly #ready: ReadyMessages;
  readonly #work: WatchWork;
  readonly #log: LogSource;
  readonly #present: PresentEntries | undefined;
  #phase: 'current' | 'catchingUp' | 'live' | 'ended';
  #error: Error | undefined;
  #wait: Wait | undefined;
  /** What was admitted last. */
  #admittedBytes = 0;
  /** Calls of `next` run one after the other. Holds no result of theirs. */
  #lastCall: Promise<void> = Promise.resolve();

  constructor(request: WatchRequest, source: WatchSource, clock: Clock, registry: WatchRegistry) {
    this.filter = toWatchFilter(request.ranges, request.eventTypes);
    this.#source = source;
    this.#clock = clock;
    this.#registry = registry;
    this.#progressIntervalMs = checkProgressInterval(request.progressIntervalMs);
    const visible = source.visibleRevision();
    const startRevision = checkStart(request, { ...source, newestRevision: visible });
    this.#place = new WatchPlace(startRevision === 0 ? visible : startRevision - 1);
    this.#ready = new ReadyMessages((revision) => source.incarnations.idOf(revision));
    const keysOnly = request.keysOnly === true;
    const returnPrevious = request.returnPrevious === true;
    this.#work = {
      filter: this.filter,
      source,
      place: this.#place,
      turn: this.#turn,
      ready: this.#ready,
      events: new EventMaker(source, { keysOnly, returnPrevious }, (bytes) => this.#ready.fits(bytes)),
    };
    this.#log = new LogSource(this.#work);
    const isCurrent = request.includeCurrent === true;
    if (isCurrent) this.#present = new PresentEntries(this.#work, keysOnly, clock.nowMs());
    this.#phase = isCurrent ? 'current' : 'catchingUp';
    this.#admit = request.admit;
    this.#signal = request.signal;
    if (this.#signal?.aborted === true) this.#end(undefined);
    else this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get isEnded(): boolean {
    return this.#phase === 'ended';
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WatchMessage>> {
    const call = this.#lastCall.then(() => this.#produce());
    // A promise that is settled keeps what it was settled with.
    this.#lastCall = call.then(forget, forget);
    return call;
  }

  return(): Promise<IteratorResult<WatchMessage>> {
    this.#end(undefined);
    return Promise.resolve(DONE);
  }

  notice(first: number, last: number): boolean {
    const { cursor } = this.#place;
    if (this.#wait === undefined || last <= cursor) return false;
    this.#wait.matchRevision ??= Math.max(first, cursor + 1);
    return true;
  }

  wake(): void {
    this.#wait?.resolve();
  }

  fail(error: Error): void {
    this.#end(error);
  }

  readonly #onAbort = (): void => this.#end(undefined);

  #end(error: Error | undefined): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#error = error;
    if (error === undefined) this.#ready.clear();
    this.#registry.remove(this);
    this.#present?.release();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    // The end may never be asked for: the segment must not stay open.
    void this.#letGoOfLog();
    this.wake();
  }

  async #letGoOfLog(): Promise<void> {
    try {
      await this.#log.close();
    } catch {
      // The file was only read: nothing is lost with it.
    }
  }

  async #produce(): Promise<IteratorResult<WatchMessage>> {
    for (;;) {
      const next = this.#ready.shift();
      if (next !== undefined) {
        // It was admitted with more.
        const answer = this.#hold(next.bytes + this.#ready.bytes);
        if (answer !== true) await answer;
        return { done: false, value: next.message };
      }
      if (this.#phase === 'ended') return await this.#finish();
      try {
        await this.#advance();
      } catch (error) {
        this.#end(error as Error);
      }
    }
  }

  /** Does one step that makes messages ready, or brings the watch forward, or waits. */
  async #advance(): Promise<void> {
    if (this.#turn.isOver) return this.#takeTurn();
    const isBehind = this.#phase === 'current' || this.#place.cursor < this.#source.visibleRevision();
    const heldBytes = isBehind ? Math.max(this.#ready.bytesWanted, this.#ready.bytes) : 0;
    const answer = this.#hold(heldBytes);
    if (answer !== true) return this.#endUnless(answer);
    if (this.#phase === 'current') return this.#readPresent();
    if (isBehind) {
      const visible = this.#source.visibleRevision();
      return readRecent(this.#work, this.#registry, visible) ? undefined : this.#readLog(visible);
    }
    if (this.#phase === 'live') return this.#waitForMatch();
    await this.#log.close();
    this.#goLive();
  }

  /** Nothing is made before it is admitted, and what is made fits into that. @returns as `admit` does. */
  #hold(bytes: number): boolean | Promise<boolean> {
    if (bytes === this.#admittedBytes) return true;
    this.#admittedBytes = bytes;
    this.#ready.allow(bytes);
    return this.#admit?.(bytes) ?? true;
  }

  async #endUnless(answer: boolean | Promise<boolean>): Promise<void> {
    if (!(await answer)) this.#end(undefined);
  }

  async #readLog(visible: number): Promise<void> {
    await this.#takeTurn();
    if (this.#phase !== 'ended') await this.#log.read(visible);
  }

  async #finish(): Promise<IteratorResult<WatchMessage>> {
    await this.#log.close();
    await this.#hold(0);
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    return DONE;
  }

  #readPresent(): void {
    if (this.#present?.read() === false) return;
    this.#present?.release();
    this.#goLive();
  }

  #goLive(): void {
    // It may have been ended meanwhile.
    if (this.#phase === 'ended') return;
    this.#phase = 'live';
    this.#ready.say('synced', this.#place.cursor);
  }

  /** Lets others run: a watch that is always asked for more would go on for ever. */
  async #takeTurn(): Promise<void> {
    await this.#registry.takeTurn();
    this.#turn.begin(fixed.watchTurnVisitsMax);
  }

  /** Waits until something wanted is visible, or a progress message is due. */
  async #waitForMatch(): Promise<void> {
    let isDue = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait: Wait = { resolve, matchRevision: undefined };
    this.#wait = wait;
    this.#registry.startWaiting(this);
    const timer = this.#clock.setTimer(this.#progressIntervalMs, () => {
      isDue = true;
      resolve();
    });
    await promise;
    timer.cancel();
    this.#wait = undefined;
    this.#turn.begin(fixed.watchWokenVisitsMax);
    if (this.#phase === 'ended') return;
    this.#registry.stopWaiting(this);
    // Not before now: a match may have been noticed since the promise was resolved.
    const { matchRevision } = wait;
    const dealtWith = matchRevision === undefined ? this.#registry.noticedRevision : matchRevision - 1;
    if (dealtWith > this.#place.cursor) this.#place.pass(dealtWith);
    if (isDue && matchRevision === undefined) this.#ready.say('progress', this.#place.cursor);
  }
}

function forget(): void {}
