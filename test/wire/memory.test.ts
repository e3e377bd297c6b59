import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyBytes, memoryOf, release } from '../../src/wire/memory.ts';

/** Longer than what is copied word by word, and no whole number of words. */
const MEMORY_BYTES = 1023;

it('copies bytes from anywhere to anywhere, and touches no others', () => {
  const place = fc.nat(MEMORY_BYTES);
  fc.assert(
    fc.property(place, place, place, (sourceStart, targetStart, length) => {
      const count = Math.min(length, MEMORY_BYTES - Math.max(sourceStart, targetStart));
      const source = Uint8Array.from({ length: MEMORY_BYTES }, (_, index) => 1 + ((index * 31) % 255));
      const target = new Uint8Array(MEMORY_BYTES);
      const expected = Buffer.alloc(MEMORY_BYTES);
      expected.set(source.subarray(sourceStart, sourceStart + count), targetStart);
      copyBytes(memoryOf(target), targetStart, memoryOf(source), sourceStart, count);
      expect(Buffer.from(target).equals(expected)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it('gives the memory that a view is a part of', () => {
  const view = Uint8Array.from([1, 2, 3, 4, 5, 6, 7]).subarray(2, 4);
  const { bytes, words } = memoryOf(view);
  expect([...bytes]).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect([...words]).toEqual([0x04030201]);
});

it('releases the memory of a long buffer, and none that others may have a part of', () => {
  const long = Buffer.allocUnsafe(100_000);
  release(long.subarray(10));
  expect(long).toHaveLength(0);
  const short = Buffer.from('short');
  release(short);
  expect(short.toString()).toBe('short');
});
