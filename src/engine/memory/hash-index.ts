/**
 * The hash index of a shard: extendible hashing (Fagin, Nievergelt, Pippenger and Strong, 1979). A directory leads
 * from some bits of the hash to a segment of fixed size; a segment that is full is split in two, whatever the size of
 * the whole. So no insert takes longer because there are many keys; only the directory, four bytes for about 500 keys,
 * is doubled as one.
 *
 * For readers of other threads, which take no lock: within a segment nothing ever moves, a slot is written by one
 * store, and a segment that is split, merged or rebuilt is left as it is beside its successors until all readers have
 * gone on.
 *
 * Invariants:
 *
 * - Each key of the shard is in exactly one slot of the segment that the directory gives for its hash, and no empty
 *   slot lies between the slot its hash begins at and its own.
 * - A segment of local depth d is in the 2^(depth - d) directory entries that agree with it in the low d bits.
 */
import { assert } from '../../errors.ts';
import type { Epochs } from './epochs.ts';
import type { KeySlots } from './key-slots.ts';
import {
  DIRECTORY_BITS_MAX,
  LOCAL_ID_BITS,
  LOCAL_ID_MASK,
  PAGE_BYTES,
  PAGE_SEGMENTS,
  SEGMENT_BITS,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  SEGMENT_WORDS,
  SEGMENT_WORD_BITS,
  SHARD_BITS,
  SLOT_EMPTY,
  SLOT_REMOVED,
  TAG_MASK,
  TAG_SHIFT,
} from './layout.ts';
import { Limbo } from './limbo.ts';
import type { PageTable } from './page-table.ts';

/** A segment is split or rebuilt before more than this many of its slots are used, removed ones included. */
const SEGMENT_USED_MAX = (SEGMENT_WORDS * 13) / 16;
/** A full segment with no more keys than this is rebuilt without its removed slots, not split. */
const REBUILD_COUNT_MAX = SEGMENT_WORDS / 2;
/** An empty index is made ready for so many keys in each segment: chance makes some fuller, and few of them too full. */
const RESERVED_COUNT_MAX = (SEGMENT_WORDS * 11) / 16;
/** Two segments that came from one are merged when they have no more keys than this together. */
const MERGE_COUNT_MAX = (SEGMENT_WORDS * 5) / 16;

/** The segments are moved to fresh pages when no more than this share of those that were ever touched is in use, ... */
const USED_SHARE_MIN = 1 / 4;
/** ... and at least this many were. */
const TOUCHED_COUNT_MIN = 16;

const NO_SEGMENT = -1;
const DIRECTORY_PAGE = 1;

export class HashIndex {
  /** Page 1 is the directory; the others hold segments. */
  readonly table: PageTable;
  readonly directory: Uint32Array;
  readonly #slots: KeySlots;
  readonly #onDepth: (depth: number) => void;
  readonly #epochs: Epochs;
  readonly #limbo: Limbo;
  readonly #freeSegments: number[] = [];
  /** By segment: how many low bits of the directory's index all its keys share, its keys, its slots in use. */
  readonly #localDepth: number[] = [];
  readonly #keyCount: number[] = [];
  readonly #usedCount: number[] = [];
  /** How many segments the directory leads to, and how many of the present pages have been in use at some time. */
  #segmentCount = 0;
  #touchedCount = 0;
  /** The segments of the newest page that were never in use. */
  #untouchedStart = 0;
  #untouchedEnd = 0;
  #depth = 0;
  #depthMask = 0;

  /** @param onDepth tells readers how many bits choose a directory entry. */
  constructor(table: PageTable, slots: KeySlots, epochs: Epochs, onDepth: (depth: number) => void) {
    this.table = table;
    this.#epochs = epochs;
    this.#slots = slots;
    this.#onDepth = onDepth;
    this.#limbo = new Limbo(epochs, (segment) => void this.#freeSegments.push(segment));
    this.directory = table.words[table.add(PAGE_BYTES)]!;
    this.directory[0] = this.#takeSegment(0);
  }

  get depthMask(): number {
    return this.#depthMask;
  }

  get isWaiting(): boolean {
    return this.#limbo.count > 0;
  }

  reclaim(oldestEpoch: number): void {
    this.#limbo.reclaim(oldestEpoch, 64);
  }

  /** Whether most of the memory of the segments is of no use. */
  isWasteful(): boolean {
    const isSparse = this.#segmentCount <= this.#touchedCount * USED_SHARE_MIN;
    return isSparse && this.#touchedCount >= TOUCHED_COUNT_MIN && this.#limbo.count === 0;
  }

