/**
 * The ordered index: a B+-tree of key ids, in nodes of 512 bytes in pages of shared memory. What order the items have,
 * and where their bytes lie, is the business of a `KeyOrder`.
 *
 * To compare with an item costs a visit to its version, somewhere in a large memory. So each node keeps, beside each
 * item, its head: the four bytes that follow those that all items of the node have in common. Only where heads are
 * equal is the item itself looked at.
 *
 *     node, in words (a page has 512 nodes; the number of a node is from 512 on, so that it gives page and place)
 *     +0  count of items (leaf) or of children (inner)
 *     +1  how many bytes all keys that can come into this node have in common (at least)
 *     +2  0 for a free node, else one more than its level (`tree-nodes.ts`)
 *     +3  of no use, so that the rows begin at a multiple of 16 bytes
 *     leaf:  +4   62 key ids, ascending            inner:  +4   41 children
 *            +66  62 heads                                 +45  40 borders: key ids; border i is at or below every key of
 *                                                               child i + 1, and above every key of child i
 *                                                          +85  40 heads of the borders
 *
 * A border is a copy of (the front of) a key, made for the purpose, so that it stays when the key goes.
 *
 * Invariants:
 *
 * - All leaves are at the same depth. No leaf but the root is empty, no inner node has less than two children.
 * - The shared bytes of a node are never more than its two borders in the nodes above have in common. A node without a
 *   border on one side (the root, and the first and last node of each level) shares `#prefix`, with which every item
 *   begins.
 *
 * Deletion merges a node with a neighbour under the same parent when both are sparse. No operation takes longer than a
 * few nodes on each level.
 *
 * Only the writer's thread goes through the tree. Search, insert and delete are in one file, long as it is, because
 * each works on the way that the search has left behind.
 */
import { assert } from '../../errors.ts';
import { KeyHeads } from './key-heads.ts';
import type { KeyOrder } from './key-order.ts';
import type { PageTable } from './page-table.ts';
import { NODE_WORDS, nodeOffset, TreeNodes } from './tree-nodes.ts';

const COUNT = 0;
const SHARED_BYTES = 1;
const ITEMS = 4;

export const LEAF_COUNT_MAX = 62;
const LEAF_HEADS = ITEMS + LEAF_COUNT_MAX;
const CHILD_COUNT_MAX = 41;
const BORDER_COUNT_MAX = CHILD_COUNT_MAX - 1;
const BORDERS = ITEMS + CHILD_COUNT_MAX;
const BORDER_HEADS = BORDERS + BORDER_COUNT_MAX;

/** Two leaves, or two inner nodes, are merged when they have no more than this together. */
const LEAF_MERGE_COUNT_MAX = 40;
const CHILD_MERGE_COUNT_MAX = 26;

const PREFIX_BYTES_MAX = 64;

/** How many nodes one step moves to other pages. */
const MOVES_PER_STEP = 64;

/** Enough for more keys than there can be. */
const HEIGHT_MAX = 16;

const NONE = 0;

assert(LEAF_HEADS + LEAF_COUNT_MAX <= NODE_WORDS, 'a leaf fits its node');
assert(BORDER_HEADS + BORDER_COUNT_MAX <= NODE_WORDS, 'an inner node fits its node');
assert(LEAF_MERGE_COUNT_MAX < LEAF_COUNT_MAX && CHILD_MERGE_COUNT_MAX < CHILD_COUNT_MAX, 'merged nodes fit');

/** What the check of a tree found in it. */
export interface TreeFindings {
  readonly ids: number[];
  readonly borders: number[];
  nodeCount: number;
}

/** Some neighbouring items, in ascending order, and where the next ones begin. */
export class TreeSlice {
  readonly ids = Array.from({ length: LEAF_COUNT_MAX }, () => NONE);
  /** For whoever uses the slice: the version of each item that a read sees. */
  readonly references = Array.from({ length: LEAF_COUNT_MAX }, () => NONE);
  count = 0;
  /** The border at which the search goes on in its direction; 0: nothing comes any more. */
  nextBorder = NONE;
}

