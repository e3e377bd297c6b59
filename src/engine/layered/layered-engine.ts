/**
 * `LayeredEngine`: the `Engine` contract over a `Base`, which has the state on disk at one revision. What is newer, and the older versions of
 * that, stand in memory above it (`layers.ts`); a checkpoint moves them down (`checkpoint.ts`).
 *
 * A method that asks the base may throw a `StoreError` of code `damaged` or `readFailed`; then nothing has changed.
 */
import { assert, isUnreadable } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { memoryOf } from '../../wire/memory.ts';
import type { WorkBudget } from '../../work-budget.ts';
import type { Clock } from '../../clock.ts';
import { KEY_BYTES_MAX } from '../engine.ts';
import type {
  DeadlineSums,
  Engine,
  EngineLoader,
  EngineRange,
  EngineStats,
  GroupOfKey,
  ScanOptions,
  Visit,
  VisitRead,
  VisitRow,
  Walk,
} from '../engine.ts';
import type { HashSeed } from '../memory/key-hash.ts';
import { NONE } from '../memory/layout.ts';
import { FETCHED_MAX } from '../memory/overwrites.ts';
import { isDeletedAt, readVersion } from '../memory/version-codec.ts';
import { PutOneByOne } from '../put-one-by-one.ts';
import type { PutRow } from '../put-row.ts';
import { PlacedChange, type Change, type Version } from '../version.ts';
import type { Base } from './base/base.ts';
import { LayeredState } from './checkpoint/checkpoint.ts';
import { DueKeys } from './due-keys.ts';
import { LayeredLoader } from './layered-loader.ts';
import { LayeredWalk } from './layered-walk.ts';
import { SPLIT_INTO } from './census/census.ts';
import { BASE, CURRENT, NOWHERE, PREVIOUS } from './layer.ts';
import { Layers, Newest } from './layers.ts';
import { Merge } from './merge.ts';
import { NewestState } from './newest-state.ts';

export interface LayeredEngineOptions {
  readonly clock: Clock;
  /** Two secret random 32-bit numbers, so that keys that collide can't be chosen. */
  readonly hashSeed?: HashSeed;
  /** Left out: all keys are in group 0. */
  readonly groupOf?: GroupOfKey;
  /** The longest slab of a generation; for tests. */
  readonly slabBytesMax?: number;
  /** What `DurableState.load` sorts in memory at a time. */
  readonly loadBytesMax?: number;
}

const ONE_GROUP: GroupOfKey = () => 0;
const DEFAULT_SEED: HashSeed = [0x4b656c70, 0x44427631];
const LOAD_BYTES_MAX = 64 * 1024 * 1024;

export class LayeredEngine implements Engine {
  readonly loader: EngineLoader;
  readonly durable: LayeredState;
  /** Public only for the parts of an engine, as is what follows. */
  readonly layers: Layers;
  readonly newestState: NewestState;
  readonly #due: DueKeys;
  readonly #newest = new Newest();
  readonly #merges: Merge[] = [];
  readonly #places: PlacedChange[] = [];
  readonly #putOneByOne = new PutOneByOne(this);
  readonly #walks = new Set<Walk>();

  /** Of no use before `open` is done, unless the base is empty. */
  constructor(base: Base, options: LayeredEngineOptions) {
    const { clock, hashSeed = DEFAULT_SEED, groupOf = ONE_GROUP, slabBytesMax } = options;
    this.layers = new Layers(base, { hashSeed, slabBytesMax });
    this.#due = new DueKeys(this.layers);
    this.newestState = new NewestState(this.layers, groupOf);
    this.durable = new LayeredState(this.layers, this.newestState, this.#due, {
      clock,
      groupOf,
      loadBytesMax: options.loadBytesMax ?? LOAD_BYTES_MAX,
    });
    this.loader = new LayeredLoader(this.layers, this.#newest, (change, newest) => this.#put(change, newest));
  }

  /** Takes over what the base has. Throws a `StoreError` of code `damaged`. */
  async open(): Promise<this> {
    await this.durable.open();
    return this;
  }

  get memoryBytes(): number {
    const { current, previous, base } = this.layers;
    return (
      current.memoryBytes +
      (previous?.memoryBytes ?? 0) +
      base.memoryBytes +
      this.newestState.census.memoryBytes
    );
  }

  get unpaidVisits(): number {
    const { base, paidReads } = this.layers;
    return (base.readCount - paidReads) * fixed.coldReadVisits + this.newestState.placeVisits;
  }

  get isWalked(): boolean {
    return this.#walks.size > 0;
  }

  read(key: Uint8Array, revision: number): Version | undefined {
    return this.#read(key, revision, true);
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    return this.#read(key, revision, false);
  }

