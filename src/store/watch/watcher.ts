/**
 * One watch: an iteration that pulls what follows its cursor.
 *
 * Phases:
 * - `current`: hands out the entries of the state at the pinned revision, page by page.
 * - `catchingUp`: behind the newest revision; reads recent changes or the log.
 * - `live`: has said `synced`; waits at the newest revision, and falls back to reading when something comes.
 * - `ended`: by its caller, by its signal, or with an error that was or will be thrown once.
 *
 * Invariants: `cursor` never goes back, and never passes the visible revision; every wanted event up to `cursor` has been
 * handed out or stands in `#ready`, and of the revision after it the first `#eventsDone`. `#ready` holds about one message
 * (`fixed.watchMessageBytesMax`, or one event that is longer), however much there is to send: what a watch does not
 * read waits in the engine and in the log. While the watch waits, everything up to `cursor` and all that became visible
 * since, up to the first match that the hub noticed, is dealt with.
 */
import { readRecord, type EffectShape } from '../../../gen/kelp/storage/v1/log_codec.ts';
import type { Clock } from '../../clock.ts';
import type { Engine } from '../../engine/engine.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { WorkBudget } from '../../work-budget.ts';
import type { Log } from '../../wal/log.ts';
import type { LogReader } from '../../wal/reader.ts';
import { copyEntry, toEntry } from '../views/entries.ts';
import { isOverdue } from '../views/overdue.ts';
import { toDeleteReason } from '../commit/effects.ts';
import { Fifo } from '../fifo.ts';
import type { History, Pin } from '../history/history.ts';
import type { Incarnations } from '../history/incarnations.ts';
import { decodeKey, fromKeyText, toKeyText } from '../views/keys.ts';
import type { Entry, EventType, WatchEvent, WatchMessage, WatchRequest } from '../../api.ts';
import { fromTextRange, isWanted, toWatchFilter, type TextRange, type WatchFilter } from './watch-filter.ts';
import type { RecentChange, StagedChanges } from './watch-hub.ts';
import { checkProgressInterval, checkStart } from './watch-start.ts';

/** What a watch reads from. */
export interface WatchSource {
  readonly storeId: string;
  readonly engine: Engine;
  readonly log: Log;
  readonly history: History;
  readonly incarnations: Incarnations;
  visibleRevision(): number;
}

/** The hub, as far as a watch knows it. */
export interface WatchRegistry {
  recent(revision: number): StagedChanges;
  /** Resolves when the watch may read a piece of the log. */
  takeTurn(): Promise<void>;
  remove(watcher: Watcher, ranges: readonly TextRange[]): void;
}

/** A watch that waits for a change that it wants. */
interface Wait {
  readonly resolve: () => void;
  /** The first that became visible. */
  matchRevision: number | undefined;
}

/** An effect on a key. */
type KeyEffect = Extract<EffectShape['effect'], { readonly case: 'put' | 'delete' | 'touch' }>;

const DONE: IteratorResult<WatchMessage> = { done: true, value: undefined };
/** The recent revisions that are looked at in one go, wanted or not. */
const RECENT_REVISIONS_PER_TURN = 1000;

export class Watcher implements AsyncIterableIterator<WatchMessage> {
  readonly filter: WatchFilter;
  readonly #source: WatchSource;
  readonly #clock: Clock;
  readonly #registry: WatchRegistry;
  readonly #keysOnly: boolean;
  readonly #returnPrevious: boolean;
  readonly #progressIntervalMs: number;
  readonly #signal: AbortSignal | undefined;
  #phase: 'current' | 'catchingUp' | 'live' | 'ended' = 'catchingUp';
  #error: Error | undefined;
  #cursor: number;
  /** Recent revisions that may be looked at before others have their turn. */
  #recentLeft = RECENT_REVISIONS_PER_TURN;
  /** The wanted events of the revision after the cursor that stand in messages already: it has several fragments. */
  #eventsDone = 0;
  /** Messages that are made but not handed out. */
  readonly #ready = new Fifo<WatchMessage>();
  #current: { pin: Pin; instantMs: number; rangeIndex: number; nextKey: Uint8Array | undefined } | undefined;
  #logReader: LogReader | undefined;
  #wait: Wait | undefined;
  /** Calls of `next` run one after the other. */
  #lastCall: Promise<unknown> = Promise.resolve();

