/**
 * A B+-tree over the keys of blocks: their order, and how many of them are live in the newest state (order statistics:
 * Cormen et al., Introduction to Algorithms, 14.1, with the counts in the nodes of a B+-tree).
 *
 * To compare with a key is to visit its block, which costs 150 to 200 ns when it is not in the cache. So nodes keep the
 * 8 bytes of each key behind those that all keys of the node share; they decide nearly always. How many bytes are shared
 * follows from the borders of the node, and is looked at only when a node is made by a split, or its borders widen.
 * Heads move with their entries and are not read again, but when another 4 bytes have come to be shared.
 *
 * A border is a block of its own with the shortest front part of a key that separates it from the one before. At both ends
 * of the tree there is none, and nothing is known to be shared.
 *
 * Invariants:
 *
 * - The keys of the child at place p are at or above border p of its node, and below border p + 1, where there is one.
 * - The live count of a child is that of all leaves below it; its highest deletion is at or above that of every key
 *   below it that is not live.
 * - All keys within a node's borders have their first `SKIP` bytes in common.
 */
import { assert } from '../../errors.ts';
import { commonBytes, compareBlocks, writeHead } from './block-keys.ts';
import type { DEADLINE_BORDER, KEY_BORDER } from './layout.ts';
import { HEAD, KEY, NONE, UNIT_BITS, UNIT_MASK, headOf, unitsAt, wide, wordsOf } from './layout.ts';
import type { Probe } from './probe.ts';
import { Slabs } from './slabs.ts';
import {
  CHILDREN,
  DEAD_HIGHS,
  DEAD_LOWS,
  ENTRIES_MAX,
  HIGHS,
  INNER_WORDS,
  LEAF_WORDS,
  LIVES,
  LOWS,
  REFERENCES,
  SKIP,
  TreeNodes,
  countAt,
  isLiveAt,
  levelAt,
  liveBefore,
  setCount,
  setLive,
  shiftLive,
} from './tree-nodes.ts';

const LEVELS_MAX = 16;
/** A node with no more entries is put together with its neighbour, if both together have no more than the second. */
const FEW_ENTRIES = ENTRIES_MAX / 4;
const MERGED_ENTRIES_MAX = (ENTRIES_MAX * 3) / 4;
/** So many entries a node gets when the tree is built, which leaves room for those to come. */
const BUILT_ENTRIES = ENTRIES_MAX - 4;
/** Heads are read anew when so many more bytes are shared than they leave out. */
const SKIP_STEP = 4;
/** What is built between two yields. */
const NODES_PER_PIECE = 256;

/** The way from the root to a place in a leaf, by levels; level 0 is the leaf. */
export class Path {
  readonly nodes = new Int32Array(LEVELS_MAX);
  readonly places = new Int32Array(LEVELS_MAX);
}

export class OrderedIndex {
  readonly leaves = new TreeNodes(LEAF_WORDS);
  readonly inners = new TreeNodes(INNER_WORDS);
  readonly #slabs: Slabs;
  readonly #probe: Probe;
  readonly #borderKind: typeof KEY_BORDER | typeof DEADLINE_BORDER;
  readonly #path = new Path();
  #root: number;
  /** The level of the root. */
  #height = 0;
  #count = 0;

  constructor(slabs: Slabs, probe: Probe, borderKind: typeof KEY_BORDER | typeof DEADLINE_BORDER) {
    this.#slabs = slabs;
    this.#probe = probe;
    this.#borderKind = borderKind;
    this.#root = this.leaves.take(0);
  }

  /** The keys in it, live or not. */
  get count(): number {
    return this.#count;
  }

  get memoryBytes(): number {
    return this.leaves.memoryBytes + this.inners.memoryBytes;
  }

  /** Adds the key in the probe, which is not there yet. */
  insert(reference: number, isLive: boolean, deadRevision: number): void {
    const path = this.#path;
    this.#descend(path);
    this.#count++;
    this.#addLive(path, isLive ? 1 : 0);
    if (!isLive) this.#raiseDead(path, deadRevision);
    const node = path.nodes[0]!;
    const place = path.places[0]!;
    const words = this.leaves.words(node);
    const base = this.leaves.base(node);
    const count = countAt(words, base);
    if (count < ENTRIES_MAX) this.#insertInLeaf(words, base, count, place, reference, isLive);
    else this.#splitLeaf(path, reference, isLive);
  }

  /** The block with the key in the probe; `NONE`: there is none. */
  find(): number {
    const path = this.#path;
    this.#descend(path);
    const words = this.leaves.words(path.nodes[0]!);
    const base = this.leaves.base(path.nodes[0]!);
    const place = path.places[0]!;
    if (place === countAt(words, base)) return NONE;
    const reference = words[base + REFERENCES + place]!;
    return this.#compareWith(reference) === 0 ? reference : NONE;
  }

