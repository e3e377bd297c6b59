/** The Bloom filter of a run: it lets each of its keys pass, few others, and takes the room that it says. */
import { expect, it } from 'vitest';
import { isFilterLength, KeyHash, KeyHashes } from '../../../src/engine/runs/table/bloom.ts';
import { SeededRandom } from '../../support/random.ts';

/** More than a filter has room for at first. */
const KEYS = 5000;
const BITS_PER_KEY = 10;
const LINE_BITS = 512;
/** Of keys that are not there; some 1.2 % do. */
const PASSING_SHARE_MAX = 0.03;

/** Keys of all lengths, none of which comes twice. */
function keysOf(prefix: string, seed: number): Uint8Array[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: KEYS }, (_, index) =>
    Buffer.concat([Buffer.from(`${prefix}${index}:`), random.bytes(random.below(9))]),
  );
}

function filterOf(hashes: KeyHashes, keys: readonly Uint8Array[]): Uint8Array {
  // As keys lie in a block: among others.
  for (const key of keys)
    hashes.add(Buffer.concat([Buffer.from('..'), key, Buffer.from('.')]), 2, 2 + key.length);
  return hashes.toFilter();
}

function passingCount(
  keys: readonly Uint8Array[],
  bytes: Uint8Array,
  start: number,
  byteCount: number,
): number {
  const hash = new KeyHash();
  return keys.filter((key) => {
    hash.set(key);
    return hash.mayBeIn(bytes, start, byteCount);
  }).length;
}

it.each([1, 2, 3])('lets all keys pass that were added, and few others (seed %d)', (seed) => {
  const keys = keysOf('k', seed);
  const filter = filterOf(new KeyHashes(), keys);
  expect(passingCount(keys, filter, 0, filter.length)).toBe(KEYS);
  expect(passingCount(keysOf('other', seed), filter, 0, filter.length)).toBeLessThan(
    KEYS * PASSING_SHARE_MAX,
  );
});

it('takes ten bits for a key, in whole lines', () => {
  const filter = filterOf(new KeyHashes(), keysOf('k', 1));
  expect(filter.length * 8).toBe(Math.ceil((KEYS * BITS_PER_KEY) / LINE_BITS) * LINE_BITS);
  expect(isFilterLength(filter.length)).toBe(true);
  expect(isFilterLength(filter.length - 1)).toBe(false);
  expect(isFilterLength(0)).toBe(false);
  expect(isFilterLength(new KeyHashes().toFilter().length)).toBe(true);
});

it('lies anywhere in a memory', () => {
  const keys = keysOf('k', 1);
  const filter = filterOf(new KeyHashes(), keys);
  const memory = new SeededRandom(1).bytes(filter.length + 200);
  memory.set(filter, 100);
  expect(passingCount(keys, memory, 100, filter.length)).toBe(KEYS);
});

it('begins anew with each filter', () => {
  const hashes = new KeyHashes();
  filterOf(hashes, keysOf('first', 1));
  const [keys, before] = [keysOf('second', 2), keysOf('first', 1)];
  const filter = filterOf(hashes, keys);
  expect(filter).toEqual(filterOf(new KeyHashes(), keys));
  expect(passingCount(before, filter, 0, filter.length)).toBeLessThan(KEYS * PASSING_SHARE_MAX);
});

it('tells keys apart that differ in their last bytes alone', () => {
  const keyOf = (index: number): Uint8Array =>
    Buffer.from([...Buffer.from('of eight'), index & 0xff, index >>> 8, 1]);
  const numbers = Array.from({ length: KEYS }, (_, index) => index);
  const filter = filterOf(new KeyHashes(), numbers.map(keyOf));
  const others = numbers.map((index) => keyOf(KEYS + index));
  expect(passingCount(others, filter, 0, filter.length)).toBeLessThan(KEYS * PASSING_SHARE_MAX);
});
