/**
 * LZF of M. Lehmann, which Redis compresses strings with: runs of bytes as they are, and references to bytes that came before.
 *
 *     000LLLLL                         L + 1 bytes follow as they are
 *     LLLOOOOO oooooooo                L + 2 bytes (L from 1 to 6) from O o + 1 bytes before
 *     111OOOOO llllllll oooooooo       l + 9 bytes, likewise
 */
import { PayloadError } from './payload-error.ts';

/** What one byte becomes at most: a reference of three bytes gives 264. */
const EXPANSION_MAX = 88;

const LITERAL_MAX = 32;
const LONG_REFERENCE = 7;

/** @param length of what comes out. Throws `PayloadError`. */
export function decompressLzf(input: Uint8Array, length: number): Uint8Array {
  if (length > input.length * EXPANSION_MAX) throw new PayloadError();
  const output = new Uint8Array(length);
  let from = 0;
  let at = 0;
  const next = (): number => {
    const byte = input[from++];
    if (byte === undefined) throw new PayloadError();
    return byte;
  };
  while (from < input.length) {
    const control = next();
    if (control < LITERAL_MAX) {
      const end = from + control + 1;
      if (end > input.length || at + control + 1 > length) throw new PayloadError();
      output.set(input.subarray(from, end), at);
      at += control + 1;
      from = end;
      continue;
    }
    let count = control >>> 5;
    if (count === LONG_REFERENCE) count += next();
    count += 2;
    let source = at - ((control & 0x1f) << 8) - next() - 1;
    if (source < 0 || at + count > length) throw new PayloadError();
    // It may reach into what it makes itself.
    while (count-- > 0) output[at++] = output[source++] ?? 0;
  }
  if (at !== length) throw new PayloadError();
  return output;
}
