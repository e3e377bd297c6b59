/**
 * Gives memory back where too much of it is holes: moves the blocks of one slab after the other to where new blocks go, a
 * bounded piece at a time.
 */
import { copyBytes } from '../../wire/memory.ts';
import { HOLE, UNIT_BITS, UNIT_BYTES, kindOf, unitsAt } from './layout.ts';
import { Slabs, type SlabCursor } from './slabs.ts';

/** The bytes of blocks and holes that one step goes over. */
const STEP_BYTES = 64 * 1024;

export class Emptying {
  readonly #slabs: Slabs;
  readonly #moved: (from: number, to: number) => void;
  /** Where it goes on; `undefined`: no slab is being emptied. */
  #cursor: SlabCursor | undefined;
  /** Slabs that were opened later have the number of the one that was emptied by chance. */
  #birth = 0;

  /** @param moved a block was copied from one place to another; the first is still as it was. */
  constructor(slabs: Slabs, moved: (from: number, to: number) => void) {
    this.#slabs = slabs;
    this.#moved = moved;
  }

  /** Does a piece of the work. @returns whether there may be more. */
  giveBack(isThorough: boolean): boolean {
    const slabs = this.#slabs;
    if (this.#cursor === undefined) {
      const slab = slabs.sparsest(isThorough);
      if (slab === undefined) return false;
      this.#cursor = slabs.openCursor(slab);
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
      const from = (cursor.slab << UNIT_BITS) | cursor.unit;
      cursor.unit += units;
      left -= units * UNIT_BYTES;
      if (kindOf(words[at]!) === HOLE) continue;
      const to = slabs.allocate(units);
      copyBytes(slabs.memoryAt(to), Slabs.wordOf(to) << 2, slabs.memoryAt(from), at << 2, units * UNIT_BYTES);
      this.#moved(from, to);
      slabs.free(from, units);
    }
    return true;
  }
}
