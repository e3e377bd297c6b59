/** Fills an empty tree with keys that are sorted, a piece between two yields. */
import { assert } from '../../../errors.ts';
import { NONE, revisionAt } from '../layout.ts';
import { Slabs } from '../slabs.ts';
import { putChild } from './growth.ts';
import type { SortedKeys } from './key-sorter.ts';
import { ENTRIES_MAX, type Node } from './node.ts';
import type { Tree } from './tree.ts';

/** So many entries a node gets, which leaves room for those to come. */
const BUILT_ENTRIES = ENTRIES_MAX - 4;
/** What is built between two yields. */
const NODES_PER_PIECE = 256;

/** @param isLive whether the key of a block is live. */
export function* buildTree(
  tree: Tree,
  { blocks, highs, lows, skip }: SortedKeys,
  isLive: (block: number) => boolean,
): Generator<undefined, void> {
  assert(tree.count === 0, 'a tree that is built was empty');
  const count = blocks.length;
  if (count === 0) return;
  tree.leaf.open(tree.root).free();
  tree.probe.setFrom(tree.blocks.wordsAt(blocks[0]!), Slabs.wordOf(blocks[0]!));
  tree.prefix = tree.probe.bytes.slice(0, skip);
  let nodes: number[] = [];
  for (let start = 0; start < count; start += BUILT_ENTRIES) {
    const leaf = tree.leaf.make(0);
    const end = Math.min(start + BUILT_ENTRIES, count);
    leaf.skip = skip;
    leaf.count = end - start;
    for (let index = start; index < end; index++) {
      leaf.setKey(index - start, blocks[index]!);
      leaf.setHead(index - start, highs[index]!, lows[index]!);
      leaf.setLive(index - start, isLive(blocks[index]!));
    }
    tree.narrow(leaf, start === 0 ? NONE : blocks[start]!, blocks[end] ?? NONE);
    nodes.push(leaf.reference);
    if (nodes.length % NODES_PER_PIECE === 0) yield;
  }
  for (; nodes.length > 1; tree.height++) nodes = yield* buildInners(tree, nodes, skip);
  tree.root = nodes[0]!;
  tree.count = count;
  tree.dead = highestDead(tree, tree.leaf.open(tree.root));
}

function* buildInners(tree: Tree, children: readonly number[], skip: number): Generator<undefined, number[]> {
  const nodes: number[] = [];
  const child = tree.newView();
  for (let start = 0; start < children.length; start += BUILT_ENTRIES) {
    const node = tree.newView().make(tree.height + 1);
    const end = Math.min(start + BUILT_ENTRIES, children.length);
    node.skip = skip;
    for (let index = start; index < end; index++) {
      child.open(children[index]!);
      const key = index === start ? NONE : tree.smallestKey(children[index]!);
      putChild(tree, node, index - start, child, key, highestDead(tree, child));
    }
    const lower = start === 0 ? NONE : tree.smallestKey(children[start]!);
    tree.narrow(node, lower, end === children.length ? NONE : tree.smallestKey(children[end]!));
    nodes.push(node.reference);
    if (nodes.length % NODES_PER_PIECE === 0) yield;
  }
  return nodes;
}

/** The highest revision of a deletion below a node. */
function highestDead(tree: Tree, node: Node): number {
  let dead = 0;
  for (let place = node.count - 1; place >= 0; place--) {
    if (node.level > 0) dead = Math.max(dead, node.dead(place));
    else if (!node.isLive(place)) {
      const block = node.key(place);
      dead = Math.max(dead, revisionAt(tree.blocks.wordsAt(block), Slabs.wordOf(block)));
    }
  }
  return dead;
}
