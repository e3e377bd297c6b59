/**
 * The messages that a watch has made and not handed out, and the one that it is making.
 *
 * Invariant: all of them together hold at most `fixed.watchMessageEventsMax` events or entries, and at most the bytes that the
 * watch is allowed to hold: `fixed.watchMessageBytesMax`, or what one event takes that is longer by itself. What is to be
 * added is asked for first, by `fits`, before anything is copied for it. So a watch that is not read holds about one message,
 * however much there is to send.
 */
import type { Entry, WatchEvent, WatchMessage } from '../../../api.ts';
import { fixed } from '../../../limits.ts';
import type { Incarnations } from '../../history/incarnations.ts';
import { Fifo } from '../../fifo.ts';
import type { WatchForm } from './pulled-watch.ts';

/** A message in the form in which it is handed out. */
export interface Ready {
  readonly item: unknown;
  readonly eventCount: number;
  readonly bytes: number;
}

/** The events of a revision, or of a part of it. */
interface OpenMessage {
  readonly revision: number;
  readonly commitTimeMs: number;
  readonly events: WatchEvent[];
  bytes: number;
}

export class ReadyMessages {
  /** What is handed out next, and the rest: there is seldom more than one. */
  #next: Ready | undefined;
  #rest: Fifo<Ready> | undefined;
  readonly #incarnations: Pick<Incarnations, 'idOf'>;
  readonly #form: WatchForm<unknown>;
  #open: OpenMessage | undefined;
  #eventCount = 0;
  #bytes = 0;
  #bytesMax: number = fixed.watchMessageBytesMax;
  #bytesWanted: number = fixed.watchMessageBytesMax;

  constructor(incarnations: Pick<Incarnations, 'idOf'>, form: WatchForm<unknown>) {
    this.#incarnations = incarnations;
    this.#form = form;
  }

  /** Whether there is one to hand out. */
  get hasNext(): boolean {
    return this.#next !== undefined;
  }

  /** Whether nothing more can be made: messages are to be handed out first, or the next event needs more room. */
  get isHeldUp(): boolean {
    return this.hasNext || this.#bytesWanted > this.#bytesMax;
  }

  /** Whether one is being made. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** What all of them take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What the watch must be allowed to hold, so that what comes next fits into an empty message. */
  get bytesWanted(): number {
    return this.#bytesWanted;
  }

  allow(bytesMax: number): void {
    this.#bytesMax = bytesMax;
  }

  /** Whether an event or entry of so many bytes may be made before messages were handed out. */
  fits(bytes: number): boolean {
    if (this.#eventCount < fixed.watchMessageEventsMax && this.#bytes + bytes <= this.#bytesMax) return true;
    if (this.#eventCount === 0) this.#bytesWanted = Math.max(fixed.watchMessageBytesMax, bytes);
    return false;
  }

  /** Makes a message without events ready. */
  say(kind: 'synced' | 'progress', revision: number): void {
    this.#push({ kind, revision, incarnation: this.#incarnations.idOf(revision) }, 0, 0);
  }

  /** Makes a page of present entries ready. */
  sayCurrent(revision: number, entries: Entry[], bytes: number): void {
    const message = {
      kind: 'current',
      entries,
      revision,
      incarnation: this.#incarnations.idOf(revision),
    } as const;
    this.#eventCount += entries.length;
    this.#bytes += bytes;
    this.#push(message, entries.length, bytes);
  }

  /** Adds an event, which fits, to the message of its revision. */
  add(revision: number, commitTimeMs: number, event: WatchEvent, bytes: number): void {
    const open = (this.#open ??= { revision, commitTimeMs, events: [], bytes: 0 });
    open.events.push(event);
    open.bytes += bytes;
    this.#eventCount++;
    this.#bytes += bytes;
  }

  /**
   * Makes the message that was being made ready, if it holds anything.
   * @param moreFragments whether more events of the same revision follow.
   * @returns whether it did.
   */
  close(moreFragments: boolean): boolean {
    const open = this.#open;
    if (open === undefined) return false;
    this.#open = undefined;
    const { revision, commitTimeMs, events, bytes } = open;
    const incarnation = this.#incarnations.idOf(revision);
    const message = { kind: 'events', revision, incarnation, commitTimeMs, events, moreFragments } as const;
    this.#push(message, events.length, bytes);
    return true;
  }

  /** Lets go of the one that is being made. */
  abandon(): void {
    if (this.#open === undefined) return;
    this.#eventCount -= this.#open.events.length;
    this.#bytes -= this.#open.bytes;
    this.#open = undefined;
  }

  /** Makes one ready that another watch has made, and that has so many events and takes so many bytes. */
  share(item: unknown, eventCount: number, bytes: number): void {
    this.#eventCount += eventCount;
    this.#bytes += bytes;
    this.#keep({ item, eventCount, bytes });
  }

  peek(): Ready | undefined {
    return this.#next;
  }

  shift(): Ready | undefined {
    const ready = this.#next;
    if (ready === undefined) return undefined;
    this.#next = this.#rest?.shift();
    this.#eventCount -= ready.eventCount;
    this.#bytes -= ready.bytes;
    this.#bytesWanted = fixed.watchMessageBytesMax;
    return ready;
  }

  clear(): void {
    this.#open = this.#next = this.#rest = undefined;
    this.#eventCount = this.#bytes = 0;
  }

  #push(message: WatchMessage, eventCount: number, bytes: number): void {
    this.#keep({ item: this.#form.make(message), eventCount, bytes });
  }

  #keep(ready: Ready): void {
    if (this.#next === undefined) this.#next = ready;
    else (this.#rest ??= new Fifo()).push(ready);
  }
}

/** What an event and an entry take as objects, with the numbers and views in them, besides the texts and values. */
export const EVENT_BYTES = 64;
export const ENTRY_BYTES = 256;
