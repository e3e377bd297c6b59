/**
 * The keys that a draft changes, sorted by their bytes, with the sums that ranks need: a weight-balanced tree (Y. Hirai
 * and K. Yamamoto, "Balancing weight-balanced trees", JFP 21 (3), 2011, with their parameters 3 and 2).
 *
 * - A call visits O(log size) nodes, in whatever order keys come and go; steps from one end to the other visit each node
 *   twice at most.
 * - An entry is a place to step from, and the same object, until its key is deleted.
 * - Nothing is allocated but a node for a new key. The key is the caller's bytes, which must not change any more.
 *
 * Of each node: `size` and `deltaSum` are those of its subtree, and no child weighs (its size + 1) more than three times
 * what the other one does, so that of 100,000 nodes no path has more than 40.
 */
export interface OverlayEntry<Item> {
  readonly key: Uint8Array;
  /** By how much this entry changes the number of live keys: -1, 0 or 1. */
  readonly delta: number;
  item: Item;
  /** For the caller, who keeps the key's rank in the engine here; -1: unknown. */
  rankBefore: number;
}

class Node<Item> implements OverlayEntry<Item> {
  readonly key: Uint8Array;
  delta: number;
  item: Item;
  rankBefore = -1;
  parent: Node<Item> | undefined;
  left: Node<Item> | undefined = undefined;
  right: Node<Item> | undefined = undefined;
  /** Of the subtree, as is the sum. */
  size = 1;
  deltaSum: number;

  constructor(key: Uint8Array, delta: number, item: Item, parent: Node<Item> | undefined) {
    this.key = key;
    this.delta = delta;
    this.deltaSum = delta;
    this.item = item;
    this.parent = parent;
  }
}

export class Overlay<Item> {
  #root: Node<Item> | undefined;
  /** How many nodes have been visited by all calls. */
  visits = 0;

  get size(): number {
    return this.#root?.size ?? 0;
  }

  /** The sum of all deltas. */
  get deltaSum(): number {
    return this.#root?.deltaSum ?? 0;
  }

  get(key: Uint8Array): OverlayEntry<Item> | undefined {
    const entry = this.firstFrom(key);
    return entry !== undefined && compareKeys(entry.key, key) === 0 ? entry : undefined;
  }

  /** The first entry whose key is `key` or above it. */
  firstFrom(key: Uint8Array): OverlayEntry<Item> | undefined {
    let found: Node<Item> | undefined;
    for (let node = this.#root; node !== undefined; this.visits++) {
      const order = compareKeys(node.key, key);
      if (order >= 0) found = node;
      node = order === 0 ? undefined : order > 0 ? node.left : node.right;
    }
    return found;
  }

  /** The last entry whose key is below `key`; without one, the last of all. */
  lastBelow(key?: Uint8Array): OverlayEntry<Item> | undefined {
    let found: Node<Item> | undefined;
    for (let node = this.#root; node !== undefined; this.visits++) {
      const isBelow = key === undefined || compareKeys(node.key, key) < 0;
      if (isBelow) found = node;
      node = isBelow ? node.right : node.left;
    }
    return found;
  }

  /** The sum of the deltas of all keys below `key`. */
  deltaBefore(key: Uint8Array): number {
    let sum = 0;
    for (let node = this.#root; node !== undefined; this.visits++) {
      const isBelow = compareKeys(node.key, key) < 0;
      if (isBelow) sum += node.deltaSum - (node.right?.deltaSum ?? 0);
      node = isBelow ? node.right : node.left;
    }
    return sum;
  }

  /**
   * The last entry for which a predicate holds, that holds for none above one for which it does not.
   * @param holds gets each entry with the sum of the deltas below it.
   */
  findLast(
    holds: (entry: OverlayEntry<Item>, deltaBefore: number) => boolean,
  ): OverlayEntry<Item> | undefined {
    let found: Node<Item> | undefined;
    let sum = 0;
    for (let node = this.#root; node !== undefined; this.visits++) {
      const before = sum + (node.left?.deltaSum ?? 0);
      if (holds(node, before)) {
        found = node;
        sum = before + node.delta;
        node = node.right;
      } else node = node.left;
    }
    return found;
  }

  next(entry: OverlayEntry<Item>): OverlayEntry<Item> | undefined {
    this.visits++;
    let node = entry as Node<Item>;
    if (node.right !== undefined) {
      for (node = node.right; node.left !== undefined; node = node.left) this.visits++;
      return node;
    }
    for (; node.parent?.right === node; node = node.parent) this.visits++;
    return node.parent;
  }

