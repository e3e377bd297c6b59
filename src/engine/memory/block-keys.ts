/** The keys of blocks: their order, what they have in common, and their heads, by which nodes and the sorter order most. */
import { copyOut } from '../byte-pool.ts';
import { BARE_KEY, HEAD, KEY, KEY_BYTES_MASK, headOf, wordsOf } from './layout.ts';
import { headPart, type Probe } from './probe.ts';
import { Slabs } from './slabs.ts';

/** A head is so many bytes of a key, as two numbers that are ordered as the bytes are; zeros stand for what is not there. */
export const HEAD_BYTES = 8;

/** How many first bytes two keys have in common, of which `known` are known to be. */
export function commonBytes(slabs: Slabs, first: number, second: number, known = 0): number {
  const firstWords = slabs.wordsAt(first);
  const secondWords = slabs.wordsAt(second);
  const firstAt = Slabs.wordOf(first) + KEY;
  const secondAt = Slabs.wordOf(second) + KEY;
  const length = Math.min(keyBytesOf(slabs, first), keyBytesOf(slabs, second));
  for (let index = known >>> 2; index << 2 < length; index++) {
    const difference = firstWords[firstAt + index]! ^ secondWords[secondAt + index]!;
    if (difference === 0) continue;
    return Math.min(length, (index << 2) + ((31 - Math.clz32(difference & -difference)) >>> 3));
  }
  return length;
}

/** Below 0 when the first key comes before the second, 0 when they are the same, else above. */
export function compareBlocks(slabs: Slabs, first: number, second: number): number {
  const common = commonBytes(slabs, first, second);
  const difference = keyBytesOf(slabs, first) - keyBytesOf(slabs, second);
  const isOneOver = common === keyBytesOf(slabs, difference < 0 ? first : second);
  return isOneOver ? difference : keyByteAt(slabs, first, common) - keyByteAt(slabs, second, common);
}

export function keyBytesOf(slabs: Slabs, block: number): number {
  return slabs.wordsAt(block)[Slabs.wordOf(block)]! & KEY_BYTES_MASK;
}

function keyByteAt(slabs: Slabs, block: number, index: number): number {
  return slabs.memoryAt(block).bytes[((Slabs.wordOf(block) + KEY) << 2) + index]!;
}

/** The key of a block, behind its first `skip` bytes, in memory of its own. */
export function copyKey(slabs: Slabs, reference: number, skip = 0): Uint8Array {
  const start = ((Slabs.wordOf(reference) + KEY) << 2) + skip;
  return copyOut(slabs.memoryAt(reference), start, keyBytesOf(slabs, reference) - skip);
}

/** Makes a block of the key in a probe. */
export function addBareKey(slabs: Slabs, probe: Probe): number {
  const { length } = probe;
  const reference = slabs.allocate((KEY + wordsOf(length) + 1) >>> 1);
  const words = slabs.wordsAt(reference);
  const at = Slabs.wordOf(reference);
  words[at + HEAD] = headOf(BARE_KEY, length, 0);
  probe.writeTo(words, at);
  return reference;
}

const scratch = new Uint8Array(HEAD_BYTES);

/** Writes the two numbers of the head of a key behind its first `skip` bytes to a place in each of two arrays. */
export function writeHead(
  slabs: Slabs,
  reference: number,
  skip: number,
  highs: Int32Array,
  highAt: number,
  lows: Int32Array,
  lowAt: number,
): void {
  const { bytes, words } = slabs.memoryAt(reference);
  const at = Slabs.wordOf(reference);
  const length = words[at]! & KEY_BYTES_MASK;
  const start = ((at + KEY) << 2) + skip;
  let source = bytes;
  let from = start;
  if (skip + HEAD_BYTES > length) {
    source = scratch;
    from = 0;
    for (let index = 0; index < HEAD_BYTES; index++)
      scratch[index] = skip + index < length ? bytes[start + index]! : 0;
  }
  highs[highAt] = headPart(source, from);
  lows[lowAt] = headPart(source, from + 4);
}
