/**
 * The generator of `math.random`: that of C's `lrand48`, a linear congruence of 48 bits, which Redis brings along so that what is drawn
 * after a seed is the same everywhere.
 */
const MULTIPLIER = 0x5deece66dn;
const INCREMENT = 0xbn;
const LOW_BITS = 0x330en;
/** What Redis begins with before the first seed. */
const FIRST_STATE = 0x1234abcd330en;

export class Lrand48 {
  #state = FIRST_STATE;

  /** @param seed an integer of 32 bits. */
  seed(seed: number): void {
    this.#state = (BigInt.asUintN(32, BigInt(seed)) << 16n) | LOW_BITS;
  }

  /** A whole number from 0 to 2^31 - 1. */
  next(): number {
    this.#state = BigInt.asUintN(48, this.#state * MULTIPLIER + INCREMENT);
    return Number(this.#state >> 17n);
  }
}
