/**
 * `MemoryEngine`: the `Engine` contract in plain memory, without a JavaScript object for a key. What is kept, and how it is
 * changed, is the matter of the `Keyspace`; here are the ways to look at it.
 */
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { WorkBudget } from '../../work-budget.ts';
import { KEY_BYTES_MAX } from '../engine.ts';
import type {
  CompressedSums,
  DeadlinePlaces,
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
import { PutOneByOne } from '../put-one-by-one.ts';
import type { PutRow } from '../put-row.ts';
import { PlacedChange, type Change, type Version } from '../version.ts';
import { copyKey } from './block-keys.ts';
import { CompressedValues, type ValueCodec } from './compressed-values.ts';
import type { HashSeed } from './key-hash.ts';
import { Keyspace } from './keyspace.ts';
import { NONE, UNIT_BITS, UNIT_MASK, revisionAt } from './layout.ts';
import { MemoryLoader } from './memory-loader.ts';
import { ENTRIES_MAX } from './order/node.ts';
import { Path } from './order/tree.ts';
import { FETCHED_MAX, Overwrites } from './overwrites.ts';
import { Slabs } from './slabs.ts';
import { readVersion } from './version-codec.ts';
import { SlabWalk } from './walk.ts';

interface MemoryEngineOptions {
  /** Two secret random 32-bit numbers, so that keys that collide can't be chosen. */
  readonly hashSeed?: HashSeed;
  /** Left out: all keys are in group 0. */
  readonly groupOf?: GroupOfKey;
  /** The longest slab; for tests. */
  readonly slabBytesMax?: number;
  /** Left out: values are kept as they are. */
  readonly valueCodec?: ValueCodec | undefined;
}

const ONE_GROUP: GroupOfKey = () => 0;
const DEFAULT_SEED: HashSeed = [0x4b656c70, 0x44427631];

/** The entries of the undo ring that one `maintain` drops. */
const DROPPED_PER_STEP = 256;
/** While there is more to drop, only each step after so many moves blocks: most may be of keys that are about to be dropped. */
const DROPS_IN_A_ROW = 15;

/** What a scan needs for itself: a visitor may scan, too. */
class ScanState {
  readonly path = new Path();
  readonly references = new Int32Array(ENTRIES_MAX);
  readonly placed = new PlacedChange();
  /** The range ends in the leaf that was read. */
  isAtEnd = false;
}

export class MemoryEngine implements Engine {
  readonly loader: EngineLoader;
  /** Public only for those that look whether it holds together. */
  readonly keyspace: Keyspace;
  readonly #states: ScanState[] = [];
  readonly #overwrites: Overwrites;
  readonly #putOneByOne = new PutOneByOne(this);
  readonly #hashes = new Int32Array(FETCHED_MAX);
  readonly #fetched = new Int32Array(FETCHED_MAX);
  #dropsInARow = 0;

  constructor({
    hashSeed = DEFAULT_SEED,
    groupOf = ONE_GROUP,
    slabBytesMax,
    valueCodec,
  }: MemoryEngineOptions = {}) {
    const compressed = valueCodec && new CompressedValues(valueCodec);
    this.keyspace = new Keyspace(hashSeed, groupOf, slabBytesMax, compressed);
    this.loader = new MemoryLoader(this.keyspace);
    this.#overwrites = new Overwrites(this.keyspace, hashSeed);
  }

  get memoryBytes(): number {
    return this.keyspace.memoryBytes;
  }

  /** It has no disk; to unpack a value takes as long as a read of one. Ranks stand in its index. */
  get unpaidVisits(): number {
    return (this.keyspace.compressed?.unpackedCount ?? 0) * fixed.coldReadVisits;
  }

  get compressed(): CompressedSums | undefined {
    return this.keyspace.compressed;
  }

  get isWalked(): boolean {
    return this.keyspace.walks.size > 0;
  }

  read(key: Uint8Array, revision: number): Version | undefined {
    return this.#read(key, revision, true);
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    return this.#read(key, revision, false);
  }

  readPlaced(key: Uint8Array, revision: number, visit: VisitRead): void {
    this.#assertReadable(revision);
    const { keyspace } = this;
    const state = this.#states.pop() ?? new ScanState();
    keyspace.probe.set(key);
    const reference = keyspace.find();
    visit(reference !== NONE && keyspace.goTo(reference, revision) ? keyspace.show(state.placed) : undefined);
    this.#states.push(state);
  }

  readAll(keys: readonly Uint8Array[], count: number, revision: number, visit: VisitRow): void {
    this.#assertReadable(revision);
    const { keyspace } = this;
    const state = this.#states.pop() ?? new ScanState();
    let isMore = true;
    for (let start = 0; start < count && isMore; start += FETCHED_MAX) {
      const end = Math.min(start + FETCHED_MAX, count);
      this.fetch(keys, start, end);
      for (let index = start; index < end && isMore; index++) {
        const reference = this.#findFetched(keys[index]!, index - start);
        const isThere = reference !== NONE && keyspace.goTo(reference, revision);
        isMore = visit(isThere ? keyspace.show(state.placed) : undefined);
      }
    }
    this.#states.push(state);
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

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    this.#assertReadable(revision);
    const state = this.#states.pop() ?? new ScanState();
    const next = this.#scan(state, range, revision, options, visit);
    this.#states.push(state);
    return next === NONE ? undefined : copyKey(this.keyspace.blocks, next);
  }

  count(range: EngineRange): number {
    return Math.max(0, this.#rankOfEnd(range) - this.#rankOf(range.start));
  }

  rank(range: EngineRange, key: Uint8Array): number {
    const end = range.end !== undefined && Buffer.compare(key, range.end) > 0 ? range.end : key;
    return Math.max(0, this.#rankOf(end) - this.#rankOf(range.start));
  }

  select(range: EngineRange, index: number): Uint8Array | undefined {
    assert(index >= 0, 'places are counted from 0');
    const before = this.#rankOf(range.start);
    if (before + index >= this.#rankOfEnd(range)) return undefined;
    const { blocks, keys } = this.keyspace;
    return copyKey(blocks, keys.select(before + index));
  }

  selectAll(indexes: Float64Array, _budget: WorkBudget, visit: (key: Uint8Array) => void): number {
    const { blocks, keys } = this.keyspace;
    for (const index of indexes) visit(copyKey(blocks, keys.select(index)));
    return indexes.length;
  }

  rankAll(keys: readonly Uint8Array[], _budget: WorkBudget, visit: (rank: number) => void): number {
    for (const key of keys) visit(this.#rankOf(key));
    return keys.length;
  }

  get selectVisits(): number {
    return fixed.selectVisits;
  }

  apply(change: Change): void {
    const { key, value, revision } = change;
    assert(key.length >= 1 && key.length <= KEY_BYTES_MAX, 'a key has 1 to 65535 bytes');
    const { blocks, probe, newestRevision } = this.keyspace;
    probe.set(key);
    const reference = this.keyspace.find();
    const before = reference === NONE ? 0 : revisionAt(blocks.wordsAt(reference), Slabs.wordOf(reference));
    assert(revision > before, 'the revisions of a key ascend');
    assert(revision >= newestRevision, 'revisions ascend');
    this.keyspace.take(change, value.length);
    this.keyspace.put(reference, this.keyspace.hash());
    this.keyspace.writeValue(change);
  }

  putAll(row: PutRow): number {
    const count = row.length;
    assert(row.firstRevision >= this.keyspace.newestRevision, 'revisions ascend');
    // A version with a kind has extras: none that is written over by straight code.
    if (row.kind !== 0) return this.#putOneByOne.putAll(row);
    for (let start = 0; start < count; start += FETCHED_MAX) {
      const end = Math.min(start + FETCHED_MAX, count);
      this.#overwrites.fetch(row, start, end);
      for (let index = start; index < end; index++) {
        if (this.#overwrites.put(row, index, index - start)) continue;
        if (!this.#putOneByOne.put(row, index)) return index;
      }
    }
    return count;
  }

  forget(range: EngineRange, limit: number): number {
    const { keys, probe, walks } = this.keyspace;
    assert(walks.size === 0, 'nothing is forgotten while a walk is open');
    for (let forgotten = 0; forgotten < limit; forgotten++) {
      probe.set(range.start);
      const reference = keys.first();
      if (reference === NONE) return forgotten;
      if (range.end !== undefined) {
        probe.set(range.end);
        if (keys.compareProbe(reference) <= 0) return forgotten;
      }
      this.keyspace.forget(reference);
    }
    return limit;
  }

  openWalk(oldest: number, newest: number): Walk {
    this.#assertReadable(oldest);
    return new SlabWalk(this.keyspace, oldest, newest);
  }

  compact(revision: number): void {
    this.keyspace.compactRevision = Math.max(revision, this.keyspace.compactRevision);
  }

  maintain(isThorough = false): boolean {
    const keyspace = this.keyspace;
    const isMoreToDrop = keyspace.drop(DROPPED_PER_STEP);
    if (isMoreToDrop && this.#dropsInARow++ < DROPS_IN_A_ROW) return true;
    this.#dropsInARow = 0;
    const isMore = keyspace.giveBack(isThorough) || isMoreToDrop;
    if (isThorough && !isMore) keyspace.undo.trim();
    return isMore;
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    return this.keyspace.deadlines.due(nowMs, limit);
  }

  nextDeadlineMs(): number | undefined {
    return this.keyspace.deadlines.next();
  }

  deadlineSums(group: number): DeadlineSums {
    return this.keyspace.deadlines.sums(group);
  }

  get deadlinePlaces(): DeadlinePlaces {
    return this.keyspace.deadlines;
  }

  stats(): EngineStats {
    const { keyCount, versionCount, dataBytes } = this.keyspace;
    return { keyCount, versionCount, dataBytes };
  }

  #read(key: Uint8Array, revision: number, withValue: boolean): Version | undefined {
    this.#assertReadable(revision);
    const keyspace = this.keyspace;
    keyspace.probe.set(key);
    const reference = keyspace.find();
    if (reference === NONE || !keyspace.goTo(reference, revision)) return undefined;
    return readVersion(keyspace.memory, keyspace.at, keyspace.longValues, keyspace.compressed, withValue);
  }

  /** @param fetched the place of the key among those fetched last: where its hash led to is most often its block. */
  #findFetched(key: Uint8Array, fetched: number): number {
    const { probe, blocks } = this.keyspace;
    probe.set(key);
    const reference = this.#fetched[fetched]!;
    const isFound = reference !== NONE && probe.isKeyAt(blocks.wordsAt(reference), Slabs.wordOf(reference));
    return isFound ? reference : this.keyspace.find();
  }

  /** @returns the block at which a further scan goes on; `NONE`: at the end. */
  #scan(state: ScanState, range: EngineRange, revision: number, options: ScanOptions, visit: Visit): number {
    const { path, references } = state;
    const { keys, probe } = this.keyspace;
    const { reverse, budget } = options;
    let isStopped = false;
    if (reverse && range.end === undefined) keys.goToEnd(path, 1);
    else {
      probe.set(reverse ? range.end! : range.start);
      keys.descend(path);
    }
    do {
      const count = this.#readLeaf(state, range, revision, reverse);
      for (let done = 0, size = 0; done < count; done += size) {
        size = Math.min(count - done, pieceOf(done));
        const first = reverse ? count - done - size : done;
        this.#fetch(references, first, first + size);
        for (let index = 0; index < size; index++) {
          const reference = references[reverse ? first + size - 1 - index : first + index]!;
          if (budget.visitsLeft <= 0 || isStopped) return reference;
          budget.spendVisits(1);
          if (this.keyspace.goTo(reference, revision)) isStopped = !visit(this.keyspace.show(state.placed));
        }
      }
    } while (!state.isAtEnd && keys.nextLeaf(path, revision, reverse ? -1 : 1, budget));
    return NONE;
  }

  /**
   * The blocks of the keys of a range from the place of a path on, within its leaf. The heads of a leaf tell only of keys
   * between its borders, so its first and last key are asked. @returns how many they are.
   */
  #readLeaf(state: ScanState, range: EngineRange, revision: number, reverse: boolean): number {
    const { path, references } = state;
    const { keys, probe } = this.keyspace;
    const place = path.places[0]!;
    const low = reverse ? 0 : place;
    const high = reverse ? place : keys.leaf.open(path.nodes[0]!).count;
    const count = keys.readLeaf(path, low, high, revision, references);
    const bound = reverse ? range.start : range.end;
    state.isAtEnd = false;
    if (bound === undefined || count === 0 || (reverse && bound.length === 0)) return count;
    probe.set(bound);
    const isFirstBelow = keys.compareProbe(references[0]!) > 0;
    if (reverse && !isFirstBelow) return count;
    const isLastBelow = keys.compareProbe(references[count - 1]!) > 0;
    if (!reverse && isLastBelow) return count;
    state.isAtEnd = true;
    if (isFirstBelow === isLastBelow) return 0;
    const end = keys.placeInLeaf(path.nodes[0]!);
    return keys.readLeaf(path, reverse ? end : low, reverse ? high : end, revision, references);
  }

  /** Makes the processor fetch several blocks at once. */
  #fetch(references: Int32Array, start: number, end: number): number {
    const slabs = this.keyspace.blocks.words;
    let sum = 0;
    for (let place = start; place < end; place++) {
      const reference = references[place]!;
      sum += slabs[reference >>> UNIT_BITS]![(reference & UNIT_MASK) << 1]!;
    }
    return sum;
  }

  #rankOf(key: Uint8Array): number {
    if (key.length === 0) return 0;
    this.keyspace.probe.set(key);
    return this.keyspace.keys.rank();
  }

  #rankOfEnd({ end }: EngineRange): number {
    return end === undefined ? this.keyspace.keyCount : this.#rankOf(end);
  }

  #assertReadable(revision: number): void {
    assert(revision >= this.keyspace.compactRevision, 'no read goes below the revision of the compaction');
  }
}

/** How many blocks are fetched together, when so many of a leaf were visited before: a short range costs little. */
function pieceOf(visited: number): number {
  return visited === 0 ? 4 : visited < 16 ? 16 : ENTRIES_MAX;
}
