/**
 * A part of a census: up to 256 buckets that follow each other, each with the bytes that its keys begin at (its fence) and how many live
 * keys it has. Fences lie one behind the other in one array, without an object for any of them: a bucket takes 8 bytes and its
 * fence, which is as long as is needed to tell it from the key before.
 */
import { compareKeys } from '../key-order.ts';

export const BUCKETS_MAX = 256;
const FIRST_BUCKETS = 8;
const FIRST_BYTES = 64;

export class CensusPart {
  /** The census in whose time it was made: one that is older is a part of what was sealed, too, and is copied before it changes. */
  readonly age: number;
  bucketCount = 0;
  /** The live keys of all buckets. */
  keyCount = 0;
  /** The fences, and where each ends. */
  fences: Uint8Array;
  ends: Int32Array;
  counts: Int32Array;

  constructor(age: number, buckets = FIRST_BUCKETS, fenceBytes = FIRST_BYTES) {
    this.age = age;
    this.fences = new Uint8Array(fenceBytes);
    this.ends = new Int32Array(buckets);
    this.counts = new Int32Array(buckets);
  }

  get memoryBytes(): number {
    return this.fences.length + this.ends.byteLength + this.counts.byteLength;
  }

  get fenceBytes(): number {
    return this.startOf(this.bucketCount);
  }

  copy(age: number): CensusPart {
    const copy = new CensusPart(age, this.counts.length, this.fences.length);
    copy.fences.set(this.fences);
    copy.ends.set(this.ends);
    copy.counts.set(this.counts);
    copy.bucketCount = this.bucketCount;
    copy.keyCount = this.keyCount;
    return copy;
  }

  /** Where the fence of a bucket begins. */
  startOf(bucket: number): number {
    return bucket === 0 ? 0 : this.ends[bucket - 1]!;
  }

  /** In memory of its own. */
  fenceOf(bucket: number): Uint8Array {
    return this.fences.slice(this.startOf(bucket), this.ends[bucket]);
  }

  /** Above 0 when the fence of a bucket is above a key. */
  compareFence(bucket: number, key: Uint8Array): number {
    return compareKeys(this.fences, this.startOf(bucket), this.ends[bucket]!, key, 0, key.length);
  }

  /** The last bucket whose fence is not above a key; -1: all are. */
  bucketOf(key: Uint8Array): number {
    let low = 0;
    let high = this.bucketCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareFence(middle, key) > 0) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  countBefore(bucket: number): number {
    let sum = 0;
    for (let index = 0; index < bucket; index++) sum += this.counts[index]!;
    return sum;
  }

  insert(bucket: number, fence: Uint8Array, count: number): void {
    const { bucketCount, fenceBytes } = this;
    this.#reserve(bucketCount + 1, fenceBytes + fence.length);
    const { fences, ends, counts } = this;
    const start = this.startOf(bucket);
    fences.copyWithin(start + fence.length, start, fenceBytes);
    fences.set(fence, start);
    for (let index = bucketCount; index > bucket; index--) {
      ends[index] = ends[index - 1]! + fence.length;
      counts[index] = counts[index - 1]!;
    }
    ends[bucket] = start + fence.length;
    counts[bucket] = count;
    this.bucketCount++;
    this.keyCount += count;
  }

  /** Takes out a bucket with its fence. */
  remove(bucket: number): void {
    const { fences, ends, counts, fenceBytes } = this;
    const start = this.startOf(bucket);
    const byteCount = ends[bucket]! - start;
    fences.copyWithin(start, start + byteCount, fenceBytes);
    this.keyCount -= counts[bucket]!;
    this.bucketCount--;
    for (let index = bucket; index < this.bucketCount; index++) {
      ends[index] = ends[index + 1]! - byteCount;
      counts[index] = counts[index + 1]!;
    }
  }

  add(bucket: number, difference: number): number {
    this.keyCount += difference;
    return (this.counts[bucket]! += difference);
  }

  #reserve(buckets: number, fenceBytes: number): void {
    if (buckets > this.counts.length) {
      const length = Math.min(BUCKETS_MAX, 2 * buckets);
      this.ends = grown(this.ends, new Int32Array(length));
      this.counts = grown(this.counts, new Int32Array(length));
    }
    if (fenceBytes > this.fences.length) {
      const fences = new Uint8Array(Math.ceil(fenceBytes * 1.5));
      fences.set(this.fences);
      this.fences = fences;
    }
  }
}

function grown(from: Int32Array, to: Int32Array): Int32Array {
  to.set(from);
  return to;
}
