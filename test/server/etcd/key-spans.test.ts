/** Ranges of keys as transactions gather them, against a plain list. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeySpans } from '../../../src/server/etcd/kv/key-spans.ts';
import '../../support/property-seed.ts';

const key = fc.string({ unit: fc.constantFrom('a', 'b', '\u{ff}'), minLength: 1, maxLength: 3 });
const span = fc
  .tuple(key, key)
  .map((bounds) => bounds.toSorted(inOrder))
  .filter(([start, end]) => start !== end);

function inOrder(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

test('a key is in the spans that were added, and in no other', () => {
  fc.assert(
    fc.property(fc.array(span), fc.array(span), fc.array(key), (first, second, keys) => {
      const spans = new KeySpans();
      for (const [start = '', end = ''] of first) spans.add(start, end);
      const others = new KeySpans();
      for (const [start = '', end = ''] of second) others.add(start, end);
      spans.addAll(others);
      for (const each of keys) {
        const isIn = [...first, ...second].some(([start = '', end = '']) => start <= each && each < end);
        expect(spans.has(each), each).toBe(isIn);
      }
    }),
    { numRuns: 2000 },
  );
});