  /** Takes the key in the probe out. */
  remove(reference: number): void {
    const path = this.#path;
    this.#descend(path);
    const node = path.nodes[0]!;
    const place = path.places[0]!;
    const words = this.leaves.words(node);
    const base = this.leaves.base(node);
    const count = countAt(words, base);
    assert(words[base + REFERENCES + place] === reference, 'a key that is taken out is there');
    this.#count--;
    if (isLiveAt(words, base, place)) this.#addLive(path, -1);
    shiftLive(words, base, place, false);
    for (let part = REFERENCES; part < CHILDREN; part += ENTRIES_MAX)
      words.copyWithin(base + part + place, base + part + place + 1, base + part + count);
    setCount(words, base, count - 1);
    this.#shrink(path, 0);
  }

  /** The key in the probe has come to life, or was deleted at a revision. */
  setLive(reference: number, isLive: boolean, deadRevision: number): void {
    const path = this.#path;
    this.#descend(path);
    const words = this.leaves.words(path.nodes[0]!);
    const base = this.leaves.base(path.nodes[0]!);
    assert(words[base + REFERENCES + path.places[0]!] === reference, 'a key is in the order of keys');
    const wasLive = isLiveAt(words, base, path.places[0]!);
    setLive(words, base, path.places[0]!, isLive);
    this.#addLive(path, Number(isLive) - Number(wasLive));
    if (!isLive) this.#raiseDead(path, deadRevision);
  }

  /** The block of the key in the probe has moved. */
  relocate(from: number, to: number): void {
    const path = this.#path;
    this.#descend(path);
    const words = this.leaves.words(path.nodes[0]!);
    const at = this.leaves.base(path.nodes[0]!) + REFERENCES + path.places[0]!;
    assert(words[at] === from, 'a key that moves is in the order of keys');
    words[at] = to;
  }

  /** The block of the border in the probe has moved. */
  relocateBorder(from: number, to: number): void {
    const path = this.#path;
    this.#descend(path);
    for (let level = this.#height; level > 0; level--) {
      const words = this.inners.words(path.nodes[level]!);
      const at = this.inners.base(path.nodes[level]!) + REFERENCES + path.places[level]!;
      if (words[at] !== from) continue;
      words[at] = to;
      return;
    }
    assert(false, 'a border that moves is in its node');
  }

  /** How many live keys come before the key in the probe. */
  rank(): number {
    const path = this.#path;
    this.#descend(path);
    let rank = liveBefore(
      this.leaves.words(path.nodes[0]!),
      this.leaves.base(path.nodes[0]!),
      path.places[0]!,
    );
    for (let level = this.#height; level > 0; level--) {
      const words = this.inners.words(path.nodes[level]!);
      const base = this.inners.base(path.nodes[level]!);
      for (let place = 0; place < path.places[level]!; place++) rank += words[base + LIVES + place]!;
    }
    return rank;
  }

