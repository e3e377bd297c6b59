/**
 * The keys of a range with what the index knows of them, and their values if they are asked for. Those of neighbours are read
 * together where their records lie together, which they do as far as one flush or merge wrote them.
 */
import type { EngineRange } from '../engine.ts';
import type { BaseCursor } from '../layered/base/base.ts';
import { NONE } from '../memory/layout.ts';
import type { PlacedChange } from '../version.ts';
import type { RangeSet } from '../range-set.ts';
import { IndexCursor } from './index/index-cursor.ts';
import { RecordPlace, type KeyIndex } from './index/key-index.ts';
import { RecordWindow } from './record-window.ts';
import type { RunSet } from './run-set.ts';

/** How many keys are looked at ahead: few at first, since most ranges are short. */
const AHEAD_MIN = 4;
const AHEAD_MAX = 64;
/** One read takes so many bytes at most, unless one record is longer, and reads no more between records than them. */
const READ_BYTES_MAX = 64 * 1024;

export interface CursorSource {
  readonly index: KeyIndex;
  readonly runs: RunSet;
  readonly hidden: RangeSet;
  /** A read of the disk was made. */
  countRead(): void;
}

export class BitcaskCursor implements BaseCursor {
  readonly #source: CursorSource;
  readonly #range: EngineRange;
  readonly #reverse: boolean;
  readonly #keys: IndexCursor;
  /** What was read last of each run; `undefined`: values are not asked for. */
  readonly #windows: Map<number, RecordWindow> | undefined;
  /** Of the record that is read. */
  readonly #wanted = new RecordPlace();
  readonly #ahead: Int32Array;
  #aheadCount = 0;
  #aheadAt = 0;
  #aheadMax: number;

  constructor(source: CursorSource, range: EngineRange, reverse: boolean, withValues: boolean) {
    this.#source = source;
    this.#range = range;
    this.#reverse = reverse;
    this.#keys = new IndexCursor(source.index.keyspace, range, reverse);
    this.#windows = withValues ? new Map() : undefined;
    this.#ahead = new Int32Array(withValues ? AHEAD_MAX : 1);
    this.#aheadMax = withValues ? AHEAD_MIN : 1;
  }

  next(placed: PlacedChange): boolean {
    const { index, hidden } = this.#source;
    for (;;) {
      const block = this.#nextBlock();
      if (block === NONE) return false;
      if (!hidden.isEmpty && this.#passHidden(block)) continue;
      index.showAt(block, placed);
      if (this.#windows !== undefined) this.#readValue(this.#windows, index.place, placed);
      return true;
    }
  }

  close(): void {
    this.#windows?.clear();
  }

  #nextBlock(): number {
    if (this.#windows === undefined) return this.#keys.next();
    if (this.#aheadAt === this.#aheadCount) this.#lookAhead();
    return this.#aheadAt === this.#aheadCount ? NONE : this.#ahead[this.#aheadAt++]!;
  }

  #lookAhead(): void {
    this.#aheadAt = 0;
    this.#aheadCount = 0;
    while (this.#aheadCount < this.#aheadMax) {
      const block = this.#keys.next();
      if (block === NONE) break;
      this.#ahead[this.#aheadCount++] = block;
    }
    this.#aheadMax = Math.min(4 * this.#aheadMax, AHEAD_MAX);
  }

  /** @returns whether a key is hidden; then the keys behind its range are next. */
  #passHidden(block: number): boolean {
    const { index, hidden } = this.#source;
    const range = hidden.holding(index.keyAt(block));
    if (range === undefined) return false;
    this.#aheadAt = this.#aheadCount;
    const { start, end } = this.#range;
    // An empty range is at its end.
    const rest = this.#reverse ? { start, end: range.start } : { start: range.end ?? range.start, end };
    const isOver = this.#reverse ? isAtOrBefore(range.start, start) : range.end === undefined;
    this.#keys.goTo(isOver ? { start: range.start, end: range.start } : rest);
    return true;
  }

  #readValue(windows: Map<number, RecordWindow>, place: RecordPlace, placed: PlacedChange): void {
    let window = windows.get(place.run);
    if (window === undefined) {
      window = new RecordWindow(this.#source.runs.get(place.run));
      windows.set(place.run, window);
    }
    this.#wanted.set(place.run, place.offset, place.length, place.valueBytes);
    if (!window.has(place)) this.#fill(window);
    window.show(this.#wanted, placed);
  }

  /** Reads a record with those of the keys ahead that lie near it in the same run. */
  #fill(window: RecordWindow): void {
    const { run, offset, length } = this.#wanted;
    let low = offset;
    let high = low + length;
    let neededBytes = length;
    for (let ahead = this.#aheadAt; ahead < this.#aheadCount; ahead++) {
      const next = this.#source.index.placeOf(this.#ahead[ahead]!);
      if (next.run !== run) continue;
      const nextLow = Math.min(low, next.offset);
      const nextHigh = Math.max(high, next.offset + next.length);
      neededBytes += next.length;
      if (nextHigh - nextLow > READ_BYTES_MAX || nextHigh - nextLow > 2 * neededBytes) break;
      low = nextLow;
      high = nextHigh;
    }
    this.#source.countRead();
    window.read(low, high);
  }
}

function isAtOrBefore(key: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(key, other) <= 0;
}
