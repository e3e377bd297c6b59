/**
 * The ids of collections: a counter of the store, none of which is given out twice, whatever becomes of the transaction that took
 * it.
 *
 * The log does not record each id but, now and then, a bound (`CollectionIdsEffect`), with the first transaction that goes beyond
 * the bound before; snapshots hold the newest. A life of the store begins at the bound that it finds, since ids below may have been
 * used. What it gives out before a bound is durable, no durable record can hold.
 *
 *     first record with a collection   ids up to 1,048,576 (exclusive) may be used    1, 2, 3 are
 *     a crash                          the next life goes on                          1,048,576, 1,048,577, ...
 *     its first record with one        ids up to 2,097,152 may be used
 */
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';

export class CollectionIds {
  #next: number;
  #recordedEnd: number;

  /** @param recordedEnd the highest bound that the log or a snapshot holds; 0: none. */
  constructor(recordedEnd: number) {
    this.#next = Math.max(1, recordedEnd);
    this.#recordedEnd = recordedEnd;
  }

  take(): number {
    assert(this.#next < fixed.integerMax, 'ids of collections are numbers that are exact');
    return this.#next++;
  }

  /** The bound of all that the log has recorded, exclusive; 0: none. */
  get recordedEnd(): number {
    return this.#recordedEnd;
  }

  /** The bound that the next record has to tell; 0: none. */
  get endToRecord(): number {
    if (this.#next <= this.#recordedEnd || this.#next === 1) return 0;
    return Math.ceil(this.#next / fixed.collectionIdsRecorded) * fixed.collectionIdsRecorded;
  }

  /** Another life of the store has told a bound: what is given out here goes on from there. */
  follow(end: number): void {
    this.#recordedEnd = Math.max(this.#recordedEnd, end);
    this.#next = Math.max(this.#next, this.#recordedEnd);
  }

  /** A record that tells a bound has joined the log. */
  noteRecorded(end: number): void {
    this.#recordedEnd = end;
  }
}
