/**
 * Goes over the keys of all layers in their order, or against it, and finds the version of each at one revision. Used within one turn,
 * in which no layer changes; a visitor may go over others meanwhile.
 *
 * Keys that do not exist come up only where a deletion hides what lies below. Those of a gap (`dead-gaps.ts`) are passed over at once, and
 * where many come one behind the other in the newest state, that is noted as a gap. So are those of buckets of the census that have no live
 * key: between two live keys of the newest state at most those of two buckets are looked at.
 */
import { copyOut } from '../byte-pool.ts';
import type { EngineRange } from '../engine.ts';
import { NONE } from '../memory/layout.ts';
import { isDeletedAt } from '../memory/version-codec.ts';
import { PlacedChange } from '../version.ts';
import { memoryOf } from '../../wire/memory.ts';
import { fixed } from '../../limits.ts';
import type { WorkBudget } from '../../work-budget.ts';
import { type BaseCursor, DELETED_PER_STEP } from './base/base.ts';
import type { Generation } from './generation/generation.ts';
import { GenerationCursor } from './generation/generation-cursor.ts';
import { behindKey } from './dead-gaps.ts';
import { compareKeys } from './key-order.ts';
import { BASE, CURRENT, NOWHERE, PREVIOUS } from './layer.ts';
import type { Layers, Newest } from './layers.ts';

/** The census is asked at the first of the keys that do not exist, and then at each after so many. */
const DEAD_PER_LOOK = 16;

const ALL: EngineRange = { start: new Uint8Array(0), end: undefined };

export class Merge {
  /** The layers that have the key, of `CURRENT`, `PREVIOUS` and `BASE`. */
  layers = NOWHERE;
  /** Where the key lies. */
  keyBytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  readonly #layers: Layers;
  readonly #current = new GenerationCursor();
  readonly #previous = new GenerationCursor();
  #base: BaseCursor | undefined;
  #hasBase = false;
  /** What the base has next. */
  readonly basePlaced = new PlacedChange();
  readonly #placed = new PlacedChange();
  #revision = 0;
  #sign = 1;
  #range: EngineRange = ALL;
  #deadRevision = 0;
  #withValues = false;
  /** Whether gaps are passed over. */
  #skipsGaps = false;
  #isLive = false;
  /** Where the keys begin that were left last and do not exist (with the first of them, or behind it), and how many they are. */
  #deadFrom: Uint8Array | undefined;
  #deadCount = 0;

  constructor(layers: Layers) {
    this.#layers = layers;
  }

  /**
   * Goes before the first key, in the order that is asked for. It is closed when it is of no use any more, whatever happens.
   * @param deadRevision keys that were deleted after this revision are not passed over.
   */
  open(
    range: EngineRange,
    revision: number,
    isReverse: boolean,
    withValues: boolean,
    deadRevision = revision,
  ): void {
    this.#revision = revision;
    this.#sign = isReverse ? -1 : 1;
    this.#withValues = withValues;
    this.#skipsGaps = deadRevision === revision;
    this.#openCursors(range, deadRevision);
  }

  close(): void {
    if (this.layers !== NOWHERE) this.#endDeadAtKey();
    this.#deadFrom = undefined;
    this.#deadCount = 0;
    this.layers = NOWHERE;
    this.#closeCursors();
  }

  /** Goes to the next key. @returns whether there is one. */
  find(): boolean {
    let found = NOWHERE;
    const current = this.#current;
    const previous = this.#previous;
    if (current.reference !== NONE) {
      found = CURRENT;
      this.#takeKey(current.keyBytes, current.keyStart, current.keyEnd);
    }
    if (previous.reference !== NONE) {
      const { keyBytes, keyStart, keyEnd } = previous;
      const order = found === NOWHERE ? -1 : this.#order(keyBytes, keyStart, keyEnd);
      if (order === 0) found |= PREVIOUS;
      else if (order < 0) {
        found = PREVIOUS;
        this.#takeKey(keyBytes, keyStart, keyEnd);
      }
    }
    if (this.#hasBase) {
      const { keyMemory, keyStart, keyEnd } = this.basePlaced;
      const order = found === NOWHERE ? -1 : this.#order(keyMemory.bytes, keyStart, keyEnd);
      if (order === 0) found |= BASE;
      else if (order < 0) {
        found = BASE;
        this.#takeKey(keyMemory.bytes, keyStart, keyEnd);
      }
    }
    this.layers = found;
    if (found !== NOWHERE) return true;
    this.#endDead(this.#sign > 0 ? this.#range.end : this.#range.start);
    return false;
  }

  /** The version of the key that was found; `undefined`: it does not exist at the revision. */
  version(): PlacedChange | undefined {
    const version = this.#version();
    this.#isLive = version !== undefined;
    return version;
  }

