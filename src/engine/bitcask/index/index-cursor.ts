/** The blocks of the keys of a range in their order, one after the other. The index must not change meanwhile. */
import { fixed } from '../../../limits.ts';
import type { EngineRange } from '../../engine.ts';
import type { Keyspace } from '../../memory/keyspace.ts';
import { NONE } from '../../memory/layout.ts';
import { ENTRIES_MAX } from '../../memory/order/node.ts';
import { Path } from '../../memory/order/tree.ts';

export class IndexCursor {
  readonly #keyspace: Keyspace;
  readonly #reverse: boolean;
  readonly #path = new Path();
  /** The blocks of a leaf, in key order, of which those from `#low` to `#high` (exclusive) are to come. */
  readonly #blocks = new Int32Array(ENTRIES_MAX);
  #low = 0;
  #high = 0;
  #range: EngineRange;
  #isAtEnd = false;

  constructor(keyspace: Keyspace, range: EngineRange, reverse: boolean) {
    this.#keyspace = keyspace;
    this.#reverse = reverse;
    this.#range = range;
    this.goTo(range);
  }

  /** Goes on at the first key of another range. */
  goTo(range: EngineRange): void {
    const { keys, probe } = this.#keyspace;
    this.#range = range;
    this.#isAtEnd = false;
    const from = this.#reverse ? range.end : range.start;
    if (from === undefined) keys.goToEnd(this.#path, 1);
    else {
      probe.set(from);
      keys.descend(this.#path);
    }
    this.#readLeaf();
  }

  /** @returns the next block; `NONE` at the end. */
  next(): number {
    while (this.#low === this.#high) {
      const isMore =
        !this.#isAtEnd && this.#keyspace.keys.nextLeaf(this.#path, fixed.integerMax, this.#reverse ? -1 : 1);
      if (!isMore) return NONE;
      this.#readLeaf();
    }
    return this.#reverse ? this.#blocks[--this.#high]! : this.#blocks[this.#low++]!;
  }

  /** Reads the leaf from the place of the path on, as far as it lies in the range. */
  #readLeaf(): void {
    const { keys, probe } = this.#keyspace;
    const { start, end } = this.#range;
    const place = this.#path.places[0]!;
    const from = this.#reverse ? 0 : place;
    const to = this.#reverse ? place : keys.leaf.open(this.#path.nodes[0]!).count;
    const count = keys.readLeaf(this.#path, from, to, fixed.integerMax, this.#blocks);
    this.#low = 0;
    this.#high = count;
    const bound = this.#reverse ? start : end;
    if (count === 0 || bound === undefined || bound.length === 0) return;
    probe.set(bound);
    const nearest = this.#blocks[this.#reverse ? 0 : count - 1]!;
    if (this.#reverse ? keys.compareProbe(nearest) <= 0 : keys.compareProbe(nearest) > 0) return;
    this.#isAtEnd = true;
    const border = this.#firstNotBelow(count);
    if (this.#reverse) this.#low = border;
    else this.#high = border;
  }

  /** The first of the blocks whose key is not below the one in the probe. */
  #firstNotBelow(count: number): number {
    const { keys } = this.#keyspace;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys.compareProbe(this.#blocks[middle]!) > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
