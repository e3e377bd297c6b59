/** Values that are told by their key and a number, so that a model need not hold them. They do not compress. */
import { SeededRandom } from '../../support/random.ts';

const KIB = 1024;
const BYTES_MIN = 4 * KIB;
const BYTES_MAX = 8 * KIB;
const POOL_BYTES = 1024 * KIB;

/** Of one value. */
export const VALUE_BYTES_MEAN = (BYTES_MIN + BYTES_MAX) / 2;

const pool = Buffer.from(new SeededRandom(1).bytes(POOL_BYTES));

export function numberedValue(key: string, number: number): Buffer {
  const random = new SeededRandom(hashOf(`${key}#${number}`));
  const bytes = random.between(BYTES_MIN, BYTES_MAX);
  const start = random.below(POOL_BYTES - bytes);
  const value = Buffer.from(pool.subarray(start, start + bytes));
  value.write(`${number}#${key}#`);
  return value;
}

/** @returns the number of a value of a key; `undefined`: it is none, or not whole. */
export function numberOf(key: string, value: Uint8Array): number | undefined {
  const number = Number(/^(\d+)#/.exec(Buffer.from(value.subarray(0, 16)).toString('latin1'))?.[1]);
  return Number.isInteger(number) && numberedValue(key, number).equals(value) ? number : undefined;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}
