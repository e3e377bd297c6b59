/** What one watch wants to see: its ranges and its types of events. */
import type { EngineRange } from '../../engine/engine.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { fromKeyText, toKeyText, type KeyText } from '../views/keys.ts';
import { toEngineRange } from '../views/range.ts';
import type { EventType, KeyRange } from '../../api.ts';

/** A range with its bounds as key texts, which compare as quickly as strings do. */
export interface TextRange {
  readonly start: KeyText;
  /** `undefined`: no end. */
  readonly end: KeyText | undefined;
}

export interface WatchFilter {
  /** Disjoint and in key order. */
  readonly ranges: readonly TextRange[];
  readonly types: ReadonlySet<EventType>;
}

const DEFAULT_TYPES: readonly EventType[] = ['put', 'delete'];

export function toWatchFilter(
  ranges: readonly KeyRange[] | undefined,
  types: readonly EventType[] | undefined,
): WatchFilter {
  if (ranges !== undefined && ranges.length > fixed.watchRangesMax) {
    throw new StoreError('invalidArgument', `a watch has at most ${fixed.watchRangesMax} ranges`);
  }
  const wanted = ranges === undefined || ranges.length === 0 ? [{}] : ranges;
  return {
    ranges: merge(wanted.map(toTextRange)),
    types: new Set(types === undefined || types.length === 0 ? DEFAULT_TYPES : types),
  };
}

export function isWanted(filter: WatchFilter, key: KeyText, type: EventType): boolean {
  return filter.types.has(type) && filter.ranges.some((range) => isInTextRange(range, key));
}

export function isInTextRange(range: TextRange, key: KeyText): boolean {
  return key >= range.start && (range.end === undefined || key < range.end);
}

export function fromTextRange(range: TextRange): EngineRange {
  return {
    start: fromKeyText(range.start),
    end: range.end === undefined ? undefined : fromKeyText(range.end),
  };
}

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
