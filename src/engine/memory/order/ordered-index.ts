/**
 * The order of the keys of blocks, and how many of them are live in the newest state: a B+-tree (`tree.ts`) with order
 * statistics (Cormen et al., Introduction to Algorithms, 14.1, with the counts in the nodes).
 *
 * Operations on one key take it from the probe.
 */
import { assert } from '../../../errors.ts';
import { NONE } from '../layout.ts';
import type { WorkBudget } from '../../../work-budget.ts';
import type { Probe } from '../probe.ts';
import type { Slabs } from '../slabs.ts';
import { buildTree } from './building.ts';
import { insertKey } from './growth.ts';
import type { SortedKeys } from './key-sorter.ts';
import type { Node } from './node.ts';
import { removeKey } from './shrinking.ts';
import { Path, Tree } from './tree.ts';

export class OrderedIndex extends Tree {
  readonly #path = new Path();
  readonly #above: Node;

  /** @param blocks those of the keys. */
  constructor(blocks: Slabs, probe: Probe, slabBytesMax: number | undefined) {
    super(blocks, probe, slabBytesMax);
    this.#above = this.newView();
  }

  /** Adds a key that is not there yet. @param deadRevision the revision that deleted it, if it is not live. */
  insert(block: number, isLive: boolean, deadRevision: number): void {
    this.admit();
    const path = this.#descend();
    this.count++;
    this.#carryUp(isLive ? 1 : 0, isLive ? 0 : deadRevision);
    insertKey(this, path, block, isLive);
  }

  /** The block of the key; `NONE`: there is none. */
  find(): number {
    const path = this.#descend();
    const leaf = this.leaf.open(path.nodes[0]!);
    const place = path.places[0]!;
    if (place === leaf.count) return NONE;
    const block = leaf.key(place);
    return this.compareProbe(block) === 0 ? block : NONE;
  }

  /** The block of the first key that is not before the one in the probe; `NONE`: there is none. */
  first(): number {
    const path = this.#descend();
    const leaf = this.leaf.open(path.nodes[0]!);
    if (path.places[0]! < leaf.count) return leaf.key(path.places[0]!);
    return this.nextLeaf(path, 0, 1) ? leaf.open(path.nodes[0]!).key(0) : NONE;
  }

  remove(block: number): void {
    const leaf = this.#goTo(block);
    if (leaf.isLive(this.#path.places[0]!)) this.#carryUp(-1, 0);
    this.count--;
    removeKey(this, this.#path);
  }

  /** A key has come to life, or was deleted at a revision. */
  setLive(block: number, isLive: boolean, deadRevision: number): void {
    const leaf = this.#goTo(block);
    const place = this.#path.places[0]!;
    const wasLive = leaf.isLive(place);
    leaf.setLive(place, isLive);
    this.#carryUp(Number(isLive) - Number(wasLive), isLive ? 0 : deadRevision);
  }

  /** The block of a key has moved. */
  relocate(from: number, to: number): void {
    const leaf = this.#goTo(from);
    const { nodes, places } = this.#path;
    leaf.setKey(places[0]!, to);
    if (places[0] !== 0) return;
    // It is a border, too, but in front of all.
    for (let level = 1; level <= this.height; level++) {
      if (places[level] === 0) continue;
      this.leaf.open(nodes[level]!).setKey(places[level]!, to);
      return;
    }
  }

  /** How many live keys come before the key. */
  rank(): number {
    const { nodes, places } = this.#descend();
    let rank = 0;
    for (let level = this.height; level >= 0; level--)
      rank += this.leaf.open(nodes[level]!).liveBefore(places[level]!);
    return rank;
  }

  /** How many live keys there are. */
  liveCount(): number {
    const root = this.leaf.open(this.root);
    return root.liveBefore(root.count);
  }

  /** The live key with so many live ones before it, of which there are more. */
  select(index: number): number {
    let left = index;
    const node = this.leaf.open(this.root);
    while (node.level > 0) {
      let place = 0;
      while (left >= node.live(place)) left -= node.live(place++);
      node.open(node.child(place));
    }
    let place = 0;
    while (!node.isLive(place) || left-- > 0) place++;
    return node.key(place);
  }

  /**
   * Goes to the nearest leaf behind that of a path (`step` 1: to its first place) or before it (-1: to behind its last
   * place) that may hold a key that exists at a revision. Pays a visit for each inner node that it leaves behind, whose
   * children it may all have passed over. @returns whether there is one.
   */
  nextLeaf(path: Path, revision: number, step: 1 | -1, budget?: WorkBudget): boolean {
    const { nodes, places } = path;
    const node = this.leaf;
    for (let level = 1; level <= this.height;) {
      node.open(nodes[level]!);
      const place = (places[level]! += step);
      if (place < 0 || place >= node.count) {
        level++;
        budget?.spendVisits(1);
        continue;
      }
      if (node.isDead(place, revision)) continue;
      node.open(node.child(place));
      nodes[--level] = node.reference;
      places[level] = step === -1 ? node.count : level === 0 ? 0 : -1;
      if (level === 0) return true;
    }
    return false;
  }

  /**
   * The blocks of the keys in some places of a path's leaf, but for those that are known not to exist at a revision:
   * `blocks[0]` to `blocks[count - 1]`. @returns the count.
   */
  readLeaf(path: Path, from: number, to: number, revision: number, blocks: Int32Array): number {
    const isLiveOnly = this.#areDeadKnown(path, revision);
    return this.leaf.open(path.nodes[0]!).readKeys(from, to, isLiveOnly, blocks);
  }

  /** Fills the index, which is empty. @param isLive whether the key of a block is live. */
  build(keys: SortedKeys, isLive: (block: number) => boolean): Generator<undefined, void> {
    return buildTree(this, keys, isLive);
  }

  /** Whether all that is dead now in the leaf of a path was so at a revision. */
  #areDeadKnown({ nodes, places }: Path, revision: number): boolean {
    if (this.dead <= revision) return true;
    return this.height > 0 && this.leaf.open(nodes[1]!).dead(places[1]!) <= revision;
  }

  #descend(): Path {
    this.descend(this.#path);
    return this.#path;
  }

  /** Goes to the entry of a key. @returns its leaf. */
  #goTo(block: number): Node {
    const { nodes, places } = this.#descend();
    const leaf = this.leaf.open(nodes[0]!);
    assert(leaf.key(places[0]!) === block, 'a key is in the order of keys');
    return leaf;
  }

  /** Tells the nodes above the leaf of the path what has changed in it. */
  #carryUp(liveDifference: number, deadRevision: number): void {
    if (liveDifference === 0 && deadRevision === 0) return;
    this.dead = Math.max(this.dead, deadRevision);
    const { nodes, places } = this.#path;
    for (let level = this.height; level > 0; level--) {
      const node = this.#above.open(nodes[level]!);
      node.addLive(places[level]!, liveDifference);
      if (deadRevision > 0) node.raiseDead(places[level]!, deadRevision);
    }
  }
}
