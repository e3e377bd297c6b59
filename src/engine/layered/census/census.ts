/**
 * `Census`: how many live keys of the newest state there are, and where, so that a base need not know ranks.
 *
 * The key space is cut into buckets. Of each the census keeps where it begins (its fence) and exactly how many live keys it has; the keys
 * themselves are in the layers. So the rank of a key is a sum of counts, and what a scan within one bucket finds before it. Buckets
 * stand in parts of at most 256, and each part knows its sum: at n keys a rank adds up some n / 25,000 + 256 numbers.
 *
 * For example, with buckets at "" (100 keys), "k5" (90), "m" (70), the rank of "k7" is 100 and what lies from "k5" on before
 * "k7"; a new key "k51" makes the second bucket 91. Above `SPLIT_ABOVE` the engine finds where to cut by a scan
 * of the bucket (`split`); at fewer than `JOIN_BELOW` a bucket goes into a neighbour if both are small together.
 *
 * Invariants:
 *
 * - The first fence is empty; fences ascend. A bucket has the keys from its fence on, and below the next.
 * - Each count is that of the newest state; but for the first, a part is not empty.
 * - A part that a seal has (`seal`) does not change any more.
 */
import { assert } from '../../../errors.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { BUCKETS_MAX, CensusPart } from './census-part.ts';

/** A bucket with more live keys is cut, into pieces of about so many. */
export const SPLIT_ABOVE = 160;
export const SPLIT_INTO = 80;
/** A bucket with fewer goes into a neighbour, unless both together have more than `JOINED_MAX`. */
const JOIN_BELOW = 24;
const JOINED_MAX = 96;
/** The same of parts, in buckets. */
const PART_JOIN_BELOW = BUCKETS_MAX / 8;
const PART_JOINED_MAX = BUCKETS_MAX / 2;

export class Census {
  #parts: CensusPart[];
  #age = 1;
  /** All live keys. */
  keyCount = 0;
  memoryBytes = 0;
  /** Where the last call has gone: the bucket, ... */
  #part = 0;
  #bucket = 0;
  /** ... and how many live keys lie in those before it. */
  before = 0;

  /** @param parts those of a census that was kept; empty: of an empty state. */
  constructor(parts: CensusPart[] = []) {
    this.#parts = parts;
    if (parts.length === 0) {
      const part = new CensusPart(0);
      part.insert(0, NO_BYTES, 0);
      parts.push(part);
    }
    for (const { keyCount, memoryBytes } of parts) {
      this.keyCount += keyCount;
      this.memoryBytes += memoryBytes;
    }
  }

  /** Of the bucket to which the last call has gone: its live keys, ... */
  get count(): number {
    return this.#parts[this.#part]!.counts[this.#bucket]!;
  }

  /** ... where it begins, ... */
  get fence(): Uint8Array {
    return this.#parts[this.#part]!.fenceOf(this.#bucket);
  }

