import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { IntervalSet } from '../../src/access/rights/interval-set.ts';

/** All keys of up to two bytes of a small alphabet, among which every border lies. */
const LETTERS = [0, 1, 2, 3];
const KEYS = [[], ...LETTERS.map((a) => [a]), ...LETTERS.flatMap((a) => LETTERS.map((b) => [a, b]))].map(
  (key) => Uint8Array.from(key),
);

const aKey = fc.constantFrom(...KEYS);
const intervals = fc.array(fc.record({ start: aKey, end: aKey }), { maxLength: 6 });

it.each([0, 14, 15, 16, 40])('has the keys that an interval has, where %i bytes are the same', (same) => {
  const longer = (key: Uint8Array): Uint8Array => Buffer.concat([Buffer.alloc(same, 7), key]);
  fc.assert(
    fc.property(intervals, aKey, (few, short) => {
      const given = few.map(({ start, end }) => ({ start: longer(start), end: longer(end) }));
      const key = longer(short);
      const isIn = given.some(
        ({ start, end }) => Buffer.compare(start, key) <= 0 && Buffer.compare(key, end) < 0,
      );
      expect(IntervalSet.of(given).has(key)).toBe(isIn);
    }),
    { numRuns: 2000 },
  );
});

/** ASCII, and what takes two, three and four bytes; and among the borders bytes that no text has. */
const TEXTS = ['a', 'b', '\x7f', '\u00e9', '\ufffd', '\u{1f600}'];
const aText = fc.array(fc.constantFrom(...TEXTS), { maxLength: 3 }).map((letters) => letters.join(''));
const aBound = fc
  .tuple(aText, fc.constantFrom([], [0x80], [0xf5], [0]))
  .map(([text, end]) => Buffer.concat([Buffer.from(text), Buffer.from(end)]));

it('tells of a text what it tells of its bytes, or that it needs them', () => {
  let toldCount = 0;
  fc.assert(
    fc.property(
      fc.array(fc.record({ start: aBound, end: aBound }), { maxLength: 4 }),
      aText,
      (given, text) => {
        const set = IntervalSet.of(given);
        const found = set.hasText(text);
        if (found !== undefined) expect(found).toBe(set.has(Buffer.from(text)));
        if (found === true) toldCount++;
        const areAscii = given.every(({ start, end }) => [...start, ...end].every((byte) => byte < 0x80));
        if (areAscii) expect(found).toBeDefined();
      },
    ),
    { numRuns: 5000 },
  );
  expect(toldCount).toBeGreaterThan(50);
});

it('covers a range when it has every key of it, over the borders of intervals that meet', () => {
  fc.assert(
    fc.property(intervals, aKey, aKey, (given, start, end) => {
      fc.pre(Buffer.compare(start, end) < 0);
      const set = IntervalSet.of(given);
      // Between two of the keys lie none that an interval could leave out: each border is one of them.
      const inRange = KEYS.filter((key) => Buffer.compare(start, key) <= 0 && Buffer.compare(key, end) < 0);
      expect(set.covers({ start, end })).toBe(inRange.every((key) => set.has(key)));
    }),
    { numRuns: 2000 },
  );
});

it('covers no range without an end', () => {
  const set = IntervalSet.of([{ start: Uint8Array.of(), end: Uint8Array.of(255) }]);
  expect(set.covers({ start: Uint8Array.of(1), end: undefined })).toBe(false);
});
