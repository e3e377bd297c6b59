/**
 * MurmurHash64A by Austin Appleby, as Redis' HyperLogLog has it (little-endian, whatever the machine): 64 bits in two halves of 32,
 * without bigints.
 */
const M_LOW = 0x5bd1e995;
const M_HIGH = 0xc6a4a793;
const SHIFT = 47 - 32;

/** One object for many hashes, one after the other; `low` and `high` are those of the last one, unsigned. */
export class MurmurHash {
  low = 0;
  high = 0;

  /** @param seedHigh the upper half of the seed. */
  hash(bytes: Uint8Array, seedLow: number, seedHigh = 0): void {
    const { length } = bytes;
    this.low = length >>> 0;
    this.high = 0;
    this.#multiply();
    let low = (this.low ^ seedLow) >>> 0;
    let high = (this.high ^ seedHigh) >>> 0;
    const end = length - (length % 8);
    for (let at = 0; at < end; at += 8) {
      this.low = wordAt(bytes, at);
      this.high = wordAt(bytes, at + 4);
      this.#multiply();
      this.#mix();
      this.#multiply();
      this.low = (this.low ^ low) >>> 0;
      this.high = (this.high ^ high) >>> 0;
      this.#multiply();
      ({ low, high } = this);
    }
    this.low = low;
    this.high = high;
    if (end < length) {
      this.low = (low ^ wordAt(bytes, end)) >>> 0;
      this.high = (high ^ wordAt(bytes, end + 4)) >>> 0;
      this.#multiply();
    }
    this.#mix();
    this.#multiply();
    this.#mix();
  }

  /** h ^= h >> 47 */
  #mix(): void {
    this.low = (this.low ^ (this.high >>> SHIFT)) >>> 0;
  }

  /** h *= m, modulo 2^64: the lower halves' product has 64 bits, of which the upper ones come from parts of 16 bits. */
  #multiply(): void {
    const { low } = this;
    const a = low & 0xffff;
    const b = low >>> 16;
    const c = M_LOW & 0xffff;
    const d = M_LOW >>> 16;
    const middle = b * c + ((a * c) >>> 16);
    const carried = a * d + (middle & 0xffff);
    const upper = b * d + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000);
    this.high = (upper + Math.imul(low, M_HIGH) + Math.imul(this.high, M_LOW)) >>> 0;
    this.low = Math.imul(low, M_LOW) >>> 0;
  }
}

/** Four bytes as a number; those behind the end are zeros. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  );
}
