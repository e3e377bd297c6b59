/**
 * `Layers`: what a layered engine is made of, and the newest version of a key across it.
 *
 * | layer    | what it holds                                                                                   |
 * | -------- | ----------------------------------------------------------------------------------------------- |
 * | current  | the versions above the last seal                                                                 |
 * | previous | while a checkpoint is under way: those above the base's revision and up to the seal; it changes no more |
 * | base     | the state at one revision, one version for each key                                              |
 *
 * Invariants:
 *
 * - The version of a key at a revision that may be read is in the highest layer that has one at or below that revision; a layer that
 *   has none says nothing. For: revisions ascend from the base on upwards, and what compaction dropped from a layer it dropped because a
 *   newer version of the same layer is seen instead, or a deletion below which no layer has the key.
 * - A deletion hides (`Fields.hides`) exactly when the key was there, in the newest state, in the layers below its own.
 * - A deadline in the index of a generation is that of the newest version of its key in all layers.
 * - While there is a previous generation, keys of `forgotten` are shown of no layer but the current one: it has them, and the flush that
 *   was begun before they were forgotten brings them into the base again (`checkpoint.ts`), which is then told to hide them.
 */
import type { Keyspace } from '../memory/keyspace.ts';
import { NONE, revisionAt } from '../memory/layout.ts';
import { Slabs } from '../memory/slabs.ts';
import { deadlineAt, isDeletedAt, leaseAt, storedBytesAt } from '../memory/version-codec.ts';
import type { PlacedChange } from '../version.ts';
import type { Base } from './base/base.ts';
import { BaseLookup } from './base/base-lookup.ts';
import { BaseReads } from './base/base-reads.ts';
import { Census } from './census/census.ts';
import { DeadGaps } from './dead-gaps.ts';
import { BASE, CURRENT, NOWHERE, PREVIOUS } from './layer.ts';
import { Generation, type GenerationOptions } from './generation/generation.ts';
import { RangeSet } from '../range-set.ts';

/** What is known of the newest version of a key; one object serves for one key after the other. */
export class Newest {
  layer: number = NOWHERE;
  /** In the layer, if it is a generation. */
  reference = NONE;
  /** Whether the key exists. */
  isLive = false;
  revision = 0;
  valueBytes = 0;
  leaseId = 0;
  deadlineMs = 0;

  clear(): void {
    this.layer = NOWHERE;
    this.reference = NONE;
    this.isLive = false;
    this.revision = this.valueBytes = this.leaseId = this.deadlineMs = 0;
  }

  takeBlock(layer: number, { keyspace }: Generation, reference: number): void {
    const words = keyspace.blocks.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    this.layer = layer;
    this.reference = reference;
    this.isLive = !isDeletedAt(words, at);
    this.revision = revisionAt(words, at);
    this.valueBytes = storedBytesAt(words, at);
    this.leaseId = leaseAt(words, at);
    this.deadlineMs = deadlineAt(words, at);
  }

  /** Of the base. */
  takePlaced(placed: PlacedChange): void {
    this.layer = BASE;
    this.isLive = true;
    this.revision = placed.revision;
    this.valueBytes = placed.valueEnd - placed.valueStart;
    this.leaseId = placed.leaseId;
    this.deadlineMs = placed.expireTimeMs;
  }
}

export class Layers {
  readonly base: Base;
  /** What calls read of the base goes through it. */
  readonly reads: BaseReads;
  readonly lookup: BaseLookup;
  current: Generation;
  /** What is sealed and not committed yet. */
  previous: Generation | undefined;
  /** Since the last seal. */
  forgotten = new RangeSet();
  readonly gaps = new DeadGaps();
  /** Of the newest state. */
  census = new Census();
  compactRevision = 0;
  newestRevision: number;
  /** The reads of the base that scans have paid for. */
  paidReads = 0;
  readonly #options: GenerationOptions;

  constructor(base: Base, options: GenerationOptions) {
    this.base = base;
    this.reads = new BaseReads(base);
    this.lookup = new BaseLookup(this.reads);
    this.#options = options;
    this.current = new Generation(options);
    this.newestRevision = base.revision;
  }

  /** The newest version of a key. The key is that of the next `apply` to the current generation. */
  findNewest(key: Uint8Array, newest: Newest): void {
    const { current } = this;
    const reference = current.find(key);
    if (reference === NONE) this.findBelow(key, newest);
    else newest.takeBlock(CURRENT, current, reference);
  }

  /** The newest version of a key below the current generation. */
  findBelow(key: Uint8Array, newest: Newest): void {
    newest.clear();
    const { previous, lookup } = this;
    if (previous !== undefined) {
      if (this.forgotten.has(key)) return;
      const reference = previous.find(key);
      if (reference !== NONE) {
        newest.takeBlock(PREVIOUS, previous, reference);
        return;
      }
    }
    if (lookup.find(key)) newest.takePlaced(lookup.placed);
  }

  /** Goes to the version of a key at a revision in the generations. @returns that which has one; `undefined`: only the base may. */
  seek(key: Uint8Array, revision: number): Keyspace | undefined {
    const { current, previous } = this;
    const reference = current.find(key);
    if (reference !== NONE && current.keyspace.seek(reference, revision)) return current.keyspace;
    if (previous === undefined || this.forgotten.has(key)) return undefined;
    const before = previous.find(key);
    return before !== NONE && previous.keyspace.seek(before, revision) ? previous.keyspace : undefined;
  }

  /** Whether a key is hidden in the layers below the current one, whatever the base says: it may be about to bring it back. */
  isHiddenBelow(key: Uint8Array): boolean {
    return this.previous !== undefined && this.forgotten.has(key);
  }

  /** Whether a key exists below the current generation. */
  isLiveBelow(key: Uint8Array): boolean {
    const { previous } = this;
    if (previous !== undefined) {
      if (this.forgotten.has(key)) return false;
      const reference = previous.find(key);
      if (reference !== NONE) return !this.#isDeleted(previous, reference);
    }
    return this.lookup.find(key);
  }

  /** The layer below the current one whose deletion hides a key there: `PREVIOUS`, or `NOWHERE`. */
  hidingBelow(key: Uint8Array): number {
    const { previous } = this;
    if (previous === undefined || this.forgotten.has(key)) return NOWHERE;
    const reference = previous.find(key);
    return reference !== NONE && previous.isHiding(reference) ? PREVIOUS : NOWHERE;
  }

  /** Whether a generation says something of the newest version of a key. */
  isAboveBase(key: Uint8Array): boolean {
    return (
      this.current.find(key) !== NONE || (this.previous !== undefined && this.previous.find(key) !== NONE)
    );
  }

  /** A new generation lies above the current one from now on. */
  push(): void {
    this.previous = this.current;
    this.current = new Generation(this.#options);
    this.current.keyspace.compactRevision = this.compactRevision;
    this.forgotten = new RangeSet();
  }

  /** The base has taken in the previous generation. */
  dropPrevious(): void {
    this.previous = undefined;
    this.lookup.forget();
    // What was hidden is gone from the base, unless that has to step over it.
    if (!this.base.hasDeletions) this.gaps.clear();
  }

  newGeneration(): Generation {
    return new Generation(this.#options);
  }

  #isDeleted({ keyspace }: Generation, reference: number): boolean {
    return isDeletedAt(keyspace.blocks.wordsAt(reference), Slabs.wordOf(reference));
  }
}
