/**
 * The nodes of an ordered index: 512 bytes each, in pages of shared memory. What the words of a node say stands at the
 * head of `key-tree.ts`; the mark alone belongs to this file.
 *
 * Nodes of a page are taken from its front; one that was never taken is not touched, since the memory of a new page costs
 * more than all that is done with a few nodes of it.
 *
 * Invariants:
 *
 * - Of the nodes that were taken, one is marked free exactly while it is in the list of free nodes of its page.
 * - No page but the one that nodes are taken from has only free nodes.
 */
import { assert } from '../../errors.ts';
import { PAGE_WORDS } from './layout.ts';
import type { PageTable } from './page-table.ts';

export const NODE_WORDS = 128;
const NODE_SHIFT = 7;
const PAGE_NODE_BITS = 9;
const PAGE_NODES = PAGE_WORDS / NODE_WORDS;

/** The word of the mark: 0 for a free node, else one more than the level of the node. */
const MARK = 2;
const FREE = 0;

/** Nodes are moved together when more than this share of them is free, ... */
const FREE_SHARE_MAX = 1 / 4;
/** ... and more than this many. */
const FREE_COUNT_MIN = 2 * PAGE_NODES;

const NONE = 0;

assert(PAGE_NODES === 2 ** PAGE_NODE_BITS && NODE_WORDS === 2 ** NODE_SHIFT, 'nodes fill a page');

/** The free nodes of a page: those that were given back, and all from `untaken` on. */
interface FreeNodes {
  readonly given: number[];
  untaken: number;
}

export class TreeNodes {
  readonly #table: PageTable;
  readonly #freeByPage: (FreeNodes | undefined)[] = [];
  #freeCount = 0;
  #usedCount = 0;
  /** The page that nodes are taken from. */
  #page = NONE;
  /** The page whose nodes are being moved away, and the next node to look at. */
  #emptiedPage = NONE;
  #emptiedNode = NONE;

  constructor(table: PageTable) {
    this.#table = table;
  }

  words(node: number): Uint32Array {
    return this.#table.words[node >>> PAGE_NODE_BITS]!;
  }

  levelOf(node: number): number {
    return this.words(node)[nodeOffset(node) + MARK]! - 1;
  }

  take(level: number): number {
    if (this.#freeCountOf(this.#page) === 0) this.#page = this.#fullestPage();
    const free = this.#freeByPage[this.#page];
    assert(free !== undefined, 'there is a free node');
    const node = free.given.pop() ?? free.untaken++;
    this.#freeCount--;
    this.#usedCount++;
    this.words(node)[nodeOffset(node) + MARK] = level + 1;
    return node;
  }

  give(node: number): void {
    const page = node >>> PAGE_NODE_BITS;
    const free = this.#freeByPage[page];
    assert(free !== undefined && this.levelOf(node) >= 0, 'a node is given back once');
    this.words(node)[nodeOffset(node) + MARK] = FREE;
    free.given.push(node);
    this.#freeCount++;
    this.#usedCount--;
    if (this.#freeCountOf(page) < PAGE_NODES || page === this.#page) return;
    this.#freeByPage[page] = undefined;
    this.#freeCount -= PAGE_NODES;
    if (page === this.#emptiedPage) this.#emptiedPage = NONE;
    this.#table.remove(page);
  }

  /** Whether nodes should be moved together, so that pages become free. */
  isWasteful(): boolean {
    return this.#freeCount > Math.max(FREE_COUNT_MIN, (this.#freeCount + this.#usedCount) * FREE_SHARE_MAX);
  }

  /** The next node to move out of the sparsest page. Not to be called unless there is waste. */
  nextToMove(): number {
    if (this.#emptiedPage === NONE) {
      this.#emptiedPage = this.#sparsestPage();
      this.#emptiedNode = this.#emptiedPage << PAGE_NODE_BITS;
    }
    while (this.levelOf(this.#emptiedNode) < 0) this.#emptiedNode++;
    return this.#emptiedNode++;
  }

  /** For the check of all structures: throws unless there are exactly `usedCount` nodes in use. */
  verifyIntegrity(usedCount: number): void {
    assert(this.#usedCount === usedCount, 'all nodes in use are in the tree');
    let freeCount = 0;
    for (const [page, free] of this.#freeByPage.entries()) {
      if (free === undefined) continue;
      const count = this.#freeCountOf(page);
      freeCount += count;
      assert(count < PAGE_NODES || page === this.#page, 'a page without nodes in use was given back');
      assert(
        free.given.every(
          (node) => node >>> PAGE_NODE_BITS === page && node < free.untaken && this.levelOf(node) < 0,
        ),
        'what is in the list of a page was taken, is free, and in the page',
      );
    }
    assert(freeCount === this.#freeCount, 'the count of free nodes is true');
  }

  /** The page with the fewest free nodes, but some; so that those with many can become empty. */
  #fullestPage(): number {
    let fullest = NONE;
    let least = Infinity;
    for (let page = 0; page < this.#freeByPage.length; page++) {
      const count = this.#freeCountOf(page);
      if (count === 0 || count >= least || page === this.#emptiedPage) continue;
      fullest = page;
      least = count;
    }
    return fullest === NONE ? this.#addPage() : fullest;
  }

  #sparsestPage(): number {
    let sparsest = NONE;
    let most = 0;
    for (let page = 0; page < this.#freeByPage.length; page++) {
      const count = this.#freeCountOf(page);
      if (count <= most || page === this.#page) continue;
      sparsest = page;
      most = count;
    }
    assert(sparsest !== NONE, 'where there is waste there is a page with free nodes');
    return sparsest;
  }

  #addPage(): number {
    const page = this.#table.add();
    this.#freeByPage[page] = { given: [], untaken: page << PAGE_NODE_BITS };
    this.#freeCount += PAGE_NODES;
    return page;
  }

  #freeCountOf(page: number): number {
    const free = this.#freeByPage[page];
    if (free === undefined) return 0;
    return free.given.length + ((page + 1) << PAGE_NODE_BITS) - free.untaken;
  }
}

/** The word at which a node begins within its page. */
export function nodeOffset(node: number): number {
  return (node & (PAGE_NODES - 1)) << NODE_SHIFT;
}