export class KeyTree {
  readonly #nodes: TreeNodes;
  readonly #order: KeyOrder;
  #root: number;
  /** Levels of inner nodes. */
  #height = 0;
  #count = 0;
  /** The bytes with which every item begins, or the first of them; only the first item makes it longer. */
  readonly #prefix = new Uint8Array(PREFIX_BYTES_MAX);
  #prefixBytes = 0;
  /** Below 0 or above 0: the probe does not begin with the prefix, and so comes before or after all items. */
  #side = 0;
  /** The last leaf of all: what is appended at the end of the order needs no search. */
  #lastLeaf: number;
  /** Of the items of the last leaf, while items are appended. */
  readonly #appendedHeads = new KeyHeads(LEAF_COUNT_MAX);
  /** How many bytes the items of the leaf before share. */
  #appendedSharedBytes = 0;

  // The way from the root (level `#height`) to a leaf (level 0) of the last search.
  readonly #pathNode = new Uint32Array(HEIGHT_MAX);
  readonly #pathChild = new Uint32Array(HEIGHT_MAX);
  /** The borders below and above the node of a level; 0: none. */
  readonly #pathLow = new Uint32Array(HEIGHT_MAX);
  readonly #pathHigh = new Uint32Array(HEIGHT_MAX);

  constructor(table: PageTable, order: KeyOrder) {
    this.#nodes = new TreeNodes(table);
    this.#order = order;
    this.#root = this.#takeNode(0);
    this.#lastLeaf = this.#root;
  }

  /** Adds an item whose bytes are in the probe, and that is not in the tree. Uses up the probe. */
  insert(id: number): void {
    this.#fitPrefix();
    this.#count++;
    if (this.#append(id)) return;
    this.#descend();
    const leaf = this.#pathNode[0]!;
    const words = this.#words(leaf);
    const base = nodeOffset(leaf);
    const count = words[base + COUNT]!;
    const position = this.#lowerBound(
      words,
      base + ITEMS,
      base + LEAF_HEADS,
      count,
      words[base + SHARED_BYTES]!,
    );
    if (count < LEAF_COUNT_MAX) this.#insertInLeaf(leaf, position, id);
    else this.#splitLeaf(leaf, position, id);
  }

  /**
   * Adds an item that comes after all others, to a tree that has had no other call since it was empty. Before
   * `endAppending` nothing is to be searched in it: heads are written once their node is complete.
   * @param heads has at `index` the bytes of the item; without them they are in the probe, which is used up.
   */
  append(id: number, heads?: KeyHeads, index = 0): void {
    if (this.#count === 0) {
      this.#order.loadProbe(id);
      this.#fitPrefix();
    }
    this.#count++;
    const leaf = this.#lastLeaf;
    const words = this.#words(leaf);
    const base = nodeOffset(leaf);
    const count = words[base + COUNT]!;
    if (count < LEAF_COUNT_MAX) {
      words[base + ITEMS + count] = id;
      words[base + COUNT] = count + 1;
      this.#noteHeads(count, heads, index);
      return;
    }
    this.#descendBefore(true);
    const right = this.#takeNode(0);
    const rightBase = nodeOffset(right);
    this.#words(right)[rightBase + ITEMS] = id;
    this.#words(right)[rightBase + COUNT] = 1;
    this.#lastLeaf = right;
    const low = this.#pathLow[0]!;
    const border = this.#order.makeBorder(words[base + ITEMS + count - 1]!, id);
    const sharedBytes = this.#sharedBytes(low, border);
    words[base + SHARED_BYTES] = sharedBytes;
    this.#appendedSharedBytes = sharedBytes;
    for (let item = 0; item < count; item++) {
      const known = this.#appendedHeads.headAt(item, sharedBytes);
      words[base + LEAF_HEADS + item] =
        known >= 0 ? known : this.#order.headOf(words[base + ITEMS + item]!, sharedBytes);
    }
    if (heads === undefined) this.#order.loadProbe(id);
    this.#noteHeads(0, heads, index);
    this.#insertChild(1, border, right);
  }

  #noteHeads(item: number, heads: KeyHeads | undefined, index: number): void {
    const appended = this.#appendedHeads;
    if (heads !== undefined) {
      appended.copy(item, heads, index);
      return;
    }
    // The items of this leaf will share about as many bytes as those of the one before.
    const position = Math.max(0, this.#appendedSharedBytes - 2);
    appended.positions[item] = position;
    appended.high[item] = this.#order.headOfProbe(position);
    appended.low[item] = this.#order.headOfProbe(position + 4);
  }

