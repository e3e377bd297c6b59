import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeKey, toKeyText } from '../../src/store/views/keys.ts';
import type { KeyRange } from '../../src/api.ts';
import { fromTextRange, isWanted, toWatchFilter } from '../../src/store/watch/watch-filter.ts';
import { WatchIndex } from '../../src/store/watch/watch-index.ts';

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
          index.visit(toKeyText(encodeKey(key)), (watch) => found.push(watch));
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
      }
      for (const each of filter.ranges) {
        const back = fromTextRange(each);
        expect([toKeyText(back.start), back.end && toKeyText(back.end)]).toEqual([each.start, each.end]);
      }
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
