/**
 * The checksum at the end of what DUMP gives: CRC-64 of D. T. Jones (polynomial AD93D23594C935A9, reflected, beginning at 0 and without
 * a last exclusive or). Of "123456789" it is E9C6D914C4B8D9CA.
 */

const POLYNOMIAL_HIGH = 0x95ac9329;
const POLYNOMIAL_LOW = 0xac4bc9b5;

/** By the lowest byte: what goes into the high and the low half. */
const highs = new Uint32Array(256);
const lows = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = (low & 1) === 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (!isOdd) continue;
    high ^= POLYNOMIAL_HIGH;
    low ^= POLYNOMIAL_LOW;
  }
  highs[byte] = high;
  lows[byte] = low;
}

export const CRC64_BYTES = 8;

/** Writes the checksum of bytes, little-endian. */
export function writeCrc64(target: Uint8Array, offset: number, bytes: Uint8Array): void {
  let high = 0;
  let low = 0;
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (lows[index] ?? 0);
    high = (high >>> 8) ^ (highs[index] ?? 0);
  }
  for (let at = 0; at < 4; at++) {
    target[offset + at] = low >>> (8 * at);
    target[offset + 4 + at] = high >>> (8 * at);
  }
}
