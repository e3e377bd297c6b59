/** How a tree lets a key go: an empty node goes too, and one with few entries is put together with its neighbour. */
import { assert } from '../../../errors.ts';
import { NONE } from '../layout.ts';
import { ENTRIES_MAX } from './node.ts';
import type { Path, Tree } from './tree.ts';

/** A node with no more entries is put together with its neighbour, if both together have no more than the second. */
const FEW_ENTRIES = ENTRIES_MAX / 4;
const MERGED_ENTRIES_MAX = (ENTRIES_MAX * 3) / 4;

/**
 * Takes out the entry to which a path leads at a level: a key, or in an inner node a child that is free already. The path
 * leads nowhere afterwards.
 */
export function removeEntry(tree: Tree, path: Path, level = 0): void {
  const node = (level === 0 ? tree.leaf : tree.newView()).open(path.nodes[level]!);
  const place = path.places[level]!;
  node.removeEntry(place);
  if (node.count === 0 && tree.height > 0) {
    assert(level < tree.height, 'a root has two children at least');
    node.free();
    removeEntry(tree, path, level + 1);
    return;
  }
  if (place === 0) changeBorder(tree, path, level, node.key(0));
  if (level > 0) {
    if (place === 0) node.setKey(0, NONE);
    tree.widen(path, level, Math.max(0, place - 1));
  }
  if (level < tree.height && node.count <= FEW_ENTRIES) mergeIfSmall(tree, path, level);
  while (tree.height > 0 && node.open(tree.root).count === 1) {
    tree.root = node.child(0);
    tree.height--;
    node.free();
  }
}

/** The smallest key below the node of a path has become another one: the border before it follows. */
function changeBorder(tree: Tree, path: Path, level: number, key: number): void {
  for (let above = level + 1; above <= tree.height; above++) {
    const place = path.places[above]!;
    if (place === 0) continue;
    const node = tree.newView().open(path.nodes[above]!);
    node.setKey(place, key);
    tree.readHead(node, place);
    tree.widen(path, above, place - 1);
    path.places[above] = place;
    return;
  }
}

/** Puts the path's node at a level, which has few entries, together with the one behind or before it, if these are not many. */
function mergeIfSmall(tree: Tree, path: Path, level: number): void {
  const node = tree.newView().open(path.nodes[level]!);
  const { count } = node;
  const parent = tree.newView().open(path.nodes[level + 1]!);
  const place = path.places[level + 1]!;
  const countOf = (sibling: number): number => node.open(parent.child(sibling)).count;
  if (place + 1 < parent.count && count + countOf(place + 1) <= MERGED_ENTRIES_MAX)
    merge(tree, path, level, place);
  else if (place > 0 && count + countOf(place - 1) <= MERGED_ENTRIES_MAX) merge(tree, path, level, place - 1);
}

/** Puts the child behind a place of the node above into the one at it. */
function merge(tree: Tree, path: Path, level: number, place: number): void {
  const parent = tree.newView().open(path.nodes[level + 1]!);
  const left = tree.newView().open(parent.child(place));
  const right = tree.newView().open(parent.child(place + 1));
  // The border between the two comes down, or goes.
  if (level > 0) right.setKey(0, parent.key(place + 1));
  right.moveEntries(0, left);
  parent.addLive(place, parent.live(place + 1));
  parent.raiseDead(place, parent.dead(place + 1));
  // When its borders are known, it may leave out less.
  tree.readHeads(left, left.skip);
  right.free();
  path.places[level + 1] = place + 1;
  removeEntry(tree, path, level + 1);
}
