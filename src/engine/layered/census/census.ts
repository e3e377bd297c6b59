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
 * A scan also comes to keys that are dead and hidden: a deletion in memory says so of a key that lies below, until a checkpoint takes both
 * away. They count for the size of a bucket, so that what a scan looks at within one is bounded, too. And where a bucket has no live key,
 * scans pass over it as a whole (`passEmpty`). So between two live keys lie hidden ones of two buckets at most that are looked at.
 *
 * Invariants:
 *
 * - The first fence is empty; fences ascend. A bucket has the keys from its fence on, and below the next.
 * - Each count is that of the newest state; but for the first, a part has keys, live or hidden, but until `tidy` has come to it.
 * - What a part counts of live keys does not change any more when a seal has it (`seal`).
 */
import { assert } from '../../../errors.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { CURRENT, PREVIOUS } from '../layer.ts';
import { type BucketSizes, BUCKETS_MAX, CensusPart } from './census-part.ts';

/** A bucket with more keys is cut, into pieces of about so many. */
export const SPLIT_ABOVE = 160;
export const SPLIT_INTO = 80;
/** One with fewer live keys goes into a neighbour, unless both together have more than `JOINED_MAX`, hidden ones included. */
const JOIN_BELOW = 24;
const JOINED_MAX = 96;
/** The same of parts, in buckets. */
const PART_JOIN_BELOW = BUCKETS_MAX / 8;
const PART_JOINED_MAX = BUCKETS_MAX / 2;
/** The parts that `tidy` looks at in one step. */
const TIDIED_PER_STEP = 8;

