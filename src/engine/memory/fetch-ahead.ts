/**
 * Brings what the next pieces of work need from the memory into the processor's cache, before any of it is done.
 *
 * To drop a version or to move one goes through three places that depend on each other: the slot of the key, its newest
 * version, the one before. Done key by key, the processor waits for each. In short loops over many keys, whose steps do
 * not wait for one another, it fetches many places at once.
 */
import { LOCAL_ID_BITS, LOCAL_ID_MASK, VERSION_FLAGS, VERSION_PREVIOUS } from './layout.ts';
import type { Shard } from './shard.ts';
import { wordOffsetOf } from './version-arena.ts';

/** As many as fit into the smallest of the processor's caches with all that is fetched for them. */
export const FETCH_COUNT_MAX = 64;

const NONE = 0;

export class FetchAhead {
  /** The ids of keys, filled by the caller. */
  readonly ids = new Uint32Array(FETCH_COUNT_MAX);
  readonly #references = new Uint32Array(FETCH_COUNT_MAX);
  /** Of what was fetched, so that no compiler takes it for superfluous. */
  sum = 0;

  /** Fetches slot, newest version and the one before of the first `count` ids. */
  fetch(shards: readonly Shard[], count: number): void {
    const { ids } = this;
    const references = this.#references;
    for (let index = 0; index < count; index++) {
      const id = ids[index]!;
      references[index] = shards[id >>> LOCAL_ID_BITS]!.slots.newest(id & LOCAL_ID_MASK);
    }
    for (let index = 0; index < count; index++) {
      const newest = references[index]!;
      if (newest === NONE) continue;
      const words = shards[ids[index]! >>> LOCAL_ID_BITS]!.wordsOf(newest);
      references[index] = words[wordOffsetOf(newest) + VERSION_PREVIOUS]!;
    }
    let sum = 0;
    for (let index = 0; index < count; index++) {
      const previous = references[index]!;
      if (previous === NONE) continue;
      const words = shards[ids[index]! >>> LOCAL_ID_BITS]!.wordsOf(previous);
      sum ^= words[wordOffsetOf(previous) + VERSION_FLAGS]!;
    }
    this.sum ^= sum;
  }
}
