/**
 * One watch, which its reader pulls: each `take` goes on behind the cursor.
 *
 * Phases:
 * - `current`: hands out the entries of the state at the pinned revision, page by page.
 * - `catchingUp`: behind the newest revision; reads recent changes or the log.
 * - `live`: has said `synced`; waits at the newest revision, and falls back to reading when something comes.
 * - `ended`: by its caller, by its signal, or with an error that was or will be thrown once.
 *
 * Invariants: the cursor never goes back, and never passes the visible revision; every wanted event up to it has been
 * handed out or stands in `ready`, and of the revision after it those of the first `changesDone` changes. `ready` holds
 * about one message, and nothing is kept of what was handed out: what a watch does not read waits in the engine and in the
 * log. While the watch waits, everything up to the cursor and all that the hub has told it since, up to the first match, is
 * dealt with. Where another watch of its group has made the message that comes next, that one is handed out. What it does
 * between two turns of the event loop is bounded, whatever it has to go through.
 */
import type { Clock } from '../../clock.ts';
import { fixed } from '../../limits.ts';
import type { WatchRequest } from '../../api.ts';
import { LogSource } from './sources/log-source.ts';
import { PresentEntries } from './sources/present-entries.ts';
import { ProgressEntry } from './matching/progress-timers.ts';
import { ElementRows } from './messages/element-rows.ts';
import type { EventMaker } from './messages/event-maker.ts';
import type { PulledWatch, WatchReader } from './messages/pulled-watch.ts';
import { ReadyMessages } from './messages/ready-messages.ts';
import { readRecent } from './sources/recent-reader.ts';
import type { SharedMessage } from './messages/shared-messages.ts';
import type { WatchFilter } from './matching/watch-filter.ts';
import type { WatchGroup } from './watch-group.ts';
import type { HubWatch, WatchRegistry } from './matching/watch-registry.ts';
import type { WatchSource } from './sources/watch-source.ts';
import { checkProgressInterval, checkStart } from './watch-start.ts';
import { WatchTurn } from './sources/watch-turn.ts';
import { WatchPlace, type WatchWork } from './sources/watch-work.ts';

export class Watcher<Item> extends ProgressEntry implements PulledWatch<Item>, HubWatch, WatchWork {
  readonly group: WatchGroup;
  readonly source: WatchSource;
  readonly place: WatchPlace;
  readonly turn = new WatchTurn();
  readonly ready: ReadyMessages;
  readonly elements: ElementRows | undefined;
  isIndexed = false;
  readonly #registry: WatchRegistry;
  readonly #reader: WatchReader;
  readonly #progressIntervalMs: number;
  readonly #signal: AbortSignal | undefined;
  #log: LogSource | undefined;
  #present: PresentEntries | undefined;
  #phase: 'current' | 'catchingUp' | 'live' | 'ended';
  #error: Error | undefined;
  /** A step is under way that takes a promise: nothing is taken until it is done. */
  #isAtWork = false;
  #isWaiting = false;
  /** While it waits, the first revision that may hold something that it wants, once the hub has told it. */
  #matchRevision: number | undefined;
  #isProgressDue = false;
  /** How often it still lets others go first that are making what it wants next. */
  #patience: number = fixed.watchPatienceTurns;
  /** What was admitted last. */
  #admittedBytes = 0;

