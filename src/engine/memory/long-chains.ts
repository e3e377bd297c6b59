/**
 * Rows beside the chains of keys that are written again and again.
 *
 * A chain leads from a key's newest version down, one memory access for each. Of a counter that a hundred thousand
 * revisions of history hold, every compaction, every reading watch and every moved version would go through all of it.
 * So whoever comes `CHAIN_HOPS_MAX` versions deep makes a row of the chain: all its versions in their order, searched by
 * halving, which is kept from then on until the chain is short again. A row is an aid of the writer's thread; chains are
 * what counts, also for readers of other threads, who look near the newest version.
 *
 * Invariant: a row names exactly the versions of its key's chain.
 */
import { assert } from '../../errors.ts';

/** So many versions a chain is followed down before it gets a row. */
export const CHAIN_HOPS_MAX = 32;
/** With every so many writes of a key it is seen to that a long chain has its row: a short one is made soon. */
export const WRITES_PER_ROW_CHECK = 64;
/** So many before it is asked whether the chain has a row already: the newest versions need none. */
export const ROW_HOPS_MIN = 2;
/** A shorter row is given up. */
const ROW_COUNT_MIN = CHAIN_HOPS_MAX / 4;

/** A row grows and shrinks by pieces of so many versions, and never copies a long one. */
const PIECE_BITS = 6;
const PIECE_COUNT = 1 << PIECE_BITS;
const PIECE_MASK = PIECE_COUNT - 1;
/** Numbers for each version: its revision and the reference to it. */
const FIELDS = 2;
/** With what the objects around it take. */
const PIECE_BYTES = PIECE_COUNT * FIELDS * 8 + 256;

/** The versions of one key, from the oldest to the newest, by index from 0. */
export class ChainRow {
  readonly #pieces: Float64Array[] = [];
  /** Versions that are gone from the front of the first piece. */
  #head = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get byteCount(): number {
    return this.#pieces.length * PIECE_BYTES;
  }

  /** Adds the newest version. */
  push(revision: number, reference: number): void {
    const at = this.#head + this.#count;
    if (at >>> PIECE_BITS === this.#pieces.length) this.#pieces.push(new Float64Array(PIECE_COUNT * FIELDS));
    const piece = this.#piece(at);
    piece[(at & PIECE_MASK) * FIELDS] = revision;
    piece[(at & PIECE_MASK) * FIELDS + 1] = reference;
    this.#count++;
  }

  revisionAt(index: number): number {
    const at = this.#head + index;
    return this.#piece(at)[(at & PIECE_MASK) * FIELDS]!;
  }

  referenceAt(index: number): number {
    const at = this.#head + index;
    return this.#piece(at)[(at & PIECE_MASK) * FIELDS + 1]!;
  }

  /** The index of the newest version that is not above `revision`; -1: there is none. */
  indexAt(revision: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.revisionAt(middle) <= revision) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** A version has another place now. */
  replace(index: number, reference: number): void {
    const at = this.#head + index;
    this.#piece(at)[(at & PIECE_MASK) * FIELDS + 1] = reference;
  }

  /** The oldest versions are gone. */
  dropFirst(count: number): void {
    assert(count <= this.#count, 'a row drops what it has');
    this.#head += count;
    this.#count -= count;
    this.#pieces.splice(0, this.#head >>> PIECE_BITS);
    this.#head &= PIECE_MASK;
  }

  #piece(at: number): Float64Array {
    return this.#pieces[at >>> PIECE_BITS]!;
  }
}

/** The rows of an engine, by the id of their key. */
export class LongChains {
  readonly #rowById = new Map<number, ChainRow>();
  #byteCount = 0;

  /** The memory that all rows take. */
  get byteCount(): number {
    return this.#byteCount;
  }

  get isEmpty(): boolean {
    return this.#rowById.size === 0;
  }

  /** For the check of all structures: throws unless there are rows of these keys and of no others. */
  verifyIntegrity(ids: ReadonlySet<number>): void {
    let byteCount = 0;
    for (const [id, row] of this.#rowById) {
      assert(ids.has(id), 'a row is of a key that is there');
      byteCount += row.byteCount;
    }
    assert(byteCount === this.#byteCount, 'the memory of all rows is counted');
  }

  rowOf(id: number): ChainRow | undefined {
    return this.#rowById.get(id);
  }

  /** Makes the row of a chain; the arguments go from its newest to its oldest version. */
  begin(id: number, revisions: readonly number[], references: readonly number[]): ChainRow {
    const row = new ChainRow();
    for (let index = references.length - 1; index >= 0; index--)
      row.push(revisions[index]!, references[index]!);
    this.#rowById.set(id, row);
    this.#byteCount += row.byteCount;
    return row;
  }

  /** A key got a newer version. */
  push(id: number, revision: number, reference: number): void {
    const row = this.#rowById.get(id);
    if (row === undefined) return;
    this.#byteCount -= row.byteCount;
    row.push(revision, reference);
    this.#byteCount += row.byteCount;
  }

  /** The versions of a key below `revision` are gone. */
  dropBelow(id: number, revision: number): void {
    const row = this.#rowById.get(id);
    if (row === undefined) return;
    this.#byteCount -= row.byteCount;
    row.dropFirst(row.indexAt(revision - 1) + 1);
    if (row.count < ROW_COUNT_MIN) this.#rowById.delete(id);
    else this.#byteCount += row.byteCount;
  }
}
