/**
 * The latest changes of a store, of which it keeps so many. Where the stream breaks it goes on behind the last revision that came whole,
 * of the same store and history, so that nothing is missing; so it does after a pause, during which nothing is read. Where it can't go
 * on, since what it missed is not kept or the history is another one, a gap stands between what came before and what comes now.
 * A pause that comes before the stream has told where it begins waits for that message alone: to go on from.
 *
 *     reading --pause--> paused --resume--> reading
 *        | the stream breaks
 *        v
 *     waiting --the server is back--> reading
 *        | what it may not read
 *        v
 *     refused
 */
import { Code } from '@connectrpc/connect';
import { signal } from '@preact/signals';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import {
  DeleteReason,
  type Event,
  EventType,
  type Events,
  type WatchResponse,
} from '../../../gen/kelp/v1/watch_pb.ts';
import { type Key, keyOf } from '../bytes/key-name.ts';
import { type Failure, failureOf, isPassing } from '../calls/failure.ts';
import { limits } from '../page/limits.ts';

export interface Change {
  readonly kind: 'put' | 'delete' | 'touch';
  readonly key: Key;
  readonly revision: bigint;
  /** In milliseconds since 1970; when it was committed, by the server's clock. */
  readonly timeMs: number;
  /** The first bytes of the value, ... */
  readonly value: Uint8Array;
  /** ... of which it has so many. */
  readonly valueBytes: number;
  /** Why a key is no more, other than that a client has deleted it; else empty. */
  readonly reason: string;
}

/** Some changes are missing here. */
export interface Gap {
  readonly kind: 'gap';
  readonly message: string;
}

export type FeedItem = Change | Gap;

/** Where a stream begins: with what comes from now on, or behind a revision. */
export interface FeedStart {
  /** 0: from now on. */
  readonly startRevision: bigint;
  readonly storeId: string;
  readonly incarnation: string;
}

export interface FeedParts {
  open(start: FeedStart, signal: AbortSignal): AsyncIterable<WatchResponse>;
  /** Tells that the server does not answer. `ChangeFeed.retry` is to be called when it does again. */
  lost(failure: Failure): void;
  /** Runs its argument when the page is drawn next. */
  onFrame(callback: () => void): void;
}

export type FeedState = 'reading' | 'paused' | 'waiting' | 'refused';

const FROM_NOW: FeedStart = { startRevision: 0n, storeId: '', incarnation: '' };

export class ChangeFeed {
  readonly state = signal<FeedState>('paused');
  readonly failure = signal<Failure | undefined>(undefined);
  /** How many items came so far. Set once for each frame of the page, however many came. */
  readonly itemCount = signal(0);
  /** Up to here nothing is missing; 0: nothing was read yet. */
  readonly revision = signal(0n);
  readonly #parts: FeedParts;
  readonly #itemsMax: number;
  /** A ring: the item with the number `n`, from 0 on, is at `n % itemsMax`. */
  readonly #items: FeedItem[] = [];
  /** Those of a revision whose fragments have not all come. */
  #unfinished: Change[] = [];
  #start = FROM_NOW;
  /** What the streams said last of the store and its history. */
  #told: Pick<FeedStart, 'storeId' | 'incarnation'> = FROM_NOW;
  #cameCount = 0;
  #isFrameDue = false;
  #stream: AbortController | undefined;

  constructor(parts: FeedParts, itemsMax: number = limits.changes) {
    this.#parts = parts;
    this.#itemsMax = itemsMax;
  }

  /** How many there are. */
  get keptCount(): number {
    return Math.min(this.itemCount.value, this.#itemsMax);
  }

  /** @param age 0 is the newest that `itemCount` counts. */
  item(age: number): FeedItem | undefined {
    return this.#items[(this.itemCount.peek() - 1 - age) % this.#itemsMax];
  }

  resume(): void {
    if (this.state.peek() === 'reading') return;
    this.state.value = 'reading';
    this.failure.value = undefined;
    this.#open();
  }

  pause(): void {
    if (this.#start.startRevision === 0n && this.#stream !== undefined) this.state.value = 'paused';
    else this.#leave('paused');
  }

  /** As a pause, but what comes meanwhile is not wanted: it is not resumed. */
  stop(): void {
    this.#leave('paused');
  }

  /** The server is back. */
  retry(): void {
    if (this.state.peek() === 'waiting') this.resume();
  }

  /** Goes on with a stream that a pause has left open. */
  #open(): void {
    if (this.#stream !== undefined) return;
    this.#stream = new AbortController();
    void this.#read(this.#stream.signal);
  }

  #leave(state: FeedState): void {
    this.#stream?.abort();
    this.#stream = undefined;
    this.#unfinished = [];
    this.state.value = state;
  }

  async #read(signal: AbortSignal): Promise<void> {
    try {
      for await (const message of this.#parts.open(this.#start, signal)) {
        if (signal.aborted) return;
        this.#take(message);
      }
      if (!signal.aborted)
        this.#broken({ code: Code.Unavailable, message: 'the stream has ended', detail: undefined });
    } catch (error) {
      if (!signal.aborted) this.#broken(failureOf(error));
    }
  }

