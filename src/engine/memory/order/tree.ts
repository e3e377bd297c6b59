/**
 * What all operations on the B+-tree of an ordered index share: the way down, the borders of nodes, the heads of keys.
 *
 * To compare with a key is to visit its block, which costs 150 to 200 ns when it is not in the cache. So nodes keep the
 * 8 bytes of each key behind those that all keys of the node are known to share (`SKIP`); they decide nearly always. Heads
 * move with their entries. They are read again only when a node was split, two of its keys have the same head, and more
 * bytes have come to be shared; or when its borders widen, and fewer are.
 *
 * The border before a child is the smallest key in it, named by its block. At both ends of the tree there is none: what is
 * known to be shared there is the prefix of all keys of the tree. A key without it comes before or behind all.
 *
 * Invariants:
 *
 * - The key of an entry of an inner node is the smallest below it; the first entry has none.
 * - The live count of a child is that of all leaves below it; its highest deletion is at or above that of every key
 *   below it that is not live.
 * - All keys begin with the prefix.
 * - All keys that can come to a node, from its border on and below the next, have their first `SKIP` bytes in common.
 */
import { assert } from '../../../errors.ts';
import { commonBytes, writeHead } from '../block-keys.ts';
import { NONE, UNIT_BITS, UNIT_MASK } from '../layout.ts';
import type { Probe } from '../probe.ts';
import { Slabs } from '../slabs.ts';
import { CHILDREN, ENTRIES_MAX, HIGHS, KEYS, LOWS, Node, SKIP, countAt } from './node.ts';

const LEVELS_MAX = 16;
/** The words of a line of the processor's cache. */
const LINE_WORDS = 16;

/** The way from the root to a place in a leaf, by levels; level 0 is the leaf. */
export class Path {
  readonly nodes = new Int32Array(LEVELS_MAX);
  readonly places = new Int32Array(LEVELS_MAX);
}

export class Tree {
  /** The blocks of the keys. */
  readonly blocks: Slabs;
  /** Where the nodes lie, and nothing else. */
  readonly nodes: Slabs;
  /** The key that an operation is about. */
  readonly probe: Probe;
  root: number;
  /** The level of the root. */
  height = 0;
  /** The keys, live or not. */
  count = 0;
  /** The highest revision of a deletion that made a key of it dead, or one that is higher. */
  dead = 0;
  /** What all keys begin with. */
  prefix = new Uint8Array(0);
  /** What `#fetch` has read: kept only so that its loads are not left out. */
  fetched = 0;
  /** The view of the leaf that an operation is about. */
  readonly leaf: Node;
  readonly #above: Node;

  constructor(blocks: Slabs, probe: Probe, slabBytesMax?: number) {
    this.blocks = blocks;
    this.nodes = new Slabs((from, to) => this.#relocateNode(from, to), slabBytesMax);
    this.probe = probe;
    this.leaf = this.newView();
    this.#above = this.newView();
    this.root = this.leaf.make(0).reference;
  }

  /** A view of nodes that belongs to the caller. */
  newView(): Node {
    return new Node(this.nodes);
  }

  /** Goes to the first key that is not below the one in the probe; the place may lie behind the last of its leaf. */
  descend(path: Path): void {
    const { probe, prefix } = this;
    const common = this.#commonWithPrefix();
    if (common === prefix.length) {
      this.#goDown(path);
      path.places[0] = this.placeInLeaf(path.nodes[0]!);
      return;
    }
    const isBehind = common < probe.length && probe.bytes[common]! > prefix[common]!;
    this.goToEnd(path, isBehind ? 1 : -1);
  }

  /** Goes to the key in the probe, which is there, by its block: so no other block is visited in the leaf, whatever its keys have in common. */
  descendTo(path: Path, block: number): void {
    this.#goDown(path);
    const leaf = path.nodes[0]!;
    const words = this.nodes.words[leaf >>> UNIT_BITS]!;
    const at = (leaf & UNIT_MASK) << 1;
    let place = this.#firstWithHead(words, at);
    const count = countAt(words, at);
    while (place < count && words[at + KEYS + place] !== block) place++;
    assert(place < count, 'a key is in the order of keys');
    path.places[0] = place;
  }

  /** Goes to the leaf that has the key in the probe, or would have it; all keys begin as that one does. */
  #goDown({ nodes, places }: Path): void {
    const slabs = this.nodes.words;
    let node = this.root;
    for (let level = this.height; level > 0; level--) {
      const words = slabs[node >>> UNIT_BITS]!;
      const at = (node & UNIT_MASK) << 1;
      this.#fetch(words, at + HIGHS, ENTRIES_MAX);
      const place = this.#childFor(words, at);
      nodes[level] = node;
      places[level] = place;
      node = words[at + CHILDREN + place]!;
    }
    nodes[0] = node;
    this.#fetch(slabs[node >>> UNIT_BITS]!, (node & UNIT_MASK) << 1, CHILDREN);
  }

