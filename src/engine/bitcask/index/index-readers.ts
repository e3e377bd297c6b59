/** What the index tells by itself, beside single keys and ranges of them: deadlines and leases. */
import type { DeadlineCursor, DeadlinePlace } from '../../layered/base/base.ts';
import { copyKey } from '../../memory/block-keys.ts';
import type { Deadlines } from '../../memory/deadlines.ts';
import type { Keyspace } from '../../memory/keyspace.ts';
import { NONE } from '../../memory/layout.ts';
import { Slabs } from '../../memory/slabs.ts';
import { leaseAt } from '../../memory/version-codec.ts';
import type { RangeSet } from '../../range-set.ts';
import { IndexCursor } from './index-cursor.ts';

/** The keys of a start's leases are looked for in pieces of so many keys. */
const LEASE_PIECE_KEYS = 256;

export class IndexDeadlines implements DeadlineCursor {
  readonly #deadlines: Deadlines;
  readonly #hidden: RangeSet;
  #place: number;

  constructor(deadlines: Deadlines, hidden: RangeSet, after: DeadlinePlace | undefined) {
    this.#deadlines = deadlines;
    this.#hidden = hidden;
    this.#place = after === undefined ? 0 : deadlines.placeBehind(after.deadlineMs, after.key);
  }

  next(): DeadlinePlace | undefined {
    for (;;) {
      const deadlineMs = this.#deadlines.at(this.#place);
      if (deadlineMs === undefined) return undefined;
      const key = this.#deadlines.keyAt(this.#place++);
      if (this.#hidden.holding(key) === undefined) return { deadlineMs, key };
    }
  }

  close(): void {
    // It holds nothing.
  }
}

/** The index may change between two keys. */
export function* leasedKeys(
  keyspace: Keyspace,
  hidden: RangeSet,
): Generator<readonly [leaseId: number, key: Uint8Array], undefined> {
  let start = new Uint8Array(0);
  for (;;) {
    const found: [number, Uint8Array][] = [];
    const cursor = new IndexCursor(keyspace, { start, end: undefined }, false);
    let block = cursor.next();
    for (let count = 0; block !== NONE && count < LEASE_PIECE_KEYS; count++, block = cursor.next()) {
      const leaseId = leaseAt(keyspace.blocks.wordsAt(block), Slabs.wordOf(block));
      if (leaseId === 0) continue;
      const key = copyKey(keyspace.blocks, block);
      if (hidden.holding(key) === undefined) found.push([leaseId, key]);
    }
    if (block !== NONE) start = new Uint8Array(copyKey(keyspace.blocks, block));
    yield* found;
    if (block === NONE) return undefined;
  }
}