  /** @param group that of the request, in the form of `Item`. */
  constructor(
    request: WatchRequest,
    group: WatchGroup,
    source: WatchSource,
    clock: Clock,
    registry: WatchRegistry,
    reader: WatchReader,
  ) {
    super();
    this.group = group;
    this.source = source;
    this.#registry = registry;
    this.#reader = reader;
    this.#progressIntervalMs = checkProgressInterval(request.progressIntervalMs);
    const visible = source.visibleRevision();
    const startRevision = checkStart(request, { ...source, newestRevision: visible });
    this.place = new WatchPlace(startRevision === 0 ? visible : startRevision - 1);
    this.ready = new ReadyMessages(source.incarnations, group.form);
    this.elements = group.events.includeElements ? new ElementRows() : undefined;
    const isCurrent = request.includeCurrent === true;
    if (isCurrent) this.#present = new PresentEntries(this, group.events.keysOnly, clock.nowMs());
    this.#phase = isCurrent ? 'current' : 'catchingUp';
    this.#signal = request.signal;
    if (this.#signal?.aborted === true) this.#end(undefined);
    else if (this.#signal !== undefined) {
      this.#onAbort = () => this.fail(undefined);
      this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  get filter(): WatchFilter {
    return this.group.filter;
  }

  get events(): EventMaker {
    return this.group.events;
  }

  get isEnded(): boolean {
    return this.#phase === 'ended';
  }

  get dealtWith(): number | undefined {
    if (!this.#isWaiting) return this.place.cursor;
    return this.#matchRevision === undefined ? undefined : this.#matchRevision - 1;
  }

  get isOver(): boolean {
    return this.isEnded && !this.#isAtWork && !this.ready.hasNext && this.#error === undefined;
  }

  get isIdle(): boolean {
    return this.#isWaiting || this.isOver;
  }

  get pulledRevision(): number {
    const { cursor } = this.place;
    // Of those that are ready it is not known here.
    if (this.ready.hasNext) return 0;
    if (!this.#isWaiting) return cursor;
    const { noticedRevision } = this.#registry;
    return Math.max(cursor, this.#matchRevision === undefined ? noticedRevision : this.#matchRevision - 1);
  }

  take(): Item | undefined {
    while (!this.#isAtWork) {
      if (this.ready.hasNext) {
        // It was admitted with more.
        this.#hold(this.ready.bytes);
        const next = this.ready.shift();
        this.#registry.sentEventCount += next?.eventCount ?? 0;
        return next?.item as Item;
      }
      if (this.#phase === 'ended') {
        this.#finish();
        return undefined;
      }
      try {
        if (!this.#advance()) return undefined;
      } catch (error) {
        this.#end(error as Error);
      }
    }
    return undefined;
  }

  end(): void {
    this.#end(undefined);
  }

  override progressDue(): void {
    if (!this.#isWaiting) return;
    this.#isProgressDue = true;
    this.#registry.wakeInTurn(this);
  }

  notice(first: number, last: number): boolean {
    const { cursor } = this.place;
    if (!this.#isWaiting || last <= cursor) return false;
    this.#matchRevision ??= Math.max(first, cursor + 1);
    return true;
  }

  wake(): number {
    if (!this.#isWaiting) return 0;
    this.#endWait();
    this.#reader.ready();
    return fixed.watchWokenVisitsMax - this.turn.visitsLeft;
  }

  fail(error: Error | undefined): void {
    if (this.#phase === 'ended') return;
    this.#end(error);
    this.#reader.ready();
  }

  #onAbort: (() => void) | undefined;

  #end(error: Error | undefined): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#error = error;
    this.#isWaiting = false;
    if (error === undefined) this.ready.clear();
    else this.source.noteFailure(error);
    this.#registry.remove(this, this.group, error);
    this.#registry.progress.cancel(this);
    if (this.group.maker === this) this.group.maker = undefined;
    this.#present?.release();
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
    // The end may never be asked for: the segment must not stay open.
    void this.#letGoOfLog();
  }

  async #letGoOfLog(): Promise<void> {
    try {
      await this.#log?.close();
    } catch {
      // The file was only read: nothing is lost with it.
    }
  }

  #finish(): void {
    this.#hold(0);
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
  }

  /**
   * Does one step that makes messages ready, or brings the watch forward.
   * @returns false: it waits, or is at work.
   */
  #advance(): boolean {
    if (this.turn.isOver) return this.#workOn(this.#takeTurn());
    const visible = this.source.visibleRevision();
    const isBehind = this.#phase === 'current' || this.place.cursor < visible;
    const isReading = isBehind && this.#phase !== 'current';
    const shared = isReading ? this.group.find(this.place) : undefined;
    if (shared === undefined && isReading && this.#letsOthersMake()) return this.#workOn(this.#takeTurn());
    const heldBytes = Math.max(this.ready.bytesWanted, this.ready.bytes, shared?.bytes ?? 0);
    if (!this.#hold(isBehind ? heldBytes : 0)) return false;
    if (this.#phase === 'ended') return true;
    if (shared !== undefined) this.#takeShared(shared);
    else if (this.#phase === 'current') this.#readPresent();
    else if (isBehind) return this.#read(visible);
    else if (this.#phase === 'live') return this.#startWait();
    else if (this.#log !== undefined) return this.#workOn(this.#leaveLog());
    else this.#goLive();
    return true;
  }

  /**
   * Nothing is made before it is admitted, and what is made fits into that.
   * @returns whether it is admitted, or never will be and the watch has ended; else the answer is waited for.
   */
  #hold(bytes: number): boolean {
    if (bytes === this.#admittedBytes) return true;
    const isMore = bytes > this.#admittedBytes;
    this.#admittedBytes = bytes;
    this.ready.allow(bytes);
    const answer = this.#reader.admit?.(bytes) ?? true;
    if (answer instanceof Promise) {
      if (isMore) return this.#workOn(this.#endUnless(answer));
      answer.catch((error: unknown) => this.fail(error as Error));
    } else if (isMore && !answer) {
      this.#end(undefined);
    }
    return true;
  }

  async #endUnless(answer: Promise<boolean>): Promise<void> {
    if (!(await answer)) this.#end(undefined);
  }

  #workOn(work: Promise<void>): false {
    this.#isAtWork = true;
    work
      .catch((error: unknown) => this.#end(error as Error))
      .finally(() => {
        this.#isAtWork = false;
        this.#reader.ready();
      });
    return false;
  }

  /** Whether another watch has begun to make what comes next, so that it may be there when this one has its turn. */
  #letsOthersMake(): boolean {
    if (this.ready.isOpen || !this.group.isMaking(this.place) || this.#patience === 0) return false;
    this.#patience--;
    return true;
  }

  #takeShared(shared: SharedMessage): void {
    this.turn.spendShared(shared.bytes);
    this.#patience = fixed.watchPatienceTurns;
    this.ready.abandon();
    this.ready.share(shared.item, shared.eventCount, shared.bytes);
    if (shared.changesTo === undefined) this.place.pass(shared.revision);
    else this.place.passFragment(shared.changesTo);
    this.group.taken(shared);
  }

  #read(visible: number): boolean {
    const { cursor, changesTold } = this.place;
    if (!readRecent(this, this.#registry, visible)) return this.#workOn(this.#readLog(visible));
    this.#share(cursor + 1, changesTold);
    return true;
  }

  /**
   * Offers the message that was made, if any, to the others of the group.
   * @param told the changes of the revision `next` that were told before.
   */
  #share(next: number, told: number): void {
    const made = this.ready.peek();
    if (made === undefined) {
      if (this.ready.isOpen) this.group.maker = this;
      return;
    }
    this.#patience = fixed.watchPatienceTurns;
    const { cursor, changesTold } = this.place;
    const isWhole = changesTold === 0;
    const revision = isWhole ? cursor : cursor + 1;
    this.group.share({
      revision,
      changesFrom: revision === next ? told : 0,
      changesTo: isWhole ? undefined : changesTold,
      item: made.item,
      eventCount: made.eventCount,
      bytes: made.bytes,
    });
  }

  async #readLog(visible: number): Promise<void> {
    await this.#takeTurn();
    this.#log ??= new LogSource(this);
    if (!this.isEnded) await this.#log.read(visible);
  }

  async #leaveLog(): Promise<void> {
    await this.#log?.close();
    this.#log = undefined;
  }

  #readPresent(): void {
    if (this.#present?.read() === false) return;
    this.#present?.release();
    this.#present = undefined;
    this.#goLive();
  }

  #goLive(): void {
    this.#phase = 'live';
    this.ready.say('synced', this.place.cursor);
  }

  /** Lets others run: a watch that is always asked for more would go on for ever. */
  async #takeTurn(): Promise<void> {
    await this.#registry.takeTurn();
    this.turn.begin(fixed.watchTurnVisitsMax);
  }

  /** Waits until something wanted is visible, or a progress message is due. */
  #startWait(): false {
    this.#isWaiting = true;
    this.#matchRevision = undefined;
    this.#registry.startWaiting(this);
    this.#registry.progress.begin(this, this.#progressIntervalMs);
    return false;
  }

  #endWait(): void {
    this.#isWaiting = false;
    this.turn.begin(fixed.watchWokenVisitsMax);
    const match = this.#matchRevision;
    // One that was told has left those that wait.
    if (match === undefined) this.#registry.stopWaiting(this);
    const dealtWith = match === undefined ? this.#registry.noticedRevision : match - 1;
    if (dealtWith > this.place.cursor) this.place.pass(dealtWith);
    if (this.#isProgressDue && match === undefined) this.ready.say('progress', this.place.cursor);
    this.#isProgressDue = false;
  }
}
