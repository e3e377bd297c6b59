/**
 * The messages that a watch has made and not handed out, and the one that it is making.
 *
 * Invariant: all of them together hold at most `fixed.watchMessageEventsMax` events and `fixed.watchMessageBytesMax` bytes,
 * the last event aside, which may be longer by itself: who adds asks `isFull` first. So a watch that is not read holds
 * about one message, however much there is to send.
 */
import type { Entry, WatchEvent, WatchMessage } from '../../api.ts';
import { fixed } from '../../limits.ts';
import { Fifo } from '../fifo.ts';

interface Ready {
  readonly message: WatchMessage;
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
  readonly #ready = new Fifo<Ready>();
  readonly #incarnationOf: (revision: number) => string;
  #open: OpenMessage | undefined;
  #eventCount = 0;
  #bytes = 0;

  /** @param incarnationOf the incarnation that wrote a revision. */
  constructor(incarnationOf: (revision: number) => string) {
    this.#incarnationOf = incarnationOf;
  }

  /** Whether one can be handed out. */
  get hasNext(): boolean {
    return this.#ready.length > 0;
  }

  /** Whether a message is being made. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Whether no further event may be made before messages were handed out. */
  get isFull(): boolean {
    return this.#eventCount >= fixed.watchMessageEventsMax || this.#bytes >= fixed.watchMessageBytesMax;
  }

  /** Makes a message without events ready. */
  say(kind: 'synced' | 'progress', revision: number): void {
    this.#push({ kind, revision, incarnation: this.#incarnationOf(revision) }, 0, 0);
  }

  /** Makes a page of present entries ready. */
  sayCurrent(revision: number, entries: Entry[], bytes: number): void {
    const message = {
      kind: 'current',
      entries,
      revision,
      incarnation: this.#incarnationOf(revision),
    } as const;
    this.#eventCount += entries.length;
    this.#bytes += bytes;
    this.#push(message, entries.length, bytes);
  }

  /** Adds an event to the message of its revision. @returns the bytes that it takes. */
  add(revision: number, commitTimeMs: number, event: WatchEvent): number {
    const open = (this.#open ??= { revision, commitTimeMs, events: [], bytes: 0 });
    const bytes = eventBytes(event);
    open.events.push(event);
    open.bytes += bytes;
    this.#eventCount++;
    this.#bytes += bytes;
    return bytes;
  }

  /**
   * Makes the message that was being made ready, if it holds anything.
   * @param moreFragments whether more events of the same revision follow.
   */
  close(moreFragments: boolean): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { revision, commitTimeMs, events, bytes } = open;
    const incarnation = this.#incarnationOf(revision);
    const message = { kind: 'events', revision, incarnation, commitTimeMs, events, moreFragments } as const;
    this.#push(message, events.length, bytes);
  }

  shift(): WatchMessage | undefined {
    const ready = this.#ready.shift();
    if (ready === undefined) return undefined;
    this.#eventCount -= ready.eventCount;
    this.#bytes -= ready.bytes;
    return ready.message;
  }

  clear(): void {
    this.#open = undefined;
    while (this.#ready.shift() !== undefined);
    this.#eventCount = this.#bytes = 0;
  }

  #push(message: WatchMessage, eventCount: number, bytes: number): void {
    this.#ready.push({ message, eventCount, bytes });
  }
}

/** What an event and an entry take as objects, besides the texts and values: measured, with the numbers and views in them. */
const EVENT_BYTES = 64;
const ENTRY_BYTES = 256;

function eventBytes(event: WatchEvent): number {
  const own = event.type === 'delete' ? event.key.length : entryBytes(event.entry);
  return EVENT_BYTES + own + (event.previous === undefined ? 0 : entryBytes(event.previous));
}

/** What an entry takes in memory. */
export function entryBytes({ key, value }: Entry): number {
  return ENTRY_BYTES + key.length + value.length;
}
