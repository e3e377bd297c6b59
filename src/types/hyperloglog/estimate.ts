/**
 * How many different elements registers stand for: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches"
 * (arXiv:1702.01284), with the same arithmetic as Redis.
 */
import { REGISTERS } from './layout.ts';

/** Bits of a hash beside those of the register's index; a register is one more at most. */
export const HASH_BITS = 50;
const ALPHA_INFINITE = 0.7213475204444817;

/** @param countByValue how many registers have each value from 0 to 63. */
export function estimateCardinality(countByValue: Uint32Array): bigint {
  let z = REGISTERS * tau((REGISTERS - (countByValue[HASH_BITS + 1] ?? 0)) / REGISTERS);
  for (let value = HASH_BITS; value >= 1; value--) z = (z + (countByValue[value] ?? 0)) * 0.5;
  z += REGISTERS * sigma((countByValue[0] ?? 0) / REGISTERS);
  return BigInt(Math.round((ALPHA_INFINITE * REGISTERS * REGISTERS) / z));
}

function sigma(share: number): number {
  if (share === 1) return Infinity;
  let x = share;
  let y = 1;
  let z = x;
  for (let before = NaN; before !== z;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - x;
  for (let before = NaN; before !== z;) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}
