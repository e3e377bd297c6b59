/**
 * `MemoryEngine`: the `Engine` contract in plain memory, without a JavaScript object for a key.
 *
 * The newest version of a key stands in a block (`layout.ts`) of a slab. Three structures name blocks: the sharded map by
 * key, the ordered index by key, and an ordered index of deadlines, which has blocks of its own. A put overwrites the
 * block where it stands, if it has room, and copies what was there to the undo ring first; reads of the past follow the
 * links into it.
 *
 * Only what goes over several of these parts is in this file; each opens with what it promises.
 *
 * Invariants, beside those of the parts:
 *
 * - A key has one block, from its first version on until compaction drops the deletion that was its last.
 * - The block's link leads to the entry of the version before, as long as its revision is above that of the compaction;
 *   else it means nothing.
 * - For every deletion that is a newest version there is an entry of the undo ring that it replaced: when that entry is
 *   dropped, so is the key.
 */
import { assert } from '../../errors.ts';
import type { Memory } from '../../wire/memory.ts';
import { copyBytes } from '../../wire/memory.ts';
import type {
  Engine,
  EngineLoader,
  EngineRange,
  EngineStats,
  ScanOptions,
  Visit,
  VisitRead,
  Walk,
} from '../engine.ts';
import { KEY_BYTES_MAX, REFUSED_LOAD } from '../engine.ts';
import type { Change, Version } from '../version.ts';
import { PlacedChange } from '../version.ts';
import { BytePool } from '../byte-pool.ts';
import { Deadlines } from './deadlines.ts';
import { Emptying } from './emptying.ts';
import { verifyEngine } from './integrity.ts';
import type { HashSeed } from './key-hash.ts';
import { KeyMap } from './key-map.ts';
import { sortByKey } from './key-sorter.ts';
import {
  KEY,
  KEY_BORDER,
  KEY_BYTES_MASK,
  NONE,
  UNDO,
  UNIT_BITS,
  UNIT_MASK,
  isVersion,
  revisionAt,
  unitsAt,
} from './layout.ts';
import { LongValues } from './long-values.ts';
import { OrderedIndex, Path } from './ordered-index.ts';
import { Probe } from './probe.ts';
import { Slabs } from './slabs.ts';
import { ENTRIES_MAX } from './tree-nodes.ts';
import { UndoRing } from './undo-ring.ts';
import {
  Fields,
  deadlineAt,
  isDeletedAt,
  leaseAt,
  longValueAt,
  readVersion,
  showPlaced,
  valueBytesAt,
} from './version-codec.ts';
import { SlabWalk } from './walk.ts';

export interface MemoryEngineOptions {
  /** Two secret random 32-bit numbers, so that nobody can choose keys that collide. */
  readonly hashSeed?: HashSeed;
  /** The longest slab; for tests. */
  readonly slabBytesMax?: number;
}

const DEFAULT_SEED: HashSeed = [0x4b656c70, 0x44427631];

/** What is fetched together. */
const BATCH = 64;
/** The entries of the undo ring that one `maintain` drops. */
const DROPPED_PER_STEP = 256;
/** The nodes that one `maintain` moves. */
const NODES_MOVED_PER_STEP = 16;

/** What a scan needs for itself: a visitor may scan, too. */
class ScanState {
  readonly path = new Path();
  readonly references = new Int32Array(ENTRIES_MAX);
  readonly placed = new PlacedChange();
}

export class MemoryEngine implements Engine, EngineLoader {
  readonly #seed: HashSeed;
  readonly #slabs: Slabs;
  readonly #longValues = new LongValues();
  readonly #probe = new Probe();
  readonly #map: KeyMap;
  readonly #keys: OrderedIndex;
  readonly #deadlines: Deadlines;
  readonly #undo = new UndoRing();
  readonly #emptying: Emptying;
  readonly #walks = new Set<SlabWalk>();
  readonly #fields = new Fields();
  readonly #pool = new BytePool();
  readonly #states: ScanState[] = [];
  readonly #hashes = new Int32Array(BATCH);
  readonly #fetched = new Int32Array(BATCH);
  #isLoading = false;
  #loadEnd: Generator<undefined, void> | undefined;
  #compactRevision = 0;
  #newestRevision = 0;
  /** The entries of the undo ring before this place may be of keys that were forgotten. */
  #forgottenEnd = NONE;
  #keyCount = 0;
  #versionCount = 0;
  #dataBytes = 0;