  /** Moves all segments to fresh pages, of which only what is used takes memory. Not to be called without waste. */
  moveTogether(): void {
    const oldPages: number[] = [];
    for (const [page, words] of this.table.words.entries()) {
      if (page > DIRECTORY_PAGE && words.length > 0) oldPages.push(page);
    }
    this.#freeSegments.length = 0;
    this.#segmentCount = 0;
    this.#touchedCount = 0;
    this.#untouchedStart = this.#untouchedEnd;
    const seen = new Set<number>();
    for (let pattern = 0; pattern <= this.#depthMask; pattern++) {
      const segment = this.directory[pattern]!;
      if (seen.has(segment)) continue;
      const moved = this.#takeSegment(this.#localDepth[segment]!);
      seen.add(moved);
      const start = segmentOffsetOf(segment);
      const copied = this.#wordsOf(segment).subarray(start, start + SEGMENT_WORDS);
      this.#wordsOf(moved).set(copied, segmentOffsetOf(moved));
      this.#keyCount[moved] = this.#keyCount[segment]!;
      this.#usedCount[moved] = this.#usedCount[segment]!;
      this.#publish(moved, pattern);
    }
    for (const page of oldPages) this.table.remove(page);
  }

  /** Makes an index without keys ready for `keyCount` of them, so that segments need not be split one after another. */
  reserve(keyCount: number): void {
    const [first] = this.directory;
    assert(this.#depth === 0 && this.#keyCount[first!] === 0, 'only an empty index is made ready');
    while (keyCount > (this.#depthMask + 1) * RESERVED_COUNT_MAX && this.#depth < DIRECTORY_BITS_MAX) {
      this.#doubleDirectory();
    }
    if (this.#depth === 0) return;
    for (let pattern = 0; pattern <= this.#depthMask; pattern++) {
      this.#publish(this.#takeSegment(this.#depth), pattern);
    }
    this.#retire(first!);
  }

  /** Adds a key that is not in the index. */
  insert(hash: number, localId: number): void {
    let segment = this.#segmentOf(hash);
    while (this.#usedCount[segment]! >= SEGMENT_USED_MAX) {
      if (this.#keyCount[segment]! <= REBUILD_COUNT_MAX) this.#rebuild(segment);
      else this.#split(segment);
      segment = this.#segmentOf(hash);
    }
    this.#put(segment, hash, localId);
  }

  /** Takes a key out. */
  remove(hash: number, localId: number): void {
    const segment = this.#segmentOf(hash);
    const words = this.#wordsOf(segment);
    const base = segmentOffsetOf(segment);
    let slot = hash >>> SEGMENT_SHIFT;
    while ((words[base + slot]! & LOCAL_ID_MASK) !== localId) {
      assert(words[base + slot] !== SLOT_EMPTY, 'a key that is removed is in the index');
      slot = (slot + 1) & SEGMENT_MASK;
    }
    // Before an empty slot nothing needs the removed one as a bridge.
    const isBridge = words[base + ((slot + 1) & SEGMENT_MASK)] !== SLOT_EMPTY;
    this.#epochs.publish(words, base + slot, isBridge ? SLOT_REMOVED : SLOT_EMPTY);
    this.#keyCount[segment]!--;
    if (!isBridge) this.#usedCount[segment]!--;
    this.#mergeIfSparse(segment, hash >>> SHARD_BITS);
  }

  /** For the check of all structures: throws unless the index holds exactly `keyCount` keys, each where it belongs. */
  verifyIntegrity(keyCount: number): void {
    const segments = new Set<number>();
    for (let index = 0; index <= this.#depthMask; index++) {
      const segment = this.directory[index]!;
      const pattern = index & (2 ** this.#localDepth[segment]! - 1);
      assert(this.directory[pattern] === segment, 'a segment is wherever the directory agrees with it');
      segments.add(segment);
    }
    let found = 0;
    for (const segment of segments) {
      let [keys, used] = [0, 0];
      for (let slot = 0; slot < SEGMENT_WORDS; slot++) {
        const word = this.#wordsOf(segment)[segmentOffsetOf(segment) + slot]!;
        if (word !== SLOT_EMPTY) used++;
        const localId = word & LOCAL_ID_MASK;
        if (localId === 0) continue;
        keys++;
        const hash = this.#slots.hash(localId);
        assert(this.#segmentOf(hash) === segment, 'a key is in the segment of its hash');
        assert(
          ((hash >>> TAG_SHIFT) & TAG_MASK) === word >>> LOCAL_ID_BITS,
          'a tag is of the hash of the key',
        );
        for (let probe = hash >>> SEGMENT_SHIFT; probe !== slot; probe = (probe + 1) & SEGMENT_MASK) {
          assert(
            this.#wordsOf(segment)[segmentOffsetOf(segment) + probe] !== SLOT_EMPTY,
            'a search reaches each key',
          );
        }
      }
      assert(
        keys === this.#keyCount[segment] && used === this.#usedCount[segment],
        'the counts of a segment are true',
      );
      found += keys;
    }
    assert(found === keyCount, 'the hash index has all keys');
    assert(segments.size === this.#segmentCount, 'the count of segments is true');
  }

  #segmentOf(hash: number): number {
    return this.directory[(hash >>> SHARD_BITS) & this.#depthMask]!;
  }

  #wordsOf(segment: number): Uint32Array {
    return this.table.words[(segment >>> SEGMENT_BITS) + DIRECTORY_PAGE + 1]!;
  }

  #put(segment: number, hash: number, localId: number): void {
    const words = this.#wordsOf(segment);
    const base = segmentOffsetOf(segment);
    let slot = hash >>> SEGMENT_SHIFT;
    while ((words[base + slot]! & LOCAL_ID_MASK) !== 0) slot = (slot + 1) & SEGMENT_MASK;
    if (words[base + slot] === SLOT_EMPTY) this.#usedCount[segment]!++;
    this.#keyCount[segment]!++;
    const tag = (hash >>> TAG_SHIFT) & TAG_MASK;
    this.#epochs.publish(words, base + slot, ((tag << LOCAL_ID_BITS) | localId) >>> 0);
  }

  #split(segment: number): void {
    const localDepth = this.#localDepth[segment]!;
    if (localDepth === this.#depth) this.#doubleDirectory();
    const bit = 2 ** localDepth;
    const low = this.#takeSegment(localDepth + 1);
    const high = this.#takeSegment(localDepth + 1);
    let pattern = 0;
    this.#forEachKey(segment, (localId, hash) => {
      pattern = (hash >>> SHARD_BITS) & (bit - 1);
      this.#put((hash >>> SHARD_BITS) & bit ? high : low, hash, localId);
    });
    this.#publish(low, pattern);
    this.#publish(high, pattern | bit);
    this.#retire(segment);
  }

  #rebuild(segment: number): void {
    const rebuilt = this.#takeSegment(this.#localDepth[segment]!);
    let pattern = NO_SEGMENT;
    this.#forEachKey(segment, (localId, hash) => {
      pattern = hash >>> SHARD_BITS;
      this.#put(rebuilt, hash, localId);
    });
    if (pattern === NO_SEGMENT) pattern = this.directory.indexOf(segment);
    this.#publish(rebuilt, pattern & (2 ** this.#localDepth[segment]! - 1));
    this.#retire(segment);
  }

