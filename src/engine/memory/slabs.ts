/**
 * The memory of all blocks: slabs that are filled one after the other, from front to back, and given back as a whole.
 *
 * What is freed or moved leaves a hole; a hole is used again by the block before it, when that grows, or by a new block of just
 * its length, where holes are known (`holes.ts`). When too much
 * of the memory is holes, the slab with the smallest share of live bytes is emptied, a bounded piece at a time: its blocks
 * are moved to where new ones go. `ArrayBuffer.transfer` gives an empty slab back at once, without the collector.
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
 * - A new block is all zeros.
 * - While a cursor is open, a new block goes behind what it goes over, or into another slab; but where only a slab is emptied, into
 *   holes of the others.
 * - `holeUnits` of a slab is the length of its holes. One that is nothing else is given back, unless it is being filled.
 */
import { assert } from '../../errors.ts';
import { copyBytes, memoryOf, type Memory } from '../../wire/memory.ts';
import type { Holes } from './holes.ts';
import {
  HOLE,
  NONE,
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
/** A new slab has room for so many blocks as long as its first: else what is left at its end would be emptied for ever. */
const BLOCKS_MIN = 32;

/** A slab is emptied when holes take more than `all` of all memory, and of the slab itself more than `slab`. */
const HOLE_SHARES = { all: 0.16, slab: 0.2 };
/** The same when memory is scarce or nothing else is to be done. */
const HOLE_SHARES_THOROUGH = { all: 0.03, slab: 0.05 };
/** Less than this is not worth any work. */
const HOLES_BYTES_MIN = 64 * 1024;
/** The blocks and holes that one step of giving back goes over. */
const STEP_UNITS = (64 * 1024) / UNIT_BYTES;

const NO_MEMORY = memoryOf(new Uint8Array(0));

/** A place between two blocks, which goes over those that were there when it was opened. */
export interface SlabCursor {
  slab: number;
  unit: number;
  /** Behind its last slab. */
  readonly slabsEnd: number;
  /** Slabs that were born later were not there, ... */
  readonly birth: number;
  /** ... nor what is behind this place of the one that was being filled. */
  readonly topSlab: number;
  readonly top: number;
}

export class Slabs {
  /** The words of each slab, empty where there is none. */
  readonly words: Int32Array[] = [];
  /** The same memory, with its bytes. */
  readonly memories: Memory[] = [];
  /** How many units of each slab are holes, ... */
  readonly holeUnits = new Int32Array(SLAB_COUNT_MAX);
  /** ... and of all together. */
  totalHoleUnits = 0;
  /** Those of the slab that is being emptied which are of no more use: copied elsewhere, or never touched. */
  emptiedUnits = 0;
  readonly #moved: (from: number, to: number) => void;
  readonly #slabBytesMax: number;
  readonly #holes: Holes | undefined;
  /** The how-manieth slab it was that was taken; a number is used again, this is not. */
  readonly #births = new Float64Array(SLAB_COUNT_MAX);
  readonly #cursors = new Set<SlabCursor>();
  /** Goes over the slab that is being emptied. */
  #emptying: SlabCursor | undefined;
  #emptiedSlab: number | undefined;
  /** The slab that is being filled (-1: none), the first unit that is free there, and how many it has. */
  #slab = -1;
  #top = 0;
  #capacity = 0;
  #born = 0;
  #totalUnits = 0;

  /**
   * @param moved is told when a block was copied from one place to another; the first is still as it was.
   * @param holes left out: new blocks go into none.
   */
  constructor(moved: (from: number, to: number) => void, slabBytesMax = SLAB_BYTES_MAX, holes?: Holes) {
    this.#moved = moved;
    this.#slabBytesMax = slabBytesMax;
    this.#holes = holes;
    this.#open(1);
  }

  /**
   * The bytes of all slabs, but for what has not been used of the newest one, and what is about to be given back: so memory is
   * passed by a slab at most while one is emptied, and not refused to writes meanwhile.
   */
  get memoryBytes(): number {
    return (this.#usedUnits - this.emptiedUnits) * UNIT_BYTES;
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

  /** Makes room for a block, all zeros; the caller writes its head at once. */
  allocate(units: number): number {
    if (this.#holes !== undefined && this.#cursors.size === (this.#emptying === undefined ? 0 : 1)) {
      const hole = this.#holes.take(units, this.words);
      if (hole !== NONE) return this.#fill(hole, units);
    }
    if (this.#top + units > this.#capacity) this.#open(units);
    const reference = (this.#slab << UNIT_BITS) | this.#top;
    this.#top += units;
    return reference;
  }

  /** Makes a block of a hole. */
  #fill(reference: number, units: number): number {
    const slab = reference >>> UNIT_BITS;
    const words = this.words[slab]!;
    const start = Slabs.wordOf(reference);
    for (let at = start; at < start + 2 * units; at++) words[at] = 0;
    this.holeUnits[slab]! -= units;
    this.totalHoleUnits -= units;
    return reference;
  }

  /** Makes a hole of a block. */
  free(reference: number, units: number): void {
    this.#makeHole(reference >>> UNIT_BITS, reference & UNIT_MASK, units);
  }

  /**
   * Gives a block another length where it stands; the caller writes it anew at once.
   * @returns false when there is no room, and nothing has changed.
   */
  resize(reference: number, fromUnits: number, toUnits: number): boolean {
    const slab = reference >>> UNIT_BITS;
    const unit = reference & UNIT_MASK;
    if (toUnits > fromUnits) return this.#grow(slab, unit + fromUnits, unit + toUnits);
    this.#makeHole(slab, unit + toUnits, fromUnits - toUnits);
    return true;
  }

  /** Keeps a cursor between two blocks, at first before those of a slab or of all, while blocks change, until it is closed. */
  openCursor(slab?: number): SlabCursor {
    const cursor = {
      slab: slab ?? 0,
      // Unit 0 of the first slab is no block, and its reference is none.
      unit: (slab ?? 0) === 0 ? 1 : 0,
      slabsEnd: slab === undefined ? this.words.length : slab + 1,
      birth: this.#born,
      topSlab: this.#slab,
      top: this.#top,
    };
    this.#cursors.add(cursor);
    return cursor;
  }

  /** Whether a block was there when a cursor was opened, and the cursor has still to come to it. */
  isAhead(cursor: SlabCursor, reference: number): boolean {
    const slab = reference >>> UNIT_BITS;
    const unit = reference & UNIT_MASK;
    if (slab < cursor.slab || (slab === cursor.slab && unit < cursor.unit)) return false;
    if (slab === cursor.topSlab && unit >= cursor.top) return false;
    return this.words[slab]!.length > 0 && this.#births[slab]! < cursor.birth;
  }

  /** Moves a cursor over the next block or hole. @returns that one; `NONE`: it has gone over all. */
  advance(cursor: SlabCursor): number {
    for (; cursor.slab < cursor.slabsEnd; cursor.slab++, cursor.unit = 0) {
      const reference = (cursor.slab << UNIT_BITS) | cursor.unit;
      if (cursor.unit >= this.endOf(cursor.slab) || !this.isAhead(cursor, reference)) continue;
      cursor.unit += unitsAt(this.words[cursor.slab]!, cursor.unit << 1);
      return reference;
    }
    return NONE;
  }

  closeCursor(cursor: SlabCursor): void {
    this.#cursors.delete(cursor);
  }

  /** Behind the last unit of a slab that is used. */
  endOf(slab: number): number {
    return slab === this.#slab ? this.#top : this.words[slab]!.length >>> 1;
  }

  /** Does a piece of giving memory back. @returns whether there may be more. */
  giveBack(isThorough: boolean): boolean {
    if (this.#emptying === undefined) {
      const slab = this.#sparsest(isThorough);
      if (slab === undefined) return false;
      this.#emptying = this.openCursor(slab);
    }
    const cursor = this.#emptying;
    for (let left = STEP_UNITS; left > 0;) {
      const from = this.advance(cursor);
      if (from === NONE) {
        this.closeCursor(cursor);
        this.#emptying = undefined;
        break;
      }
      const words = this.wordsAt(from);
      const at = Slabs.wordOf(from);
      const units = unitsAt(words, at);
      left -= units;
      if (kindOf(words[at]!) === HOLE) continue;
      const to = this.allocate(units);
      copyBytes(this.memoryAt(to), Slabs.wordOf(to) << 2, this.memoryAt(from), at << 2, units * UNIT_BYTES);
      this.#moved(from, to);
      this.emptiedUnits += units;
      this.free(from, units);
    }
    return true;
  }

  /** The slab that is to be emptied, if one is. */
  #sparsest(isThorough: boolean): number | undefined {
    const shares = isThorough ? HOLE_SHARES_THOROUGH : HOLE_SHARES;
    const used = this.#usedUnits;
    const holes = this.totalHoleUnits;
    if (holes * UNIT_BYTES < HOLES_BYTES_MIN || holes < used * shares.all) return undefined;
    let found: number | undefined;
    let largest: number = shares.slab;
    for (let slab = 0; slab < this.words.length; slab++) {
      const end = this.endOf(slab);
      const share = this.holeUnits[slab]! / end;
      // Unit 0 of the first one is a hole for ever.
      if (end <= 1 || share <= largest) continue;
      found = slab;
      largest = share;
    }
    // The one that is being filled: what moves must go elsewhere.
    this.#emptiedSlab = found;
    if (found !== undefined) this.#holes?.removeAll(found);
    if (found === this.#slab) {
      this.emptiedUnits = this.#capacity - this.#top;
      this.#seal();
    }
    return found !== undefined && this.words[found]!.length > 0 ? found : undefined;
  }

  /** The units of all slabs, but for what has not been used of the newest one. */
  get #usedUnits(): number {
    return this.#totalUnits - this.#capacity + this.#top;
  }

  /** Makes a hole, which may have no units. A slab that is nothing else then is given back, unless it is being filled. */
  #makeHole(slab: number, unit: number, units: number): void {
    const words = this.words[slab]!;
    const holes = (this.holeUnits[slab]! += units);
    if (units > 0) words[unit << 1] = spanHead(HOLE, units);
    this.totalHoleUnits += units;
    if (holes < words.length >>> 1 || slab === this.#slab) {
      if (slab !== this.#emptiedSlab) this.#holes?.add((slab << UNIT_BITS) | unit, units, words.length >>> 1);
      return;
    }
    this.#holes?.removeAll(slab);
    this.#totalUnits -= holes;
    if (slab === this.#emptiedSlab) this.emptiedUnits = 0;
    this.totalHoleUnits -= holes;
    this.holeUnits[slab] = 0;
    this.words[slab] = NO_MEMORY.words;
    this.memories[slab] = NO_MEMORY;
    (words.buffer as ArrayBuffer).transfer(0);
  }

  /** Lets the block before a unit grow up to another one, over a hole or what is free. @returns false: there is no room. */
  #grow(slab: number, from: number, to: number): boolean {
    if (slab === this.#slab && from === this.#top) {
      if (to > this.#capacity) return false;
      this.#top = to;
    } else {
      const words = this.words[slab]!;
      const head = from << 1 < words.length ? words[from << 1]! : NONE;
      const end = from + (kindOf(head) === HOLE ? unitsAt(words, from << 1) : 0);
      if (to > end) return false;
      this.#holes?.remove((slab << UNIT_BITS) | from);
      if (to < end) {
        words[to << 1] = spanHead(HOLE, end - to);
        if (slab !== this.#emptiedSlab)
          this.#holes?.add((slab << UNIT_BITS) | to, end - to, words.length >>> 1);
      }
      this.holeUnits[slab]! -= to - from;
      this.totalHoleUnits -= to - from;
    }
    for (const cursor of this.#cursors) {
      if (cursor.slab === slab && cursor.unit >= from && cursor.unit < to) cursor.unit = to;
    }
    return true;
  }

  /** No new block goes into the slab that is being filled: what is left of it becomes a hole. */
  #seal(): void {
    const slab = this.#slab;
    const top = this.#top;
    const rest = this.#capacity - top;
    this.#slab = -1;
    this.#top = 0;
    this.#capacity = 0;
    if (slab !== -1) this.#makeHole(slab, top, rest);
  }

  /** Goes on with a new slab, in which so many units have room. */
  #open(units: number): void {
    this.#seal();
    const totalBytes = this.#totalUnits * UNIT_BYTES;
    const share = totalBytes > SHORT_SLABS_BYTES ? SLAB_BYTES_MAX : Math.floor(totalBytes / SLAB_SHARE);
    const wanted = Math.min(Math.max(SLAB_BYTES_MIN, share & -UNIT_BYTES), this.#slabBytesMax);
    const forBlocks = Math.min(units * BLOCKS_MIN * UNIT_BYTES, this.#slabBytesMax);
    const bytes = Math.max(wanted, forBlocks, (units + 1) * UNIT_BYTES);
    const slab = this.#freeNumber();
    const memory = memoryOf(new Uint8Array(bytes));
    this.words[slab] = memory.words;
    this.memories[slab] = memory;
    this.#births[slab] = this.#born++;
    this.#slab = slab;
    this.#capacity = bytes / UNIT_BYTES;
    this.#totalUnits += this.#capacity;
    // Reference 0 is none: its unit is never used.
    if (slab === 0) this.#makeHole(0, this.#top++, 1);
  }

  #freeNumber(): number {
    const free = this.words.findIndex((words) => words.length === 0);
    const slab = free === -1 ? this.words.length : free;
    assert(slab < SLAB_COUNT_MAX, 'memory has as many slabs as references can name');
    return slab;
  }
}