interface EmptyRange {
  readonly start: Uint8Array;
  /** Exclusive. */
  readonly end: Uint8Array;
  readonly hidden: number;
}

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
  /** The part that `tidy` looks at next. */
  #untidy = 0;

  /** @param parts those of a census that was kept; empty: of an empty state. */
  constructor(parts: CensusPart[] = []) {
    this.#parts = parts;
    if (parts.length === 0) {
      const part = new CensusPart(0);
      part.insert(0, NO_BYTES, { live: 0, hidden: 0, sealedHidden: 0 });
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

  /** ... all that a scan of it comes to, hidden ones included, ... */
  get shown(): number {
    return this.#parts[this.#part]!.shownOf(this.#bucket);
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

  /**
   * A key has come to life (1), or is dead (-1).
   * @param hiding the layer whose deletion hides it below while it is dead, `CURRENT` or `PREVIOUS`; another: it is not hidden.
   * @returns how many keys its bucket has now, hidden ones included.
   */
  add(key: Uint8Array, difference: 1 | -1, hiding: number): number {
    this.#find(key);
    const part = this.#changed(this.#part);
    const count = part.add(this.#bucket, difference);
    assert(count >= 0, 'a bucket has no fewer keys than none');
    this.keyCount += difference;
    this.#addHidden(part, -difference, hiding);
    const shown = part.shownOf(this.#bucket);
    if (difference === -1 && count < JOIN_BELOW) this.#join();
    return shown;
  }

  /** A dead key is hidden no more, since nothing is left of it. @param hiding as for `add`. */
  forgetHidden(key: Uint8Array, hiding: number): void {
    this.#find(key);
    const part = this.#changed(this.#part);
    this.#addHidden(part, -1, hiding);
    if (part.counts[this.#bucket]! < JOIN_BELOW) this.#join();
  }

  /** Cuts the bucket to which the last call has gone: `sizes[0]` stays, and `sizes[i]` goes into one that begins at `fences[i - 1]`. */
  split(sizes: readonly BucketSizes[], fences: readonly Uint8Array[]): void {
    const { live, hidden, sealedHidden } = sizes[0]!;
    let part = this.#changed(this.#part);
    const { memoryBytes } = part;
    const before = part.sizesOf(this.#bucket);
    part.add(this.#bucket, live - before.live);
    part.addHidden(this.#bucket, hidden - before.hidden, sealedHidden - before.sealedHidden);
    this.memoryBytes += part.memoryBytes - memoryBytes;
    for (const [index, fence] of fences.entries()) {
      if (part.bucketCount === BUCKETS_MAX) {
        this.#splitPart();
        part = this.#parts[this.#part]!;
      }
      this.#insert(part, ++this.#bucket, fence, sizes[index + 1]!);
    }
  }

  /**
   * Where the buckets without a live key end around that of a dead key: the first fence behind them, or before them the last key's end.
   * @returns `undefined`: its bucket has live keys. `bound` is where a scan goes on that ascends (inclusive; `undefined`: there is nothing),
   * or one that descends (exclusive).
   */
  passEmpty(key: Uint8Array, isReverse: boolean): { readonly bound: Uint8Array | undefined } | undefined {
    this.#find(key);
    const parts = this.#parts;
    if (this.count > 0) return undefined;
    const isEmpty = (part: number, bucket: number): boolean => parts[part]!.counts[bucket] === 0;
    let [part, bucket] = [this.#part, this.#bucket];
    if (isReverse) {
      for (;;) {
        while (bucket > 0 && isEmpty(part, bucket - 1)) bucket--;
        if (bucket > 0 || part === 0 || !isEmpty(part - 1, parts[part - 1]!.bucketCount - 1)) break;
        // All of a part at once, if it is empty.
        part--;
        bucket = parts[part]!.keyCount === 0 ? 0 : parts[part]!.bucketCount - 1;
      }
      return { bound: parts[part]!.fenceOf(bucket) };
    }
    while (bucket < parts[part]!.bucketCount && isEmpty(part, bucket)) bucket++;
    if (bucket < parts[part]!.bucketCount) return { bound: parts[part]!.fenceOf(bucket) };
    do part++;
    while (part < parts.length && parts[part]!.keyCount === 0);
    if (part === parts.length) return { bound: undefined };
    bucket = 0;
    while (isEmpty(part, bucket)) bucket++;
    return { bound: parts[part]!.fenceOf(bucket) };
  }

  /** Where buckets without a live key lie one behind the other and what was sealed hides so many keys at least; but for the last bucket of all. */
  *emptyRanges(hiddenMin: number): Generator<EmptyRange, undefined> {
    let start: Uint8Array | undefined;
    let hidden = 0;
    for (const part of this.#parts) {
      // What has nothing hidden is of no interest.
      const isPassed = part.sealedHidden === undefined;
      for (let bucket = 0; bucket < (isPassed ? 1 : part.bucketCount); bucket++) {
        if (!isPassed && part.counts[bucket] === 0) {
          start ??= part.fenceOf(bucket);
          hidden += part.sealedHidden?.[bucket] ?? 0;
        } else if (start !== undefined) {
          if (hidden >= hiddenMin) yield { start, end: part.fenceOf(bucket), hidden };
          start = undefined;
          hidden = 0;
        }
      }
    }
    const last = this.#parts.at(-1)!;
    const end = last.fenceOf(last.bucketCount - 1);
    if (start !== undefined && hidden >= hiddenMin && Buffer.compare(start, end) < 0)
      yield { start, end, hidden };
  }

  /** The parts as they are now, for a checkpoint: what they count of live keys does not change any more. */
  seal(): readonly CensusPart[] {
    this.#age++;
    for (const part of this.#parts) {
      assert(part.sealedHidden === undefined, 'one checkpoint is under way at a time');
      part.sealedHidden = part.hidden;
      part.hidden = undefined;
    }
    return this.#parts.slice();
  }

  /** What was sealed is on disk: what its deletions have hidden is not there any more. */
  noteCommit(): void {
    for (const part of this.#parts) {
      this.memoryBytes -= part.sealedHidden?.byteLength ?? 0;
      part.sealedHidden = undefined;
    }
    this.#untidy = 0;
  }

  /** Joins some buckets that had to stay for what was hidden in them. @returns whether there is more to do. */
  tidy(): boolean {
    for (let count = 0; count < TIDIED_PER_STEP; count++) {
      const partCount = this.#parts.length;
      if (this.#untidy >= partCount) return false;
      this.#tidyPart(this.#untidy);
      // Else another one has come into the place.
      if (this.#parts.length === partCount) this.#untidy++;
    }
    return this.#untidy < this.#parts.length;
  }

  /** All buckets, in their order. */
  *buckets(): Generator<{ readonly fence: Uint8Array; readonly sizes: BucketSizes }, undefined> {
    for (const part of this.#parts) {
      for (let bucket = 0; bucket < part.bucketCount; bucket++)
        yield { fence: part.fenceOf(bucket), sizes: part.sizesOf(bucket) };
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

  #insert(part: CensusPart, bucket: number, fence: Uint8Array, sizes: BucketSizes): void {
    const { memoryBytes } = part;
    part.insert(bucket, fence, sizes);
    this.memoryBytes += part.memoryBytes - memoryBytes;
  }

  /** Of the bucket to which the last call has gone. */
  #addHidden(part: CensusPart, difference: number, hiding: number): void {
    const { memoryBytes } = part;
    if (hiding === CURRENT) part.addHidden(this.#bucket, difference, 0);
    else if (hiding === PREVIOUS) part.addHidden(this.#bucket, 0, difference);
    else return;
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
    const shown = part.shownOf(bucket);
    const fits = (other: number) => shown + part.shownOf(other) <= JOINED_MAX;
    if (bucket > 0 && fits(bucket - 1)) joinWithNext(part, bucket - 1);
    else if (bucket + 1 < part.bucketCount && fits(bucket + 1)) joinWithNext(part, bucket);
    if (part.bucketCount < PART_JOIN_BELOW) this.#joinPart();
  }

  /** Joins the buckets of a part that are small beside each other, and then the part with a neighbour. */
  #tidyPart(index: number): void {
    this.#part = index;
    let part = this.#parts[index]!;
    for (let bucket = 0; bucket + 1 < part.bucketCount;) {
      const isSmall = part.counts[bucket]! < JOIN_BELOW || part.counts[bucket + 1]! < JOIN_BELOW;
      if (isSmall && part.shownOf(bucket) + part.shownOf(bucket + 1) <= JOINED_MAX) {
        part = this.#changed(index);
        joinWithNext(part, bucket);
      } else bucket++;
    }
    if (part.bucketCount < PART_JOIN_BELOW) this.#joinPart();
  }

  /** Joins the part to which the last call has gone with a neighbour, if both are small, or takes it out if it is empty. */
  #joinPart(): void {
    const at = this.#part;
    const part = this.#parts[at]!;
    if (at > 0 && part.bucketCount === 1 && part.shownOf(0) === 0) {
      // The bucket before takes in its place.
      this.#replace(at, 1, []);
      return;
    }
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

function joinWithNext(part: CensusPart, bucket: number): void {
  const { live, hidden, sealedHidden } = part.sizesOf(bucket + 1);
  part.remove(bucket + 1);
  part.add(bucket, live);
  part.addHidden(bucket, hidden, sealedHidden);
}

/** Puts buckets of a part behind those of another. */
function move(part: CensusPart, from: number, to: number, target: CensusPart): void {
  for (let bucket = from; bucket < to; bucket++)
    target.insert(target.bucketCount, part.fenceOf(bucket), part.sizesOf(bucket));
}