  #mergeIfSparse(segment: number, directoryBits: number): void {
    const localDepth = this.#localDepth[segment]!;
    if (localDepth === 0 || this.#keyCount[segment]! > MERGE_COUNT_MAX) return;
    const bit = 2 ** (localDepth - 1);
    const buddy = this.directory[(directoryBits ^ bit) & this.#depthMask]!;
    if (this.#localDepth[buddy] !== localDepth) return;
    if (this.#keyCount[segment]! + this.#keyCount[buddy]! > MERGE_COUNT_MAX) return;
    const merged = this.#takeSegment(localDepth - 1);
    for (const each of [segment, buddy]) {
      this.#forEachKey(each, (localId, hash) => this.#put(merged, hash, localId));
    }
    this.#publish(merged, directoryBits & (bit - 1));
    this.#retire(segment);
    this.#retire(buddy);
  }

  #forEachKey(segment: number, visit: (localId: number, hash: number) => void): void {
    const words = this.#wordsOf(segment);
    const base = segmentOffsetOf(segment);
    for (let slot = 0; slot < SEGMENT_WORDS; slot++) {
      const localId = words[base + slot]! & LOCAL_ID_MASK;
      if (localId !== 0) visit(localId, this.#slots.hash(localId));
    }
  }

  /** Puts a segment wherever the directory agrees with `pattern` in the bits of its local depth. */
  #publish(segment: number, pattern: number): void {
    const step = 2 ** this.#localDepth[segment]!;
    for (let index = pattern; index <= this.#depthMask; index += step)
      this.#epochs.publish(this.directory, index, segment);
  }

  #retire(segment: number): void {
    this.#segmentCount--;
    this.#limbo.retire(segment);
  }

  #doubleDirectory(): void {
    assert(this.#depth < DIRECTORY_BITS_MAX, 'the hash spreads the keys over the segments');
    const size = this.#depthMask + 1;
    this.directory.copyWithin(size, 0, size);
    this.#depth++;
    this.#depthMask = 2 * size - 1;
    this.#onDepth(this.#depth);
  }

  /** An empty segment that nobody else sees yet. */
  #takeSegment(localDepth: number): number {
    const segment = this.#freeSegments.pop() ?? this.#takeUntouched();
    this.#segmentCount++;
    this.#wordsOf(segment).fill(
      SLOT_EMPTY,
      segmentOffsetOf(segment),
      segmentOffsetOf(segment) + SEGMENT_WORDS,
    );
    this.#localDepth[segment] = localDepth;
    this.#keyCount[segment] = 0;
    this.#usedCount[segment] = 0;
    return segment;
  }

  /** A segment that was never in use. Of a page, memory is taken only as its segments are. */
  #takeUntouched(): number {
    if (this.#untouchedStart === this.#untouchedEnd) {
      this.#untouchedStart = (this.table.add(PAGE_BYTES) - DIRECTORY_PAGE - 1) * PAGE_SEGMENTS;
      this.#untouchedEnd = this.#untouchedStart + PAGE_SEGMENTS;
    }
    this.#touchedCount++;
    return this.#untouchedStart++;
  }
}

/** The word at which a segment begins within its page. */
export function segmentOffsetOf(segment: number): number {
  return (segment & (PAGE_SEGMENTS - 1)) << SEGMENT_WORD_BITS;
}
