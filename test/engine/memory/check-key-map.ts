/** Looks whether a sharded map holds together. */
import { assert } from '../../../src/errors.ts';
import type { KeyMap } from '../../../src/engine/memory/key-map.ts';
import { NONE, TABLE, kindOf, unitsAt } from '../../../src/engine/memory/layout.ts';
import { Probe } from '../../../src/engine/memory/probe.ts';
import { Slabs } from '../../../src/engine/memory/slabs.ts';
import { checkSlabs } from './check-slabs.ts';

const SHARD_SHIFT = 22;
const HEAD_UNITS = 1;

/** Shows every entry, of blocks in `blocks`. */
export function checkKeyMap(
  map: KeyMap,
  blocks: Slabs,
  visit: (hash: number, reference: number) => void,
): void {
  const shards = new Set<number>();
  const probe = new Probe();
  checkSlabs(map.slabs, (table, words, at) => {
    assert(kindOf(words[at]!) === TABLE, 'slabs of tables have nothing else');
    const shard = words[at + 1]!;
    assert(!shards.has(shard), 'a shard has one table');
    shards.add(shard);
    const capacity = unitsAt(words, at) - HEAD_UNITS;
    const first = at + 2 * HEAD_UNITS;
    let count = 0;
    for (let entry = first; entry < first + 2 * capacity; entry += 2) {
      const reference = words[entry]!;
      if (reference === NONE) continue;
      const hash = words[entry + 1]!;
      assert(hash >>> SHARD_SHIFT === shard, 'an entry is in the shard of its hash');
      probe.setFrom(blocks.wordsAt(reference), Slabs.wordOf(reference));
      assert(map.find(probe, hash) === reference, `the entries of table ${table} are found in it`);
      visit(hash, reference);
      count++;
    }
    assert(count === map.counts[shard], 'a shard counts its entries');
    assert(count < capacity, 'one place of a table is empty');
  });
  for (const [shard, count] of map.counts.entries())
    assert(count === 0 || shards.has(shard), 'what has no table has no entries');
}
