/** How a tree takes in a key: into the leaf at the end of a path, which is split when it is full, and so on up to the root. */
import { NONE } from '../layout.ts';
import { ENTRIES_MAX, type Node } from './node.ts';
import type { Path, Tree } from './tree.ts';

/** Puts the block of the key in the probe, which is not there yet, where a path leads that `descend` has found. */
export function insertKey(tree: Tree, path: Path, block: number, isLive: boolean): void {
  const leaf = tree.leaf.open(path.nodes[0]!);
  const place = path.places[0]!;
  if (leaf.count < ENTRIES_MAX) {
    insertInLeaf(tree, leaf, place, block, isLive);
    return;
  }
  const lower = tree.borderBefore(path, 0);
  const upper = tree.borderBehind(path, 0);
  const right = splitOff(tree, leaf, place === ENTRIES_MAX && upper === NONE);
  if (place > leaf.count || right.count === 0) insertInLeaf(tree, right, place - leaf.count, block, isLive);
  else insertInLeaf(tree, leaf, place, block, isLive);
  const border = right.key(0);
  tree.narrow(leaf, lower, border);
  tree.narrow(right, border, upper);
  insertChild(tree, path, 1, { node: leaf, right, border });
}

/** A node that was split, the new one behind it, and the border between them. */
interface Split {
  readonly node: Node;
  readonly right: Node;
  readonly border: number;
}

function insertInLeaf(tree: Tree, leaf: Node, place: number, block: number, isLive: boolean): void {
  leaf.insertEntry(place);
  leaf.setKey(place, block);
  leaf.setHead(place, tree.probe.headHigh, tree.probe.headLow);
  leaf.setLive(place, isLive);
}

/** Makes a node for the upper half of a full one; for nothing when keys come in order, which so leave full nodes behind. */
function splitOff(tree: Tree, node: Node, isInOrder: boolean): Node {
  const right = tree.newView().make(node.level);
  right.skip = node.skip;
  node.moveEntries(isInOrder ? ENTRIES_MAX : ENTRIES_MAX / 2, right);
  return right;
}

/** Puts a child that was split off behind the one that the path goes through. */
function insertChild(tree: Tree, path: Path, level: number, child: Split): void {
  if (level > tree.height) {
    growRoot(tree, level, child);
    return;
  }
  const node = tree.newView().open(path.nodes[level]!);
  const place = path.places[level]! + 1;
  const live = liveOf(child.right);
  node.addLive(place - 1, -live);
  // What it was split off from has its highest deletion.
  const dead = node.dead(place - 1);
  if (node.count < ENTRIES_MAX) {
    putChild(tree, node, place, child.right, child.border, dead);
    return;
  }
  const lower = tree.borderBefore(path, level);
  const upper = tree.borderBehind(path, level);
  const right = splitOff(tree, node, place === ENTRIES_MAX && upper === NONE);
  let { border } = child;
  if (right.count === 0) putChild(tree, right, 0, child.right, NONE, dead);
  else {
    border = right.key(0);
    right.setKey(0, NONE);
    if (place > node.count) putChild(tree, right, place - node.count, child.right, child.border, dead);
    else putChild(tree, node, place, child.right, child.border, dead);
  }
  tree.narrow(node, lower, border);
  tree.narrow(right, border, upper);
  insertChild(tree, path, level + 1, { node, right, border });
}

/** @param dead the highest revision of a deletion in the child, or one that is higher. */
export function putChild(
  tree: Tree,
  node: Node,
  place: number,
  child: Node,
  key: number,
  dead: number,
): void {
  node.insertEntry(place);
  node.setKey(place, key);
  node.setChild(place, child.reference);
  node.addLive(place, liveOf(child));
  node.raiseDead(place, dead);
  if (key !== NONE) tree.readHead(node, place);
}

function growRoot(tree: Tree, level: number, { node, right, border }: Split): void {
  const root = tree.newView().make(level);
  root.skip = tree.prefix.length;
  putChild(tree, root, 0, node, NONE, tree.dead);
  putChild(tree, root, 1, right, border, tree.dead);
  tree.root = root.reference;
  tree.height = level;
}

function liveOf(node: Node): number {
  return node.liveBefore(node.count);
}
