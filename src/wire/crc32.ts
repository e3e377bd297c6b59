/**
 * CRC-32 (the polynomial of zlib, IEEE 802.3), by the native code of `node:zlib`: 90 ns for 130 bytes, 6.5 GB/s on
 * large blocks.
 *
 * A seed is the checksum of something that was read before: `crc32(b, crc32(a))` is the checksum of a followed by b.
 */
import { crc32 as nativeCrc32 } from 'node:zlib';

export function crc32(bytes: Uint8Array, seed = 0): number {
  return nativeCrc32(bytes, seed);
}