  #version(): PlacedChange | undefined {
    const { current, previous } = this.#layers;
    const found = this.layers;
    if ((found & CURRENT) !== 0 && current.keyspace.seek(this.#current.reference, this.#revision))
      return this.#show(current);
    if (
      (found & PREVIOUS) !== 0 &&
      previous !== undefined &&
      previous.keyspace.seek(this.#previous.reference, this.#revision)
    )
      return this.#show(previous);
    return this.isInBase ? this.basePlaced : undefined;
  }

  /** The newest version of the key in the layers below the current generation. */
  takeBelow(newest: Newest): void {
    const { previous } = this.#layers;
    newest.clear();
    if ((this.layers & PREVIOUS) !== 0 && previous !== undefined)
      newest.takeBlock(PREVIOUS, previous, this.#previous.reference);
    else if (this.isInBase) newest.takePlaced(this.basePlaced);
  }

  /** Whether the base has the key, as `basePlaced`. */
  get isInBase(): boolean {
    return (this.layers & BASE) !== 0 && !this.basePlaced.deleted;
  }

  /** Whether the key, which does not exist in the newest state, may still be read at an older revision. */
  get isDeletionSeen(): boolean {
    const { current, previous, compactRevision } = this.#layers;
    if (this.layers === BASE) return false;
    const generation = (this.layers & CURRENT) !== 0 ? current : previous;
    const { reference } = generation === current ? this.#current : this.#previous;
    return generation !== undefined && generation.revisionOf(reference) > compactRevision;
  }

  /** The layer whose deletion hides the key, which does not exist in the newest state; `NOWHERE`: none does. */
  get hidingLayer(): number {
    const { current, previous } = this.#layers;
    const found = this.layers;
    if ((found & CURRENT) !== 0 && current.isHiding(this.#current.reference)) return CURRENT;
    const isSealed = (found & PREVIOUS) !== 0 && previous?.isHiding(this.#previous.reference) === true;
    return isSealed ? PREVIOUS : NOWHERE;
  }

  /** Below 0 when the key that was found comes before another one in the order of bytes. */
  compareTo(key: Uint8Array): number {
    return compareKeys(this.keyBytes, this.keyStart, this.keyEnd, key, 0, key.length);
  }

  copyKey(): Uint8Array {
    return copyOut(memoryOf(this.keyBytes), this.keyStart, this.keyEnd - this.keyStart);
  }

  /** Leaves the key that was found. @param budget pays for what is passed over and for reads of the disk. */
  leave(budget: WorkBudget | undefined): void {
    if (!this.#isLive) {
      if (this.#leaveDead(budget)) return;
    } else this.#endDeadAtKey();
    const found = this.layers;
    if ((found & CURRENT) !== 0) this.#current.advance(budget);
    if ((found & PREVIOUS) !== 0) this.#previous.advance(budget);
    if ((found & BASE) !== 0) this.#nextOfBase(budget);
    if ((found & ~CURRENT) !== 0) this.#skipForgotten(budget);
  }

  #openCursors(range: EngineRange, deadRevision: number): void {
    const { current, previous, reads } = this.#layers;
    const isReverse = this.#sign < 0;
    this.#range = range;
    this.#deadRevision = deadRevision;
    this.#current.open(current, range, deadRevision, isReverse);
    if (previous !== undefined) this.#previous.open(previous, range, deadRevision, isReverse);
    const isEmpty = range.end !== undefined && Buffer.compare(range.start, range.end) >= 0;
    if (isEmpty) return;
    this.#base = reads.cursor(range, isReverse, this.#withValues);
    this.#hasBase = this.#base.next(this.basePlaced);
    this.#skipForgotten(undefined);
  }

  #closeCursors(): void {
    this.#current.close();
    this.#previous.close();
    const base = this.#base;
    this.#base = undefined;
    this.#hasBase = false;
    base?.close();
  }

  /** The key that was found does not exist. @returns whether it was left with the gap or the empty buckets that it lies in. */
  #leaveDead(budget: WorkBudget | undefined): boolean {
    const { gaps, newestRevision } = this.#layers;
    if (!this.#skipsGaps) return false;
    const gap = gaps.isEmpty ? undefined : gaps.at(this.#keyHere(), this.#revision);
    if (gap !== undefined) {
      this.#endDead(this.#sign > 0 ? gap.start : gap.end);
      this.#goOnAt(this.#sign > 0 ? gap.end : gap.start, budget);
      return true;
    }
    if (this.#revision < newestRevision) return false;
    this.#deadFrom ??= this.#sign > 0 ? this.copyKey() : behindKey(this.#keyHere());
    const isLook = this.#deadCount % DEAD_PER_LOOK === 0;
    this.#deadCount += this.isDeletedInBase ? DELETED_PER_STEP : 1;
    if (!isLook) return false;
    const empty = this.#layers.census.passEmpty(this.#keyHere(), this.#sign < 0);
    if (empty === undefined) return false;
    const bound = empty.bound ?? this.#range.end;
    this.#endDead(bound);
    this.#goOnAt(bound, budget);
    return true;
  }

  /** Passes over what lies before a bound, in the order of the scan. @param bound where it goes on, or before; `undefined`: there is nothing more. */
  #goOnAt(bound: Uint8Array | undefined, budget: WorkBudget | undefined): void {
    budget?.spendVisits(fixed.coldReadVisits);
    const { start, end } = this.#range;
    this.#closeCursors();
    if (bound === undefined) return;
    const from = this.#layers.gaps.behind(bound, this.#revision, this.#sign < 0);
    // What follows touches what was passed over.
    if (this.#revision >= this.#layers.newestRevision) this.#deadFrom = from;
    this.#openCursors(this.#sign > 0 ? { start: from, end } : { start, end: from }, this.#deadRevision);
  }

  /** The keys that do not exist end with the one before the key that was found. */
  #endDeadAtKey(): void {
    if (this.#deadFrom === undefined) return;
    const key = this.#keyHere();
    this.#endDead(this.#sign > 0 ? key : behindKey(key));
  }

  /** The keys that do not exist reach up to a bound, or down to it; `undefined`: that is not known. */
  #endDead(bound: Uint8Array | undefined): void {
    const [from, count] = [this.#deadFrom, this.#deadCount];
    this.#deadFrom = undefined;
    this.#deadCount = 0;
    if (from === undefined || bound === undefined) return;
    const [start, end] = this.#sign > 0 ? [from, bound] : [bound, from];
    if (Buffer.compare(start, end) >= 0) return;
    this.#layers.gaps.note({
      // The bound may be the caller's.
      start: start.slice(),
      end: end.slice(),
      // Not that of the last deletion: there may be later ones of keys that came and went, which did not even come up.
      revision: this.#layers.newestRevision,
      count,
    });
  }

  #keyHere(): Uint8Array {
    return this.keyBytes.subarray(this.keyStart, this.keyEnd);
  }

  /** Whether the key is there only as one of many that the base has stepped over. */
  get isDeletedInBase(): boolean {
    return this.layers === BASE && this.basePlaced.deleted;
  }

  #nextOfBase(budget: WorkBudget | undefined): void {
    const { base } = this.#layers;
    const { readCount } = base;
    this.#hasBase = this.#base?.next(this.basePlaced) ?? false;
    if (this.#hasBase && this.basePlaced.deleted) budget?.spendVisits(DELETED_PER_STEP);
    const reads = base.readCount - readCount;
    if (reads === 0 || budget === undefined) return;
    budget.spendVisits(reads * fixed.coldReadVisits);
    this.#layers.paidReads += reads;
  }

  /** Passes over keys that are forgotten below the current generation. */
  #skipForgotten(budget: WorkBudget | undefined): void {
    const { forgotten, previous } = this.#layers;
    if (previous === undefined || forgotten.isEmpty) return;
    const cursor = this.#previous;
    while (cursor.reference !== NONE) {
      const range = forgotten.holding(cursor.keyBytes.subarray(cursor.keyStart, cursor.keyEnd));
      if (range === undefined) break;
      budget?.spendVisits(1);
      this.#leap(previous, range);
    }
    while (this.#hasBase && forgotten.has(this.basePlaced.key)) this.#nextOfBase(budget);
  }

  /** Goes on in the previous generation at the other side of a range, in one step: a sweep forgets by and by, and comes here each time. */
  #leap(previous: Generation, { start, end }: EngineRange): void {
    const isReverse = this.#sign < 0;
    const range = this.#range;
    // Where nothing is left, an empty one.
    const rest = isReverse
      ? { start: range.start, end: start }
      : { start: end ?? start, end: end === undefined ? start : range.end };
    this.#previous.open(previous, rest, this.#deadRevision, isReverse);
  }

  #show({ keyspace }: Generation): PlacedChange | undefined {
    return isDeletedAt(keyspace.memory.words, keyspace.at) ? undefined : keyspace.show(this.#placed);
  }

  /** Below 0 when a key comes before the one that was taken. */
  #order(bytes: Uint8Array, start: number, end: number): number {
    return this.#sign * compareKeys(bytes, start, end, this.keyBytes, this.keyStart, this.keyEnd);
  }

  #takeKey(bytes: Uint8Array, start: number, end: number): void {
    this.keyBytes = bytes;
    this.keyStart = start;
    this.keyEnd = end;
  }
}