  constructor(request: WatchRequest, source: WatchSource, clock: Clock, registry: WatchRegistry) {
    this.filter = toWatchFilter(request.ranges, request.eventTypes);
    this.#source = source;
    this.#clock = clock;
    this.#registry = registry;
    this.#keysOnly = request.keysOnly === true;
    this.#returnPrevious = request.returnPrevious === true;
    this.#progressIntervalMs = checkProgressInterval(request.progressIntervalMs);
    const visible = source.visibleRevision();
    const startRevision = checkStart(request, { ...source, newestRevision: visible });
    this.#cursor = startRevision === 0 ? visible : startRevision - 1;
    if (request.includeCurrent === true) {
      const nowMs = clock.nowMs();
      const pin = source.history.pin(
        visible,
        nowMs + fixed.pinMsMax,
        'a watch that reads the present entries',
      );
      this.#current = { pin, instantMs: nowMs, rangeIndex: 0, nextKey: undefined };
      this.#phase = 'current';
    }
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
    this.#lastCall = call.catch(() => undefined);
    return call;
  }

  return(): Promise<IteratorResult<WatchMessage>> {
    this.#end(undefined);
    return Promise.resolve(DONE);
  }

  /**
   * A change in one of the ranges became visible.
   * @returns whether the watch waits for it and wants to be woken.
   */
  noticeMatch(revision: number, type: EventType): boolean {
    if (this.#wait === undefined || !this.filter.types.has(type)) return false;
    this.#wait.matchRevision ??= revision;
    return true;
  }

  /**
   * A transaction became visible of which the hub does not know what it changed.
   * @returns whether the watch waits and wants to be woken.
   */
  noticeUnknown(revision: number): boolean {
    if (this.#wait === undefined) return false;
    this.#wait.matchRevision ??= revision;
    return true;
  }

  wake(): void {
    this.#wait?.resolve();
  }

  /** Ends the watch with an error: what is ready is still handed out, then the error is thrown. */
  fail(error: Error): void {
    this.#end(error);
  }

  readonly #onAbort = (): void => this.#end(undefined);

  #end(error: Error | undefined): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#error = error;
    if (error === undefined) while (this.#ready.shift() !== undefined);
    this.#registry.remove(this, this.filter.ranges);
    this.#current?.pin.release();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    // Nobody may ask for the end: the segment must not stay open.
    void this.#letGoOfLog();
    this.wake();
  }

  async #produce(): Promise<IteratorResult<WatchMessage>> {
    for (;;) {
      const message = this.#ready.shift();
      if (message !== undefined) return { done: false, value: message };
      if (this.#phase === 'ended') return await this.#finish();
      try {
        await this.#advance();
      } catch (error) {
        this.#end(error as Error);
      }
    }
  }

  /** Does one step that makes messages ready, or brings the cursor forward, or waits. */
  async #advance(): Promise<void> {
    if (this.#phase === 'current') return this.#readCurrent();
    const visible = this.#source.visibleRevision();
    if (this.#cursor < visible) {
      if (this.#recentLeft === 0) return this.#takeTurn();
      if (!this.#readRecent(visible)) await this.#readLog(visible);
    } else if (this.#phase === 'catchingUp') {
      this.#phase = 'live';
      await this.#closeLogReader();
      this.#ready.push({ kind: 'synced', ...this.#place(this.#cursor) });
    } else {
      await this.#waitForMatch();
    }
  }

  async #finish(): Promise<IteratorResult<WatchMessage>> {
    await this.#closeLogReader();
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    return DONE;
  }

  /** Makes one page of the present state ready. */
  #readCurrent(): void {
    const current = this.#current;
    const range = current === undefined ? undefined : this.filter.ranges[current.rangeIndex];
    if (current === undefined || range === undefined) {
      current?.pin.release();
      this.#phase = 'live';
      this.#ready.push({ kind: 'synced', ...this.#place(this.#cursor) });
      return;
    }
    if (!current.pin.isHeld()) {
      throw new StoreError(
        'slowWatcher',
        'the present entries were read so slowly that their revision is no longer kept; watch again from the start',
        { resumeRevision: 0 },
      );
    }
    const entries: Entry[] = [];
    let bytes = 0;
    const { start, end } = fromTextRange(range);
    const options = { reverse: false, budget: new WorkBudget(fixed.pageLimitDefault) };
    const next = this.#source.engine.scan(
      { start: current.nextKey ?? start, end },
      this.#cursor,
      options,
      (shown) => {
        if (isOverdue(shown, current.instantMs)) return true;
        const entry = copyEntry(shown, !this.#keysOnly);
        entries.push(entry);
        bytes += shown.keyEnd - shown.keyStart + entry.value.length;
        return bytes < fixed.watchMessageBytesMax;
      },
    );
    current.nextKey = next;
    if (next === undefined) current.rangeIndex++;
    if (entries.length > 0) this.#ready.push({ kind: 'current', entries, ...this.#place(this.#cursor) });
  }

  /**
   * Goes on with the recent changes.
   * @returns false when they don't reach back to the cursor, or memory doesn't hold their entries any more.
   */
  #readRecent(visible: number): boolean {
    const last = Math.min(visible, this.#cursor + this.#recentLeft);
    const oldestReadable = this.#source.history.oldestRevision;
    while (this.#cursor < last) {
      const revision = this.#cursor + 1;
      const recent = this.#registry.recent(revision);
      if (recent === undefined || revision < oldestReadable) return false;
      this.#recentLeft--;
      const wanted = recent.changes.filter(({ key, type }) => isWanted(this.filter, key, type));
      if (wanted.length > 0) {
        this.#pushEvents(revision, recent.timeMs, wanted, (change) => this.#toEvent(change, revision));
        return true;
      }
      this.#cursor = revision;
    }
    return true;
  }

  /** Lets others run: a watch that is always asked for more would go on for ever. */
  async #takeTurn(): Promise<void> {
    await this.#registry.takeTurn();
    this.#recentLeft = RECENT_REVISIONS_PER_TURN;
  }

  /** Goes on with the log. */
  async #readLog(visible: number): Promise<void> {
    const { log, history } = this.#source;
    await this.#takeTurn();
    if (this.#phase === 'ended') return;
    if (this.#cursor + 1 < history.oldestWatchRevision) throw this.#tooSlow();
    this.#logReader ??= log.reader(this.#cursor + 1);
    let bytes = 0;
    let isAhead = false;
    const outcome = await this.#logReader.next((buffer, start, end) => {
      if (isAhead || this.#phase === 'ended') return;
      const record = readRecord(buffer, start, end);
      const { revision } = record;
      if (revision <= this.#cursor) return;
      // What is too much for now, or not visible yet, is read again, by another reader.
      isAhead = bytes >= fixed.watchMessageBytesMax || revision > visible;
      if (isAhead) return;
      const wanted = record.effects.flatMap(({ effect }) => (this.#isWantedEffect(effect) ? [effect] : []));
      bytes += this.#pushEvents(revision, record.timeMs, wanted, (effect) =>
        this.#fromEffect(effect, revision),
      );
      isAhead = this.#eventsDone > 0;
    });
    if (outcome === 'removed') throw this.#tooSlow();
    if (outcome === 'end' || isAhead || this.#cursor >= visible) await this.#closeLogReader();
  }

  async #closeLogReader(): Promise<void> {
    const reader = this.#logReader;
    this.#logReader = undefined;
    await reader?.close();
  }

  async #letGoOfLog(): Promise<void> {
    try {
      await this.#closeLogReader();
    } catch {
      // The file was only read: nothing is lost with it.
    }
  }

  /** Waits until something wanted is visible, or a progress message is due. */
  async #waitForMatch(): Promise<void> {
    let isDue = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait: Wait = { resolve, matchRevision: undefined };
    this.#wait = wait;
    const timer = this.#clock.setTimer(this.#progressIntervalMs, () => {
      isDue = true;
      resolve();
    });
    await promise;
    timer.cancel();
    this.#wait = undefined;
    this.#recentLeft = RECENT_REVISIONS_PER_TURN;
    if (this.#phase === 'ended') return;
    // Not before now: a match may have been noticed since the promise was resolved.
    const { matchRevision } = wait;
    this.#cursor = matchRevision === undefined ? this.#source.visibleRevision() : matchRevision - 1;
    if (isDue && matchRevision === undefined)
      this.#ready.push({ kind: 'progress', ...this.#place(this.#cursor) });
  }

