/**
 * The memory of all blocks: slabs that are filled one after the other, from front to back, and given back as a whole.
 *
 * What is freed or moved leaves a hole; a hole is used again only by the block before it, when that grows. When too much
 * of the memory is holes, the engine empties the slab with the smallest share of live bytes: it moves its blocks to where
 * new ones go. `ArrayBuffer.transfer` gives an empty slab back at once, without the collector.
 *
 * A slab has 32 MiB: buffers of that length the C library maps each on its own, so that it goes back to the system wherever
 * it lies; shorter ones stay with the process once one of them was given back. What of a slab was never used takes no
 * memory. Only the first slabs are short, an eighth of the bytes that there are, since stores of a few keys are many in
 * some processes.
 *
 * Invariants:
 *
 * - The blocks and holes of a slab follow each other without a gap, up to its end, or up to `#top` in the one that is being
 *   filled.
 * - `#liveUnits` of a slab is the length of its blocks without the holes. One without any is given back, unless it is
 *   being filled.
 */
import { assert } from '../../errors.ts';
import type { Memory } from '../../wire/memory.ts';
import {
  HOLE,
  SLAB_BYTES_MAX,
  SLAB_COUNT_MAX,
  UNIT_BITS,
  UNIT_BYTES,
  UNIT_MASK,
  kindOf,
  spanHead,
  unitsAt,
} from './layout.ts';

const SLAB_BYTES_MIN = 16 * 1024;
/** While there is no more than this, a new slab has one in `SLAB_SHARE` of the bytes that there are. */
const SHORT_SLABS_BYTES = 4 * 1024 * 1024;
const SLAB_SHARE = 8;

/** A slab is emptied when holes take more than this share of all memory, and of the slab itself more than the second. */
const HOLES_SHARE = 0.16;
const SLAB_HOLES_SHARE = 0.2;
/** The same when memory is scarce or nothing else is to be done. */
const THOROUGH_HOLES_SHARE = 0.03;
const THOROUGH_SLAB_HOLES_SHARE = 0.05;
/** Less than this is not worth any work. */
const HOLES_BYTES_MIN = 64 * 1024;

const NO_WORDS = new Int32Array(0);
const NO_MEMORY: Memory = { bytes: new Uint8Array(0), words: NO_WORDS };

/** A place between two blocks. */
export interface SlabCursor {
  slab: number;
  unit: number;
}

export class Slabs {
  /** The words of each slab, empty where there is none. */
  readonly words: Int32Array[] = [];
  /** The same memory, with its bytes. */
  readonly memories: Memory[] = [];
  readonly #slabBytesMax: number;
  readonly #liveUnits = new Int32Array(SLAB_COUNT_MAX);
  /** The how-manieth slab it was that was taken; a number is used again, this is not. */
  readonly #births = new Float64Array(SLAB_COUNT_MAX);
  readonly #cursors = new Set<SlabCursor>();
  /** The slab that is being filled, and the first unit that is free there. */
  #slab = -1;
  #top = 0;
  #capacity = 0;
  #born = 0;
  #totalUnits = 0;
  #totalLiveUnits = 0;

  constructor(slabBytesMax = SLAB_BYTES_MAX) {
    this.#slabBytesMax = slabBytesMax;
    this.#open(1);
  }

