/**
 * One shard: the keys whose hash ends in its number, with their index, slots and versions.
 *
 * Invariants:
 *
 * - The versions of a key are chained from the newest to the oldest kept one, in descending revisions.
 * - Each version says the local id of its key, so that whoever moves it finds what points at it.
 */
import { assert } from '../../errors.ts';
import type { Epochs } from './epochs.ts';
import type { HashIndex } from './hash-index.ts';
import { segmentOffsetOf } from './hash-index.ts';
import type { KeySlots } from './key-slots.ts';
import { CHAIN_HOPS_MAX, ROW_HOPS_MIN, type ChainRow, type LongChains } from './long-chains.ts';
import {
  IS_DROPPED,
  LOCAL_ID_BITS,
  LOCAL_ID_MASK,
  SEGMENT_BITS,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  SHARD_BITS,
  SLOT_BITS,
  SLOT_EMPTY,
  SLOT_HASH,
  SLOT_MASK,
  SLOT_NEWEST,
  SLOT_WORDS,
  TAG_MASK,
  TAG_SHIFT,
  UNIT_BITS,
  UNIT_WORDS,
  VERSION_FLAGS,
  VERSION_KEY,
  VERSION_PREVIOUS,
  revisionAt,
  versionUnits,
} from './layout.ts';
import type { Page } from './page-pool.ts';
import type { Probe } from './probe.ts';
import type { VersionArena } from './version-arena.ts';
import { wordOffsetOf } from './version-arena.ts';
import { isKeyOf } from './version-codec.ts';

/** How many words one step of emptying pages looks at; the last version of a step may go beyond. */
const WORDS_PER_STEP = 16 * 1024;

const NONE = 0;

export class Shard {
  /** Its number. */
  readonly number: number;
  readonly index: HashIndex;
  readonly slots: KeySlots;
  readonly versions: VersionArena;
  readonly #longChains: LongChains;
  readonly #epochs: Epochs;

  constructor(
    number: number,
    parts: { readonly index: HashIndex; readonly slots: KeySlots; readonly versions: VersionArena },
    longChains: LongChains,
    epochs: Epochs,
  ) {
    this.#longChains = longChains;
    this.#epochs = epochs;
    this.number = number;
    this.index = parts.index;
    this.slots = parts.slots;
    this.versions = parts.versions;
  }

  /** The local id of the key in `probe`; 0: there is none. */
  find(probe: Probe): number {
    const { hash } = probe;
    const { index } = this;
    const segment = index.directory[(hash >>> SHARD_BITS) & index.depthMask]!;
    const words = index.table.words[(segment >>> SEGMENT_BITS) + 2]!;
    const base = segmentOffsetOf(segment);
    const tag = (hash >>> TAG_SHIFT) & TAG_MASK;
    for (let slot = hash >>> SEGMENT_SHIFT; ; slot = (slot + 1) & SEGMENT_MASK) {
      const word = words[base + slot]!;
      if (word === SLOT_EMPTY) return 0;
      if (word >>> LOCAL_ID_BITS !== tag) continue;
      const localId = word & LOCAL_ID_MASK;
      if (localId !== 0 && this.#isKeyOf(localId, probe)) return localId;
    }
  }

  #isKeyOf(localId: number, probe: Probe): boolean {
    const words = this.slots.table.words[(localId >>> SLOT_BITS) + 1]!;
    const offset = (localId & SLOT_MASK) * SLOT_WORDS;
    if ((words[offset + SLOT_HASH]! | 0) !== probe.hash) return false;
    const newest = words[offset + SLOT_NEWEST]!;
    return isKeyOf(this.versions.table.words[newest >>> UNIT_BITS]!, wordOffsetOf(newest), probe);
  }

  /** The words of the page in which a version lies. */
  wordsOf(reference: number): Uint32Array {
    return this.versions.table.words[reference >>> UNIT_BITS]!;
  }

  bytesOf(reference: number): Uint8Array {
    return this.versions.table.bytes[reference >>> UNIT_BITS]!;
  }

  pageOf(reference: number): Page {
    return this.versions.table.page(reference >>> UNIT_BITS);
  }

  previousOf(reference: number): number {
    return this.wordsOf(reference)[wordOffsetOf(reference) + VERSION_PREVIOUS]!;
  }

  /**
   * The newest version that is not above `revision`, of the chain that begins with `newest`; 0: there is none.
   */
  versionAt(localId: number, newest: number, revision: number): number {
    let each = newest;
    for (let hops = 0; each !== NONE; hops++) {
      const row = this.#rowAfter(hops, localId);
      if (row !== undefined) {
        const index = row.indexAt(revision);
        return index < 0 ? NONE : row.referenceAt(index);
      }
      const words = this.wordsOf(each);
      const offset = wordOffsetOf(each);
      if (revisionAt(words, offset) <= revision) return each;
      each = words[offset + VERSION_PREVIOUS]!;
    }
    return NONE;
  }

