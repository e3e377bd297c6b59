/**
 * Where scans have found deleted keys alone, so that the next ones pass over them at once: what a queue leaves in front of its first
 * key, until a checkpoint takes it out of the base; or, where the base keeps deletions, until a merge does.
 *
 * Invariants:
 *
 * - No key of a gap exists at its revision or above it, in all layers: a key that comes to be within cuts the gap.
 * - Gaps are in the order of their keys and do not overlap.
 * - Of two that touch, the one that came first stands for more keys. So a queue that goes on leaves few of them, and the longest
 *   have the lowest revisions: a read a little behind the newest state passes over most of it, too.
 */
import { NO_BYTES } from '../../wire/bytes.ts';

export interface DeadGap {
  /** Inclusive. */
  readonly start: Uint8Array;
  /** Exclusive. */
  readonly end: Uint8Array;
  readonly revision: number;
  /** The keys that were found, by an estimate where it was cut. */
  readonly count: number;
}

/** Fewer deleted keys one behind the other are passed over each time, unless they touch a gap. */
const COUNT_MIN = 16;
const GAPS_MAX = 1024;

export class DeadGaps {
  readonly #gaps: DeadGap[] = [];

  get isEmpty(): boolean {
    return this.#gaps.length === 0;
  }

  /** The gap that a key lies in, for a read at a revision. */
  at(key: Uint8Array, revision: number): DeadGap | undefined {
    const gap = this.#gaps[this.#firstEndingBehind(key)];
    return gap !== undefined && gap.revision <= revision && Buffer.compare(gap.start, key) <= 0
      ? gap
      : undefined;
  }

  /** Where the gaps end that touch each other from a bound on, or down from it, for a read at a revision. */
  behind(bound: Uint8Array, revision: number, isReverse: boolean): Uint8Array {
    let end = bound;
    for (let place = this.#firstEndingBehind(bound) - (isReverse ? 1 : 0); ; place += isReverse ? -1 : 1) {
      const gap = this.#gaps[place];
      const touches = isBorder(isReverse ? gap?.end : gap?.start, end);
      if (gap === undefined || !touches || gap.revision > revision) return end;
      end = isReverse ? gap.start : gap.end;
    }
  }

  /** A scan has gone over deleted keys alone, none of which lies in a gap that it could pass over. The bounds are kept. */
  note(gap: DeadGap): void {
    const place = this.#firstEndingBehind(gap.start);
    const next = this.#gaps[place];
    // One that is too new for the scan, which saw the newest state: there is none.
    if (next !== undefined && Buffer.compare(next.start, gap.end) < 0) return;
    const touches = isBorder(this.#gaps[place - 1]?.end, gap.start) || isBorder(next?.start, gap.end);
    if (gap.count < COUNT_MIN && !touches) return;
    if (this.#gaps.length >= GAPS_MAX) this.#gaps.length = 0;
    this.#gaps.splice(Math.min(place, this.#gaps.length), 0, gap);
    this.#join(Math.min(place, this.#gaps.length - 1));
  }

  /** Adds one that takes in those that it meets. */
  cover({ start, end, revision, count }: DeadGap): void {
    const gaps = this.#gaps;
    const first = this.#firstEndingBehind(start);
    let next = first;
    let low = start;
    let high = end;
    for (; next < gaps.length; next++) {
      const gap = gaps[next]!;
      if (Buffer.compare(gap.start, end) >= 0) break;
      if (Buffer.compare(gap.start, low) < 0) low = gap.start;
      if (Buffer.compare(gap.end, high) > 0) high = gap.end;
    }
    gaps.splice(first, next - first, { start: low, end: high, revision, count });
    if (gaps.length > GAPS_MAX) gaps.length = 0;
  }

  /** A key comes to be. */
  cut(key: Uint8Array): void {
    const place = this.#firstEndingBehind(key);
    const gap = this.#gaps[place];
    if (gap === undefined || Buffer.compare(gap.start, key) > 0) return;
    const { start, end, revision } = gap;
    // So pieces of one that is cut again and again come to be small enough to be joined.
    const count = gap.count / 2;
    const behind = behindKey(key);
    const parts: DeadGap[] = [];
    if (Buffer.compare(start, key) < 0) parts.push({ start, end: new Uint8Array(key), revision, count });
    if (Buffer.compare(behind, end) < 0) parts.push({ start: behind, end, revision, count });
    this.#gaps.splice(place, 1, ...parts);
  }

  clear(): void {
    this.#gaps.length = 0;
  }

  /** Joins the gap at a place with what it touches, as far as that does not stand for more keys. */
  #join(place: number): void {
    const gaps = this.#gaps;
    for (let at = place; ;) {
      const gap = gaps[at];
      const before = gaps[at - 1];
      const next = gaps[at + 1];
      if (gap === undefined) return;
      if (before !== undefined && before.count <= gap.count && isBorder(before.end, gap.start)) {
        gaps.splice(--at, 2, joined(before, gap));
      } else if (next !== undefined && next.count <= gap.count && isBorder(next.start, gap.end)) {
        gaps.splice(at, 2, joined(gap, next));
      } else return;
    }
  }

  #firstEndingBehind(key: Uint8Array): number {
    const gaps = this.#gaps;
    let low = 0;
    let high = gaps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare(gaps[middle]?.end ?? NO_BYTES, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The first key behind another one. */
export function behindKey(key: Uint8Array): Uint8Array {
  const behind = new Uint8Array(key.length + 1);
  behind.set(key);
  return behind;
}

function isBorder(bound: Uint8Array | undefined, key: Uint8Array): boolean {
  return bound !== undefined && Buffer.compare(bound, key) === 0;
}

function joined(first: DeadGap, second: DeadGap): DeadGap {
  return {
    start: first.start,
    end: second.end,
    revision: Math.max(first.revision, second.revision),
    count: first.count + second.count,
  };
}
