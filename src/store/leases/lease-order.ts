/**
 * The ids of leases in their order: a row of sorted blocks, so that to add or to remove one moves a block's ids at most, and to go on
 * behind any of them is a search.
 *
 * Invariants: no block is empty; every id of a block is below those of the next one.
 */
const BLOCK_IDS_MAX = 512;

export class LeaseOrder {
  readonly #blocks: number[][] = [];

  /** One that is there already changes nothing. */
  add(leaseId: number): void {
    const blockAt = Math.max(0, this.#blockOf(leaseId));
    const block = this.#blocks[blockAt];
    if (block === undefined) {
      this.#blocks.push([leaseId]);
      return;
    }
    const at = placeBehind(block, leaseId);
    if (block[at - 1] === leaseId) return;
    block.splice(at, 0, leaseId);
    if (block.length <= BLOCK_IDS_MAX) return;
    // Ids that come in their order, as those of a snapshot do, leave full blocks behind.
    const left = at === block.length - 1 ? BLOCK_IDS_MAX : block.length >>> 1;
    this.#blocks.splice(blockAt + 1, 0, block.splice(left));
  }

  remove(leaseId: number): void {
    const blockAt = this.#blockOf(leaseId);
    const block = this.#blocks[blockAt];
    if (block === undefined) return;
    const at = placeBehind(block, leaseId) - 1;
    if (block[at] !== leaseId) return;
    block.splice(at, 1);
    if (block.length === 0) this.#blocks.splice(blockAt, 1);
  }

  /** The first ids above `afterId`, so many at most. */
  after(afterId: number, limit: number): number[] {
    const ids: number[] = [];
    for (let blockAt = Math.max(0, this.#blockOf(afterId)); ids.length < limit; blockAt++) {
      const block = this.#blocks[blockAt];
      if (block === undefined) break;
      const from = placeBehind(block, afterId);
      ids.push(...block.slice(from, from + limit - ids.length));
    }
    return ids;
  }

  /** The last block that begins at or below an id; -1: none does. */
  #blockOf(leaseId: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle]?.[0] ?? 0) <= leaseId) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Where the first id above `leaseId` stands. */
function placeBehind(ids: readonly number[], leaseId: number): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? 0) <= leaseId) low = middle + 1;
    else high = middle;
  }
  return low;
}
