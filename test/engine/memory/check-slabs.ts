/** Looks whether slabs hold together. */
import { assert } from '../../../src/errors.ts';
import { HOLE, UNIT_BITS, UNIT_BYTES, kindOf, unitsAt } from '../../../src/engine/memory/layout.ts';
import type { Slabs } from '../../../src/engine/memory/slabs.ts';

/** Shows every block. */
export function checkSlabs(
  slabs: Slabs,
  visit: (reference: number, words: Int32Array, at: number) => void,
): void {
  const cursor = slabs.openCursor();
  slabs.closeCursor(cursor);
  let usedUnits = 0;
  let totalHoleUnits = 0;
  for (const [slab, words] of slabs.words.entries()) {
    const end = slabs.endOf(slab);
    let holes = 0;
    let unit = 0;
    while (unit < end) {
      const units = unitsAt(words, unit << 1);
      assert(units > 0, 'a block has a length');
      if (kindOf(words[unit << 1]!) === HOLE) holes += units;
      else visit((slab << UNIT_BITS) | unit, words, unit << 1);
      unit += units;
    }
    assert(unit === end, 'blocks and holes fill a slab');
    assert(holes === slabs.holeUnits[slab], 'the holes of a slab are counted');
    assert(holes < end || end === 0 || slab === cursor.topSlab, 'an empty slab was given back');
    usedUnits += end;
    totalHoleUnits += holes;
  }
  assert((usedUnits - slabs.emptiedUnits) * UNIT_BYTES === slabs.memoryBytes, 'all units are counted');
  assert(totalHoleUnits === slabs.totalHoleUnits, 'all holes are counted');
}