  /** How many live keys there are. */
  liveCount(): number {
    const base = this.#height === 0 ? this.leaves.base(this.#root) : this.inners.base(this.#root);
    if (this.#height === 0) return liveBefore(this.leaves.words(this.#root), base, ENTRIES_MAX);
    return this.#sumOfLives(this.inners.words(this.#root), base);
  }

  /** The live key with so many live ones before it; `NONE`: there are not so many. */
  select(index: number): number {
    let left = index;
    let node = this.#root;
    for (let level = this.#height; level > 0; level--) {
      const words = this.inners.words(node);
      const base = this.inners.base(node);
      const count = countAt(words, base);
      let place = 0;
      while (place < count && left >= words[base + LIVES + place]!) left -= words[base + LIVES + place++]!;
      if (place === count) return NONE;
      node = words[base + CHILDREN + place]!;
    }
    const words = this.leaves.words(node);
    const base = this.leaves.base(node);
    const count = countAt(words, base);
    for (let place = 0; place < count; place++) {
      if (isLiveAt(words, base, place) && left-- === 0) return words[base + REFERENCES + place]!;
    }
    return NONE;
  }

  /** Goes to the first key that is not before the one in the probe; the place may lie behind the last of its leaf. */
  seek(path: Path): void {
    this.#descend(path);
  }

  /** Goes to behind the last key. */
  seekEnd(path: Path): void {
    let node = this.#root;
    for (let level = this.#height; level > 0; level--) {
      const words = this.inners.words(node);
      const base = this.inners.base(node);
      path.nodes[level] = node;
      path.places[level] = countAt(words, base) - 1;
      node = words[base + CHILDREN + path.places[level]!]!;
    }
    path.nodes[0] = node;
    path.places[0] = countAt(this.leaves.words(node), this.leaves.base(node));
  }

  /** Goes to the first place of the next leaf that may hold a key that exists at `revision`. @returns whether there is one. */
  nextLeaf(path: Path, revision: number): boolean {
    for (let level = 1; level <= this.#height; level++) {
      const words = this.inners.words(path.nodes[level]!);
      const base = this.inners.base(path.nodes[level]!);
      const count = countAt(words, base);
      for (let place = path.places[level]! + 1; place < count; place++) {
        if (isDead(words, base, place, revision)) continue;
        path.places[level] = place;
        this.#enter(path, level, revision, 1);
        return true;
      }
    }
    return false;
  }

  /** Goes to behind the last place of the leaf before. */
  previousLeaf(path: Path, revision: number): boolean {
    for (let level = 1; level <= this.#height; level++) {
      const words = this.inners.words(path.nodes[level]!);
      const base = this.inners.base(path.nodes[level]!);
      for (let place = path.places[level]! - 1; place >= 0; place--) {
        if (isDead(words, base, place, revision)) continue;
        path.places[level] = place;
        this.#enter(path, level, revision, -1);
        return true;
      }
    }
    return false;
  }

  /** The keys of the leaf at the end of a path: `references[0]` to `references[count - 1]`. @returns the count. */
  readLeaf(path: Path, references: Int32Array): number {
    const words = this.leaves.words(path.nodes[0]!);
    const base = this.leaves.base(path.nodes[0]!);
    const count = countAt(words, base);
    for (let place = 0; place < count; place++) references[place] = words[base + REFERENCES + place]!;
    return count;
  }

  /** The place of the first key of a path's leaf that is not before the one in the probe. */
  placeInLeaf(path: Path): number {
    return this.#placeInLeaf(this.leaves.words(path.nodes[0]!), this.leaves.base(path.nodes[0]!));
  }

  /**
   * Fills the tree, which must be empty, with keys in their order, a piece between two yields.
   * @param deadRevisionOf the revision that deleted a key; 0: it is live.
   */
  *build(
    references: Int32Array,
    count: number,
    deadRevisionOf: (reference: number) => number,
  ): Generator<undefined, void> {
    assert(this.#count === 0, 'a tree that is built was empty');
    if (count === 0) return;
    this.leaves.giveBack(this.#root);
    let nodes: BuiltNode[] = [];
    for (let start = 0; start < count; start += BUILT_ENTRIES) {
      const node = this.leaves.take(0);
      const words = this.leaves.words(node);
      const base = this.leaves.base(node);
      const end = Math.min(start + BUILT_ENTRIES, count);
      let live = 0;
      let dead = 0;
      for (let index = start; index < end; index++) {
        const deadRevision = deadRevisionOf(references[index]!);
        words[base + REFERENCES + index - start] = references[index]!;
        setLive(words, base, index - start, deadRevision === 0);
        if (deadRevision === 0) live++;
        else dead = Math.max(dead, deadRevision);
      }
      setCount(words, base, end - start);
      const border = start === 0 ? NONE : this.#makeBorder(references[start - 1]!, references[start]!);
      nodes.push({ node, border, live, dead });
      if (nodes.length % NODES_PER_PIECE === 0) yield;
    }
    yield* this.#readBuiltHeads(nodes, 0);
    let level = 0;
    while (nodes.length > 1) nodes = yield* this.#buildInners(nodes, ++level);
    this.#root = nodes[0]!.node;
    this.#height = level;
    this.#count = count;
  }

  /** Moves a node, so that memory can be given back. @returns whether there was one to move. */
  moveNode(): boolean {
    return this.#moveNode(this.leaves) || this.#moveNode(this.inners);
  }

  /** Shows every key in order, and whether it is live. */
  verifyIntegrity(visit: (reference: number, isLive: boolean) => void): ReadonlySet<number> {
    const borders = new Set<number>();
    let leafCount = 0;
    let innerCount = 0;
    let total = 0;
    let last = NONE;
    const head = new Int32Array(2);
    const check = (
      node: number,
      level: number,
      lower: number,
      upper: number,
    ): { live: number; dead: number } => {
      const nodes = level === 0 ? this.leaves : this.inners;
      const words = nodes.words(node);
      const base = nodes.base(node);
      const count = countAt(words, base);
      const skip = words[base + SKIP]!;
      assert(levelAt(words, base) === level, 'a node knows its level');
      assert(count > 0 || (level === 0 && this.#height === 0), 'a node has an entry');
      assert(skip <= this.#shared(lower, upper), 'the keys of a node share what it leaves out');
      for (let place = level === 0 ? 0 : 1; place < count; place++) {
        const reference = words[base + REFERENCES + place]!;
        writeHead(this.#slabs, reference, skip, head, 0, head, 1);
        assert(
          words[base + HIGHS + place] === head[0] && words[base + LOWS + place] === head[1],
          'heads are true',
        );
        if (lower !== NONE)
          assert(compareBlocks(this.#slabs, lower, reference) <= 0, 'a key is not below its border');
        if (upper !== NONE)
          assert(compareBlocks(this.#slabs, reference, upper) < 0, 'a key is below the next border');
      }
      if (level === 0) {
        leafCount++;
        total += count;
        let dead = 0;
        for (let place = 0; place < count; place++) {
          const reference = words[base + REFERENCES + place]!;
          if (last !== NONE) assert(compareBlocks(this.#slabs, last, reference) < 0, 'keys ascend');
          last = reference;
          const isLive = isLiveAt(words, base, place);
          visit(reference, isLive);
          if (!isLive) dead = Math.max(dead, this.#revisionOf(reference));
        }
        assert(
          liveBefore(words, base, ENTRIES_MAX) === liveBefore(words, base, count),
          'no bit stands behind the entries',
        );
        return { live: liveBefore(words, base, ENTRIES_MAX), dead };
      }
      innerCount++;
      let live = 0;
      let dead = 0;
      for (let place = 0; place < count; place++) {
        const border = words[base + REFERENCES + place]!;
        assert((border === NONE) === (place === 0), 'a border stands before every child but the first');
        if (border !== NONE) borders.add(border);
        const next = place + 1 < count ? words[base + REFERENCES + place + 1]! : upper;
        const below = check(words[base + CHILDREN + place]!, level - 1, place === 0 ? lower : border, next);
        assert(below.live === words[base + LIVES + place], 'the live keys of a child are counted');
        const known = wide(words[base + DEAD_LOWS + place]!, words[base + DEAD_HIGHS + place]!);
        assert(below.dead <= known, 'the highest deletion of a child is known');
        live += below.live;
        dead = Math.max(dead, known);
      }
      return { live, dead };
    };
    check(this.#root, this.#height, NONE, NONE);
    assert(
      leafCount === this.leaves.usedCount && innerCount === this.inners.usedCount,
      'all nodes are in the tree',
    );
    assert(total === this.#count, 'the keys of a tree are counted');
    return borders;
  }

  #descend(path: Path): void {
    const { nodes, places } = path;
    let node = this.#root;
    for (let level = this.#height; level > 0; level--) {
      const words = this.inners.words(node);
      const base = this.inners.base(node);
      const place = this.#placeInInner(words, base);
      nodes[level] = node;
      places[level] = place;
      node = words[base + CHILDREN + place]!;
    }
    nodes[0] = node;
    places[0] = this.#placeInLeaf(this.leaves.words(node), this.leaves.base(node));
  }

  /** The last child whose border is not above the key in the probe. */
  #placeInInner(words: Int32Array, base: number): number {
    const probe = this.#probe;
    probe.takeHead(words[base + SKIP]!);
    const { headHigh, headLow } = probe;
    let low = 1;
    let high = countAt(words, base);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = base + middle;
      const isAbove =
        words[at + HIGHS] !== headHigh
          ? words[at + HIGHS]! > headHigh
          : words[at + LOWS] !== headLow
            ? words[at + LOWS]! > headLow
            : this.#compareWith(words[at + REFERENCES]!) < 0;
      if (isAbove) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  /** The first key that is not below the one in the probe. */
  #placeInLeaf(words: Int32Array, base: number): number {
    const probe = this.#probe;
    probe.takeHead(words[base + SKIP]!);
    const { headHigh, headLow } = probe;
    let low = 0;
    let high = countAt(words, base);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = base + middle;
      const isBelow =
        words[at + HIGHS] !== headHigh
          ? words[at + HIGHS]! < headHigh
          : words[at + LOWS] !== headLow
            ? words[at + LOWS]! < headLow
            : this.#compareWith(words[at + REFERENCES]!) > 0;
      if (isBelow) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compareWith(reference: number): number {
    return this.#probe.compareWith(this.#slabs.words[reference >>> UNIT_BITS]!, (reference & UNIT_MASK) << 1);
  }

  #addLive(path: Path, difference: number): void {
    if (difference === 0) return;
    for (let level = this.#height; level > 0; level--) {
      const node = path.nodes[level]!;
      this.inners.words(node)[this.inners.base(node) + LIVES + path.places[level]!]! += difference;
    }
  }

  #raiseDead(path: Path, revision: number): void {
    for (let level = this.#height; level > 0; level--) {
      const node = path.nodes[level]!;
      raiseDead(this.inners.words(node), this.inners.base(node), path.places[level]!, revision);
    }
  }

  #insertInLeaf(
    words: Int32Array,
    base: number,
    count: number,
    place: number,
    reference: number,
    isLive: boolean,
  ): void {
    const probe = this.#probe;
    for (let at = base + count; at > base + place; at--) {
      words[at + REFERENCES] = words[at + REFERENCES - 1]!;
      words[at + HIGHS] = words[at + HIGHS - 1]!;
      words[at + LOWS] = words[at + LOWS - 1]!;
    }
    const at = base + place;
    words[at + REFERENCES] = reference;
    words[at + HIGHS] = probe.headHigh;
    words[at + LOWS] = probe.headLow;
    if (place < count) shiftLive(words, base, place, true);
    setLive(words, base, place, isLive);
    setCount(words, base, count + 1);
  }

  /** Puts the upper half of a full leaf into a new one, and the key in the probe into one of the two. */
  #splitLeaf(path: Path, reference: number, isLive: boolean): void {
    const { leaves } = this;
    const left = path.nodes[0]!;
    const place = path.places[0]!;
    const lower = this.#borderBefore(path, 0);
    const upper = this.#borderBehind(path, 0);
    const right = leaves.take(0);
    const words = leaves.words(left);
    const base = leaves.base(left);
    const rightWords = leaves.words(right);
    const rightBase = leaves.base(right);
    // Keys that come in order leave full leaves behind.
    const half = place === ENTRIES_MAX && upper === NONE ? ENTRIES_MAX : ENTRIES_MAX / 2;
    for (let from = half; from < ENTRIES_MAX; from++) {
      for (let part = REFERENCES; part < CHILDREN; part += ENTRIES_MAX)
        rightWords[rightBase + part + from - half] = words[base + part + from]!;
      setLive(rightWords, rightBase, from - half, isLiveAt(words, base, from));
      setLive(words, base, from, false);
    }
    rightWords[rightBase + SKIP] = words[base + SKIP]!;
    setCount(words, base, half);
    setCount(rightWords, rightBase, ENTRIES_MAX - half);
    if (place > half || half === ENTRIES_MAX)
      this.#insertInLeaf(rightWords, rightBase, ENTRIES_MAX - half, place - half, reference, isLive);
    else this.#insertInLeaf(words, base, half, place, reference, isLive);
    const border = this.#makeBorder(
      words[base + REFERENCES + countAt(words, base) - 1]!,
      rightWords[rightBase + REFERENCES]!,
    );
    this.#narrow(left, 0, lower, border);
    this.#narrow(right, 0, border, upper);
    const live = liveBefore(rightWords, rightBase, ENTRIES_MAX);
    this.#insertChild(path, 1, right, border, live);
  }

  /** Puts a child that was split off behind the one that the path goes through. */
  #insertChild(path: Path, level: number, child: number, border: number, live: number): void {
    const { inners } = this;
    if (level > this.#height) {
      this.#growRoot(level, child, border, live);
      return;
    }
    const node = path.nodes[level]!;
    const place = path.places[level]! + 1;
    const words = inners.words(node);
    const base = inners.base(node);
    words[base + LIVES + place - 1]! -= live;
    const count = countAt(words, base);
    if (count < ENTRIES_MAX) {
      this.#insertInInner(words, base, count, place, child, border, live);
      return;
    }
    const lower = this.#borderBefore(path, level);
    const upper = this.#borderBehind(path, level);
    const half = place === ENTRIES_MAX && upper === NONE ? ENTRIES_MAX : ENTRIES_MAX / 2;
    const right = inners.take(level);
    const rightWords = inners.words(right);
    const rightBase = inners.base(right);
    for (let from = half; from < ENTRIES_MAX; from++) {
      for (let part = REFERENCES; part < INNER_WORDS; part += ENTRIES_MAX)
        rightWords[rightBase + part + from - half] = words[base + part + from]!;
    }
    rightWords[rightBase + SKIP] = words[base + SKIP]!;
    setCount(words, base, half);
    setCount(rightWords, rightBase, ENTRIES_MAX - half);
    let middle = border;
    if (half === ENTRIES_MAX) {
      this.#insertInInner(rightWords, rightBase, 0, 0, child, NONE, live);
      // What the child was split off from has its highest deletion.
      copyDead(words, base, place - 1, rightWords, rightBase, 0);
    } else {
      middle = rightWords[rightBase + REFERENCES]!;
      rightWords[rightBase + REFERENCES] = NONE;
      if (place > half)
        this.#insertInInner(rightWords, rightBase, ENTRIES_MAX - half, place - half, child, border, live);
      else this.#insertInInner(words, base, half, place, child, border, live);
    }
    this.#narrow(node, level, lower, middle);
    this.#narrow(right, level, middle, upper);
    this.#insertChild(path, level + 1, right, middle, this.#sumOfLives(rightWords, rightBase));
  }

  #insertInInner(
    words: Int32Array,
    base: number,
    count: number,
    place: number,
    child: number,
    border: number,
    live: number,
  ): void {
    for (let part = REFERENCES; part < INNER_WORDS; part += ENTRIES_MAX)
      words.copyWithin(base + part + place + 1, base + part + place, base + part + count);
    words[base + REFERENCES + place] = border;
    words[base + CHILDREN + place] = child;
    words[base + LIVES + place] = live;
    words[base + DEAD_LOWS + place] = 0;
    words[base + DEAD_HIGHS + place] = 0;
    if (place > 0) copyDead(words, base, place - 1, words, base, place);
    if (border !== NONE) this.#readHead(words, base, place);
    setCount(words, base, count + 1);
  }

  #growRoot(level: number, child: number, border: number, live: number): void {
    const { inners } = this;
    const before = this.#root;
    const total = this.liveCount();
    const dead = Math.max(this.#highestDead(before, level - 1), this.#highestDead(child, level - 1));
    const root = inners.take(level);
    const words = inners.words(root);
    const base = inners.base(root);
    this.#insertInInner(words, base, 0, 0, before, NONE, total);
    raiseDead(words, base, 0, dead);
    this.#insertInInner(words, base, 1, 1, child, border, live);
    this.#root = root;
    this.#height = level;
  }

  #highestDead(node: number, level: number): number {
    if (level > 0) return highestDead(this.inners.words(node), this.inners.base(node));
    const words = this.leaves.words(node);
    const base = this.leaves.base(node);
    let dead = 0;
    for (let place = countAt(words, base) - 1; place >= 0; place--) {
      if (!isLiveAt(words, base, place))
        dead = Math.max(dead, this.#revisionOf(words[base + REFERENCES + place]!));
    }
    return dead;
  }

  #sumOfLives(words: Int32Array, base: number): number {
    let sum = 0;
    for (let place = countAt(words, base) - 1; place >= 0; place--) sum += words[base + LIVES + place]!;
    return sum;
  }

  /** An entry of a path's node has gone: puts the node together with another one, or takes it out. */
  #shrink(path: Path, level: number): void {
    if (level === this.#height) {
      this.#shrinkRoot();
      return;
    }
    const nodes = level === 0 ? this.leaves : this.inners;
    const node = path.nodes[level]!;
    const count = countAt(nodes.words(node), nodes.base(node));
    const place = path.places[level + 1]!;
    if (count === 0) {
      this.#removeChild(path, level + 1, place, true);
      return;
    }
    if (count > FEW_ENTRIES) return;
    const parent = path.nodes[level + 1]!;
    const words = this.inners.words(parent);
    const base = this.inners.base(parent);
    const siblings = countAt(words, base);
    const countOf = (at: number): number => {
      const sibling = words[base + CHILDREN + at]!;
      return countAt(nodes.words(sibling), nodes.base(sibling));
    };
    if (place + 1 < siblings && count + countOf(place + 1) <= MERGED_ENTRIES_MAX)
      this.#merge(path, level, place);
    else if (place > 0 && count + countOf(place - 1) <= MERGED_ENTRIES_MAX)
      this.#merge(path, level, place - 1);
  }

  /** Puts the child behind a place into the one at it. */
  #merge(path: Path, level: number, place: number): void {
    const nodes = level === 0 ? this.leaves : this.inners;
    const parent = path.nodes[level + 1]!;
    const parentWords = this.inners.words(parent);
    const parentBase = this.inners.base(parent);
    const left = parentWords[parentBase + CHILDREN + place]!;
    const right = parentWords[parentBase + CHILDREN + place + 1]!;
    const words = nodes.words(left);
    const base = nodes.base(left);
    const rightWords = nodes.words(right);
    const rightBase = nodes.base(right);
    const count = countAt(words, base);
    const rightCount = countAt(rightWords, rightBase);
    for (let from = 0; from < rightCount; from++) {
      for (let part = REFERENCES; part < nodes.nodeWords; part += ENTRIES_MAX)
        words[base + part + count + from] = rightWords[rightBase + part + from]!;
      if (level === 0) setLive(words, base, count + from, isLiveAt(rightWords, rightBase, from));
    }
    setCount(words, base, count + rightCount);
    // The border between the two comes down, or goes.
    if (level > 0) words[base + REFERENCES + count] = parentWords[parentBase + REFERENCES + place + 1]!;
    parentWords[parentBase + LIVES + place]! += parentWords[parentBase + LIVES + place + 1]!;
    raiseDead(
      parentWords,
      parentBase,
      place,
      wide(
        parentWords[parentBase + DEAD_LOWS + place + 1]!,
        parentWords[parentBase + DEAD_HIGHS + place + 1]!,
      ),
    );
    // Heads that leave out another number of bytes are read anew.
    this.#readHeads(words, base, Math.min(words[base + SKIP]!, rightWords[rightBase + SKIP]!));
    this.#removeChild(path, level + 1, place + 1, level === 0);
  }

  /** Takes the child at a place out of its node, with the border before it. */
  #removeChild(path: Path, level: number, place: number, isBorderGone: boolean): void {
    const { inners } = this;
    const node = path.nodes[level]!;
    const words = inners.words(node);
    const base = inners.base(node);
    const count = countAt(words, base);
    const child = words[base + CHILDREN + place]!;
    (level === 1 ? this.leaves : inners).giveBack(child);
    // Of the first child there is no border: that of the next goes, which is the first then.
    const border =
      place === 0 ? (count > 1 ? words[base + REFERENCES + 1]! : NONE) : words[base + REFERENCES + place]!;
    if (isBorderGone && border !== NONE) this.#freeBorder(border);
    for (let part = REFERENCES; part < INNER_WORDS; part += ENTRIES_MAX)
      words.copyWithin(base + part + place, base + part + place + 1, base + part + count);
    words[base + REFERENCES] = NONE;
    setCount(words, base, count - 1);
    if (count > 1) {
      const widened = Math.max(0, place - 1);
      path.places[level] = widened;
      this.#widen(
        words[base + CHILDREN + widened]!,
        level - 1,
        this.#borderBefore(path, level - 1),
        this.#borderBehind(path, level - 1),
      );
    }
    this.#shrink(path, level);
  }

  #shrinkRoot(): void {
    const { inners } = this;
    while (this.#height > 0) {
      const root = this.#root;
      const words = inners.words(root);
      const base = inners.base(root);
      const count = countAt(words, base);
      if (count > 1) return;
      inners.giveBack(root);
      this.#height = count === 0 ? 0 : this.#height - 1;
      this.#root = count === 0 ? this.leaves.take(0) : words[base + CHILDREN]!;
    }
  }

  /** The border before the node of a path at a level; `NONE`: it is the first. */
  #borderBefore(path: Path, level: number): number {
    for (let above = level + 1; above <= this.#height; above++) {
      const place = path.places[above]!;
      const node = path.nodes[above]!;
      if (place > 0) return this.inners.words(node)[this.inners.base(node) + REFERENCES + place]!;
    }
    return NONE;
  }

  #borderBehind(path: Path, level: number): number {
    for (let above = level + 1; above <= this.#height; above++) {
      const place = path.places[above]! + 1;
      const words = this.inners.words(path.nodes[above]!);
      const base = this.inners.base(path.nodes[above]!);
      if (place < countAt(words, base)) return words[base + REFERENCES + place]!;
    }
    return NONE;
  }