  /** Makes a tree ready after `append`. Uses up the probe. */
  endAppending(): void {
    if (this.#count === 0) return;
    const words = this.#words(this.#lastLeaf);
    const base = nodeOffset(this.#lastLeaf);
    this.#order.loadProbe(words[base + ITEMS + words[base + COUNT]! - 1]!);
    // What the first and the last item begin with, all between them do.
    this.#prefixBytes = this.#order.commonBytesOfProbe(this.#prefix, this.#prefixBytes);
    this.#relabelEdge(0);
    this.#relabelEdge(1);
  }

  /** Takes out the item whose bytes are in the probe. Uses up the probe. */
  remove(id: number): void {
    this.#descend();
    const leaf = this.#pathNode[0]!;
    const words = this.#words(leaf);
    const base = nodeOffset(leaf);
    const count = words[base + COUNT]!;
    const position = this.#lowerBound(
      words,
      base + ITEMS,
      base + LEAF_HEADS,
      count,
      words[base + SHARED_BYTES]!,
    );
    assert(
      position < count && words[base + ITEMS + position] === id,
      'an item that is removed is in the tree',
    );
    this.#count--;
    for (let index = position; index < count - 1; index++) {
      words[base + ITEMS + index] = words[base + ITEMS + index + 1]!;
      words[base + LEAF_HEADS + index] = words[base + LEAF_HEADS + index + 1]!;
    }
    words[base + COUNT] = count - 1;
    for (let level = 0; level < this.#height && this.#mergeAt(level); level++);
    this.#lowerRoot();
  }

  /** The items at and after the probe in the leaf where it belongs. */
  sliceUp(slice: TreeSlice): void {
    this.#descend();
    const leaf = this.#pathNode[0]!;
    const words = this.#words(leaf);
    const base = nodeOffset(leaf);
    const count = words[base + COUNT]!;
    const position = this.#lowerBound(
      words,
      base + ITEMS,
      base + LEAF_HEADS,
      count,
      words[base + SHARED_BYTES]!,
    );
    slice.count = count - position;
    for (let index = position; index < count; index++)
      slice.ids[index - position] = words[base + ITEMS + index]!;
    slice.nextBorder = this.#pathHigh[0]!;
  }

  /** The items before the probe in the leaf of the item right before it; `isFromEnd`: the last leaf, no probe. */
  sliceDown(slice: TreeSlice, isFromEnd: boolean): void {
    this.#descendBefore(isFromEnd);
    const leaf = this.#pathNode[0]!;
    const words = this.#words(leaf);
    const base = nodeOffset(leaf);
    let count = words[base + COUNT]!;
    if (!isFromEnd) {
      count = this.#lowerBound(words, base + ITEMS, base + LEAF_HEADS, count, words[base + SHARED_BYTES]!);
    }
    slice.count = count;
    for (let index = 0; index < count; index++) slice.ids[index] = words[base + ITEMS + index]!;
    slice.nextBorder = this.#pathLow[0]!;
  }

  /** The first item of all; 0: there is none. */
  first(): number {
    let node = this.#root;
    for (let level = this.#height; level > 0; level--) node = this.#words(node)[nodeOffset(node) + ITEMS]!;
    const words = this.#words(node);
    return words[nodeOffset(node) + COUNT]! > 0 ? words[nodeOffset(node) + ITEMS]! : NONE;
  }

  /** Moves some nodes out of sparse pages. Uses up the probe. @returns whether there is more to move. */
  moveSome(): boolean {
    for (let count = 0; count < MOVES_PER_STEP; count++) {
      if (!this.#nodes.isWasteful()) return false;
      this.#moveNode(this.#nodes.nextToMove());
    }
    return true;
  }

  /** For the check of all structures: throws unless the tree holds together. @returns its items and borders. */
  verifyIntegrity(): TreeFindings {
    const found: TreeFindings = { ids: [], borders: [], nodeCount: 0 };
    this.#verifyNode(this.#root, this.#height, NONE, NONE, found);
    for (let index = 1; index < found.ids.length; index++) {
      this.#order.loadProbe(found.ids[index - 1]!);
      assert(this.#order.compareProbe(found.ids[index]!) < 0, 'the items ascend');
    }
    assert(found.ids.length === this.#count, 'the tree has as many items as it says');
    this.#nodes.verifyIntegrity(found.nodeCount);
    return found;
  }

  #countOf(node: number): number {
    return this.#words(node)[nodeOffset(node) + COUNT]!;
  }

  #words(node: number): Uint32Array {
    return this.#nodes.words(node);
  }

  /** Makes the prefix one of the probe too, which is about to be added. */
  #fitPrefix(): void {
    const order = this.#order;
    if (this.#count === 0) {
      this.#prefixBytes = order.copyProbe(this.#prefix);
      this.#words(this.#root)[nodeOffset(this.#root) + SHARED_BYTES] = this.#prefixBytes;
      return;
    }
    const common = order.commonBytesOfProbe(this.#prefix, this.#prefixBytes);
    if (common === this.#prefixBytes) return;
    this.#prefixBytes = common;
    this.#relabelEdge(0);
    this.#relabelEdge(1);
  }

  /** Writes the heads of the first (0) or last (1) node of each level anew, which share no more than the prefix. */
  #relabelEdge(side: 0 | 1): void {
    let node = this.#root;
    for (let level = this.#height; level >= 0; level--) {
      const words = this.#words(node);
      const base = nodeOffset(node);
      if (level === 0) {
        words[base + SHARED_BYTES] = this.#prefixBytes;
        this.#writeLeafHeads(words, base, 0, words[base + COUNT]!);
        return;
      }
      this.#setBorderHeads(node, NONE, NONE);
      node = words[base + ITEMS + side * (words[base + COUNT]! - 1)]!;
    }
  }

  /** Adds an item at the end of the last leaf, if it belongs there and there is room. */
  #append(id: number): boolean {
    const leaf = this.#lastLeaf;
    const words = this.#words(leaf);
    const base = nodeOffset(leaf);
    const count = words[base + COUNT]!;
    if (count === 0 || count === LEAF_COUNT_MAX) return false;
    const head = this.#order.headOfProbe(words[base + SHARED_BYTES]!);
    const lastHead = words[base + LEAF_HEADS + count - 1]!;
    if (head < lastHead) return false;
    if (head === lastHead && this.#order.compareProbe(words[base + ITEMS + count - 1]!) < 0) return false;
    this.#insertInLeaf(leaf, count, id);
    return true;
  }

  /** Goes down to the leaf where the probe belongs. */
  #descend(): void {
    this.#side = this.#order.compareProbeTo(this.#prefix, this.#prefixBytes);
    let node = this.#root;
    let low = NONE;
    let high = NONE;
    for (let level = this.#height; level > 0; level--) {
      const words = this.#words(node);
      const base = nodeOffset(node);
      const last = words[base + COUNT]! - 1;
      const child = this.#upperBound(words, base, last);
      this.#step(level, node, child, low, high);
      if (child > 0) low = words[base + BORDERS + child - 1]!;
      if (child < last) high = words[base + BORDERS + child]!;
      node = words[base + ITEMS + child]!;
    }
    this.#step(0, node, 0, low, high);
  }

  /** Goes down to the leaf of the greatest item before the probe, if it exists. */
  #descendBefore(isFromEnd: boolean): void {
    this.#side = isFromEnd ? 0 : this.#order.compareProbeTo(this.#prefix, this.#prefixBytes);
    let node = this.#root;
    let low = NONE;
    let high = NONE;
    for (let level = this.#height; level > 0; level--) {
      const words = this.#words(node);
      const base = nodeOffset(node);
      const last = words[base + COUNT]! - 1;
      const shared = words[base + SHARED_BYTES]!;
      const child = isFromEnd
        ? last
        : this.#lowerBound(words, base + BORDERS, base + BORDER_HEADS, last, shared);
      this.#step(level, node, child, low, high);
      if (child > 0) low = words[base + BORDERS + child - 1]!;
      if (child < last) high = words[base + BORDERS + child]!;
      node = words[base + ITEMS + child]!;
    }
    this.#step(0, node, 0, low, high);
  }

  #step(level: number, node: number, child: number, low: number, high: number): void {
    this.#pathNode[level] = node;
    this.#pathChild[level] = child;
    this.#pathLow[level] = low;
    this.#pathHigh[level] = high;
  }