  /** Goes to the first key (`side` -1) or behind the last (1). */
  goToEnd(path: Path, side: 1 | -1): void {
    const node = this.leaf.open(this.root);
    for (let level = this.height; level >= 0; level--) {
      path.nodes[level] = node.reference;
      path.places[level] = side === -1 ? 0 : node.count - Math.sign(level);
      if (level > 0) node.open(node.child(path.places[level]!));
    }
  }

  /** Makes the prefix one of the key in the probe, too, which is about to come in. */
  admit(): void {
    const { probe, prefix } = this;
    if (this.count === 0) {
      this.prefix = probe.bytes.slice(0, probe.length);
      this.leaf.open(this.root).skip = 0;
      return;
    }
    const common = this.#commonWithPrefix();
    if (common === prefix.length) return;
    this.prefix = prefix.slice(0, common);
    this.#widen(this.root, NONE, NONE);
  }

  /** The place of the first key of a leaf that is not below the one in the probe. */
  placeInLeaf(leaf: number): number {
    return this.#placeFrom(0, this.nodes.words[leaf >>> UNIT_BITS]!, (leaf & UNIT_MASK) << 1);
  }

  /** Below 0 when the key in the probe comes before that of a block, 0 when it is the same, else above. */
  compareProbe(block: number): number {
    return this.probe.compareWith(this.blocks.words[block >>> UNIT_BITS]!, (block & UNIT_MASK) << 1);
  }

  /** The border before the node of a path at a level (`side` 0) or behind it (1); `NONE`: there is no node. */
  border(path: Path, level: number, side: 0 | 1): number {
    const node = this.newView();
    for (let above = level + 1; above <= this.height; above++) {
      const place = path.places[above]! + side;
      if (place > 0 && place < node.open(path.nodes[above]!).count) return node.key(place);
    }
    return NONE;
  }

  /** The highest revision of a deletion in the node of a path at a level, or one that is higher. */
  deadOf({ nodes, places }: Path, level: number): number {
    return level === this.height ? this.dead : this.#above.open(nodes[level + 1]!).dead(places[level + 1]!);
  }

  /** Tells the nodes above the leaf of a path what has changed in it. */
  carryUp({ nodes, places }: Path, liveDifference: number, deadRevision: number): void {
    if (liveDifference === 0 && deadRevision === 0) return;
    this.dead = Math.max(this.dead, deadRevision);
    for (let level = this.height; level > 0; level--) {
      const node = this.#above.open(nodes[level]!);
      node.addLive(places[level]!, liveDifference);
      if (deadRevision > 0) node.raiseDead(places[level]!, deadRevision);
    }
  }

  /** How many first bytes all keys between two borders have in common. */
  shared(lower: number, upper: number): number {
    return lower === NONE || upper === NONE ? this.prefix.length : commonBytes(this.blocks, lower, upper);
  }

  /** The borders of a node have come closer: its heads are made to tell its keys apart, if they do not. */
  narrow(node: Node, lower: number, upper: number): void {
    if (!node.hasEqualHeads()) return;
    const shared = this.shared(lower, upper);
    if (shared > node.skip) this.readHeads(node, shared);
  }