  /** A node has got closer borders. */
  #narrow(node: number, level: number, lower: number, upper: number): void {
    const nodes = level === 0 ? this.leaves : this.inners;
    const words = nodes.words(node);
    const base = nodes.base(node);
    const shared = this.#shared(lower, upper);
    if (shared >= words[base + SKIP]! + SKIP_STEP) this.#readHeads(words, base, shared);
  }

  /** A node has got wider borders, and so have the nodes at its ends. */
  #widen(node: number, level: number, lower: number, upper: number): void {
    const nodes = level === 0 ? this.leaves : this.inners;
    const words = nodes.words(node);
    const base = nodes.base(node);
    const shared = this.#shared(lower, upper);
    if (words[base + SKIP]! > shared) this.#readHeads(words, base, shared);
    if (level === 0) return;
    const last = countAt(words, base) - 1;
    const second = last > 0 ? words[base + REFERENCES + 1]! : upper;
    this.#widen(words[base + CHILDREN]!, level - 1, lower, second);
    if (last > 0)
      this.#widen(words[base + CHILDREN + last]!, level - 1, words[base + REFERENCES + last]!, upper);
  }

  /** How many first bytes all keys between two borders have in common. */
  #shared(lower: number, upper: number): number {
    return lower === NONE || upper === NONE ? 0 : commonBytes(this.#slabs, lower, upper);
  }

  /** Makes the border between two neighbours: the shortest front part of the second that is above the first. */
  #makeBorder(before: number, behind: number): number {
    const length = commonBytes(this.#slabs, before, behind) + 1;
    const reference = this.#slabs.allocate((KEY + wordsOf(length) + 1) >>> 1);
    const source = this.#slabs.wordsAt(behind);
    const from = Slabs.wordOf(behind) + KEY;
    const words = this.#slabs.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    const wordCount = wordsOf(length);
    words[at + HEAD] = headOf(this.#borderKind, length, 0);
    words.fill(0, at + 1, at + KEY);
    for (let index = 0; index < wordCount; index++) words[at + KEY + index] = source[from + index]!;
    // What stands behind the part in its last word.
    const rest = length & 3;
    if (rest !== 0) words[at + KEY + wordCount - 1]! &= (1 << (rest << 3)) - 1;
    return reference;
  }

  #freeBorder(reference: number): void {
    this.#slabs.free(reference, unitsAt(this.#slabs.wordsAt(reference), Slabs.wordOf(reference)));
  }

  #readHeads(words: Int32Array, base: number, skip: number): void {
    words[base + SKIP] = skip;
    const count = countAt(words, base);
    for (let place = levelAt(words, base) === 0 ? 0 : 1; place < count; place++)
      this.#readHead(words, base, place);
  }

  #readHead(words: Int32Array, base: number, place: number): void {
    const reference = words[base + REFERENCES + place]!;
    writeHead(
      this.#slabs,
      reference,
      words[base + SKIP]!,
      words,
      base + HIGHS + place,
      words,
      base + LOWS + place,
    );
  }

  #revisionOf(reference: number): number {
    const words = this.#slabs.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    return wide(words[at + 1]!, words[at + 2]! & 0x1f_ffff);
  }

  #enter(path: Path, from: number, revision: number, step: 1 | -1): void {
    for (let level = from; level > 0; level--) {
      const words = this.inners.words(path.nodes[level]!);
      const base = this.inners.base(path.nodes[level]!);
      const node = words[base + CHILDREN + path.places[level]!]!;
      path.nodes[level - 1] = node;
      if (level === 1) {
        path.places[0] = step === 1 ? 0 : countAt(this.leaves.words(node), this.leaves.base(node));
        return;
      }
      const below = this.inners.words(node);
      const belowBase = this.inners.base(node);
      const count = countAt(below, belowBase);
      let place = step === 1 ? 0 : count - 1;
      while (isDead(below, belowBase, place, revision) && place + step >= 0 && place + step < count)
        place += step;
      path.places[level - 1] = place;
    }
  }

  *#readBuiltHeads(built: readonly BuiltNode[], level: number): Generator<undefined, void> {
    const nodes = level === 0 ? this.leaves : this.inners;
    for (const [index, { node, border }] of built.entries()) {
      this.#readHeads(
        nodes.words(node),
        nodes.base(node),
        this.#shared(border, built[index + 1]?.border ?? NONE),
      );
      if (index % NODES_PER_PIECE === 0) yield;
    }
  }

  *#buildInners(children: readonly BuiltNode[], level: number): Generator<undefined, BuiltNode[]> {
    const { inners } = this;
    const built: BuiltNode[] = [];
    for (let start = 0; start < children.length; start += BUILT_ENTRIES) {
      const node = inners.take(level);
      const words = inners.words(node);
      const base = inners.base(node);
      const part = children.slice(start, start + BUILT_ENTRIES);
      for (const [place, child] of part.entries()) {
        words[base + REFERENCES + place] = place === 0 ? NONE : child.border;
        words[base + CHILDREN + place] = child.node;
        words[base + LIVES + place] = child.live;
        words[base + DEAD_LOWS + place] = child.dead;
        words[base + DEAD_HIGHS + place] = (child.dead / 0x1_0000_0000) | 0;
      }
      setCount(words, base, part.length);
      const live = part.reduce((sum, child) => sum + child.live, 0);
      const dead = part.reduce((most, child) => Math.max(most, child.dead), 0);
      built.push({ node, border: children[start]!.border, live, dead });
    }
    yield* this.#readBuiltHeads(built, level);
    return built;
  }

  #moveNode(nodes: TreeNodes): boolean {
    const node = nodes.toMove();
    if (node === undefined) return false;
    const words = nodes.words(node);
    const base = nodes.base(node);
    const level = levelAt(words, base);
    // The way to it, by a key or border that is in it. An inner node with one child has none, and stays.
    const reference = words[base + REFERENCES + (level === 0 ? 0 : 1)]!;
    if (level > 0 && countAt(words, base) < 2 && level !== this.#height) return false;
    const path = this.#path;
    if (level !== this.#height) {
      this.#probe.setFrom(this.#slabs.wordsAt(reference), Slabs.wordOf(reference));
      this.#descend(path);
      assert(path.nodes[level] === node, 'a node is on the way to its entry');
    }
    const to = nodes.move(node);
    if (level === this.#height) this.#root = to;
    else {
      const parent = path.nodes[level + 1]!;
      this.inners.words(parent)[this.inners.base(parent) + CHILDREN + path.places[level + 1]!] = to;
    }
    return true;
  }
}

