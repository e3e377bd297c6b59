/**
 * The order in which an index keeps its items: by key, or by deadline and then by key.
 *
 * What is ordered is a sequence of bytes: in the order of deadlines the 8 bytes of the deadline, the highest first, then
 * the key. An item is a key id; its bytes lie in its newest version (or in a border, which has the same layout).
 */
import type { BytePool } from './byte-pool.ts';
import { LOCAL_ID_BITS, LOCAL_ID_MASK, UNIT_BITS, VERSION_FLAGS, VERSION_KEY } from './layout.ts';
import { keyByteCount, keyWordOffset } from './layout.ts';
import type { Probe } from './probe.ts';
import type { Shard } from './shard.ts';
import { wordOffsetOf } from './version-arena.ts';
import { borderFlags, readDeadline, readKey, unitsFor, writeBorder } from './version-codec.ts';

const DEADLINE_BYTES = 8;
const TWO_POW_32 = 0x1_0000_0000;

export class KeyOrder {
  readonly #shards: readonly Shard[];
  readonly #probe: Probe;
  /** How many bytes come before the key: 0 or 8. */
  readonly #leadBytes: number;
  // The item that was looked at last.
  #words: Uint32Array = new Uint32Array(0);
  #bytes: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #keyStart = 0;
  #keyBytes = 0;

  constructor(shards: readonly Shard[], probe: Probe, isByDeadline: boolean) {
    this.#shards = shards;
    this.#probe = probe;
    this.#leadBytes = isByDeadline ? DEADLINE_BYTES : 0;
  }

  /** The four bytes of an item from `position` on as a number, the first the highest; zeros beyond the end. */
  headOf(id: number, position: number): number {
    this.#lookAt(id);
    let head = 0;
    for (let index = position; index < position + 4; index++) head = (head << 8) | this.#byteAt(index);
    return head >>> 0;
  }

  /**
   * Reads the eight bytes of an item from `position` on into two rows, as two heads.
   * @returns how many bytes it has from there on.
   */
  readHeads(id: number, position: number, high: Uint32Array, low: Uint32Array, index: number): number {
    this.#lookAt(id);
    const bytes = this.#bytes;
    const start = this.#keyStart + position - this.#leadBytes;
    const byteCount = this.#leadBytes + this.#keyBytes - position;
    if (position >= this.#leadBytes && byteCount >= 8) {
      high[index] =
        (bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!;
      low[index] =
        (bytes[start + 4]! << 24) | (bytes[start + 5]! << 16) | (bytes[start + 6]! << 8) | bytes[start + 7]!;
    } else {
      high[index] = this.headOf(id, position);
      low[index] = this.headOf(id, position + 4);
    }
    return byteCount;
  }

  /** `headOf` the probe. */
  headOfProbe(position: number): number {
    const { bytes, length } = this.#probe;
    const start = position - this.#leadBytes;
    if (start < 0) return this.#headWithDeadlineOfProbe(position);
    if (start + 4 <= length) {
      return (
        ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) >>>
        0
      );
    }
    let head = 0;
    for (let index = start; index < start + 4; index++)
      head = (head << 8) | (index < length ? bytes[index]! : 0);
    return head >>> 0;
  }

