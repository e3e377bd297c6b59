/**
 * Holds what a watch says against what is true, guarantee by guarantee. What breaks one is a `WatchViolation` that names
 * it.
 */
import { isDeepStrictEqual } from 'node:util';
import type {
  DeleteReason,
  Entry,
  EventType,
  KeyRange,
  WatchEvent,
  WatchMessage,
  WatchRequest,
} from '../../src/api.ts';
import { textKey } from './text-key.ts';

export type WatchGuarantee =
  /** Revisions never go back, and messages come in their order. */
  | 'ordered'
  /** No revision comes twice. */
  | 'unique'
  /** Every change that the watch asked for comes, before anything that lies behind it. */
  | 'gap-free'
  /** All changes of a revision come together, in the order of the transaction, and nothing comes between. */
  | 'atomic'
  /** Entries, reasons and times are what they were at that revision. */
  | 'right'
  /** Previous entries are those before the revision. */
  | 'previous right'
  /** `synced` and `progress` never claim what was not sent. */
  | 'progress true'
  /** Where a watch that ended says to go on, nothing before is owed: `cursor` + 1 is where the next one begins. */
  | 'resumable';

/** A watch did not keep what it promises. */
export class WatchViolation extends Error {
  override readonly name = 'WatchViolation';
  readonly guarantee: WatchGuarantee;

  constructor(guarantee: WatchGuarantee, what: string) {
    super(`a watch is not ${guarantee}: ${what}`);
    this.guarantee = guarantee;
  }
}

/** A change as it truly happened. */
export interface TrueEvent {
  readonly key: string;
  readonly type: EventType;
  /** Only of a delete. */
  readonly reason: DeleteReason | undefined;
  /** A put on a key whose entry was past its deadline, which is no entry before. */
  readonly replacedExpired: boolean;
  readonly before: Entry | undefined;
  /** `undefined` after a delete. */
  readonly after: Entry | undefined;
}

/** What is known to be true from elsewhere. */
export interface WatchTruth {
  /** All changes of a revision that has been taken, in their order. */
  eventsAt(revision: number): readonly TrueEvent[];
  /** The entries of a range in key order, without those whose deadline has come by `instantMs`. */
  entriesAt(revision: number, range: KeyRange, instantMs: number): readonly Entry[];
  /** The newest revision that may be known to anybody. */
  readonly revision: number;
}

/** The instant at which the watch was opened. */
export interface WatchOpened {
  /** The newest visible revision. */
  readonly revision: number;
  readonly nowMs: number;
}

const NO_VALUE = new Uint8Array(0);
const DEFAULT_TYPES: readonly EventType[] = ['put', 'delete'];

export class WatchValidator {
  /** Everything up to this revision has been dealt with. */
  cursor: number;
  readonly #request: WatchRequest;
  readonly #truth: WatchTruth;
  readonly #opened: WatchOpened;
  readonly #ranges: readonly KeyRange[];
  readonly #types: ReadonlySet<EventType>;
  /** The present entries so far. */
  readonly #current: Entry[] = [];
  #isSynced = false;
  /** The fragments so far of a revision that is not whole. */
  #fragments: WatchEvent[] = [];
  #lastCommitTimeMs = 0;
  /** The last one whose events came. */
  #lastRevision = 0;