  readPlaced(key: Uint8Array, revision: number, visit: VisitRead): void {
    this.#assertReadable(revision);
    const placed = this.#places.pop() ?? new PlacedChange();
    visit(this.#place(key, revision, placed));
    this.#places.push(placed);
  }

  readAll(keys: readonly Uint8Array[], count: number, revision: number, visit: VisitRow): void {
    this.#assertReadable(revision);
    const placed = this.#places.pop() ?? new PlacedChange();
    let isMore = true;
    for (let start = 0; start < count && isMore; start += FETCHED_MAX) {
      const end = Math.min(start + FETCHED_MAX, count);
      this.fetch(keys, start, end);
      for (let index = start; index < end && isMore; index++)
        isMore = visit(this.#place(keys[index] ?? NO_BYTES, revision, placed));
    }
    this.#places.push(placed);
  }

  fetch(keys: readonly Uint8Array[], start: number, end: number): void {
    this.layers.current.fetch(keys, start, end);
    this.layers.previous?.fetch(keys, start, end);
  }

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    this.#assertReadable(revision);
    const { reverse, budget } = options;
    const merge = this.#merges.pop() ?? new Merge(this.layers);
    try {
      merge.open(range, revision, reverse, true);
      for (let isStopped = false; merge.find(); merge.leave(budget)) {
        if (budget.visitsLeft <= 0 || isStopped) return merge.copyKey();
        budget.spendVisits(1);
        const version = merge.version();
        if (version !== undefined) isStopped = !visit(version);
      }
      return undefined;
    } finally {
      merge.close();
      this.#merges.push(merge);
    }
  }

  count(range: EngineRange): number {
    return Math.max(0, this.#rankOfEnd(range) - this.newestState.rank(range.start));
  }

  rank(range: EngineRange, key: Uint8Array): number {
    const end = range.end !== undefined && Buffer.compare(key, range.end) > 0 ? range.end : key;
    return Math.max(0, this.newestState.rank(end) - this.newestState.rank(range.start));
  }

  select(range: EngineRange, index: number): Uint8Array | undefined {
    assert(index >= 0, 'places are counted from 0');
    const before = this.newestState.rank(range.start);
    if (before + index >= this.#rankOfEnd(range)) return undefined;
    return this.newestState.select(before + index);
  }

  selectAll(indexes: Float64Array, budget: WorkBudget, visit: (key: Uint8Array) => void): number {
    return this.newestState.selectAll(indexes, budget, visit);
  }

  rankAll(keys: readonly Uint8Array[], budget: WorkBudget, visit: (rank: number) => void): number {
    return this.newestState.rankAll(keys, budget, visit);
  }

  get selectVisits(): number {
    return SPLIT_INTO;
  }

  apply(change: Change): void {
    const { layers } = this;
    const newest = this.#newest;
    const { key, revision } = change;
    assert(key.length >= 1 && key.length <= KEY_BYTES_MAX, 'a key has 1 to 65535 bytes');
    layers.findNewest(key, newest);
    assert(revision > newest.revision, 'the revisions of a key ascend');
    assert(revision >= layers.newestRevision, 'revisions ascend');
    this.#put(change, newest);
  }

  /** Applies a change whose newest version was found. All that may fail comes before anything is changed. */
  #put(change: Change, newest: Newest): void {
    const { layers, newestState } = this;
    const { current, previous } = layers;
    const { key } = change;
    const isOfCurrent = newest.layer !== NOWHERE && newest.layer !== BASE && newest.layer !== PREVIOUS;
    const hides = change.deleted && (isOfCurrent ? layers.isLiveBelow(key) : newest.isLive);
    const hiding = this.#hidingLayer(change, newest, isOfCurrent, hides);
    current.apply(isOfCurrent ? newest.reference : NONE, change, hides);
    layers.newestRevision = change.revision;
    if (newest.deadlineMs !== 0) {
      if (newest.layer === PREVIOUS) previous?.leaveDeadline(newest.reference);
      else if (newest.layer === BASE) this.#due.noteChange(newest.deadlineMs);
    }
    if (!change.deleted && !newest.isLive && !layers.gaps.isEmpty) layers.gaps.cut(key);
    newestState.replace(change, newest, hiding);
  }

  /** The layer whose deletion hides the key of a change that makes it dead, or that has hidden it if the change brings it back. */
  #hidingLayer({ key, deleted }: Change, newest: Newest, isOfCurrent: boolean, hides: boolean): number {
    if (deleted !== newest.isLive || newest.layer === NOWHERE) return NOWHERE;
    const isHidden = deleted ? hides : isOfCurrent && this.layers.current.isHiding(newest.reference);
    return isHidden ? CURRENT : this.layers.hidingBelow(key);
  }

  putAll(row: PutRow): number {
    const { current, newestRevision } = this.layers;
    const count = row.length;
    assert(row.firstRevision >= newestRevision, 'revisions ascend');
    for (let start = 0; start < count; start += FETCHED_MAX) {
      const end = Math.min(start + FETCHED_MAX, count);
      // A version with a kind has extras: none that is written over by straight code.
      const isPlain = row.kind === 0;
      if (isPlain) current.fetchRow(row, start, end);
      for (let index = start; index < end; index++) {
        const bytesBefore = isPlain ? current.overwrite(row, index, index - start) : -1;
        if (bytesBefore !== -1) {
          this.layers.newestRevision = row.firstRevision + index;
          this.newestState.dataBytes += (row.values[index]?.length ?? 0) - bytesBefore;
        } else if (!this.#putOne(row, index)) return index;
      }
    }
    return count;
  }

  /** What can't be read of the base ends the row before the put, which is told of it when it is put by itself. */
  #putOne(row: PutRow, index: number): boolean {
    try {
      return this.#putOneByOne.put(row, index);
    } catch (error) {
      if (isUnreadable(error)) return false;
      throw error;
    }
  }

  forget(range: EngineRange, limit: number): number {
    assert(!this.isWalked, 'nothing is forgotten while a walk is open');
    const forgotten = this.newestState.forget(range, limit);
    this.#due.begin();
    return forgotten;
  }

  openWalk(oldest: number, newest: number): Walk {
    assert(oldest === newest, 'a durable engine walks over one revision');
    this.#assertReadable(oldest);
    const walk = new LayeredWalk(this, oldest, () => this.#walks.delete(walk));
    this.#walks.add(walk);
    return walk;
  }

  compact(revision: number): void {
    const { layers } = this;
    layers.compactRevision = Math.max(revision, layers.compactRevision);
    for (const generation of [layers.current, layers.previous])
      if (generation !== undefined) generation.keyspace.compactRevision = layers.compactRevision;
  }

  maintain(isThorough = false): boolean {
    const { current, previous } = this.layers;
    const isMoreOfCurrent = current.maintain(isThorough);
    const isMoreOfPrevious = previous?.maintain(isThorough) ?? false;
    const isMoreOfCensus = this.layers.census.tidy();
    return this.#due.maintain() || isMoreOfCurrent || isMoreOfPrevious || isMoreOfCensus;
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    return this.#due.due(nowMs, limit);
  }

  nextDeadlineMs(): number | undefined {
    return this.#due.next();
  }

  deadlineSums(group: number): DeadlineSums {
    return this.newestState.deadlines.sums(group);
  }

  stats(): EngineStats {
    return this.newestState.stats();
  }

  #read(key: Uint8Array, revision: number, withValue: boolean): Version | undefined {
    this.#assertReadable(revision);
    const { layers } = this;
    const { lookup } = layers;
    const keyspace = layers.seek(key, revision);
    if (keyspace !== undefined) {
      const { memory, at } = keyspace;
      if (isDeletedAt(memory.words, at)) return undefined;
      return readVersion(memory, at, keyspace.longValues, undefined, withValue);
    }
    if (layers.isHiddenBelow(key)) return undefined;
    if (!withValue) return lookup.find(key) ? versionOf(lookup.placed, NO_BYTES) : undefined;
    const placed = this.#places.pop() ?? new PlacedChange();
    const version = lookup.read(key, placed) ? versionOf(placed, placed.copyValue()) : undefined;
    this.#places.push(placed);
    return version;
  }

  /** The version of a key at a revision, as `placed`. What lies in the base is copied: a visitor may read, too. */
  #place(key: Uint8Array, revision: number, placed: PlacedChange): PlacedChange | undefined {
    const { layers } = this;
    const keyspace = layers.seek(key, revision);
    if (keyspace !== undefined)
      return isDeletedAt(keyspace.memory.words, keyspace.at) ? undefined : keyspace.show(placed);
    if (layers.isHiddenBelow(key) || !layers.lookup.read(key, placed)) return undefined;
    moveOut(placed, placed.copyKey(), placed.copyValue());
    return placed;
  }

  #rankOfEnd({ end }: EngineRange): number {
    return end === undefined ? this.newestState.census.keyCount : this.newestState.rank(end);
  }

  #assertReadable(revision: number): void {
    assert(revision >= this.layers.compactRevision, 'no read goes below the revision of the compaction');
  }
}

/** Has key and value of a change lie elsewhere. */
function moveOut(placed: PlacedChange, key: Uint8Array, value: Uint8Array): void {
  placed.keyMemory = memoryOf(key);
  placed.keyStart = key.byteOffset;
  placed.keyEnd = key.byteOffset + key.length;
  placed.valueMemory = memoryOf(value);
  placed.valueStart = value.byteOffset;
  placed.valueEnd = value.byteOffset + value.length;
}

function versionOf(placed: PlacedChange, value: Uint8Array): Version {
  const { revision, kind, collectionId, createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs } =
    placed;
  return {
    revision,
    value,
    kind,
    collectionId,
    createRevision,
    modRevision,
    version,
    leaseId,
    ttlMs,
    expireTimeMs,
  };
}
