import { describe, expect, it } from 'vitest';
import { ValueCache } from '../../../src/engine/bitcask/value-cache.ts';
import { SeededRandom } from '../../support/random.ts';

function valueOf(run: number, offset: number, length: number): Uint8Array {
  return new SeededRandom(run * 1000 + offset).bytes(length);
}

describe('the cache of values', () => {
  it.each([1, 2, 3])('never shows other bytes than those of the record (seed %d)', (seed) => {
    const random = new SeededRandom(seed);
    const cache = new ValueCache(5000);
    let hits = 0;
    for (let step = 0; step < 20_000; step++) {
      const run = random.between(1, 5);
      const offset = random.below(40);
      const length = (run * offset) % 700;
      if (cache.find(run, offset)) {
        hits++;
        expect(cache.memory.bytes.slice(cache.start, cache.end)).toEqual(valueOf(run, offset, length));
      } else cache.add(run, offset, valueOf(run, offset, length), 0, length);
    }
    expect(hits).toBeGreaterThan(100);
  });

  it('keeps what is asked for again and again, beside many that are asked for once', () => {
    // So long that few other values have its place: the ring goes round eleven times.
    const bytes = 1000;
    const cache = new ValueCache(100_000);
    const value = valueOf(1, 0, bytes);
    cache.add(1, 0, value, 0, bytes);
    let hits = 0;
    for (let offset = 1; offset <= 1000; offset++) {
      cache.add(2, offset, valueOf(2, offset, bytes), 0, bytes);
      // The hash of another value may be that of this one.
      if (cache.find(1, 0)) hits++;
      else cache.add(1, 0, value, 0, bytes);
    }
    expect(hits).toBeGreaterThan(995);
  });

  it('does not take what would push out most of the others', () => {
    const cache = new ValueCache(1000);
    cache.add(1, 0, new Uint8Array(200), 0, 200);
    expect(cache.find(1, 0)).toBe(false);
  });
});