  /** The bytes of all slabs, but for what has not been used of the newest one. */
  get memoryBytes(): number {
    return (this.#totalUnits - this.#capacity + this.#top) * UNIT_BYTES;
  }

  /** The birth of the slab that will be opened next. */
  get nextBirth(): number {
    return this.#born;
  }

  /** The word of a block's head within the words of its slab. */
  static wordOf(reference: number): number {
    return (reference & UNIT_MASK) << 1;
  }

  wordsAt(reference: number): Int32Array {
    return this.words[reference >>> UNIT_BITS]!;
  }

  memoryAt(reference: number): Memory {
    return this.memories[reference >>> UNIT_BITS]!;
  }

  /** Makes room for a block; the caller writes its head at once. */
  allocate(units: number): number {
    if (this.#top + units > this.#capacity) {
      this.#seal();
      this.#open(units);
    }
    const reference = (this.#slab << UNIT_BITS) | this.#top;
    this.#top += units;
    this.#liveUnits[this.#slab]! += units;
    this.#totalLiveUnits += units;
    return reference;
  }

  /** Makes a hole of a block. */
  free(reference: number, units: number): void {
    const slab = reference >>> UNIT_BITS;
    this.words[slab]![(reference & UNIT_MASK) << 1] = spanHead(HOLE, units);
    this.#liveUnits[slab]! -= units;
    this.#totalLiveUnits -= units;
    if (this.#liveUnits[slab] === 0 && slab !== this.#slab) this.#giveBack(slab);
  }

  /**
   * Gives a block another length where it stands; the caller writes it anew at once.
   * @returns false when there is no room, and nothing has changed.
   */
  resize(reference: number, fromUnits: number, toUnits: number): boolean {
    const slab = reference >>> UNIT_BITS;
    const unit = reference & UNIT_MASK;
    const words = this.words[slab]!;
    if (toUnits < fromUnits) {
      words[(unit + toUnits) << 1] = spanHead(HOLE, fromUnits - toUnits);
    } else if (toUnits > fromUnits) {
      const end = unit + fromUnits;
      if (slab === this.#slab && end === this.#top) {
        if (unit + toUnits > this.#capacity) return false;
        this.#top = unit + toUnits;
      } else {
        const head = end << 1 < words.length ? words[end << 1]! : 0;
        const room = kindOf(head) === HOLE ? unitsAt(words, end << 1) : 0;
        if (fromUnits + room < toUnits) return false;
        if (fromUnits + room > toUnits)
          words[(unit + toUnits) << 1] = spanHead(HOLE, fromUnits + room - toUnits);
      }
      this.#moveCursors(slab, unit, unit + toUnits);
    }
    this.#liveUnits[slab]! += toUnits - fromUnits;
    this.#totalLiveUnits += toUnits - fromUnits;
    return true;
  }

  /** No new block goes into a slab that there is by now. */
  sealAll(): void {
    this.#seal();
    this.#open(1);
  }

  /** Whether a slab was there when `nextBirth` was `birth`. */
  isOlder(slab: number, birth: number): boolean {
    return this.words[slab]!.length > 0 && this.#births[slab]! < birth;
  }

  /** Keeps a cursor between two blocks while blocks change, until it is closed. */
  openCursor(): SlabCursor {
    const cursor: SlabCursor = { slab: 0, unit: 0 };
    this.#cursors.add(cursor);
    return cursor;
  }

  closeCursor(cursor: SlabCursor): void {
    this.#cursors.delete(cursor);
  }

  /** Behind the last unit of a slab that is used. */
  endOf(slab: number): number {
    return slab === this.#slab ? this.#top : this.words[slab]!.length >>> 1;
  }

  /** The slab that is to be emptied, if one is. */
  sparsest(isThorough: boolean): number | undefined {
    const usedUnits = this.#totalUnits - this.#capacity + this.#top;
    const holes = usedUnits - this.#totalLiveUnits;
    const share = isThorough ? THOROUGH_HOLES_SHARE : HOLES_SHARE;
    if (holes * UNIT_BYTES < HOLES_BYTES_MIN || holes < usedUnits * share) return undefined;
    let found: number | undefined;
    let smallest = 1 - (isThorough ? THOROUGH_SLAB_HOLES_SHARE : SLAB_HOLES_SHARE);
    for (let slab = 0; slab < this.words.length; slab++) {
      const end = this.endOf(slab);
      // Nothing was put there yet; unit 0 of the first one is never used.
      if (end <= 1) continue;
      const live = this.#liveUnits[slab]! / end;
      if (live >= smallest) continue;
      found = slab;
      smallest = live;
    }
    // The one that is being filled: what moves must go elsewhere.
    if (found === this.#slab) this.#seal();
    return found !== undefined && this.words[found]!.length > 0 ? found : undefined;
  }

  /** @returns how many bytes of blocks there are. */
  verifyIntegrity(visit: (reference: number, words: Int32Array, at: number) => void): void {
    let totalUnits = 0;
    let totalLiveUnits = 0;
    for (let slab = 0; slab < this.words.length; slab++) {
      const words = this.words[slab]!;
      if (words.length === 0) continue;
      let live = 0;
      let unit = 0;
      const end = this.endOf(slab);
      while (unit < end) {
        const units = unitsAt(words, unit << 1);
        assert(units > 0, 'a block has a length');
        if (kindOf(words[unit << 1]!) !== HOLE) {
          live += units;
          visit((slab << UNIT_BITS) | unit, words, unit << 1);
        }
        unit += units;
      }
      assert(unit === end, 'blocks and holes fill a slab');
      assert(live === this.#liveUnits[slab], 'the live units of a slab are counted');
      assert(live > 0 || slab === this.#slab, 'an empty slab was given back');
      totalUnits += words.length >>> 1;
      totalLiveUnits += live;
    }
    assert(
      totalUnits === this.#totalUnits && totalLiveUnits === this.#totalLiveUnits,
      'all units are counted',
    );
  }

  /** What is left of the slab that is being filled becomes a hole. */
  #seal(): void {
    const slab = this.#slab;
    if (slab === -1) return;
    const rest = this.#capacity - this.#top;
    if (rest > 0) this.words[slab]![this.#top << 1] = spanHead(HOLE, rest);
    this.#slab = -1;
    this.#top = 0;
    this.#capacity = 0;
    if (this.#liveUnits[slab] === 0) this.#giveBack(slab);
  }

  #open(units: number): void {
    const totalBytes = this.#totalUnits * UNIT_BYTES;
    const share = totalBytes > SHORT_SLABS_BYTES ? SLAB_BYTES_MAX : Math.floor(totalBytes / SLAB_SHARE);
    const wanted = Math.min(Math.max(SLAB_BYTES_MIN, share & -UNIT_BYTES), this.#slabBytesMax);
    const bytes = Math.max(wanted, (units + 1) * UNIT_BYTES);
    const slab = this.#freeNumber();
    const buffer = new ArrayBuffer(bytes);
    const words = new Int32Array(buffer);
    this.words[slab] = words;
    this.memories[slab] = { bytes: new Uint8Array(buffer), words };
    this.#births[slab] = this.#born++;
    this.#slab = slab;
    this.#top = 0;
    this.#capacity = words.length >>> 1;
    this.#totalUnits += this.#capacity;
    // Reference 0 is none: its unit is never used.
    if (slab === 0) words[this.#top++] = spanHead(HOLE, 1);
  }

  #freeNumber(): number {
    const free = this.words.findIndex((words) => words.length === 0);
    const slab = free === -1 ? this.words.length : free;
    assert(slab < SLAB_COUNT_MAX, 'memory has as many slabs as references can name');
    return slab;
  }

  #giveBack(slab: number): void {
    const words = this.words[slab]!;
    this.#totalUnits -= words.length >>> 1;
    this.words[slab] = NO_WORDS;
    this.memories[slab] = NO_MEMORY;
    (words.buffer as ArrayBuffer).transfer(0);
  }

  /** A block that has grown over the place of a cursor ends there now. */
  #moveCursors(slab: number, unit: number, end: number): void {
    for (const cursor of this.#cursors) {
      if (cursor.slab === slab && cursor.unit > unit && cursor.unit < end) cursor.unit = end;
    }
  }
}