interface BuiltNode {
  readonly node: number;
  readonly border: number;
  readonly live: number;
  readonly dead: number;
}

/** Whether no key below a child exists at a revision. */
function isDead(words: Int32Array, base: number, place: number, revision: number): boolean {
  if (words[base + LIVES + place] !== 0) return false;
  return wide(words[base + DEAD_LOWS + place]!, words[base + DEAD_HIGHS + place]!) <= revision;
}

function raiseDead(words: Int32Array, base: number, place: number, revision: number): void {
  if (wide(words[base + DEAD_LOWS + place]!, words[base + DEAD_HIGHS + place]!) >= revision) return;
  words[base + DEAD_LOWS + place] = revision;
  words[base + DEAD_HIGHS + place] = (revision / 0x1_0000_0000) | 0;
}

function copyDead(
  from: Int32Array,
  fromBase: number,
  fromPlace: number,
  to: Int32Array,
  toBase: number,
  toPlace: number,
): void {
  to[toBase + DEAD_LOWS + toPlace] = from[fromBase + DEAD_LOWS + fromPlace]!;
  to[toBase + DEAD_HIGHS + toPlace] = from[fromBase + DEAD_HIGHS + fromPlace]!;
}

function highestDead(words: Int32Array, base: number): number {
  let dead = 0;
  for (let place = countAt(words, base) - 1; place >= 0; place--)
    dead = Math.max(dead, wide(words[base + DEAD_LOWS + place]!, words[base + DEAD_HIGHS + place]!));
  return dead;
}