  /** The borders of a child of the path's node at a level may have widened, and so may those of nodes at its ends. */
  widen(path: Path, level: number, place: number): void {
    path.places[level] = place;
    const child = this.newView().open(path.nodes[level]!).child(place);
    this.#widen(child, this.border(path, level - 1, 0), this.border(path, level - 1, 1));
  }

  /** The smallest key below a node. */
  smallestKey(reference: number): number {
    const node = this.newView().open(reference);
    while (node.level > 0) node.open(node.child(0));
    return node.key(0);
  }

  readHeads(node: Node, skip: number): void {
    node.skip = skip;
    const { count } = node;
    for (let place = node.firstKeyPlace; place < count; place++) this.readHead(node, place);
  }

  readHead(node: Node, place: number): void {
    const { words, at } = node;
    writeHead(this.blocks, node.key(place), node.skip, words, at + HIGHS + place, words, at + LOWS + place);
  }

  #relocateNode(from: number, to: number): void {
    const { level } = this.leaf.open(to);
    if (level === this.height) {
      this.root = to;
      return;
    }
    const block = this.smallestKey(to);
    this.probe.setFrom(this.blocks.wordsAt(block), Slabs.wordOf(block));
    const path = new Path();
    this.descend(path);
    assert(path.nodes[level] === from, 'a node is on the way to its keys');
    this.leaf.open(path.nodes[level + 1]!).setChild(path.places[level + 1]!, to);
  }

  #widen(reference: number, lower: number, upper: number): void {
    const node = this.newView().open(reference);
    const shared = this.shared(lower, upper);
    if (node.skip > shared) this.readHeads(node, shared);
    if (node.level === 0) return;
    const last = node.count - 1;
    this.#widen(node.child(0), lower, last > 0 ? node.key(1) : upper);
    if (last > 0) this.#widen(node.child(last), node.key(last), upper);
  }

  /** Makes the processor fetch words of a node at once, where a search would wait for one line after the other. */
  #fetch(words: Int32Array, start: number, wordCount: number): void {
    let sum = 0;
    for (let at = start; at < start + wordCount; at += LINE_WORDS) sum += words[at]!;
    this.fetched = sum;
  }

  /** How many first bytes the key in the probe shares with the prefix. */
  #commonWithPrefix(): number {
    const { prefix } = this;
    const { bytes, length } = this.probe;
    const end = Math.min(prefix.length, length);
    let common = 0;
    while (common < end && bytes[common] === prefix[common]) common++;
    return common;
  }

  /** The last child whose border is not above the key in the probe. */
  #childFor(words: Int32Array, at: number): number {
    const place = this.#placeFrom(1, words, at);
    const entry = at + place;
    const isAtBorder =
      place < countAt(words, at) &&
      words[entry + HIGHS] === this.probe.headHigh &&
      words[entry + LOWS] === this.probe.headLow &&
      this.compareProbe(words[entry + KEYS]!) === 0;
    return isAtBorder ? place : place - 1;
  }

  /** The first place of a leaf whose key has no head below that of the one in the probe. */
  #firstWithHead(words: Int32Array, at: number): number {
    const { probe } = this;
    probe.takeHead(words[at + SKIP]!);
    const { headHigh, headLow } = probe;
    let low = 0;
    let high = countAt(words, at);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const middleHigh = words[at + HIGHS + middle]!;
      if (middleHigh < headHigh || (middleHigh === headHigh && words[at + LOWS + middle]! < headLow))
        low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first place of a node, from `first` on, whose key is not below the one in the probe. */
  #placeFrom(first: number, words: Int32Array, at: number): number {
    const { probe } = this;
    probe.takeHead(words[at + SKIP]!);
    const { headHigh, headLow } = probe;
    let low = first;
    let high = countAt(words, at);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = at + middle;
      const isBelow =
        words[entry + HIGHS] !== headHigh
          ? words[entry + HIGHS]! < headHigh
          : words[entry + LOWS] !== headLow
            ? words[entry + LOWS]! < headLow
            : this.compareProbe(words[entry + KEYS]!) > 0;
      if (isBelow) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
