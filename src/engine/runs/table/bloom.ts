/**
 * A Bloom filter of 10 bits for a key. All bits of a key lie in one line of 64 bytes (Putze, Sanders and Singler, "Cache-, Hash- and
 * Space-Efficient Bloom Filters"): a look takes one line from memory, and 1.2 % of the keys that are not there pass.
 */
const BITS_PER_KEY = 10;
const PROBES = 6;
const LINE_BYTES = 64;
const LINE_BITS = 8 * LINE_BYTES;

/** Hashes of keys while a filter is to be made of them, two words each. */
export class KeyHashes {
  #words: Uint32Array = new Uint32Array(1024);
  count = 0;

  add(bytes: Uint8Array, start: number, end: number): void {
    if (2 * this.count === this.#words.length) {
      const words = new Uint32Array(2 * this.#words.length);
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[2 * this.count] = lineHash(bytes, start, end);
    this.#words[2 * this.count + 1] = bitsHash(this.#words[2 * this.count]!, end - start);
    this.count++;
  }

  /** The filter of all that was added, which is forgotten. */
  toFilter(): Uint8Array {
    const lineCount = Math.max(1, Math.ceil((this.count * BITS_PER_KEY) / LINE_BITS));
    const filter = new Uint8Array(lineCount * LINE_BYTES);
    for (let index = 0; index < this.count; index++) {
      const line = lineOf(this.#words[2 * index]!, lineCount);
      let bits = this.#words[2 * index + 1]!;
      for (let probe = 0; probe < PROBES; probe++) {
        const bit = bits >>> 23;
        filter[line * LINE_BYTES + (bit >>> 3)]! |= 1 << (bit & 7);
        bits = Math.imul(bits, 0x9e37_79b1) + 0x7f4a_7c15;
      }
    }
    this.count = 0;
    return filter;
  }
}

/** The two hashes of a key that is looked for. */
export class KeyHash {
  line = 0;
  bits = 0;

  set(key: Uint8Array): void {
    this.line = lineHash(key, 0, key.length);
    this.bits = bitsHash(this.line, key.length);
  }

  /** Whether a filter that begins at `start` in `bytes` may have the key. */
  mayBeIn(bytes: Uint8Array, start: number, filterBytes: number): boolean {
    const at = start + lineOf(this.line, filterBytes / LINE_BYTES) * LINE_BYTES;
    let bits = this.bits;
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = bits >>> 23;
      if ((bytes[at + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
      bits = Math.imul(bits, 0x9e37_79b1) + 0x7f4a_7c15;
    }
    return true;
  }
}

/** Whether so many bytes may be a filter. */
export function isFilterLength(byteCount: number): boolean {
  return byteCount > 0 && byteCount % LINE_BYTES === 0;
}

function lineOf(hash: number, lineCount: number): number {
  return Math.floor(((hash >>> 0) / 2 ** 32) * lineCount);
}

/** MurmurHash3 of 32 bits (Appleby), byte by byte at the end. */
function lineHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x2f0e_1eb5;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = mixed(hash, word);
  }
  if (at < end) {
    let word = 0;
    for (let shift = 0; at < end; at++, shift += 8) word |= bytes[at]! << shift;
    hash = mixed(hash, word);
  }
  return finished(hash ^ (end - start));
}

/** Of the hash and the length of a key: keys that share both share all bits, one in 2^32. */
function bitsHash(hash: number, keyBytes: number): number {
  return finished(Math.imul(hash, 0x85eb_ca6b) ^ (keyBytes + 0x5bd1_e995)) >>> 0;
}

function mixed(hash: number, word: number): number {
  let mixedWord = Math.imul(word, 0xcc9e_2d51);
  mixedWord = (mixedWord << 15) | (mixedWord >>> 17);
  const next = hash ^ Math.imul(mixedWord, 0x1b87_3593);
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe654_6b64) | 0;
}

function finished(hash: number): number {
  let value = hash ^ (hash >>> 16);
  value = Math.imul(value, 0x85eb_ca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2_ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