  /** How many of some ascending items come before the probe. */
  #lowerBound(words: Uint32Array, items: number, heads: number, count: number, sharedBytes: number): number {
    if (this.#side !== 0) return this.#side < 0 ? 0 : count;
    const head = this.#order.headOfProbe(sharedBytes);
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const middleHead = words[heads + middle]!;
      const isBefore =
        middleHead < head || (middleHead === head && this.#order.compareProbe(words[items + middle]!) > 0);
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many of the borders of an inner node are at or before the probe. */
  #upperBound(words: Uint32Array, base: number, count: number): number {
    if (this.#side !== 0) return this.#side < 0 ? 0 : count;
    const head = this.#order.headOfProbe(words[base + SHARED_BYTES]!);
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const middleHead = words[base + BORDER_HEADS + middle]!;
      const isAfter =
        middleHead > head ||
        (middleHead === head && this.#order.compareProbe(words[base + BORDERS + middle]!) < 0);
      if (isAfter) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #insertInLeaf(leaf: number, position: number, id: number): void {
    const words = this.#words(leaf);
    const base = nodeOffset(leaf);
    this.#insertItem(words, base, position, id, this.#order.headOfProbe(words[base + SHARED_BYTES]!));
  }

  #insertItem(words: Uint32Array, base: number, position: number, id: number, head: number): void {
    const count = words[base + COUNT]!;
    for (let index = count; index > position; index--) {
      words[base + ITEMS + index] = words[base + ITEMS + index - 1]!;
      words[base + LEAF_HEADS + index] = words[base + LEAF_HEADS + index - 1]!;
    }
    words[base + ITEMS + position] = id;
    words[base + LEAF_HEADS + position] = head;
    words[base + COUNT] = count + 1;
  }

  /** Splits a full leaf and adds an item at a position of it. */
  #splitLeaf(leaf: number, position: number, id: number): void {
    const right = this.#takeNode(0);
    const words = this.#words(leaf);
    const base = nodeOffset(leaf);
    const rightWords = this.#words(right);
    const rightBase = nodeOffset(right);
    // Keys that come in ascending order leave full leaves behind.
    const leftCount = position === LEAF_COUNT_MAX ? LEAF_COUNT_MAX : LEAF_COUNT_MAX >>> 1;
    for (let index = leftCount; index < LEAF_COUNT_MAX; index++) {
      rightWords[rightBase + ITEMS + index - leftCount] = words[base + ITEMS + index]!;
      rightWords[rightBase + LEAF_HEADS + index - leftCount] = words[base + LEAF_HEADS + index]!;
    }
    words[base + COUNT] = leftCount;
    rightWords[rightBase + COUNT] = LEAF_COUNT_MAX - leftCount;
    rightWords[rightBase + SHARED_BYTES] = words[base + SHARED_BYTES]!;
    const head = this.#order.headOfProbe(words[base + SHARED_BYTES]!);
    if (position <= leftCount && leftCount < LEAF_COUNT_MAX)
      this.#insertItem(words, base, position, id, head);
    else this.#insertItem(rightWords, rightBase, position - leftCount, id, head);
    if (this.#lastLeaf === leaf) this.#lastLeaf = right;

    const low = this.#pathLow[0]!;
    const high = this.#pathHigh[0]!;
    const lastOfLeft = words[base + ITEMS + words[base + COUNT]! - 1]!;
    const border = this.#order.makeBorder(lastOfLeft, rightWords[rightBase + ITEMS]!);
    this.#setLeafHeads(leaf, low, border);
    this.#setLeafHeads(right, border, high);
    this.#insertChild(1, border, right);
  }

  /** Adds a child and the border below it, right after the child that the path takes at a level. */
  #insertChild(level: number, border: number, child: number): void {
    if (level > this.#height) {
      this.#raiseRoot(border, child);
      return;
    }
    const node = this.#pathNode[level]!;
    const words = this.#words(node);
    const base = nodeOffset(node);
    const count = words[base + COUNT]!;
    const position = this.#pathChild[level]! + 1;
    if (count === CHILD_COUNT_MAX) {
      this.#splitInner(level, position, border, child);
      return;
    }
    this.#insertChildAt(words, base, position, border, child);
    words[base + BORDER_HEADS + position - 1] = this.#order.headOf(border, words[base + SHARED_BYTES]!);
  }

  /** Makes room in all three rows of an inner node; the head of the border is not set. */
  #insertChildAt(words: Uint32Array, base: number, position: number, border: number, child: number): void {
    const count = words[base + COUNT]!;
    for (let index = count; index > position; index--) {
      words[base + ITEMS + index] = words[base + ITEMS + index - 1]!;
      words[base + BORDERS + index - 1] = words[base + BORDERS + index - 2]!;
      words[base + BORDER_HEADS + index - 1] = words[base + BORDER_HEADS + index - 2]!;
    }
    words[base + ITEMS + position] = child;
    words[base + BORDERS + position - 1] = border;
    words[base + COUNT] = count + 1;
  }