  #broken(failure: Failure): void {
    if (isPassing(failure)) {
      // Paused, it had not told where it begins: what was made until it is resumed is not to be found again.
      if (this.state.peek() === 'paused') {
        this.#add({ kind: 'gap', message: failure.message });
        this.#leave('paused');
      } else this.#leave('waiting');
      this.#parts.lost(failure);
    } else if (isGap(failure)) {
      this.#add({ kind: 'gap', message: failure.message });
      this.#start = FROM_NOW;
      this.#leave('waiting');
      this.resume();
    } else {
      this.#leave('refused');
      this.failure.value = failure;
    }
  }

  #take({ message, storeId, incarnation }: WatchResponse): void {
    // Each is told when it is another than before.
    this.#told = {
      storeId: storeId || this.#told.storeId,
      incarnation: incarnation || this.#told.incarnation,
    };
    if (message.case === undefined) return;
    if (message.case === 'events') {
      this.#unfinished.push(...message.value.events.flatMap((event) => changesOf(event, message.value)));
      if (this.#unfinished.length > this.#itemsMax)
        this.#unfinished = this.#unfinished.slice(-this.#itemsMax);
      // A stream that breaks now goes on with this revision again.
      if (message.value.moreFragments) return;
      for (const change of this.#unfinished) this.#add(change);
      this.#unfinished = [];
    }
    this.#start = { ...this.#told, startRevision: message.value.revision + 1n };
    if (this.state.peek() === 'paused') this.#leave('paused');
    this.#draw();
  }

  #add(item: FeedItem): void {
    this.#items[this.#cameCount++ % this.#itemsMax] = item;
    this.#draw();
  }

  #draw(): void {
    if (this.#isFrameDue) return;
    this.#isFrameDue = true;
    this.#parts.onFrame(() => {
      this.#isFrameDue = false;
      this.itemCount.value = this.#cameCount;
      if (this.#start.startRevision > 0n) this.revision.value = this.#start.startRevision - 1n;
    });
  }
}

function changesOf({ type, entry, deleteReason }: Event, { revision, commitTime }: Events): Change[] {
  if (entry === undefined) return [];
  const { value } = entry;
  return [
    {
      kind: kinds[type] ?? 'put',
      key: keyOf(entry),
      revision,
      timeMs: commitTime === undefined ? 0 : Number(commitTime.seconds) * 1000 + commitTime.nanos / 1e6,
      // A copy, so that the message it came in is not kept.
      value: value.slice(0, limits.changeBytes),
      valueBytes: value.length,
      reason: reasons[deleteReason] ?? '',
    },
  ];
}

const kinds: Readonly<Record<number, Change['kind']>> = {
  [EventType.PUT]: 'put',
  [EventType.DELETE]: 'delete',
  [EventType.TOUCH]: 'touch',
};

const reasons: Readonly<Record<number, string>> = {
  [DeleteReason.EXPIRED]: 'its time to live ended',
  [DeleteReason.LEASE_EXPIRED]: 'its lease ended',
  [DeleteReason.LEASE_REVOKED]: 'its lease was revoked',
};

/** The feed was too slow, or its place is not in the history of the store: what comes from now on can be read. */
function isGap({ code, detail }: Failure): boolean {
  const reason = detail?.reason;
  return (
    code === Code.OutOfRange ||
    reason === ErrorReason.SLOW_WATCHER ||
    reason === ErrorReason.OTHER_STORE ||
    reason === ErrorReason.HISTORY_DIFFERS
  );
}
