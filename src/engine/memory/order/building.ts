/** Fills an empty tree with keys that are sorted, a piece between two yields. */
import { assert } from '../../../errors.ts';
import { NONE } from '../layout.ts';
import type { SortedKeys } from './key-sorter.ts';
import { ENTRIES_MAX, type Node } from './node.ts';
import type { Tree } from './tree.ts';

/** So many entries a node gets, which leaves room for those to come. */
const BUILT_ENTRIES = ENTRIES_MAX - 4;
/** What is built between two yields. */
const NODES_PER_PIECE = 256;

/** What a node knows of a child. */
interface Built {
  readonly child: number;
  /** Its smallest key, with the head of that. */
  readonly key: number;
  readonly high: number;
  readonly low: number;
  readonly live: number;
  readonly dead: number;
}

/**
 * Nodes at both ends, which have a border on one side only, leave out nothing.
 * @param deadRevisionOf the revision that deleted the key of a block; 0: it is live.
 */
export function* buildTree(
  tree: Tree,
  { blocks, highs, lows, skip }: SortedKeys,
  deadRevisionOf: (block: number) => number,
): Generator<undefined, void> {
  assert(tree.count === 0, 'a tree that is built was empty');
  const count = blocks.length;
  if (count === 0) return;
  tree.node().open(tree.root).free();
  let built: Built[] = [];
  for (let start = 0; start < count; start += BUILT_ENTRIES) {
    const leaf = tree.node().make(0, tree.index);
    leaf.skip = skip;
    const end = Math.min(start + BUILT_ENTRIES, count);
    let dead = 0;
    leaf.count = end - start;
    for (let index = start, place = 0; index < end; index++, place++) {
      const deadRevision = deadRevisionOf(blocks[index]!);
      leaf.setKey(place, blocks[index]!);
      leaf.setHead(place, highs[index]!, lows[index]!);
      leaf.setLive(place, deadRevision === 0);
      dead = Math.max(dead, deadRevision);
    }
    if (start === 0 || end === count) tree.readHeads(leaf, 0);
    else tree.narrow(leaf, blocks[start]!, blocks[end]!);
    const live = leaf.liveBefore(end - start);
    built.push({
      child: leaf.reference,
      key: blocks[start]!,
      high: highs[start]!,
      low: lows[start]!,
      live,
      dead,
    });
    if (built.length % NODES_PER_PIECE === 0) yield;
  }
  let level = 0;
  while (built.length > 1) built = yield* buildInners(tree, built, ++level, skip);
  tree.root = built[0]!.child;
  tree.height = level;
  tree.count = count;
}

function* buildInners(
  tree: Tree,
  children: readonly Built[],
  level: number,
  skip: number,
): Generator<undefined, Built[]> {
  const built: Built[] = [];
  for (let start = 0; start < children.length; start += BUILT_ENTRIES) {
    const node = tree.node().make(level, tree.index);
    const part = children.slice(start, start + BUILT_ENTRIES);
    node.skip = skip;
    node.count = part.length;
    for (const [place, child] of part.entries()) putBuilt(node, place, child);
    const { key, high, low } = part[0]!;
    const next = children[start + BUILT_ENTRIES];
    if (start === 0 || next === undefined) tree.readHeads(node, 0);
    else tree.narrow(node, key, next.key);
    const dead = part.reduce((most, child) => Math.max(most, child.dead), 0);
    built.push({ child: node.reference, key, high, low, live: node.liveBefore(part.length), dead });
    if (built.length % NODES_PER_PIECE === 0) yield;
  }
  return built;
}

function putBuilt(node: Node, place: number, { child, key, high, low, live, dead }: Built): void {
  node.setKey(place, place === 0 ? NONE : key);
  node.setHead(place, high, low);
  node.setChild(place, child);
  node.addLive(place, live);
  node.raiseDead(place, dead);
}
