import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeKey, toKeyText } from '../../../src/store/views/keys.ts';
import type { EventType, KeyRange } from '../../../src/api.ts';
import { deletionOf, placeChange } from '../../../src/engine/version.ts';
import {
  isWanted,
  isWantedAt,
  mayWant,
  toWatchFilter,
} from '../../../src/store/watch/matching/watch-filter.ts';
import { WatchIndex } from '../../../src/store/watch/matching/watch-index.ts';

const letters = fc.constantFrom('a', 'b', '\x7f', 'é', '\uffff', '\u{10000}', '\u{10ffff}', '\0');
const text = fc.array(letters, { minLength: 1, maxLength: 3 }).map((all) => all.join(''));
const range: fc.Arbitrary<KeyRange> = fc.oneof(
  fc.record({ key: text }),
  fc.record({ prefix: text }),
  fc.record({ start: text }),
  fc.record({ end: text }),
  fc
    .tuple(text, text)
    .map(([a, b]) => (Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0 ? { start: a, end: b } : {})),
);
const ranges = fc.array(range, { maxLength: 4 });

describe('the index of watches', () => {
  it('finds for a key exactly the watches that have it in a range, each once, also after others have gone', () => {
    const property = fc.property(
      fc.array(fc.tuple(ranges, fc.boolean()), { maxLength: 12 }),
      fc.array(text, { maxLength: 20 }),
      (watches, keys) => {
        const index = new WatchIndex<number>();
        const filters = watches.map(([wanted]) => toWatchFilter(wanted, undefined));
        for (const [watch, filter] of filters.entries()) index.add(filter.ranges, watch);
        for (const [watch, [, isLeaving]] of watches.entries()) {
          if (isLeaving) index.remove(filters[watch]?.ranges ?? [], watch);
        }
        for (const key of keys) {
          const found: number[] = [];
          index.visit(toKeyText(encodeKey(key)), (watch) => found.push(watch) > 0);
          const expected = watches.flatMap(([wanted, isLeaving], watch) =>
            !isLeaving && isInAny(wanted, key) ? [watch] : [],
          );
          expect(found.sort((a, b) => a - b)).toEqual(expected);
        }
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });
});

describe('the filter of a watch', () => {
  it('has disjoint ranges in key order that hold the same keys as those it was made of', () => {
    const property = fc.property(ranges, fc.array(text, { maxLength: 20 }), (wanted, keys) => {
      const filter = toWatchFilter(wanted, ['put']);
      for (const [index, { start }] of filter.ranges.entries()) {
        const before = filter.ranges[index - 1];
        if (before !== undefined) expect(before.end !== undefined && before.end < start).toBe(true);
      }
      for (const key of keys) {
        const keyText = toKeyText(encodeKey(key));
        expect(isWanted(filter, keyText, 'put')).toBe(isInAny(wanted, key));
        expect(isWanted(filter, keyText, 'delete')).toBe(false);
        const placed = placeChange(deletionOf(Buffer.from(key), 1));
        expect(isWantedAt(filter, placed, 'put')).toBe(isInAny(wanted, key));
        expect(isWantedAt(filter, placed, 'delete')).toBe(false);
      }
      for (const { start, end, bytes } of filter.ranges) {
        expect([toKeyText(bytes.start), bytes.end && toKeyText(bytes.end)]).toEqual([start, end]);
      }
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

describe('the places that are looked at', () => {
  it('are more for long prefixes, and for many ranges of another kind', () => {
    const visits = (ranges: readonly KeyRange[], key: string): number => {
      const index = new WatchIndex<string>();
      index.add(toWatchFilter(ranges, ['put']).ranges, 'watch');
      return index.visit(toKeyText(encodeKey(key)), () => true);
    };
    const prefixes = Array.from({ length: 100 }, (_, index) => ({ prefix: `${'p'.repeat(3900 + index)}q` }));
    expect(visits(prefixes, 'p'.repeat(4000))).toBeGreaterThan(3000);
    expect(visits(prefixes, 'p')).toBeLessThan(110);
    const others = Array.from({ length: 50 }, (_, index) => ({
      start: `x${100 + index}`,
      end: `x${100 + index}y`,
    }));
    expect(visits(others, 'a')).toBeGreaterThanOrEqual(50);
  });
});

describe('the borders of what a transaction has changed', () => {
  it('concern every watch that wants one of the changes, and none whose ranges lie outside', () => {
    const borderKeys = fc.array(text, { minLength: 1, maxLength: 6 });
    const property = fc.property(ranges, borderKeys, (wanted, keys) => {
      const filter = toWatchFilter(wanted, ['put']);
      const sorted = keys.map((key) => toKeyText(encodeKey(key))).sort();
      const [first, last] = [sorted.at(0), sorted.at(-1)];
      if (first === undefined || last === undefined) throw new Error('there is a key');
      const types = new Set<EventType>(['put', 'touch']);
      const isOverlapping = filter.ranges.some(
        ({ start, end }) => start <= last && (end === undefined || end > first),
      );
      expect(mayWant(filter, { first, last, types })).toBe(isOverlapping);
      expect(mayWant(filter, { first, last, types: new Set<EventType>(['touch']) })).toBe(false);
      if (keys.some((key) => isInAny(wanted, key))) expect(isOverlapping).toBe(true);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

function isInAny(wanted: readonly KeyRange[], key: string): boolean {
  return wanted.length === 0 || wanted.some((each) => isIn(each, Buffer.from(key)));
}

function isIn({ key, prefix, start, end }: KeyRange, candidate: Buffer): boolean {
  if (key !== undefined) return candidate.equals(Buffer.from(key));
  if (prefix !== undefined)
    return candidate.subarray(0, Buffer.byteLength(prefix)).equals(Buffer.from(prefix));
  if (start !== undefined && Buffer.compare(candidate, Buffer.from(start)) < 0) return false;
  return end === undefined || Buffer.compare(candidate, Buffer.from(end)) < 0;
}