  /** Splits a full inner node, adds a child to one half, and hands the border in the middle up. */
  #splitInner(level: number, position: number, border: number, child: number): void {
    const node = this.#pathNode[level]!;
    const right = this.#takeNode(level);
    const words = this.#words(node);
    const base = nodeOffset(node);
    const rightWords = this.#words(right);
    const rightBase = nodeOffset(right);
    // As with leaves: children that come in ascending order leave nearly full nodes behind.
    const leftCount = position === CHILD_COUNT_MAX ? CHILD_COUNT_MAX - 1 : (CHILD_COUNT_MAX + 1) >>> 1;
    for (let index = leftCount; index < CHILD_COUNT_MAX; index++) {
      rightWords[rightBase + ITEMS + index - leftCount] = words[base + ITEMS + index]!;
      if (index > leftCount) {
        rightWords[rightBase + BORDERS + index - leftCount - 1] = words[base + BORDERS + index - 1]!;
      }
    }
    const middle = words[base + BORDERS + leftCount - 1]!;
    words[base + COUNT] = leftCount;
    rightWords[rightBase + COUNT] = CHILD_COUNT_MAX - leftCount;
    if (position <= leftCount) this.#insertChildAt(words, base, position, border, child);
    else this.#insertChildAt(rightWords, rightBase, position - leftCount, border, child);
    this.#setBorderHeads(node, this.#pathLow[level]!, middle);
    this.#setBorderHeads(right, middle, this.#pathHigh[level]!);
    this.#insertChild(level + 1, middle, right);
  }

  #raiseRoot(border: number, right: number): void {
    assert(this.#height + 1 < HEIGHT_MAX, 'a tree is never this high');
    const root = this.#takeNode(this.#height + 1);
    const words = this.#words(root);
    const base = nodeOffset(root);
    words[base + ITEMS] = this.#root;
    words[base + ITEMS + 1] = right;
    words[base + BORDERS] = border;
    words[base + COUNT] = 2;
    this.#setBorderHeads(root, NONE, NONE);
    this.#root = root;
    this.#height++;
  }

  /**
   * Merges the node of the path at a level with a neighbour under the same parent, if both are sparse.
   * @returns whether it did, so that the parent has one child less.
   */
  #mergeAt(level: number): boolean {
    const parent = this.#pathNode[level + 1]!;
    const last = this.#countOf(parent) - 1;
    const child = this.#pathChild[level + 1]!;
    if (child < last && this.#tryMerge(level, child)) return true;
    return child > 0 && this.#tryMerge(level, child - 1);
  }

  /** Merges a child of the node above a level with the child after it. */
  #tryMerge(level: number, leftChild: number): boolean {
    const parent = this.#pathNode[level + 1]!;
    const words = this.#words(parent);
    const base = nodeOffset(parent);
    const left = words[base + ITEMS + leftChild]!;
    const right = words[base + ITEMS + leftChild + 1]!;
    const together = this.#countOf(left) + this.#countOf(right);
    const fewest = Math.min(this.#countOf(left), this.#countOf(right));
    const last = words[base + COUNT]! - 1;
    const border = words[base + BORDERS + leftChild]!;
    const low = leftChild > 0 ? words[base + BORDERS + leftChild - 1]! : this.#pathLow[level + 1]!;
    const high = leftChild + 1 < last ? words[base + BORDERS + leftChild + 1]! : this.#pathHigh[level + 1]!;
    if (level === 0) {
      if (together > LEAF_MERGE_COUNT_MAX && fewest > 0) return false;
      this.#mergeLeaves(left, right, low, high);
      this.#order.freeBorder(border);
    } else if (together <= CHILD_MERGE_COUNT_MAX || (fewest === 1 && together <= CHILD_COUNT_MAX)) {
      this.#mergeInner(left, right, border, low, high);
    } else {
      if (fewest === 1) this.#evenOut(left, right, parent, leftChild, low, high);
      return false;
    }
    for (let index = leftChild + 1; index < last; index++) {
      words[base + ITEMS + index] = words[base + ITEMS + index + 1]!;
      words[base + BORDERS + index - 1] = words[base + BORDERS + index]!;
      words[base + BORDER_HEADS + index - 1] = words[base + BORDER_HEADS + index]!;
    }
    words[base + COUNT] = last;
    this.#nodes.give(right);
    return true;
  }

  #mergeLeaves(left: number, right: number, low: number, high: number): void {
    const words = this.#words(left);
    const base = nodeOffset(left);
    const rightWords = this.#words(right);
    const rightBase = nodeOffset(right);
    const leftCount = words[base + COUNT]!;
    const together = leftCount + rightWords[rightBase + COUNT]!;
    for (let index = leftCount; index < together; index++) {
      words[base + ITEMS + index] = rightWords[rightBase + ITEMS + index - leftCount]!;
      words[base + LEAF_HEADS + index] = rightWords[rightBase + LEAF_HEADS + index - leftCount]!;
    }
    words[base + COUNT] = together;
    // Other borders hold now; where that changes the shared bytes, the heads are others.
    const sharedBytes = this.#sharedBytes(low, high);
    const isLeftOther = words[base + SHARED_BYTES] !== sharedBytes;
    const isRightOther = rightWords[rightBase + SHARED_BYTES] !== sharedBytes;
    words[base + SHARED_BYTES] = sharedBytes;
    if (isLeftOther) this.#writeLeafHeads(words, base, 0, leftCount);
    if (isRightOther) this.#writeLeafHeads(words, base, leftCount, together);
    if (this.#lastLeaf === right) this.#lastLeaf = left;
  }

  /** The border between the two comes down between their children. */
  #mergeInner(left: number, right: number, border: number, low: number, high: number): void {
    const words = this.#words(left);
    const base = nodeOffset(left);
    const rightWords = this.#words(right);
    const rightBase = nodeOffset(right);
    const leftCount = words[base + COUNT]!;
    const rightCount = rightWords[rightBase + COUNT]!;
    words[base + BORDERS + leftCount - 1] = border;
    for (let index = 0; index < rightCount; index++) {
      words[base + ITEMS + leftCount + index] = rightWords[rightBase + ITEMS + index]!;
      if (index > 0)
        words[base + BORDERS + leftCount + index - 1] = rightWords[rightBase + BORDERS + index - 1]!;
    }
    words[base + COUNT] = leftCount + rightCount;
    this.#setBorderHeads(left, low, high);
  }

  /** Gives an inner node with a single child one more from its full neighbour, by way of the border between them. */
  #evenOut(left: number, right: number, parent: number, leftChild: number, low: number, high: number): void {
    const words = this.#words(left);
    const base = nodeOffset(left);
    const rightWords = this.#words(right);
    const rightBase = nodeOffset(right);
    const parentWords = this.#words(parent);
    const parentBase = nodeOffset(parent);
    const border = parentWords[parentBase + BORDERS + leftChild]!;
    const leftCount = words[base + COUNT]!;
    const rightCount = rightWords[rightBase + COUNT]!;
    let newBorder: number;
    if (leftCount === 1) {
      newBorder = rightWords[rightBase + BORDERS]!;
      this.#insertChildAt(words, base, 1, border, rightWords[rightBase + ITEMS]!);
      for (let index = 0; index < rightCount - 1; index++) {
        rightWords[rightBase + ITEMS + index] = rightWords[rightBase + ITEMS + index + 1]!;
        if (index > 0) rightWords[rightBase + BORDERS + index - 1] = rightWords[rightBase + BORDERS + index]!;
      }
      rightWords[rightBase + COUNT] = rightCount - 1;
    } else {
      newBorder = words[base + BORDERS + leftCount - 2]!;
      rightWords[rightBase + ITEMS + 1] = rightWords[rightBase + ITEMS]!;
      rightWords[rightBase + ITEMS] = words[base + ITEMS + leftCount - 1]!;
      rightWords[rightBase + BORDERS] = border;
      rightWords[rightBase + COUNT] = 2;
      words[base + COUNT] = leftCount - 1;
    }
    parentWords[parentBase + BORDERS + leftChild] = newBorder;
    parentWords[parentBase + BORDER_HEADS + leftChild] = this.#order.headOf(
      newBorder,
      parentWords[parentBase + SHARED_BYTES]!,
    );
    this.#setBorderHeads(left, low, newBorder);
    this.#setBorderHeads(right, newBorder, high);
  }

  /** Moves a node to another page. */
  #moveNode(node: number): void {
    const level = this.#nodes.levelOf(node);
    const words = this.#words(node);
    const base = nodeOffset(node);
    if (node !== this.#root) {
      this.#order.loadProbe(words[base + (level === 0 ? ITEMS : BORDERS)]!);
      this.#descend();
      assert(this.#pathNode[level] === node, 'a node is on the way to its first item or border');
    }
    const moved = this.#takeNode(level);
    const movedWords = this.#words(moved);
    const movedBase = nodeOffset(moved);
    movedWords.set(words.subarray(base, base + NODE_WORDS), movedBase);
    if (node === this.#root) {
      this.#root = moved;
    } else {
      const parent = this.#pathNode[level + 1]!;
      this.#words(parent)[nodeOffset(parent) + ITEMS + this.#pathChild[level + 1]!] = moved;
    }
    if (node === this.#lastLeaf) this.#lastLeaf = moved;
    this.#nodes.give(node);
  }

  /** Takes away roots that have only one child. */
  #lowerRoot(): void {
    while (this.#height > 0 && this.#countOf(this.#root) === 1) {
      const old = this.#root;
      this.#root = this.#words(old)[nodeOffset(old) + ITEMS]!;
      this.#height--;
      this.#nodes.give(old);
    }
  }

  #sharedBytes(low: number, high: number): number {
    return low === NONE || high === NONE ? this.#prefixBytes : this.#order.commonBytes(low, high);
  }

  /** Borders have come closer to a leaf: its items may share more bytes than before. */
  #setLeafHeads(leaf: number, low: number, high: number): void {
    const words = this.#words(leaf);
    const base = nodeOffset(leaf);
    const sharedBytes = this.#sharedBytes(low, high);
    if (words[base + SHARED_BYTES] === sharedBytes) return;
    words[base + SHARED_BYTES] = sharedBytes;
    this.#writeLeafHeads(words, base, 0, words[base + COUNT]!);
  }

  #writeLeafHeads(words: Uint32Array, base: number, from: number, to: number): void {
    const sharedBytes = words[base + SHARED_BYTES]!;
    for (let index = from; index < to; index++) {
      words[base + LEAF_HEADS + index] = this.#order.headOf(words[base + ITEMS + index]!, sharedBytes);
    }
  }

  #setBorderHeads(node: number, low: number, high: number): void {
    const words = this.#words(node);
    const base = nodeOffset(node);
    const sharedBytes = this.#sharedBytes(low, high);
    words[base + SHARED_BYTES] = sharedBytes;
    for (let index = 0; index < words[base + COUNT]! - 1; index++) {
      words[base + BORDER_HEADS + index] = this.#order.headOf(words[base + BORDERS + index]!, sharedBytes);
    }
  }

  #takeNode(level: number): number {
    const node = this.#nodes.take(level);
    const words = this.#words(node);
    words[nodeOffset(node) + COUNT] = 0;
    words[nodeOffset(node) + SHARED_BYTES] = this.#prefixBytes;
    return node;
  }

  #verifyNode(node: number, level: number, low: number, high: number, found: TreeFindings): void {
    const words = this.#words(node);
    const base = nodeOffset(node);
    const count = words[base + COUNT]!;
    const sharedBytes = words[base + SHARED_BYTES]!;
    const order = this.#order;
    found.nodeCount++;
    assert(this.#nodes.levelOf(node) === level, 'a node says its level');
    assert(sharedBytes <= this.#sharedBytes(low, high), 'all keys of a node share the bytes it says');
    if (level === 0) {
      assert(count <= LEAF_COUNT_MAX, 'a leaf is not too full');
      assert(count > 0 || node === this.#root, 'no leaf but the root is empty');
      if (high === NONE) assert(node === this.#lastLeaf, 'the last leaf is known');
      for (let index = 0; index < count; index++) {
        const id = words[base + ITEMS + index]!;
        order.loadProbe(id);
        assert(order.compareProbeTo(this.#prefix, this.#prefixBytes) === 0, 'an item begins with the prefix');
        assert(low === NONE || order.compareProbe(low) >= 0, 'an item is not below its borders');
        assert(high === NONE || order.compareProbe(high) < 0, 'an item is not above its borders');
        assert(
          words[base + LEAF_HEADS + index] === order.headOf(id, sharedBytes),
          'the head of an item is true',
        );
        found.ids.push(id);
      }
      return;
    }
    assert(
      count >= 2 && count <= CHILD_COUNT_MAX,
      'an inner node has two children at least, and not too many',
    );
    for (let child = 0; child < count; child++) {
      const below = child === 0 ? low : words[base + BORDERS + child - 1]!;
      const above = child === count - 1 ? high : words[base + BORDERS + child]!;
      if (child > 0) {
        assert(words[base + BORDER_HEADS + child - 1] === order.headOf(below, sharedBytes), 'a head is true');
        found.borders.push(below);
      }
      this.#verifyNode(words[base + ITEMS + child]!, level - 1, below, above, found);
    }
  }
}