  constructor(request: WatchRequest, truth: WatchTruth, opened: WatchOpened) {
    this.#request = request;
    this.#truth = truth;
    this.#opened = opened;
    this.#ranges = request.ranges === undefined || request.ranges.length === 0 ? [{}] : request.ranges;
    const types = request.eventTypes ?? [];
    this.#types = new Set(types.length === 0 ? DEFAULT_TYPES : types);
    const { startRevision = 0 } = request;
    this.cursor = startRevision === 0 ? opened.revision : startRevision - 1;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Throws when the message breaks a guarantee. */
  accept(message: WatchMessage): void {
    if (this.#fragments.length > 0 && message.kind !== 'events') {
      throw new WatchViolation('atomic', `${message.kind} between fragments`);
    }
    switch (message.kind) {
      case 'current':
        return this.#acceptCurrent(message.entries, message.revision);
      case 'synced':
        if (this.#isSynced) throw new WatchViolation('ordered', 'a second synced');
        if (this.#request.includeCurrent === true) this.#checkCurrent(message.revision);
        this.#isSynced = true;
        return this.#moveTo(message.revision, 'progress true');
      case 'progress':
        if (!this.#isSynced) throw new WatchViolation('ordered', 'progress before synced');
        return this.#moveTo(message.revision, 'progress true');
      case 'events':
        return this.#acceptEvents(message);
    }
  }

  /** The watch ended and says that the next one goes on at `revision`: nothing before is owed then. */
  expectResumable(revision: number): void {
    if (this.#fragments.length > 0) throw new WatchViolation('atomic', 'the end comes between fragments');
    this.#moveTo(revision - 1, 'resumable');
  }

  /** Checks that nothing up to `revision` is still owed. */
  expectCaughtUp(revision: number): void {
    if (!this.#isSynced) throw new WatchViolation('gap-free', 'synced never came');
    this.#moveTo(Math.max(revision, this.cursor), 'gap-free');
  }

  #acceptCurrent(entries: readonly Entry[], revision: number): void {
    if (this.#isSynced || this.#request.includeCurrent !== true)
      throw new WatchViolation('ordered', 'present entries where none are asked for');
    if (revision !== this.cursor)
      throw new WatchViolation('right', `entries of revision ${revision}, not ${this.cursor}`);
    if (entries.length === 0) throw new WatchViolation('right', 'a message without entries');
    this.#current.push(...entries);
  }

  #checkCurrent(revision: number): void {
    if (revision !== this.cursor)
      throw new WatchViolation('right', `synced at ${revision}, not at ${this.cursor}`);
    const all = this.#truth.entriesAt(revision, {}, this.#opened.nowMs);
    const wanted = new Set(
      this.#ranges.flatMap((range) => this.#truth.entriesAt(revision, range, this.#opened.nowMs)),
    );
    const expected = all.filter((entry) => wanted.has(entry)).map((entry) => this.#shown(entry));
    expectEqual('right', `the present entries of revision ${revision}`, this.#current, expected);
  }

  #acceptEvents(message: WatchMessage & { readonly kind: 'events' }): void {
    const { revision, events, moreFragments, commitTimeMs } = message;
    if (this.#request.includeCurrent === true && !this.#isSynced) {
      throw new WatchViolation('ordered', 'events before the present entries were told');
    }
    if (revision === this.#lastRevision)
      throw new WatchViolation('unique', `revision ${revision} comes twice`);
    if (revision <= this.cursor)
      throw new WatchViolation('ordered', `revision ${revision} after ${this.cursor} had been dealt with`);
    if (revision > this.#truth.revision)
      throw new WatchViolation('right', `revision ${revision} was never taken`);
    if (events.length === 0) throw new WatchViolation('right', 'a message without events');
    if (commitTimeMs < this.#lastCommitTimeMs)
      throw new WatchViolation('right', 'the time of commits goes back');
    this.#moveTo(revision - 1, 'gap-free');
    this.#fragments.push(...events);
    if (moreFragments) return;
    const expected = this.#wantedAt(revision).map((event) => this.#toWatchEvent(event, revision));
    const whole = `revision ${revision}`;
    expectEqual('atomic', whole, this.#fragments.map(keyOf), expected.map(keyOf));
    expectEqual('right', whole, this.#fragments.map(withoutPrevious), expected.map(withoutPrevious));
    expectEqual('previous right', whole, this.#fragments.map(previousOf), expected.map(previousOf));
    this.#fragments = [];
    this.#lastCommitTimeMs = commitTimeMs;
    this.#lastRevision = revision;
    this.cursor = revision;
  }

  /** The watch says, or implies, that everything up to `revision` has been sent. */
  #moveTo(revision: number, guarantee: WatchGuarantee): void {
    if (revision < this.cursor)
      throw new WatchViolation('ordered', `back from ${this.cursor} to ${revision}`);
    if (revision > this.#truth.revision)
      throw new WatchViolation('right', `revision ${revision} was never taken`);
    for (let missed = this.cursor + 1; missed <= revision; missed++) {
      if (this.#wantedAt(missed).length > 0)
        throw new WatchViolation(guarantee, `revision ${missed} was not sent before ${revision}`);
    }
    this.cursor = revision;
  }

  #wantedAt(revision: number): TrueEvent[] {
    const events = this.#truth.eventsAt(revision);
    return events.filter(({ key, type }) => this.#types.has(type) && this.#ranges.some(holds(key)));
  }

  #toWatchEvent(event: TrueEvent, revision: number): WatchEvent {
    const { type, key, reason, replacedExpired, before, after } = event;
    const hasPrevious = this.#request.returnPrevious === true && before !== undefined;
    const previous = hasPrevious ? this.#shown(before) : undefined;
    if (type === 'delete') {
      return { type, key, modRevision: revision, reason: reason ?? 'requested', previous };
    }
    if (after === undefined) throw new Error(`the truth of a ${type} has no entry`);
    const shown = this.#shown(after);
    const entry = type === 'touch' ? { ...shown, value: NO_VALUE } : shown;
    return { type, entry, previous, ...(replacedExpired && { replacedExpired }) };
  }

  #shown(entry: Entry): Entry {
    return this.#request.keysOnly === true ? { ...entry, value: NO_VALUE } : entry;
  }
}

/** Whether a key lies in a range. Text of one plane is enough: order by code units is then order by bytes. */
function holds(key: string): (range: KeyRange) => boolean {
  return ({ key: only = '', prefix = '', start = '', end = '' }) => {
    if (only !== '') return key === only;
    return key.startsWith(textKey(prefix)) && key >= start && (end === '' || key < end);
  };
}

function keyOf(event: WatchEvent): string {
  return `${event.type} ${event.type === 'delete' ? event.key : event.entry.key}`;
}

function withoutPrevious(event: WatchEvent): WatchEvent {
  return { ...event, previous: undefined };
}

function previousOf({ previous }: WatchEvent): Entry | undefined {
  return previous;
}

function expectEqual(guarantee: WatchGuarantee, what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(plain(actual), plain(expected))) return;
  throw new WatchViolation(
    guarantee,
    `${what} is\n${readable(actual)}\nand should be\n${readable(expected)}`,
  );
}

/** The fields of the contract, with bytes as text: a buffer and an array of the same bytes are equal. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([name]) => name !== 'ttlMs' && name !== 'content');
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]));
}

function readable(value: unknown): string {
  return JSON.stringify(plain(value));
}
