/**
 * A part of a census: up to 256 buckets that follow each other, each with the bytes that its keys begin at (its fence) and how many live
 * keys it has. Fences lie one behind the other in one array, without an object for any of them: a bucket takes 8 bytes and its
 * fence, which is as long as is needed to tell it from the key before. A part in which keys are hidden has 4 or 8 more.
 */
import { compareKeys } from '../key-order.ts';

export const BUCKETS_MAX = 256;
const FIRST_BUCKETS = 8;
const FIRST_BYTES = 64;

/** What a bucket has: its live keys, and the dead ones that are hidden. */
export interface BucketSizes {
  readonly live: number;
  readonly hidden: number;
  readonly sealedHidden: number;
}

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
  /** The dead keys that deletions above the last seal hide, and those that deletions below it do. Missing: there are none. */
  hidden: Int32Array | undefined;
  sealedHidden: Int32Array | undefined;

  constructor(age: number, buckets = FIRST_BUCKETS, fenceBytes = FIRST_BYTES) {
    this.age = age;
    this.fences = new Uint8Array(fenceBytes);
    this.ends = new Int32Array(buckets);
    this.counts = new Int32Array(buckets);
  }

  get memoryBytes(): number {
    const { fences, ends, counts, hidden, sealedHidden } = this;
    const hiddenBytes = (hidden?.byteLength ?? 0) + (sealedHidden?.byteLength ?? 0);
    return fences.length + ends.byteLength + counts.byteLength + hiddenBytes;
  }

  get fenceBytes(): number {
    return this.startOf(this.bucketCount);
  }

  /** The copy changes from now on, and this part does not. */
  copy(age: number): CensusPart {
    const copy = new CensusPart(age, this.counts.length, this.fences.length);
    copy.fences.set(this.fences);
    copy.ends.set(this.ends);
    copy.counts.set(this.counts);
    copy.bucketCount = this.bucketCount;
    copy.keyCount = this.keyCount;
    copy.hidden = this.hidden;
    copy.sealedHidden = this.sealedHidden;
    return copy;
  }

  /** A bucket as it is, in memory of its own. */
  sizesOf(bucket: number): BucketSizes {
    return {
      live: this.counts[bucket]!,
      hidden: this.hidden?.[bucket] ?? 0,
      sealedHidden: this.sealedHidden?.[bucket] ?? 0,
    };
  }

  /** All keys of a bucket that a scan comes to, dead ones that are hidden included. */
  shownOf(bucket: number): number {
    return this.counts[bucket]! + (this.hidden?.[bucket] ?? 0) + (this.sealedHidden?.[bucket] ?? 0);
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

  insert(bucket: number, fence: Uint8Array, sizes: BucketSizes): void {
    const { bucketCount, fenceBytes } = this;
    this.#reserve(bucketCount + 1, fenceBytes + fence.length);
    const { fences, ends, counts, hidden, sealedHidden } = this;
    const start = this.startOf(bucket);
    fences.copyWithin(start + fence.length, start, fenceBytes);
    fences.set(fence, start);
    for (let index = bucketCount; index > bucket; index--) ends[index] = ends[index - 1]! + fence.length;
    ends[bucket] = start + fence.length;
    for (const numbers of [counts, hidden, sealedHidden])
      numbers?.copyWithin(bucket + 1, bucket, bucketCount);
    this.bucketCount++;
    this.keyCount += sizes.live;
    counts[bucket] = sizes.live;
    if (hidden !== undefined) hidden[bucket] = 0;
    if (sealedHidden !== undefined) sealedHidden[bucket] = 0;
    this.addHidden(bucket, sizes.hidden, sizes.sealedHidden);
  }

  /** Takes out a bucket with its fence. */
  remove(bucket: number): void {
    const { fences, ends, counts, hidden, sealedHidden, fenceBytes } = this;
    const start = this.startOf(bucket);
    const byteCount = ends[bucket]! - start;
    fences.copyWithin(start, start + byteCount, fenceBytes);
    this.keyCount -= counts[bucket]!;
    for (const numbers of [counts, hidden, sealedHidden])
      numbers?.copyWithin(bucket, bucket + 1, this.bucketCount);
    this.bucketCount--;
    for (let index = bucket; index < this.bucketCount; index++) ends[index] = ends[index + 1]! - byteCount;
  }

  /** Of live keys. */
  add(bucket: number, difference: number): number {
    this.keyCount += difference;
    return (this.counts[bucket]! += difference);
  }

  addHidden(bucket: number, hidden: number, sealedHidden: number): void {
    const { length } = this.counts;
    if (hidden !== 0) (this.hidden ??= new Int32Array(length))[bucket]! += hidden;
    if (sealedHidden !== 0) (this.sealedHidden ??= new Int32Array(length))[bucket]! += sealedHidden;
  }

  #reserve(buckets: number, fenceBytes: number): void {
    if (buckets > this.counts.length) {
      const length = Math.min(BUCKETS_MAX, 2 * buckets);
      this.ends = grown(this.ends, new Int32Array(length));
      this.counts = grown(this.counts, new Int32Array(length));
      this.hidden &&= grown(this.hidden, new Int32Array(length));
      this.sealedHidden &&= grown(this.sealedHidden, new Int32Array(length));
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
