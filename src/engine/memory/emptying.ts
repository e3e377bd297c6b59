/**
 * Gives memory back where too much of it is holes: moves the blocks of one slab after the other to where new blocks go, a
 * bounded piece at a time.
 */
import { copyWords } from './copy-words.ts';
import type { Deadlines } from './deadlines.ts';
import {
  DEADLINE,
  DEADLINE_BORDER,
  HOLE,
  KEY_BORDER,
  UNIT_BITS,
  UNIT_BYTES,
  kindOf,
  unitsAt,
} from './layout.ts';
import type { OrderedIndex } from './ordered-index.ts';
import type { Probe } from './probe.ts';
import { Slabs, type SlabCursor } from './slabs.ts';

/** The bytes of blocks and holes that one step goes over. */
const STEP_BYTES = 64 * 1024;

export interface EmptyingParts {
  readonly slabs: Slabs;
  readonly keys: OrderedIndex;
  /** Of the keys. */
  readonly probe: Probe;
  readonly deadlines: Deadlines;
  /** A version was copied from one place to another; the first is still as it was. */
  moved(from: number, to: number): void;
}

export class Emptying {
  readonly #parts: EmptyingParts;
  /** Where it goes on; `undefined`: no slab is being emptied. */
  #cursor: SlabCursor | undefined;
  /** Slabs that were opened later have the number of the one that was emptied by chance. */
  #birth = 0;

  constructor(parts: EmptyingParts) {
    this.#parts = parts;
  }

  /** Does a piece of the work. @returns whether there may be more. */
  step(isThorough: boolean): boolean {
    const { slabs } = this.#parts;
    if (this.#cursor === undefined) {
      const slab = slabs.sparsest(isThorough);
      if (slab === undefined) return false;
      this.#cursor = slabs.openCursor();
      this.#cursor.slab = slab;
      this.#birth = slabs.nextBirth;
    }
    const cursor = this.#cursor;
    for (let left = STEP_BYTES; left > 0;) {
      // The last block that goes takes the slab with it.
      if (!slabs.isOlder(cursor.slab, this.#birth) || cursor.unit >= slabs.endOf(cursor.slab)) {
        slabs.closeCursor(cursor);
        this.#cursor = undefined;
        break;
      }
      const words = slabs.words[cursor.slab]!;
      const at = cursor.unit << 1;
      const units = unitsAt(words, at);
      const reference = (cursor.slab << UNIT_BITS) | cursor.unit;
      cursor.unit += units;
      left -= units * UNIT_BYTES;
      if (kindOf(words[at]!) < HOLE) this.#move(reference, words, at, units);
    }
    return true;
  }

  #move(from: number, words: Int32Array, at: number, units: number): void {
    const { slabs, keys, probe, deadlines } = this.#parts;
    const kind = kindOf(words[at]!);
    const to = slabs.allocate(units);
    copyWords(words, at, slabs.wordsAt(to), Slabs.wordOf(to), units << 1);
    if (kind === KEY_BORDER) {
      probe.setFrom(words, at);
      keys.relocateBorder(from, to);
    } else if (kind === DEADLINE || kind === DEADLINE_BORDER)
      deadlines.moved(from, to, kind === DEADLINE_BORDER);
    else this.#parts.moved(from, to);
    slabs.free(from, units);
  }
}