  /** ... and where the next one does; `undefined`: there is none. */
  get nextFence(): Uint8Array | undefined {
    const part = this.#parts[this.#part]!;
    if (this.#bucket + 1 < part.bucketCount) return part.fenceOf(this.#bucket + 1);
    return this.#parts[this.#part + 1]?.fenceOf(0);
  }

  /** Goes to the bucket of a key. */
  goTo(key: Uint8Array): void {
    this.#find(key);
    this.before = 0;
    for (let index = 0; index < this.#part; index++) this.before += this.#parts[index]!.keyCount;
    this.before += this.#parts[this.#part]!.countBefore(this.#bucket);
  }

  /** Goes to the bucket that has the live key with so many before it, of which there are more. */
  goToIndex(index: number): void {
    assert(index < this.keyCount, 'there is a key at each place');
    this.before = 0;
    this.#part = 0;
    while (this.before + this.#parts[this.#part]!.keyCount <= index) {
      this.before += this.#parts[this.#part]!.keyCount;
      this.#part++;
    }
    const { counts } = this.#parts[this.#part]!;
    this.#bucket = 0;
    while (this.before + counts[this.#bucket]! <= index) this.before += counts[this.#bucket++]!;
  }

  /** A key has come to life (1), or is dead (-1). @returns how many live keys its bucket has now. */
  add(key: Uint8Array, difference: 1 | -1): number {
    this.#find(key);
    const count = this.#changed(this.#part).add(this.#bucket, difference);
    assert(count >= 0, 'a bucket has no fewer keys than none');
    this.keyCount += difference;
    if (difference === -1 && count < JOIN_BELOW) this.#join();
    return count;
  }

  /** Cuts the bucket to which the last call has gone: `counts[0]` keys stay, and `counts[i]` go into one that begins at `fences[i - 1]`. */
  split(counts: readonly number[], fences: readonly Uint8Array[]): void {
    let part = this.#changed(this.#part);
    part.add(this.#bucket, counts[0]! - part.counts[this.#bucket]!);
    for (const [index, fence] of fences.entries()) {
      if (part.bucketCount === BUCKETS_MAX) {
        this.#splitPart();
        part = this.#parts[this.#part]!;
      }
      this.#insert(part, ++this.#bucket, fence, counts[index + 1]!);
    }
  }

  /** The parts as they are now, for a checkpoint: they do not change any more. */
  seal(): readonly CensusPart[] {
    this.#age++;
    return this.#parts.slice();
  }

  /** All buckets, in their order. */
  *buckets(): Generator<{ readonly fence: Uint8Array; readonly count: number }, undefined> {
    for (const part of this.#parts) {
      for (let bucket = 0; bucket < part.bucketCount; bucket++)
        yield { fence: part.fenceOf(bucket), count: part.counts[bucket]! };
    }
  }

  #find(key: Uint8Array): void {
    const parts = this.#parts;
    let low = 1;
    let high = parts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (parts[middle]!.compareFence(0, key) > 0) high = middle;
      else low = middle + 1;
    }
    this.#part = low - 1;
    this.#bucket = parts[low - 1]!.bucketOf(key);
  }

  /** A part that may be changed. */
  #changed(index: number): CensusPart {
    const part = this.#parts[index]!;
    if (part.age === this.#age) return part;
    const copy = part.copy(this.#age);
    this.#parts[index] = copy;
    return copy;
  }

  #insert(part: CensusPart, bucket: number, fence: Uint8Array, count: number): void {
    const { memoryBytes } = part;
    part.insert(bucket, fence, count);
    this.memoryBytes += part.memoryBytes - memoryBytes;
  }

  /** Cuts the part to which the last call has gone in two, and stays at its bucket. The last part stays nearly full: keys often ascend. */
  #splitPart(): void {
    const part = this.#parts[this.#part]!;
    const isLast = this.#part === this.#parts.length - 1;
    const kept = isLast ? BUCKETS_MAX - PART_JOIN_BELOW : BUCKETS_MAX / 2;
    const [first, second] = [new CensusPart(this.#age), new CensusPart(this.#age)];
    move(part, 0, kept, first);
    move(part, kept, part.bucketCount, second);
    this.#replace(this.#part, 1, [first, second]);
    if (this.#bucket < kept) return;
    this.#part++;
    this.#bucket -= kept;
  }

  /** Joins the bucket to which the last call has gone with a neighbour, if both are small. */
  #join(): void {
    const part = this.#parts[this.#part]!;
    const bucket = this.#bucket;
    const fits = (other: number) => part.counts[bucket]! + part.counts[other]! <= JOINED_MAX;
    if (bucket > 0 && fits(bucket - 1)) this.#joinWithNext(part, bucket - 1);
    else if (bucket + 1 < part.bucketCount && fits(bucket + 1)) this.#joinWithNext(part, bucket);
    else if (part.bucketCount === 1 && part.keyCount === 0 && this.#part > 0) {
      // The bucket before takes in its place.
      this.#replace(this.#part, 1, []);
      return;
    }
    if (part.bucketCount < PART_JOIN_BELOW) this.#joinPart();
  }

  #joinWithNext(part: CensusPart, bucket: number): void {
    const count = part.counts[bucket + 1]!;
    part.remove(bucket + 1);
    part.add(bucket, count);
  }

  /** Joins the part to which the last call has gone with a neighbour, if both are small. */
  #joinPart(): void {
    const at = this.#part;
    const fits = (other: number): boolean => {
      const neighbour = this.#parts[other];
      if (neighbour === undefined) return false;
      return this.#parts[at]!.bucketCount + neighbour.bucketCount <= PART_JOINED_MAX;
    };
    const first = fits(at - 1) ? at - 1 : fits(at + 1) ? at : -1;
    if (first === -1) return;
    const joined = new CensusPart(this.#age);
    for (const part of this.#parts.slice(first, first + 2)) move(part, 0, part.bucketCount, joined);
    this.#replace(first, 2, [joined]);
  }

  #replace(from: number, count: number, parts: CensusPart[]): void {
    for (const part of parts) this.memoryBytes += part.memoryBytes;
    for (const part of this.#parts.splice(from, count, ...parts)) this.memoryBytes -= part.memoryBytes;
  }
}

/** Puts buckets of a part behind those of another. */
function move(part: CensusPart, from: number, to: number, target: CensusPart): void {
  for (let bucket = from; bucket < to; bucket++)
    target.insert(target.bucketCount, part.fenceOf(bucket), part.counts[bucket]!);
}

/** Makes a census of live keys that come in their order. */
export class CensusBuilder {
  readonly #parts: CensusPart[] = [];
  #part = new CensusPart(0);
  #count = 0;
  #fence: Uint8Array = NO_BYTES;

  /** Whether the next bucket begins with the next key: then its fence is asked for. */
  get isBucketFull(): boolean {
    return this.#count === SPLIT_INTO;
  }

  /** Counts a key into the bucket. */
  add(): void {
    this.#count++;
  }

  /** The next bucket begins. */
  begin(fence: Uint8Array): void {
    this.#end();
    this.#fence = fence;
  }

  finish(): Census {
    this.#end();
    this.#parts.push(this.#part);
    return new Census(this.#parts);
  }

  #end(): void {
    if (this.#part.bucketCount === BUCKETS_MAX) {
      this.#parts.push(this.#part);
      this.#part = new CensusPart(0);
    }
    this.#part.insert(this.#part.bucketCount, this.#fence, this.#count);
    this.#count = 0;
  }
}