  previous(entry: OverlayEntry<Item>): OverlayEntry<Item> | undefined {
    this.visits++;
    let node = entry as Node<Item>;
    if (node.left !== undefined) {
      for (node = node.left; node.right !== undefined; node = node.right) this.visits++;
      return node;
    }
    for (; node.parent?.left === node; node = node.parent) this.visits++;
    return node.parent;
  }

  /** Puts an entry in, or gives the one of this key another delta and item. */
  set(key: Uint8Array, delta: number, item: Item): OverlayEntry<Item> {
    let parent: Node<Item> | undefined;
    let order = 0;
    for (let node = this.#root; node !== undefined; this.visits++) {
      parent = node;
      order = compareKeys(key, node.key);
      if (order === 0) {
        node.delta = delta;
        node.item = item;
        this.#mendUp(node);
        return node;
      }
      node = order < 0 ? node.left : node.right;
    }
    const made = new Node(key, delta, item, parent);
    if (parent === undefined) this.#root = made;
    else if (order < 0) parent.left = made;
    else parent.right = made;
    this.#mendUp(parent);
    return made;
  }

  /** @returns whether there was an entry. */
  delete(key: Uint8Array): boolean {
    const node = this.get(key) as Node<Item> | undefined;
    if (node === undefined) return false;
    const { left, right, parent } = node;
    if (left === undefined || right === undefined) {
      this.#replace(node, left ?? right);
      this.#mendUp(parent);
      return true;
    }
    // The next entry, which has no left child, leaves its place for that of the node.
    const heir = this.next(node) as Node<Item>;
    const mendFrom = heir.parent === node ? heir : heir.parent;
    this.#replace(heir, heir.right);
    this.#replace(node, heir);
    heir.left = left;
    left.parent = heir;
    heir.right = node.right;
    if (heir.right !== undefined) heir.right.parent = heir;
    this.#mendUp(mendFrom);
    return true;
  }

  /** Puts another node, or none, where a node hangs. */
  #replace(node: Node<Item>, by: Node<Item> | undefined): void {
    const { parent } = node;
    if (parent === undefined) this.#root = by;
    else if (parent.left === node) parent.left = by;
    else parent.right = by;
    if (by !== undefined) by.parent = parent;
  }

  /** Makes sums and balance right from a node up to the root. */
  #mendUp(from: Node<Item> | undefined): void {
    for (let node = from; node !== undefined; node = this.#balance(node).parent) {
      this.visits++;
      sumUp(node);
    }
  }

  /** @returns the node that stands there now. */
  #balance(node: Node<Item>): Node<Item> {
    const { left, right } = node;
    const isRight = weightOf(right) > 3 * weightOf(left);
    const heavy = isRight ? right : left;
    const light = isRight ? left : right;
    if (heavy === undefined || weightOf(heavy) <= 3 * weightOf(light)) return node;
    const inner = isRight ? heavy.left : heavy.right;
    const outer = isRight ? heavy.right : heavy.left;
    if (inner === undefined || weightOf(inner) < 2 * weightOf(outer)) return this.#rotate(heavy, node);
    this.#rotate(inner, heavy);
    return this.#rotate(inner, node);
  }

  /** Puts a child above its parent. */
  #rotate(child: Node<Item>, parent: Node<Item>): Node<Item> {
    this.#replace(parent, child);
    const isLeft = parent.left === child;
    const inner = isLeft ? child.right : child.left;
    if (isLeft) {
      parent.left = inner;
      child.right = parent;
    } else {
      parent.right = inner;
      child.left = parent;
    }
    if (inner !== undefined) inner.parent = parent;
    parent.parent = child;
    sumUp(parent);
    sumUp(child);
    return child;
  }
}

function weightOf(node: Node<unknown> | undefined): number {
  return node === undefined ? 1 : node.size + 1;
}

function sumUp(node: Node<unknown>): void {
  const { left, right } = node;
  node.size = 1 + (left?.size ?? 0) + (right?.size ?? 0);
  node.deltaSum = node.delta + (left?.deltaSum ?? 0) + (right?.deltaSum ?? 0);
}

const LOOP_BYTES_MAX = 32;

/** `Buffer.compare`, whose call takes longer than a loop over the bytes in which keys mostly differ. */
function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length, LOOP_BYTES_MAX);
  for (let at = 0; at < length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return length === LOOP_BYTES_MAX ? Buffer.compare(a, b) : a.length - b.length;
}
