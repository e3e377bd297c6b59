/** Fills an empty tree with keys that are sorted, leaf by leaf, a piece between two yields. */
import { assert } from '../../../errors.ts';
import { NONE } from '../layout.ts';
import { Slabs } from '../slabs.ts';
import { insertChild } from './growth.ts';
import type { SortedKeys } from './key-sorter.ts';
import { ENTRIES_MAX } from './node.ts';
import { Path, type Tree } from './tree.ts';

/** So many entries a leaf gets, which leaves room for those to come. */
const BUILT_ENTRIES = ENTRIES_MAX - 4;
/** What is built between two yields. */
const KEYS_PER_PIECE = 256 * BUILT_ENTRIES;

/** @param deadRevisionOf the revision that deleted the key of a block; 0: it is live. */
export function* buildTree(
  tree: Tree,
  { blocks, highs, lows, skip }: SortedKeys,
  deadRevisionOf: (block: number) => number,
): Generator<undefined, void> {
  assert(tree.count === 0, 'a tree that is built was empty');
  const count = blocks.length;
  if (count === 0) return;
  const { probe } = tree;
  probe.setFrom(tree.blocks.wordsAt(blocks[0]!), Slabs.wordOf(blocks[0]!));
  tree.prefix = probe.bytes.slice(0, skip);
  const path = new Path();
  for (let start = 0; start < count; start += BUILT_ENTRIES) {
    const leaf = start === 0 ? tree.leaf.open(tree.root) : tree.newView().make(0);
    const end = Math.min(start + BUILT_ENTRIES, count);
    let dead = 0;
    leaf.skip = skip;
    leaf.count = end - start;
    for (let index = start; index < end; index++) {
      const deadRevision = deadRevisionOf(blocks[index]!);
      leaf.setKey(index - start, blocks[index]!);
      leaf.setHead(index - start, highs[index]!, lows[index]!);
      leaf.setLive(index - start, deadRevision === 0);
      dead = Math.max(dead, deadRevision);
    }
    tree.narrow(leaf, start === 0 ? NONE : blocks[start]!, blocks[end] ?? NONE);
    if (start > 0) {
      tree.goToEnd(path, 1);
      tree.carryUp(path, leaf.liveBefore(leaf.count), 0);
      insertChild(tree, path, 1, blocks[start]!, { node: leaf, dead: 0 });
    }
    // What is dead in it is told to the nodes above with its own place in them, not with that of the leaf before.
    tree.goToEnd(path, 1);
    tree.carryUp(path, 0, dead);
    tree.count += end - start;
    if (tree.count % KEYS_PER_PIECE === 0) yield;
  }
}
