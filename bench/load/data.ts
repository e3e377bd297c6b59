/** The keys and values of every case: keys of 16 bytes, values of 100 bytes unless a case says otherwise. */
import { makeRandom } from './random.ts';

export const KEY_BYTES = 16;
export const VALUE_BYTES = 100;

const KEY_HEAD = Buffer.from('key:');
const DIGIT_ZERO = 0x30;
const keyBuffer = Buffer.alloc(KEY_BYTES);

/**
 * The key of a number: `key:000000000042`. Made by way of bytes, since a text put together from parts stays a tree of
 * its parts until somebody reads it, and that reading would be charged to the store.
 */
export function keyOf(index: number): string {
  writeKey(keyBuffer, index);
  return keyBuffer.toString('latin1');
}

/** The same as bytes, into a key that is there. */
export function writeKey(key: Uint8Array, index: number): void {
  key.set(KEY_HEAD);
  let rest = index;
  for (let place = KEY_BYTES - 1; place >= KEY_HEAD.length; place--) {
    key[place] = DIGIT_ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** `count` keys out of `keyCount`, each drawn anew, so some come twice. */
export function randomKeys(count: number, keyCount: number, seed: number): string[] {
  const random = makeRandom(seed);
  return Array.from({ length: count }, () => keyOf(random.below(keyCount)));
}

/** How many values there are; a power of two. */
const VALUE_COUNT = 1024;

/** Values that no compression makes shorter. They are made once, so that a load spends no time on them. */
export class Values {
  readonly #values: Uint8Array[];

  constructor(bytesMin = VALUE_BYTES, bytesMax = bytesMin) {
    const random = makeRandom(bytesMin);
    this.#values = Array.from({ length: VALUE_COUNT }, () => {
      const byteLength = bytesMin + random.below(bytesMax - bytesMin + 1);
      return Uint8Array.from({ length: byteLength }, () => random.below(256));
    });
  }

  of(index: number): Uint8Array {
    return this.#values[index & (VALUE_COUNT - 1)] ?? new Uint8Array(0);
  }
}