  /** Below 0, 0 or above 0, as the probe comes before an item, equals it or comes after it. */
  compareProbe(id: number): number {
    this.#lookAt(id);
    const probe = this.#probe;
    if (this.#leadBytes > 0) {
      const difference = probe.deadlineMs - this.#deadline();
      if (difference !== 0) return difference;
    }
    const words = this.#words;
    const start = this.#keyStart >>> 2;
    // Both are filled up with zeros, which come before every byte that a longer key may have in their place.
    const wordCount = (Math.min(probe.length, this.#keyBytes) + 3) >>> 2;
    for (let index = 0; index < wordCount; index++) {
      const word = probe.words[index]!;
      const other = words[start + index]!;
      if (word !== other) return differenceOfFirstByte(word, other);
    }
    return probe.length - this.#keyBytes;
  }

  /** Below 0, 0 or above 0, as the probe comes before, begins with, or comes after everything that begins so. */
  compareProbeTo(prefix: Uint8Array, byteCount: number): number {
    const common = this.commonBytesOfProbe(prefix, byteCount);
    if (common === byteCount) return 0;
    return common === this.#leadBytes + this.#probe.length ? -1 : this.#byteOfProbe(common) - prefix[common]!;
  }

  /** How many of the first bytes of `bytes` the probe begins with. */
  commonBytesOfProbe(bytes: Uint8Array, byteCount: number): number {
    const count = Math.min(byteCount, this.#leadBytes + this.#probe.length);
    let common = 0;
    while (common < count && this.#byteOfProbe(common) === bytes[common]) common++;
    return common;
  }

  /** Copies the first bytes of the probe, as many as there is room for. @returns how many. */
  copyProbe(target: Uint8Array): number {
    const count = Math.min(target.length, this.#leadBytes + this.#probe.length);
    for (let index = 0; index < count; index++) target[index] = this.#byteOfProbe(index);
    return count;
  }

  /** How many bytes from the front two items have in common. */
  commonBytes(a: number, b: number): number {
    this.#lookAt(a);
    const bytes = this.#bytes;
    const start = this.#keyStart;
    const keyBytes = this.#keyBytes;
    const deadline = this.#deadline();
    this.#lookAt(b);
    let common = 0;
    if (this.#leadBytes > 0) {
      common = commonDeadlineBytes(deadline, this.#deadline());
      if (common < DEADLINE_BYTES) return common;
    }
    const count = Math.min(keyBytes, this.#keyBytes);
    for (let index = 0; index < count; index++) {
      if (bytes[start + index] !== this.#bytes[this.#keyStart + index]) return common + index;
    }
    return common + count;
  }

  /** Makes an item the probe. */
  loadProbe(id: number): void {
    this.#lookAt(id);
    this.#probe.setFrom(this.#words, this.#keyStart >>> 2, this.#keyBytes);
    this.#probe.deadlineMs = this.#deadline();
  }

  /**
   * Makes a border between two neighbours: the shortest front part of the higher one that is still above the lower one.
   * It stays as it is, whatever becomes of the keys, until `freeBorder`. Uses up the probe.
   */
  makeBorder(lower: number, higher: number): number {
    const byteCount = this.commonBytes(lower, higher) + 1;
    this.loadProbe(higher);
    const probe = this.#probe;
    const keyBytes = Math.max(0, byteCount - this.#leadBytes);
    probe.cut(keyBytes);
    const shard = this.#shardOf(higher);
    const reference = shard.versions.allocate(unitsFor(borderFlags(probe.deadlineMs), keyBytes, 0));
    const localId = shard.slots.take(0);
    writeBorder(shard.wordsOf(reference), wordOffsetOf(reference), localId, probe);
    shard.slots.publish(localId, reference);
    return keyIdOf(shard, localId);
  }

  freeBorder(id: number): void {
    const shard = this.#shardOf(id);
    const localId = id & LOCAL_ID_MASK;
    shard.drop(shard.slots.newest(localId));
    shard.slots.give(localId);
  }

  deadlineOf(id: number): number {
    this.#lookAt(id);
    return this.#deadline();
  }

  /** A copy of the key of an item. */
  keyOf(id: number, pool: BytePool): Uint8Array {
    this.#lookAt(id);
    return readKey(this.#words, this.#bytes, this.#offset, pool);
  }

  #shardOf(id: number): Shard {
    return this.#shards[id >>> LOCAL_ID_BITS]!;
  }

  #lookAt(id: number): void {
    const shard = this.#shardOf(id);
    const reference = shard.slots.newest(id & LOCAL_ID_MASK);
    const words = shard.versions.table.words[reference >>> UNIT_BITS]!;
    const offset = wordOffsetOf(reference);
    this.#words = words;
    this.#bytes = shard.versions.table.bytes[reference >>> UNIT_BITS]!;
    this.#offset = offset;
    this.#keyStart =
      4 * (offset + keyWordOffset(words[offset + VERSION_KEY]!, words[offset + VERSION_FLAGS]!));
    this.#keyBytes = keyByteCount(words, offset);
  }

  #deadline(): number {
    return this.#leadBytes === 0 ? 0 : readDeadline(this.#words, this.#offset);
  }

  #byteAt(position: number): number {
    const index = position - this.#leadBytes;
    if (index < 0) return deadlineByte(this.#deadline(), position);
    return index < this.#keyBytes ? this.#bytes[this.#keyStart + index]! : 0;
  }

  #headWithDeadlineOfProbe(position: number): number {
    let head = 0;
    for (let at = position; at < position + 4; at++) head = (head << 8) | this.#byteOfProbe(at);
    return head >>> 0;
  }

  #byteOfProbe(position: number): number {
    const index = position - this.#leadBytes;
    if (index < 0) return deadlineByte(this.#probe.deadlineMs, position);
    return index < this.#probe.length ? this.#probe.bytes[index]! : 0;
  }
}

export function keyIdOf(shard: Shard, localId: number): number {
  return ((shard.number << LOCAL_ID_BITS) | localId) >>> 0;
}

/** How the first byte in which two words differ does: the first of a word is the lowest. */
function differenceOfFirstByte(word: number, other: number): number {
  const difference = word ^ other;
  const shift = (31 - Math.clz32(difference & -difference)) & ~7;
  return ((word >>> shift) & 255) - ((other >>> shift) & 255);
}

/** Byte 0 (the highest) to 7 of a deadline. */
function deadlineByte(deadlineMs: number, position: number): number {
  const word = position < 4 ? deadlineMs / TWO_POW_32 : deadlineMs;
  return (Math.floor(word) >>> (24 - 8 * (position & 3))) & 255;
}

function commonDeadlineBytes(a: number, b: number): number {
  let common = 0;
  while (common < DEADLINE_BYTES && deadlineByte(a, common) === deadlineByte(b, common)) common++;
  return common;
}
