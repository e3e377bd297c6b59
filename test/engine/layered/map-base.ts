/**
 * `MapBase`: the `Base` contract in a sorted array, with no disk. Faults that it can be told to have: a key whose reads throw, a
 * flush that fails at a step. What it has placed becomes garbage as early as the contract lets it.
 */
import { DiskError } from '../../../src/disk/disk.ts';
import { StoreError } from '../../../src/errors.ts';
import type { EngineRange } from '../../../src/engine/engine.ts';
import type {
  Base,
  BaseCursor,
  BaseFlush,
  BaseView,
  DeadlineCursor,
  DeadlinePlace,
} from '../../../src/engine/layered/base/base.ts';
import type { BaseFigures } from '../../../src/engine/layered/base/base-figures.ts';
import { type Change, type PlacedChange, placeChange } from '../../../src/engine/version.ts';
import { memoryOf } from '../../../src/wire/memory.ts';

type Entry = readonly [text: string, change: Change];

const NO_MEMORY = memoryOf(new Uint8Array(0));
const GARBAGE = 0xee;

export class MapBase implements Base {
  revision = 0;
  /** As a start on a full disk. */
  unsettled: Error | undefined;
  notes = new Uint8Array(0);
  /** Every read of one of these throws. */
  readonly damaged = new Set<string>();
  /** The disk fails at each read of one of these. */
  readonly unreadable = new Set<string>();
  /** ... and at each of the places by deadline. */
  areDeadlinesUnreadable = false;
  /** What the next flush fails at. */
  failsAt: 'begin' | 'add' | 'drain' | 'commit' | undefined;
  /** After so many versions a flush is full. */
  fullAfter = Infinity;
  readCount = 0;
  isClosed = false;
  flushes = 0;
  /** Those that are open. */
  viewCount = 0;
  readonly #keepsDeletions: boolean;
  /** What is shown, ... */
  readonly #entries: Entry[] = [];
  /** ... and what a start would find: with what was only hidden. */
  readonly #durable: Entry[] = [];
  readonly #readsLeft = new Map<string, number>();
  #found: PlacedChange | undefined;

  /** @param keepsDeletions it steps over deleted keys, and tells of each of them. */
  constructor(keepsDeletions = false) {
    this.#keepsDeletions = keepsDeletions;
  }

  get size(): number {
    return this.keys().length;
  }

