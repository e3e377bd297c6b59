/**
 * The slots of a shard's keys: where a key's number leads to its newest version and its hash. Free slots are chained.
 *
 * The memory of slots is kept once it was needed (8 bytes a key) and used again for the keys to come.
 */
import { assert } from '../../errors.ts';
import type { Epochs } from './epochs.ts';
import { Limbo } from './limbo.ts';
import { LOCAL_ID_MASK, SLOT_BITS, SLOT_HASH, SLOT_MASK, SLOT_NEWEST, SLOT_WORDS } from './layout.ts';
import type { PageTable } from './page-table.ts';

export class KeySlots {
  readonly table: PageTable;
  readonly #epochs: Epochs;
  readonly #limbo: Limbo;
  #firstFree = 0;
  /** One more than the highest local id given out so far. */
  #end = 1;

  constructor(table: PageTable, epochs: Epochs) {
    this.table = table;
    this.#epochs = epochs;
    this.#limbo = new Limbo(epochs, (localId) => this.#free(localId));
  }

  /** One more than the highest local id given out so far. */
  get end(): number {
    return this.#end;
  }

  /** A free slot, for a key of this hash, or with 0 for a border. It has no version yet. */
  take(hash: number): number {
    const localId = this.#firstFree;
    if (localId === 0) return this.append(hash);
    this.#firstFree = this.hash(localId);
    return this.#occupy(localId, hash);
  }

  /** As `take`, but behind all slots that were ever given out. */
  append(hash: number): number {
    assert(this.#end <= LOCAL_ID_MASK, 'a shard has room for one more key');
    // The pages of slots are numbered from 1, and never given back.
    if (this.#end >>> SLOT_BITS > this.table.words.length - 2) this.table.add();
    return this.#occupy(this.#end++, hash);
  }

  #occupy(localId: number, hash: number): number {
    const words = this.#words(localId);
    const offset = (localId & SLOT_MASK) * SLOT_WORDS;
    words[offset + SLOT_NEWEST] = 0;
    words[offset + SLOT_HASH] = hash;
    return localId;
  }

  /** Gives up the slot of a key that is in no index any more: it leads nowhere at once, and is used again later. */
  give(localId: number): void {
    this.publish(localId, 0);
    this.#limbo.retire(localId);
  }

  get isWaiting(): boolean {
    return this.#limbo.count > 0;
  }

  reclaim(oldestEpoch: number): void {
    this.#limbo.reclaim(oldestEpoch, 1024);
  }

  /** The reference to the newest version; 0 for a slot that is free, or will be. */
  newest(localId: number): number {
    return this.#words(localId)[(localId & SLOT_MASK) * SLOT_WORDS + SLOT_NEWEST]!;
  }

  hash(localId: number): number {
    return this.#words(localId)[(localId & SLOT_MASK) * SLOT_WORDS + SLOT_HASH]! | 0;
  }

  /** Whether it is the slot of a key, neither free nor of a border. */
  isOfKey(localId: number): boolean {
    return this.newest(localId) !== 0 && this.hash(localId) !== 0;
  }

  /** Makes a version the newest, for readers of other threads too: all that was written before is seen with it. */
  publish(localId: number, reference: number): void {
    this.#epochs.publish(this.#words(localId), (localId & SLOT_MASK) * SLOT_WORDS + SLOT_NEWEST, reference);
  }

  /** For the check of all structures: throws unless each slot is used, free or waiting to be free. */
  verifyIntegrity(): void {
    let usedCount = 0;
    for (let localId = 1; localId < this.#end; localId++) if (this.newest(localId) !== 0) usedCount++;
    let freeCount = 0;
    for (let free = this.#firstFree; free !== 0; free = this.hash(free)) {
      assert(this.newest(free) === 0 && ++freeCount < this.#end, 'the chain of free slots holds free slots');
    }
    assert(usedCount + freeCount + this.#limbo.count === this.#end - 1, 'no slot is lost');
  }

  #words(localId: number): Uint32Array {
    return this.table.words[(localId >>> SLOT_BITS) + 1]!;
  }

  #free(localId: number): void {
    const words = this.#words(localId);
    const offset = (localId & SLOT_MASK) * SLOT_WORDS;
    words[offset + SLOT_NEWEST] = 0;
    words[offset + SLOT_HASH] = this.#firstFree;
    this.#firstFree = localId;
  }
}
