/** What one watch wants to see: its ranges and its types of events. */
import type { EngineRange } from '../../../engine/engine.ts';
import type { PlacedChange } from '../../../engine/version.ts';
import { StoreError } from '../../../errors.ts';
import { fixed } from '../../../limits.ts';
import { fromKeyText, toKeyText, type KeyText } from '../../views/keys.ts';
import { prefixEnd, toEngineRange } from '../../views/range.ts';
import { USER_KEYS_END } from '../../views/regions.ts';
import type { EventType, KeyRange } from '../../../api.ts';
import type { ChangeBorders } from './recent-changes.ts';

/** A range with its bounds as key texts, which compare as quickly as strings do, and as bytes. */
export interface WatchedRange {
  readonly start: KeyText;
  /** `undefined`: no end. */
  readonly end: KeyText | undefined;
  readonly bytes: EngineRange;
  /** One key, or all keys with a prefix, is found quicker than what lies between any two keys. */
  readonly kind: 'key' | 'prefix' | 'other';
}

export interface WatchFilter {
  /** Disjoint and in key order. */
  readonly ranges: readonly WatchedRange[];
  readonly types: ReadonlySet<EventType>;
}

const DEFAULT_TYPES: ReadonlySet<EventType> = new Set(['put', 'delete']);

export function toWatchFilter(
  ranges: readonly KeyRange[] | undefined,
  types: readonly EventType[] | undefined,
): WatchFilter {
  if (ranges !== undefined && ranges.length > fixed.watchRangesMax) {
    throw new StoreError('invalidArgument', `a watch has at most ${fixed.watchRangesMax} ranges`);
  }
  const wanted = ranges === undefined || ranges.length === 0 ? [{}] : ranges;
  return {
    ranges: merge(wanted.map(toTextRange)).map(toWatchedRange),
    types: types === undefined || types.length === 0 ? DEFAULT_TYPES : new Set(types),
  };
}

export function isWanted(filter: WatchFilter, key: KeyText, type: EventType): boolean {
  return filter.types.has(type) && isInRanges(filter.ranges, key);
}

/** Whether a key lies in one of some ranges, which are disjoint and in key order. */
export function isInRanges(ranges: readonly WatchedRange[], key: KeyText): boolean {
  const range = lastUpTo(ranges, ({ start }) => start <= key);
  return range !== undefined && (range.end === undefined || key < range.end);
}

/** `isWanted` for a key that lies in a memory, and is not made a text for it. */
export function isWantedAt(filter: WatchFilter, change: PlacedChange, type: EventType): boolean {
  if (!filter.types.has(type)) return false;
  const range = lastUpTo(filter.ranges, ({ bytes }) => compareKey(change, bytes.start) >= 0);
  if (range === undefined) return false;
  const { end } = range.bytes;
  return end === undefined || compareKey(change, end) < 0;
}

/** Whether a transaction of which only the borders are known may hold what a watch wants. */
export function mayWant(filter: WatchFilter, borders: ChangeBorders | undefined): boolean {
  if (borders === undefined) return false;
  const range = lastUpTo(filter.ranges, ({ start }) => start <= borders.last);
  if (range === undefined || (range.end !== undefined && range.end <= borders.first)) return false;
  return [...filter.types].some((type) => borders.types.has(type));
}

/** The last of the ranges that begin at or before a place; they are in key order. */
function lastUpTo(
  ranges: readonly WatchedRange[],
  beginsUpTo: (range: WatchedRange) => boolean,
): WatchedRange | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range !== undefined && beginsUpTo(range)) low = middle + 1;
    else high = middle;
  }
  return ranges[low - 1];
}

/** The order of a key and a bound: as the difference of two numbers. */
function compareKey({ keyMemory, keyStart, keyEnd }: PlacedChange, bound: Uint8Array): number {
  const { bytes } = keyMemory;
  const keyBytes = keyEnd - keyStart;
  const length = Math.min(keyBytes, bound.length);
  for (let index = 0; index < length; index++) {
    const difference = (bytes[keyStart + index] ?? 0) - (bound[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return keyBytes - bound.length;
}

type TextRange = Pick<WatchedRange, 'start' | 'end'>;

function toTextRange(range: KeyRange): TextRange {
  const { start, end } = toEngineRange(range);
  return { start: toKeyText(start), end: end === undefined ? undefined : toKeyText(end) };
}

/** Sorts ranges and joins those that overlap or touch, so that a key lies in at most one of them. */
function merge(ranges: readonly TextRange[]): TextRange[] {
  const merged: TextRange[] = [];
  for (const range of [...ranges].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    const last = merged.at(-1);
    if (last === undefined || (last.end !== undefined && last.end < range.start)) {
      merged.push(range);
    } else if (last.end !== undefined && (range.end === undefined || range.end > last.end)) {
      merged[merged.length - 1] = { start: last.start, end: range.end };
    }
  }
  return merged;
}

function toWatchedRange({ start, end }: TextRange): WatchedRange {
  const bytes = { start: fromKeyText(start), end: end === undefined ? undefined : fromKeyText(end) };
  if (end === `${start}\0`) return { start, end, bytes, kind: 'key' };
  // All keys of users have the prefix that is empty.
  const endOfPrefix = start === '' ? USER_KEYS_END : prefixEnd(bytes.start);
  const isPrefix = end === (endOfPrefix === undefined ? undefined : toKeyText(endOfPrefix));
  return { start, end, bytes, kind: isPrefix ? 'prefix' : 'other' };
}