  constructor({ hashSeed = DEFAULT_SEED, slabBytesMax }: MemoryEngineOptions = {}) {
    this.#seed = hashSeed;
    this.#slabs = new Slabs(slabBytesMax);
    this.#map = new KeyMap(this.#slabs);
    this.#keys = new OrderedIndex(this.#slabs, this.#probe, KEY_BORDER);
    this.#deadlines = new Deadlines(this.#slabs);
    this.#emptying = new Emptying({
      slabs: this.#slabs,
      keys: this.#keys,
      probe: this.#probe,
      deadlines: this.#deadlines,
      moved: (from, to) => this.#moved(from, to),
    });
  }

  get memoryBytes(): number {
    return (
      this.#slabs.memoryBytes +
      this.#longValues.memoryBytes +
      this.#map.memoryBytes +
      this.#keys.memoryBytes +
      this.#deadlines.memoryBytes +
      this.#undo.memoryBytes
    );
  }

  get loader(): EngineLoader {
    return this;
  }

  read(key: Uint8Array, revision: number): Version | undefined {
    return this.#read(key, revision, true);
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    return this.#read(key, revision, false);
  }

  readMany(keys: readonly Uint8Array[], revision: number, visit: VisitRead): void {
    this.#assertReadable(revision);
    const state = this.#states.pop() ?? new ScanState();
    for (let start = 0; start < keys.length; start += BATCH) {
      const end = Math.min(start + BATCH, keys.length);
      // A visitor may read, too.
      const hashes = end - start === 1 ? this.#hashes : this.#hashAll(keys, start, end).slice();
      if (end - start === 1) this.#hashAll(keys, start, end);
      for (let index = start; index < end; index++) {
        this.#probe.set(keys[index]!);
        const reference = this.#map.find(this.#probe, hashes[index - start]!);
        const isThere = reference !== NONE && this.#goTo(reference, revision);
        visit(
          index,
          isThere ? showPlaced(this.#memory, this.#at, this.#longValues, state.placed) : undefined,
        );
      }
    }
    this.#states.push(state);
  }

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    this.#assertReadable(revision);
    const state = this.#states.pop() ?? new ScanState();
    const next = options.reverse
      ? this.#scanDown(state, range, revision, options.visitsMax, visit)
      : this.#scanUp(state, range, revision, options.visitsMax, visit);
    this.#states.push(state);
    return next === NONE ? undefined : this.#keyOf(next);
  }

  count(range: EngineRange): number {
    return Math.max(0, this.#rankOfEnd(range) - this.#rankOf(range.start));
  }

  rank(range: EngineRange, key: Uint8Array): number {
    const end = range.end !== undefined && Buffer.compare(key, range.end) > 0 ? range.end : key;
    return Math.max(0, this.#rankOf(end) - this.#rankOf(range.start));
  }

  select(range: EngineRange, index: number): Uint8Array | undefined {
    const before = this.#rankOf(range.start);
    if (before + index >= this.#rankOfEnd(range)) return undefined;
    return this.#keyOf(this.#keys.select(before + index));
  }

  apply(change: Change): void {
    checkKey(change.key.length);
    this.#probe.set(change.key);
    this.#apply(change, this.#probe.hash(this.#seed));
  }

  applyMany(changes: readonly Change[]): void {
    const keys: Uint8Array[] = [];
    for (const { key } of changes) keys.push(key);
    for (let start = 0; start < changes.length; start += BATCH) {
      const end = Math.min(start + BATCH, changes.length);
      const hashes = this.#hashAll(keys, start, end);
      for (let index = start; index < end; index++) {
        const change = changes[index]!;
        checkKey(change.key.length);
        this.#probe.set(change.key);
        this.#apply(change, hashes[index - start]!);
      }
    }
  }

  forget(range: EngineRange, limit: number): number {
    const { path, references } = new ScanState();
    let forgotten = 0;
    while (forgotten < limit) {
      this.#probe.set(range.start);
      this.#keys.seek(path);
      let reference =
        this.#keys.readLeaf(path, references) > path.places[0]! ? references[path.places[0]!]! : NONE;
      if (reference === NONE && this.#keys.nextLeaf(path, 0)) {
        this.#keys.readLeaf(path, references);
        reference = references[0]!;
      }
      if (reference === NONE || this.#isBehind(reference, range.end)) break;
      const words = this.#slabs.wordsAt(reference);
      const at = Slabs.wordOf(reference);
      if (!isDeletedAt(words, at)) this.#keyCount--;
      this.#deadlines.change(words, at, deadlineAt(words, at), 0);
      this.#probe.setFrom(words, at);
      this.#removeKey(reference);
      forgotten++;
    }
    if (forgotten > 0) this.#forgottenEnd = this.#undo.head;
    return forgotten;
  }

  openWalk(oldest: number, newest: number): Walk {
    this.#assertReadable(oldest);
    const walk = new SlabWalk(
      {
        slabs: this.#slabs,
        undo: this.#undo,
        longValues: this.#longValues,
        find: (key) => this.#find(key),
        isForgotten: (place) => this.#isForgotten(place),
        closed: (closed) => this.#walks.delete(closed),
      },
      oldest,
      newest,
    );
    this.#walks.add(walk);
    return walk;
  }

  compact(revision: number): void {
    if (revision <= this.#compactRevision) return;
    this.#compactRevision = revision;
  }

  maintain(isThorough = false): boolean {
    const undo = this.#undo;
    for (let left = DROPPED_PER_STEP; left > 0; left--) {
      if (undo.nextRevision() > this.#compactRevision) break;
      this.#dropOldest();
    }
    let isMore = undo.nextRevision() <= this.#compactRevision;
    if (this.#emptying.step(isThorough)) isMore = true;
    for (let left = NODES_MOVED_PER_STEP; left > 0 && this.#keys.moveNode(); left--) isMore = true;
    for (let left = NODES_MOVED_PER_STEP; left > 0 && this.#deadlines.moveNode(); left--) isMore = true;
    if (isThorough && !isMore) undo.trim();
    return isMore;
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    return this.#deadlines.due(nowMs, limit);
  }

  nextDeadlineMs(): number | undefined {
    return this.#deadlines.next();
  }

  stats(): EngineStats {
    return { keyCount: this.#keyCount, versionCount: this.#versionCount, dataBytes: this.#dataBytes };
  }

  newest(change: PlacedChange): number {
    this.#isLoading = true;
    this.#probe.setPlaced(change.keyMemory.bytes, change.keyStart, change.keyEnd);
    const hash = this.#probe.hash(this.#seed);
    if (change.revision <= 0 || this.#map.find(this.#probe, hash) !== NONE) return REFUSED_LOAD;
    this.#newestRevision = Math.max(this.#newestRevision, change.revision);
    this.#fields.take(change, this.#probe.length, change.valueEnd - change.valueStart);
    this.#create(hash, true);
    this.#placeValue(change);
    return 0;
  }

  older(change: PlacedChange): number {
    const { replacedBy } = change;
    const probe = this.#probe;
    probe.setPlaced(change.keyMemory.bytes, change.keyStart, change.keyEnd);
    const reference = this.#map.find(probe, probe.hash(this.#seed));
    if (reference === NONE || change.revision >= replacedBy || replacedBy < this.#undo.newestRevision)
      return REFUSED_LOAD;
    const words = this.#slabs.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    const older = words[at + UNDO]!;
    if (revisionAt(words, at) < replacedBy) return REFUSED_LOAD;
    if (older !== NONE && this.#undo.replacedByAt(older) !== change.revision) return REFUSED_LOAD;
    const hasVersion = change.revision > 0;
    if (change.deleted && older !== NONE) this.#undo.markReplacedByDeletion(older);
    const isDeletion = isDeletedAt(words, at) && revisionAt(words, at) === replacedBy;
    const fields = this.#fields;
    fields.take(change, probe.length, change.valueEnd - change.valueStart);
    const place = this.#undo.reserve(fields.units, replacedBy, isDeletion, hasVersion, older);
    words[at + UNDO] = place;
    this.#memory = this.#undo.memory;
    this.#valueAt = fields.write(this.#memory.words, this.#undo.at, probe, false, older);
    this.#placeValue(change);
    if (hasVersion) this.#countVersion(1, probe.length + fields.valueBytes);
    return 0;
  }

  next(change: PlacedChange): number {
    this.#isLoading = true;
    const probe = this.#probe;
    probe.setPlaced(change.keyMemory.bytes, change.keyStart, change.keyEnd);
    const hash = probe.hash(this.#seed);
    const reference = this.#map.find(probe, hash);
    let lease = 0;
    if (reference !== NONE) {
      const words = this.#slabs.wordsAt(reference);
      const at = Slabs.wordOf(reference);
      if (change.revision <= revisionAt(words, at)) return REFUSED_LOAD;
      lease = leaseAt(words, at);
    }
    if (change.revision <= 0 || change.revision < this.#newestRevision) return REFUSED_LOAD;
    this.#newestRevision = change.revision;
    this.#fields.take(change, probe.length, change.valueEnd - change.valueStart);
    if (reference === NONE) this.#create(hash, false);
    else this.#overwrite(reference, hash);
    this.#placeValue(change);
    return lease;
  }

  finish(): boolean {
    this.#loadEnd ??= this.#buildOrder();
    if (this.#loadEnd.next().done !== true) return true;
    this.#loadEnd = undefined;
    return false;
  }

  verifyIntegrity(): void {
    const counted = verifyEngine({
      slabs: this.#slabs,
      map: this.#map,
      keys: this.#keys,
      deadlines: this.#deadlines,
      undo: this.#undo,
      longValues: this.#longValues,
      probe: this.#probe,
      compactRevision: this.#compactRevision,
      hash: () => this.#probe.hash(this.#seed),
    });
    const { keyCount, versionCount, dataBytes } = this.stats();
    assert(
      counted.keyCount === keyCount &&
        counted.versionCount === versionCount &&
        counted.dataBytes === dataBytes,
      'the counts are true',
    );
  }

  /** What `#goTo` found, and where the value of a block that was just written belongs. */
  #memory: Memory = { bytes: new Uint8Array(0), words: new Int32Array(0) };
  #at = 0;
  #valueAt = 0;

  #read(key: Uint8Array, revision: number, withValue: boolean): Version | undefined {
    this.#assertReadable(revision);
    const reference = this.#find(key);
    if (reference === NONE || !this.#goTo(reference, revision)) return undefined;
    return readVersion(this.#memory, this.#at, this.#longValues, this.#pool, withValue);
  }

  #find(key: Uint8Array): number {
    this.#probe.set(key);
    return this.#map.find(this.#probe, this.#probe.hash(this.#seed));
  }

  /** Goes to the version of a block's key at a revision. @returns whether the key exists there. */
  #goTo(reference: number, revision: number): boolean {
    const words = this.#slabs.words[reference >>> UNIT_BITS]!;
    const at = (reference & UNIT_MASK) << 1;
    if (revisionAt(words, at) <= revision) {
      this.#memory = this.#slabs.memories[reference >>> UNIT_BITS]!;
      this.#at = at;
      return !isDeletedAt(words, at);
    }
    if (!this.#undo.seek(words[at + UNDO]!, revision)) return false;
    this.#memory = this.#undo.memory;
    this.#at = this.#undo.at;
    return !isDeletedAt(this.#memory.words, this.#at);
  }

  /** Hashes keys and fetches their places in the map and their blocks. */
  #hashAll(keys: readonly Uint8Array[], start: number, end: number): Int32Array {
    const hashes = this.#hashes;
    for (let index = start; index < end; index++) {
      this.#probe.set(keys[index]!);
      hashes[index - start] = this.#probe.hash(this.#seed);
    }
    if (end - start > 1) this.#map.fetch(hashes, end - start, this.#fetched);
    return hashes;
  }

  #apply(change: Change, hash: number): void {
    const { key, revision } = change;
    const reference = this.#map.find(this.#probe, hash);
    const before =
      reference === NONE ? 0 : revisionAt(this.#slabs.wordsAt(reference), Slabs.wordOf(reference));
    assert(revision > before, 'the revisions of a key ascend');
    assert(revision >= this.#newestRevision, 'revisions ascend');
    this.#newestRevision = revision;
    this.#fields.take(change, key.length, change.value.length);
    if (reference === NONE) this.#create(hash, false);
    else this.#overwrite(reference, hash);
    const { valueBytes, isLong } = this.#fields;
    if (isLong) this.#placeLongValue(change.value);
    else if (valueBytes > 0) this.#memory.bytes.set(change.value, this.#valueAt << 2);
  }

  /**
   * Makes the block of a key that has none, of the fields; the value is still to come.
   * @param bringsEntry whether the entry of the undo ring that a deletion replaced comes by itself.
   */
  #create(hash: number, bringsEntry: boolean): void {
    const fields = this.#fields;
    const probe = this.#probe;
    const { deleted, revision } = fields;
    const reference = this.#slabs.allocate(fields.units);
    this.#memory = this.#slabs.memoryAt(reference);
    const { words } = this.#memory;
    const at = Slabs.wordOf(reference);
    this.#valueAt = fields.write(words, at, probe, false, NONE);
    this.#map.insert(hash, reference);
    if (!this.#isLoading) this.#keys.insert(reference, !deleted, revision);
    if (deleted && !bringsEntry) this.#pushNothing(words, at);
    this.#deadlines.change(words, at, 0, fields.expireTimeMs);
    if (!deleted) this.#keyCount++;
    this.#countVersion(1, probe.length + fields.valueBytes);
  }

  /** A key that was not there is deleted: something must bring its block out again. */
  #pushNothing(words: Int32Array, at: number): void {
    const { revision, units } = this.#fields;
    const place = this.#undo.reserve(units, revision, true, false, NONE);
    const { memory, at: to } = this.#undo;
    memory.words.set(words.subarray(at, at + (units << 1)), to);
    memory.words[to + UNDO] = NONE;
    words[at + UNDO] = place;
  }

  /** Writes the fields over the newest version of a key; the value is still to come. */
  #overwrite(reference: number, hash: number): void {
    const fields = this.#fields;
    const probe = this.#probe;
    const { deleted, revision } = fields;
    let words = this.#slabs.wordsAt(reference);
    let at = Slabs.wordOf(reference);
    const wasDeleted = isDeletedAt(words, at);
    const deadlineMs = deadlineAt(words, at);
    const isLinked = revisionAt(words, at) > this.#compactRevision;
    const place = this.#undo.push(words, at, revision, deleted, isLinked);
    const units = unitsAt(words, at);
    let newReference = reference;
    if (units === fields.units || this.#slabs.resize(reference, units, fields.units)) {
      this.#memory = this.#slabs.memoryAt(reference);
      this.#valueAt = fields.write(words, at, probe, true, place);
    } else {
      newReference = this.#slabs.allocate(fields.units);
      this.#memory = this.#slabs.memoryAt(newReference);
      words = this.#memory.words;
      at = Slabs.wordOf(newReference);
      this.#valueAt = fields.write(words, at, probe, false, place);
      this.#map.replace(hash, reference, newReference);
      if (!this.#isLoading) this.#keys.relocate(reference, newReference);
      this.#noteMove(reference);
      this.#slabs.free(reference, units);
    }
    if ((deleted || wasDeleted) && !this.#isLoading) this.#keys.setLive(newReference, !deleted, revision);
    this.#keyCount += Number(wasDeleted) - Number(deleted);
    if (deadlineMs !== fields.expireTimeMs)
      this.#deadlines.change(words, at, deadlineMs, fields.expireTimeMs);
    this.#countVersion(1, probe.length + fields.valueBytes);
  }

  #placeValue(change: PlacedChange): void {
    const { valueBytes, isLong } = this.#fields;
    if (isLong) this.#placeLongValue(change.value);
    else copyBytes(this.#memory, this.#valueAt << 2, change.valueMemory, change.valueStart, valueBytes);
  }

  #placeLongValue(value: Uint8Array): void {
    this.#memory.words[this.#valueAt] = this.#longValues.add(value);
    this.#memory.words[this.#valueAt + 1] = value.length;
  }

  #countVersion(sign: 1 | -1, byteCount: number): void {
    this.#versionCount += sign;
    this.#dataBytes += sign * byteCount;
  }

  /** Drops the oldest entry of the undo ring, to which it was gone. */
  #dropOldest(): void {
    const undo = this.#undo;
    const { memory, at } = undo;
    const { words } = memory;
    if (undo.hasVersion) {
      this.#countVersion(-1, (words[at]! & KEY_BYTES_MASK) + valueBytesAt(words, at));
      const long = longValueAt(words, at);
      if (long !== undefined) this.#longValues.remove(long);
    }
    if (undo.isReplacedByDeletion) this.#dropDeletion(words, at, undo.replacedBy);
    undo.dropTail();
  }

  /** Drops a key if the deletion at a revision is still its newest version. */
  #dropDeletion(words: Int32Array, at: number, revision: number): void {
    const probe = this.#probe;
    probe.setFrom(words, at);
    const reference = this.#map.find(probe, probe.hash(this.#seed));
    if (reference === NONE) return;
    const newest = this.#slabs.wordsAt(reference);
    const newestAt = Slabs.wordOf(reference);
    if (isDeletedAt(newest, newestAt) && revisionAt(newest, newestAt) === revision)
      this.#removeKey(reference);
  }

  /** Takes the key in the probe out of everything but the undo ring and the deadlines. */
  #removeKey(reference: number): void {
    const words = this.#slabs.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    this.#keys.remove(reference);
    this.#map.remove(this.#probe.hash(this.#seed), reference);
    this.#countVersion(-1, (words[at]! & KEY_BYTES_MASK) + valueBytesAt(words, at));
    const long = longValueAt(words, at);
    if (long !== undefined) this.#longValues.remove(long);
    this.#slabs.free(reference, unitsAt(words, at));
  }

  /** A version was copied to another place. */
  #moved(from: number, to: number): void {
    this.#noteMove(from);
    this.#probe.setFrom(this.#slabs.wordsAt(to), Slabs.wordOf(to));
    this.#map.replace(this.#probe.hash(this.#seed), from, to);
    this.#keys.relocate(from, to);
  }

  #isForgotten(place: number): boolean {
    const undo = this.#undo;
    if (!undo.isBefore(place, this.#forgottenEnd)) return false;
    this.#probe.setFrom(undo.memory.words, undo.at);
    const reference = this.#map.find(this.#probe, this.#probe.hash(this.#seed));
    if (reference === NONE) return true;
    const words = this.#slabs.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    return revisionAt(words, at) < undo.replacedBy || !undo.leadsTo(words[at + UNDO]!, place);
  }

  #noteMove(reference: number): void {
    for (const walk of this.#walks) walk.noteMove(reference);
  }

  #scanUp(state: ScanState, range: EngineRange, revision: number, visitsMax: number, visit: Visit): number {
    const { path, references, placed } = state;
    const keys = this.#keys;
    let left = visitsMax;
    this.#probe.set(range.start);
    keys.seek(path);
    do {
      const count = keys.readLeaf(path, references);
      const start = path.places[0]!;
      const end = this.#endInLeaf(path, references, start, count, range.end);
      for (let from = start, pieceEnd = start; from < end; from = pieceEnd) {
        pieceEnd = Math.min(end, from + pieceOf(from - start));
        this.#fetch(references, from, pieceEnd);
        for (let place = from; place < pieceEnd; place++) {
          const reference = references[place]!;
          if (left-- <= 0) return reference;
          if (!this.#goTo(reference, revision)) continue;
          if (!visit(showPlaced(this.#memory, this.#at, this.#longValues, placed))) left = 0;
        }
      }
      if (end < count) return NONE;
    } while (keys.nextLeaf(path, revision));
    return NONE;
  }

  #scanDown(state: ScanState, range: EngineRange, revision: number, visitsMax: number, visit: Visit): number {
    const { path, references, placed } = state;
    const keys = this.#keys;
    let left = visitsMax;
    if (range.end === undefined) keys.seekEnd(path);
    else {
      this.#probe.set(range.end);
      keys.seek(path);
    }
    do {
      keys.readLeaf(path, references);
      const end = path.places[0]!;
      const start = this.#startInLeaf(path, references, end, range.start);
      for (let to = end, pieceStart = end; to > start; to = pieceStart) {
        pieceStart = Math.max(start, to - pieceOf(end - to));
        this.#fetch(references, pieceStart, to);
        for (let place = to - 1; place >= pieceStart; place--) {
          const reference = references[place]!;
          if (left-- <= 0) return reference;
          if (!this.#goTo(reference, revision)) continue;
          if (!visit(showPlaced(this.#memory, this.#at, this.#longValues, placed))) left = 0;
        }
      }
      if (start > 0) return NONE;
    } while (keys.previousLeaf(path, revision));
    return NONE;
  }

  /** Where a range ends in a leaf. Its heads tell only of keys between its borders, so its first and last are asked. */
  #endInLeaf(
    path: Path,
    references: Int32Array,
    start: number,
    count: number,
    end: Uint8Array | undefined,
  ): number {
    if (end === undefined || start >= count) return count;
    this.#probe.set(end);
    if (this.#compareProbe(references[count - 1]!) > 0) return count;
    if (this.#compareProbe(references[start]!) <= 0) return start;
    return this.#keys.placeInLeaf(path);
  }

  #startInLeaf(path: Path, references: Int32Array, end: number, start: Uint8Array): number {
    if (end === 0 || start.length === 0) return 0;
    this.#probe.set(start);
    if (this.#compareProbe(references[0]!) <= 0) return 0;
    if (this.#compareProbe(references[end - 1]!) > 0) return end;
    return this.#keys.placeInLeaf(path);
  }

  #compareProbe(reference: number): number {
    return this.#probe.compareWith(this.#slabs.wordsAt(reference), Slabs.wordOf(reference));
  }

  #isBehind(reference: number, end: Uint8Array | undefined): boolean {
    if (end === undefined) return false;
    this.#probe.set(end);
    return this.#compareProbe(reference) <= 0;
  }

  /** Makes the processor fetch several blocks at once. */
  #fetch(references: Int32Array, start: number, end: number): number {
    const slabs = this.#slabs.words;
    let sum = 0;
    for (let place = start; place < end; place++) {
      const reference = references[place]!;
      sum += slabs[reference >>> UNIT_BITS]![(reference & UNIT_MASK) << 1]!;
    }
    return sum;
  }

  #rankOf(key: Uint8Array): number {
    this.#probe.set(key);
    return this.#keys.rank();
  }

  #rankOfEnd({ end }: EngineRange): number {
    return end === undefined ? this.#keys.liveCount() : this.#rankOf(end);
  }

  #keyOf(reference: number): Uint8Array {
    const memory = this.#slabs.memoryAt(reference);
    const at = Slabs.wordOf(reference);
    return this.#pool.copy(memory, (at + KEY) << 2, memory.words[at]! & KEY_BYTES_MASK);
  }

  *#buildOrder(): Generator<undefined, void> {
    const references = new Int32Array(this.#map.count);
    let count = 0;
    const slabs = this.#slabs;
    for (let slab = 0; slab < slabs.words.length; slab++) {
      const words = slabs.words[slab]!;
      for (let unit = 0; unit < slabs.endOf(slab); unit += unitsAt(words, unit << 1)) {
        if (isVersion(words[unit << 1]!)) references[count++] = (slab << UNIT_BITS) | unit;
      }
      yield;
    }
    assert(count === references.length, 'every version is in the map');
    yield* sortByKey(slabs, references);
    yield* this.#keys.build(references, count, (reference) => {
      const words = slabs.wordsAt(reference);
      const at = Slabs.wordOf(reference);
      return isDeletedAt(words, at) ? revisionAt(words, at) : 0;
    });
    this.#isLoading = false;
  }

  #assertReadable(revision: number): void {
    assert(revision >= this.#compactRevision, 'nobody reads below the revision of the compaction');
  }
}

/** How many blocks are fetched together, when so many of a leaf were visited before: a short range costs little. */
function pieceOf(visited: number): number {
  return visited === 0 ? 4 : visited < 16 ? 16 : ENTRIES_MAX;
}

function checkKey(length: number): void {
  assert(length >= 1 && length <= KEY_BYTES_MAX, 'a key has 1 to 65535 bytes');
}