  /** The version of a key that came after `reference`; 0: it is the newest. */
  newerOf(localId: number, reference: number): number {
    let newer = NONE;
    let each = this.slots.newest(localId);
    for (let hops = 0; each !== reference; hops++) {
      assert(each !== NONE, 'a live version is in the chain of its key');
      const row = this.#rowAfter(hops, localId);
      if (row !== undefined) {
        const index = row.indexAt(revisionAt(this.wordsOf(reference), wordOffsetOf(reference)));
        return row.referenceAt(index + 1);
      }
      newer = each;
      each = this.previousOf(each);
    }
    return newer;
  }

  /** The row of a key's chain, if there is one. */
  existingRowOf(localId: number): ChainRow | undefined {
    return this.#longChains.isEmpty ? undefined : this.#longChains.rowOf(this.#idOf(localId));
  }

  /** The row of a key's chain, made if there was none. */
  rowOf(localId: number): ChainRow {
    const row = this.existingRowOf(localId);
    if (row !== undefined) return row;
    const revisions: number[] = [];
    const references: number[] = [];
    for (let each = this.slots.newest(localId); each !== NONE; each = this.previousOf(each)) {
      revisions.push(revisionAt(this.wordsOf(each), wordOffsetOf(each)));
      references.push(each);
    }
    return this.#longChains.begin(this.#idOf(localId), revisions, references);
  }

  /** The row of a chain that was followed so far down: one that is there soon, a new one later. */
  #rowAfter(hops: number, localId: number): ChainRow | undefined {
    if (hops === ROW_HOPS_MIN) return this.existingRowOf(localId);
    return hops === CHAIN_HOPS_MAX ? this.rowOf(localId) : undefined;
  }

  /** Makes the row of a chain that is long enough for one, before it is so long that this takes time. */
  prepareRow(localId: number): void {
    this.versionAt(localId, this.slots.newest(localId), 0);
  }

  /** Makes a version the newest of its key, for readers of other threads too. */
  publishNewest(localId: number, revision: number, reference: number): void {
    this.slots.publish(localId, reference);
    if (!this.#longChains.isEmpty) this.#longChains.push(this.#idOf(localId), revision, reference);
  }

  /** The versions of a key below `revision` are in its chain no longer. */
  cutBelow(localId: number, revision: number): void {
    if (!this.#longChains.isEmpty) this.#longChains.dropBelow(this.#idOf(localId), revision);
  }

  /** Makes `previous` the version before another one, for readers of other threads too. */
  publishPrevious(reference: number, previous: number): void {
    this.#epochs.publish(this.wordsOf(reference), wordOffsetOf(reference) + VERSION_PREVIOUS, previous);
  }

  /** Gives up a version to which nothing points any more. */
  drop(reference: number): void {
    const words = this.wordsOf(reference);
    const offset = wordOffsetOf(reference);
    words[offset + VERSION_FLAGS]! |= IS_DROPPED;
    this.versions.release(reference, versionUnits(words, offset));
  }

  /** Moves some versions out of sparse pages. @returns whether there is more to move. */
  moveSome(isThorough: boolean): boolean {
    let wordsLeft = WORDS_PER_STEP;
    while (this.versions.isWasteful(isThorough)) {
      if (wordsLeft <= 0) return true;
      const reference = this.versions.nextToMove();
      const words = this.wordsOf(reference);
      const offset = wordOffsetOf(reference);
      const units = versionUnits(words, offset);
      wordsLeft -= units * UNIT_WORDS;
      if ((words[offset + VERSION_FLAGS]! & IS_DROPPED) === 0) this.#move(reference, words, offset, units);
    }
    return false;
  }

  #move(reference: number, words: Uint32Array, offset: number, units: number): void {
    const moved = this.versions.allocate(units);
    const target = this.wordsOf(moved);
    const targetOffset = wordOffsetOf(moved);
    const count = units * UNIT_WORDS;
    // The link to the version before may change meanwhile only by this thread, so a plain copy is whole.
    for (let index = 0; index < count; index++) target[targetOffset + index] = words[offset + index]!;
    const localId = words[offset + VERSION_KEY]! & LOCAL_ID_MASK;
    const newer = this.newerOf(localId, reference);
    if (newer === NONE) this.slots.publish(localId, moved);
    else this.publishPrevious(newer, moved);
    const row = this.existingRowOf(localId);
    row?.replace(row.indexAt(revisionAt(words, offset)), moved);
    words[offset + VERSION_FLAGS]! |= IS_DROPPED;
    this.versions.release(reference, units);
  }

  #idOf(localId: number): number {
    return ((this.number << LOCAL_ID_BITS) | localId) >>> 0;
  }
}
