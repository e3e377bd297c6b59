/**
 * `Generation`: what has changed above the state that lies below it, in memory, with the older versions that are still read. It is a
 * `Keyspace` of its own, and so without an object for a key; it goes as a whole once the state below has taken it in.
 *
 * A key that is deleted here but there below must stay hidden for as long as the generation lives: such a deletion is shown like
 * a version, and compaction does not drop it. Any other deletion (of a key that came and went within the generation) is passed over
 * and dropped as in a `MemoryEngine`, so that a queue does not leave a trail.
 */
import type { EngineLoader, GroupOfKey } from '../../engine.ts';
import type { HashSeed } from '../../memory/key-hash.ts';
import { Keyspace } from '../../memory/keyspace.ts';
import { revisionAt } from '../../memory/layout.ts';
import { MemoryLoader } from '../../memory/memory-loader.ts';
import { FETCHED_MAX, Overwrites } from '../../memory/overwrites.ts';
import { Slabs } from '../../memory/slabs.ts';
import { deadlineAt, isHidingAt, storedBytesAt } from '../../memory/version-codec.ts';
import type { PutRow } from '../../put-row.ts';
import type { Change } from '../../version.ts';

/** The entries of the undo ring that one `maintain` drops. */
const DROPPED_PER_STEP = 256;
/** While there is more to drop, only each step after so many moves blocks: most may be of keys that are about to be dropped. */
const DROPS_IN_A_ROW = 15;

/** Sums are kept for all layers together. */
const NO_GROUP: GroupOfKey = () => -1;

export interface GenerationOptions {
  readonly hashSeed: HashSeed;
  readonly slabBytesMax: number | undefined;
}

export class Generation {
  readonly keyspace: Keyspace;
  readonly #overwrites: Overwrites;
  readonly #hashes = new Int32Array(FETCHED_MAX);
  readonly #fetched = new Int32Array(FETCHED_MAX);
  #dropsInARow = 0;

  constructor({ hashSeed, slabBytesMax }: GenerationOptions) {
    this.keyspace = new Keyspace(hashSeed, NO_GROUP, slabBytesMax, undefined);
    this.#overwrites = new Overwrites(this.keyspace, hashSeed);
  }

  get memoryBytes(): number {
    return this.keyspace.memoryBytes;
  }

  /** For an empty one: takes in the newest versions of keys in any order. */
  newLoader(): EngineLoader {
    return new MemoryLoader(this.keyspace);
  }

  /** The block of a key; `NONE`: there is none. The key is that of the next `apply`. */
  find(key: Uint8Array): number {
    const { keyspace } = this;
    keyspace.probe.set(key);
    return keyspace.find();
  }

  /** Adds a version of the key that was looked for last. @param hides whether it deletes what is there below. */
  apply(reference: number, change: Change, hides: boolean): void {
    const { keyspace } = this;
    keyspace.fields.hides = hides;
    keyspace.take(change, change.value.length);
    keyspace.put(reference, keyspace.hash());
    keyspace.writeValue(change);
  }

  /** Looks where the keys of a row lie, from `start` to `end`, at most `FETCHED_MAX`, for `overwrite`. */
  fetchRow(row: PutRow, start: number, end: number): void {
    this.#overwrites.fetch(row, start, end);
  }

  /** Puts one of the keys of a row that were fetched. @returns the length of the value before; -1: it is none that is put here, and nothing has changed. */
  overwrite(row: PutRow, index: number, fetched: number): number {
    if (!this.#overwrites.put(row, index, fetched)) return -1;
    const { undo } = this.keyspace;
    return storedBytesAt(undo.memory.words, undo.at);
  }

  fetch(keys: readonly Uint8Array[], start: number, end: number): void {
    const { map, probe } = this.keyspace;
    let waiting = 0;
    for (let index = start; index < end; index++) {
      probe.set(keys[index]!);
      this.#hashes[waiting++] = this.keyspace.hash();
      if (waiting < FETCHED_MAX && index + 1 < end) continue;
      map.fetch(this.#hashes, waiting, this.#fetched);
      waiting = 0;
    }
  }

  /** Of the newest version of a block's key. */
  revisionOf(reference: number): number {
    return revisionAt(this.keyspace.blocks.wordsAt(reference), Slabs.wordOf(reference));
  }

  /** Whether the newest version of a block's key hides what lies below. */
  isHiding(reference: number): boolean {
    return isHidingAt(this.keyspace.blocks.wordsAt(reference), Slabs.wordOf(reference));
  }

  /** The key of a block has another version above: its deadline counts no more. It is of use as a version all the same. */
  leaveDeadline(reference: number): void {
    const { blocks, deadlines } = this.keyspace;
    const words = blocks.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    const deadlineMs = deadlineAt(words, at);
    if (deadlineMs !== 0) deadlines.change(words, at, deadlineMs, 0);
  }

  /** Does a bounded piece of dropping versions and giving back memory. @returns whether there is more to do. */
  maintain(isThorough: boolean): boolean {
    const { keyspace } = this;
    const isMoreToDrop = keyspace.drop(DROPPED_PER_STEP);
    if (isMoreToDrop && this.#dropsInARow++ < DROPS_IN_A_ROW) return true;
    this.#dropsInARow = 0;
    const isMore = keyspace.giveBack(isThorough) || isMoreToDrop;
    if (isThorough && !isMore) keyspace.undo.trim();
    return isMore;
  }
}