  find(key: Uint8Array, placed: PlacedChange, withValue: boolean): boolean {
    const text = textOf(key);
    this.#check(text);
    if (this.#found !== undefined) spoil(this.#found);
    this.#found = undefined;
    const entry = this.#entries[this.#placeOf(text)];
    if (entry?.[0] !== text || entry[1].deleted) return false;
    this.#found = placeChange(entry[1]);
    take(placed, this.#found, withValue);
    return true;
  }

  mayHave(key: Uint8Array): boolean {
    const text = textOf(key);
    // Filters let some pass in vain.
    return text.length % 5 === 0 || this.#entries[this.#placeOf(text)]?.[0] === text;
  }

  cursor(range: EngineRange, reverse: boolean, withValues: boolean): BaseCursor {
    const low = this.#placeOf(textOf(range.start));
    const high = range.end === undefined ? this.#entries.length : this.#placeOf(textOf(range.end));
    const entries = this.#entries;
    const step = reverse ? -1 : 1;
    let place = reverse ? high - 1 : low;
    let shown: PlacedChange | undefined;
    let isOpen = true;
    return {
      next: (placed) => {
        if (!isOpen) throw new Error('a cursor that was closed is used');
        if (shown !== undefined) spoil(shown);
        shown = undefined;
        const entry = place >= low && place < high ? entries[place] : undefined;
        if (entry === undefined) return false;
        place += step;
        this.#check(entry[0]);
        shown = placeChange(entry[1]);
        take(placed, shown, withValues);
        return true;
      },
      close: () => {
        if (shown !== undefined) spoil(shown);
        shown = undefined;
        isOpen = false;
      },
    };
  }

  deadlines(after: DeadlinePlace | undefined): DeadlineCursor {
    const places = this.#entries
      .map(([, { key, expireTimeMs }]): DeadlinePlace => ({ deadlineMs: expireTimeMs, key: key.slice() }))
      .filter((place) => place.deadlineMs > 0 && (after === undefined || comparePlaces(place, after) > 0))
      .sort(comparePlaces);
    let next = 0;
    return {
      next: () => {
        if (this.areDeadlinesUnreadable)
          throw new DiskError('failed', "the places by deadline can't be read");
        return places[next++];
      },
      close: () => undefined,
    };
  }

  *leasedKeys(): Generator<readonly [leaseId: number, key: Uint8Array], undefined> {
    for (const [, { leaseId, key }] of this.#entries) if (leaseId !== 0) yield [leaseId, key.slice()];
  }

  hide(range: EngineRange): void {
    removeRange(this.#entries, range);
  }

  view(): Promise<BaseView> {
    const entries = [...this.#durable];
    let shown: PlacedChange | undefined;
    let isOpen = true;
    this.viewCount++;
    const step = (): void => {
      if (!isOpen) throw new StoreError('closed', 'a view that was closed is used');
      if (shown !== undefined) spoil(shown);
      shown = undefined;
    };
    return Promise.resolve({
      revision: this.revision,
      notes: this.notes,
      next: () => {
        step();
        const entry = entries.shift();
        if (entry === undefined) return undefined;
        this.#check(entry[0]);
        shown = placeChange(entry[1]);
        return shown;
      },
      read: async () => {
        step();
        return entries.length > 0;
      },
      close: async () => {
        if (isOpen) this.viewCount--;
        isOpen = false;
      },
    });
  }

  begin(revision: number): Promise<BaseFlush> {
    if (this.failsAt === 'begin') return Promise.reject(this.#fail());
    return Promise.resolve(this.beginNow(revision));
  }

  /** Its promises are only for the form: all is done at once. */
  beginNow(revision: number): BaseFlush {
    if (revision < this.revision) throw new Error('a flush goes forwards');
    this.flushes++;
    const added: Change[] = [];
    const forgotten: EngineRange[] = [];
    let runStart = 0;
    let undrained = 0;
    const fullAfter = this.fullAfter;
    return {
      get isFull() {
        return undrained >= fullAfter;
      },
      add: (change) => {
        if (this.failsAt === 'add' && added.length > 2) throw this.#fail();
        const last = added.length > runStart ? added.at(-1) : undefined;
        if (last !== undefined && Buffer.compare(last.key, change.key) >= 0)
          throw new Error('the keys of a flush ascend');
        undrained++;
        added.push(placeChange(change));
      },
      drain: () => {
        undrained = 0;
        if (this.failsAt === 'drain') return Promise.reject(this.#fail());
        return new Promise((resolve) => setImmediate(resolve));
      },
      beginRun: () => {
        runStart = added.length;
        return Promise.resolve();
      },
      forget: (range) => void forgotten.push(range),
      commit: (notes) => {
        if (this.failsAt === 'commit') return Promise.reject(this.#fail());
        for (const entries of [this.#durable, this.#entries]) {
          for (const range of forgotten) removeRange(entries, range);
          for (const change of added) put(entries, change, this.#keepsDeletions);
        }
        this.revision = revision;
        this.unsettled = undefined;
        this.notes = new Uint8Array(notes);
        return Promise.resolve();
      },
      abort: () => Promise.resolve(),
    };
  }

  compactStorage(): Promise<void> {
    return Promise.resolve();
  }

  get hasDeletions(): boolean {
    return this.#entries.some(([, { deleted }]) => deleted);
  }

  get memoryBytes(): number {
    return this.#entries.length;
  }

  figures(): BaseFigures {
    return {
      diskBytes: this.#durable.length,
      liveBytes: this.#entries.length,
      runs: [],
      cacheHits: 0,
      cacheMisses: 0,
      filterStops: 0,
      filterMisses: 0,
      flushedBytes: 0,
      mergedBytes: 0,
      mergingBytes: 0,
      plainBytes: 0,
      compressedBytes: 0,
    };
  }

  stopMerging(): void {}

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  /** The disk fails at one read of a key, behind so many that it serves. */
  failRead(key: string, readsBefore = 0): void {
    this.#readsLeft.set(this.textWith(key), readsBefore);
  }

  /** Whether all have failed that were to. */
  get haveReadsFailed(): boolean {
    return this.#readsLeft.size === 0;
  }

  /** The one key that ends so. */
  textWith(end: string): string {
    const [text, ...others] = this.keys().filter((key) => key.endsWith(end));
    if (text === undefined || others.length > 0) throw new Error(`no key, or several, end with ${end}`);
    return text;
  }

  /** The keys, in their order. */
  keys(): string[] {
    return this.#entries.filter(([, { deleted }]) => !deleted).map(([text]) => text);
  }

  /** As a start finds what was committed: what was only hidden in memory is there again. */
  reopened(): MapBase {
    const base = new MapBase(this.#keepsDeletions);
    base.revision = this.revision;
    base.notes = this.notes;
    for (const entries of [base.#durable, base.#entries])
      for (const entry of this.#durable) entries.push(entry);
    return base;
  }

  #placeOf(text: string): number {
    return placeIn(this.#entries, text);
  }

  #check(text: string): void {
    if (this.damaged.has(text)) throw new StoreError('damaged', `the record of ${text} does not fit`);
    if (this.unreadable.has(text) || this.#isFailing(text))
      throw new DiskError('failed', `the record of ${text} can't be read`);
  }

  #isFailing(text: string): boolean {
    const left = this.#readsLeft.get(text);
    if (left === undefined) return false;
    if (left === 0) this.#readsLeft.delete(text);
    else this.#readsLeft.set(text, left - 1);
    return left === 0;
  }

  #fail(): Error {
    this.failsAt = undefined;
    return new Error('the disk is full');
  }
}

function put(entries: Entry[], change: Change, keepsDeletions: boolean): void {
  const text = textOf(change.key);
  const place = placeIn(entries, text);
  const isThere = entries[place]?.[0] === text;
  if (change.deleted && !(isThere && keepsDeletions)) entries.splice(place, isThere ? 1 : 0);
  else entries.splice(place, isThere ? 1 : 0, [text, change]);
}

function removeRange(entries: Entry[], { start, end }: EngineRange): void {
  const low = placeIn(entries, textOf(start));
  const high = end === undefined ? entries.length : placeIn(entries, textOf(end));
  entries.splice(low, Math.max(0, high - low));
}

function placeIn(entries: readonly Entry[], text: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]![0] < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The value of what is placed without it can't be looked at. */
function take(placed: PlacedChange, from: PlacedChange, withValue: boolean): void {
  Object.assign(placed, from);
  placed.valueMemory = withValue ? from.valueMemory : NO_MEMORY;
  if (withValue) return;
  placed.valueStart = 0;
  placed.valueEnd = from.valueEnd - from.valueStart;
}

function spoil(placed: PlacedChange): void {
  placed.keyMemory.bytes.fill(GARBAGE);
}

function comparePlaces(a: DeadlinePlace, b: DeadlinePlace): number {
  return a.deadlineMs - b.deadlineMs || Buffer.compare(a.key, b.key);
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
