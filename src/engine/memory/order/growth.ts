/** How a tree takes in a key: into the leaf at the end of a path, which is split when it is full, and so on up to the root. */
import { NONE } from '../layout.ts';
import { ENTRIES_MAX, type Node } from './node.ts';
import type { Path, Tree } from './tree.ts';

/** A child that comes into an inner node. */
interface Child {
  readonly node: Node;
  /** The highest revision of a deletion in it, or one that is higher. */
  readonly dead: number;
}

/** Puts the block of the key in the probe, which is not there yet, where a path leads that `descend` has found. */
export function insertKey(tree: Tree, path: Path, block: number, isLive: boolean): void {
  insertEntry(tree, path, 0, path.places[0]!, block, isLive, undefined);
}

/**
 * Puts a child behind the one that a path goes through, which has counted its live keys so far.
 * @param border the smallest key in it.
 */
export function insertChild(tree: Tree, path: Path, level: number, border: number, child: Child): void {
  if (level > tree.height) growRoot(tree, path);
  else tree.newView().open(path.nodes[level]!).addLive(path.places[level]!, -liveOf(child.node));
  insertEntry(tree, path, level, path.places[level]! + 1, border, false, child);
}

/** @param child what comes into an inner node. */
function insertEntry(
  tree: Tree,
  path: Path,
  level: number,
  place: number,
  key: number,
  isLive: boolean,
  child: Child | undefined,
): void {
  const node = (level === 0 ? tree.leaf : tree.newView()).open(path.nodes[level]!);
  if (node.count < ENTRIES_MAX) {
    put(tree, node, place, key, isLive, child);
    return;
  }
  const lower = tree.border(path, level, 0);
  const upper = tree.border(path, level, 1);
  const right = splitOff(tree, node, place === ENTRIES_MAX && upper === NONE);
  const isRight = place > node.count || right.count === 0;
  put(tree, isRight ? right : node, isRight ? place - node.count : place, key, isLive, child);
  const border = right.key(0);
  if (level > 0) right.setKey(0, NONE);
  tree.narrow(node, lower, border);
  tree.narrow(right, border, upper);
  // It has the highest deletion of what it was split off from.
  insertChild(tree, path, level + 1, border, { node: right, dead: tree.deadOf(path, level) });
}

function put(
  tree: Tree,
  node: Node,
  place: number,
  key: number,
  isLive: boolean,
  child: Child | undefined,
): void {
  node.insertEntry(place);
  node.setKey(place, key);
  if (child === undefined) {
    node.setHead(place, tree.probe.headHigh, tree.probe.headLow);
    node.setLive(place, isLive);
    return;
  }
  node.setChild(place, child.node.reference);
  node.addLive(place, liveOf(child.node));
  node.raiseDead(place, child.dead);
  if (key !== NONE) tree.readHead(node, place);
}

/** Makes a node for the upper half of a full one; for nothing when keys come in order, which so leave full nodes behind. */
function splitOff(tree: Tree, node: Node, isInOrder: boolean): Node {
  const right = tree.newView().make(node.level);
  right.skip = node.skip;
  node.moveEntries(isInOrder ? ENTRIES_MAX : ENTRIES_MAX / 2, right);
  return right;
}

/** Puts a root above the one that there is, and the path through it. */
function growRoot(tree: Tree, path: Path): void {
  const child = tree.newView().open(tree.root);
  const root = tree.newView().make(++tree.height);
  root.skip = tree.prefix.length;
  put(tree, root, 0, NONE, false, { node: child, dead: tree.dead });
  tree.root = root.reference;
  path.nodes[tree.height] = root.reference;
  path.places[tree.height] = 0;
}

function liveOf(node: Node): number {
  return node.liveBefore(node.count);
}
