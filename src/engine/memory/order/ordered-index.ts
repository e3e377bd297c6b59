/**
 * The order of the keys of blocks, and how many of them are live in the newest state: a B+-tree (`tree.ts`) with order
 * statistics (Cormen et al., Introduction to Algorithms, 14.1, with the counts in the nodes).
 *
 * Operations on one key take it from the probe.
 */
import { assert } from '../../../errors.ts';
import { NONE } from '../layout.ts';
import type { WorkBudget } from '../../../work-budget.ts';
import { insertKey } from './growth.ts';
import type { Node } from './node.ts';
import { removeEntry } from './shrinking.ts';
import { Path, Tree } from './tree.ts';

export class OrderedIndex extends Tree {
  readonly #path = new Path();

  /** Adds a key that is not there yet. @param deadRevision the revision that deleted it; 0: it is live. */
  insert(block: number, deadRevision: number): void {
    this.admit();
    const path = this.#descend();
    this.count++;
    this.carryUp(path, deadRevision === 0 ? 1 : 0, deadRevision);
    insertKey(this, path, block, deadRevision === 0);
  }

  /** The block of the first key that is not before the one in the probe; `NONE`: there is none. */
  first(): number {
    const path = this.#descend();
    const leaf = this.leaf.open(path.nodes[0]!);
    if (path.places[0]! < leaf.count) return leaf.key(path.places[0]!);
    return this.nextLeaf(path, 0, 1) ? leaf.open(path.nodes[0]!).key(0) : NONE;
  }

  /** Takes out a key that is there. @returns its block. */
  take(): number {
    const { nodes, places } = this.#descend();
    const leaf = this.leaf.open(nodes[0]!);
    const block = leaf.key(places[0]!);
    assert(this.compareProbe(block) === 0, 'a key is in the order of keys');
    this.#remove(leaf);
    return block;
  }

  /** Takes out the key of a block, which is there. */
  remove(block: number): void {
    this.#remove(this.#goTo(block));
  }

  /** A key was deleted at a revision; 0: it has come to life. */
  setDead(block: number, deadRevision: number): void {
    const leaf = this.#goTo(block);
    const place = this.#path.places[0]!;
    const wasLive = leaf.isLive(place);
    leaf.setLive(place, deadRevision === 0);
    this.carryUp(this.#path, Number(deadRevision === 0) - Number(wasLive), deadRevision);
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
    // All that is dead now was so then.
    const isLiveOnly = this.dead <= revision || this.deadOf(path, 0) <= revision;
    return this.leaf.open(path.nodes[0]!).readKeys(from, to, isLiveOnly, blocks);
  }

  /** Takes out the entry of a leaf to which the path leads. */
  #remove(leaf: Node): void {
    if (leaf.isLive(this.#path.places[0]!)) this.carryUp(this.#path, -1, 0);
    this.count--;
    removeEntry(this, this.#path);
  }

  #descend(): Path {
    this.descend(this.#path);
    return this.#path;
  }

  /** Goes to the entry of a key. @returns its leaf. */
  #goTo(block: number): Node {
    this.descendTo(this.#path, block);
    return this.leaf.open(this.#path.nodes[0]!);
  }
}