  #toEvent(change: RecentChange, revision: number): WatchEvent {
    const key = fromKeyText(change.key);
    const keyText = decodeKey(key);
    const previous = change.replacedExpired ? undefined : this.#previous(key, keyText, revision);
    if (change.type === 'delete') {
      const reason = change.reason ?? 'requested';
      return { type: 'delete', key: keyText, modRevision: revision, reason, previous };
    }
    const { engine } = this.#source;
    const withValue = change.type === 'put' && !this.#keysOnly;
    const version = withValue ? engine.read(key, revision) : engine.readMeta(key, revision);
    if (version === undefined)
      throw new Error(`broken invariant: the engine lacks a change of revision ${revision}`);
    const event = { type: change.type, entry: toEntry(keyText, version), previous };
    return change.replacedExpired ? { ...event, replacedExpired: true } : event;
  }

  #isWantedEffect(effect: EffectShape['effect']): effect is KeyEffect {
    if (effect.case !== 'put' && effect.case !== 'delete' && effect.case !== 'touch') return false;
    return isWanted(this.filter, toKeyText(effect.value.key), effect.case);
  }

  #fromEffect(effect: KeyEffect, revision: number): WatchEvent {
    const { key } = effect.value;
    const keyText = decodeKey(key);
    const replacedExpired = effect.case === 'put' && effect.value.replacedExpired;
    const previous = replacedExpired ? undefined : this.#previous(key, keyText, revision);
    if (effect.case === 'delete') {
      const reason = toDeleteReason(effect.value.reason);
      return { type: 'delete', key: keyText, modRevision: revision, reason, previous };
    }
    const { createRevision, version, leaseId, expireTimeMs } = effect.value;
    const isPut = effect.case === 'put';
    // The bytes belong to the log's reader.
    const value = isPut && !this.#keysOnly ? new Uint8Array(effect.value.value) : NO_BYTES;
    const modRevision = isPut ? revision : effect.value.modRevision;
    const entry = { key: keyText, value, createRevision, modRevision, version, leaseId, expireTimeMs };
    const event = { type: effect.case, entry, previous };
    return replacedExpired ? { ...event, replacedExpired } : event;
  }

  #previous(key: Uint8Array, keyText: string, revision: number): Entry | undefined {
    if (!this.#returnPrevious) return undefined;
    const { engine, history } = this.#source;
    if (revision - 1 < history.oldestRevision) throw this.#tooSlow();
    const version = this.#keysOnly ? engine.readMeta(key, revision - 1) : engine.read(key, revision - 1);
    return version && toEntry(keyText, version);
  }

  /**
   * Makes the next message of a revision ready: all its events, or as many as a message holds; then the next call goes on
   * behind them, and the cursor stays.
   * @param changes all wanted changes of the revision, also those that were handed out before.
   * @returns the bytes of keys and values in the message.
   */
  #pushEvents<Item>(
    revision: number,
    commitTimeMs: number,
    changes: readonly Item[],
    toEvent: (change: Item) => WatchEvent,
  ): number {
    const events: WatchEvent[] = [];
    let bytes = 0;
    for (const change of changes.slice(this.#eventsDone)) {
      if (bytes >= fixed.watchMessageBytesMax) break;
      const event = toEvent(change);
      events.push(event);
      bytes += eventBytes(event);
    }
    const eventsDone = this.#eventsDone + events.length;
    const moreFragments = eventsDone < changes.length;
    if (events.length > 0) {
      this.#ready.push({ kind: 'events', ...this.#place(revision), commitTimeMs, events, moreFragments });
    }
    this.#eventsDone = moreFragments ? eventsDone : 0;
    if (!moreFragments) this.#cursor = revision;
    return bytes;
  }

  #place(revision: number): { readonly revision: number; readonly incarnation: string } {
    return { revision, incarnation: this.#source.incarnations.idOf(revision) };
  }

  #tooSlow(): StoreError {
    const resumeRevision = this.#cursor + 1;
    return new StoreError(
      'slowWatcher',
      `the watch was read too slowly: revision ${resumeRevision} is no longer kept. Read the present state and watch from there`,
      { resumeRevision },
    );
  }
}

const NO_BYTES = new Uint8Array(0);

function eventBytes(event: WatchEvent): number {
  const own = event.type === 'delete' ? event.key.length : event.entry.key.length + event.entry.value.length;
  const previous = event.previous === undefined ? 0 : event.previous.key.length + event.previous.value.length;
  return own + previous;
}
