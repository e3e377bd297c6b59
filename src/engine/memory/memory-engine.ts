/**
 * `MemoryEngine`: the `Engine` contract in shared memory, without a JavaScript object per key.
 *
 * A key lives in the shard that its hash chooses: in the shard's hash index, in a slot, and in versions, which carry key
 * and value (`layout.ts`). One ordered index over the ids of all keys serves scans, another the deadlines. A queue
 * remembers what each compaction will make superfluous, so that `maintain` never searches for it.
 *
 * Only the writer's thread calls the engine. Readers of other threads look up single keys with a `MemoryReader`; what
 * they may still look at is given back when they have moved on (`epochs.ts`).
 *
 * What goes over several of these parts is in this file, which makes it long; each part has a file of its own.
 *
 * Invariants, beside those of the parts:
 *
 * - A key is in its shard's hash index and in the ordered index from its first version on until `maintain` drops the
 *   last one.
 * - It is in the index of deadlines exactly while its newest version has one.
 */
import { assert } from '../../errors.ts';
import type {
  Change,
  Engine,
  EngineRange,
  EngineStats,
  ScanOptions,
  Version,
  Visit,
  WalkPosition,
  WalkVisit,
} from '../engine.ts';
import { KEY_BYTES_MAX } from '../engine.ts';
import { PlacedChange } from '../placed-change.ts';
import { BulkLoader } from './bulk-loader.ts';
import { BytePool } from './byte-pool.ts';
import { collectNeeded, type ChainWindow } from './chain-window.ts';
import type { CutTail } from './cut-tail.ts';
import { Epochs } from './epochs.ts';
import { FETCH_COUNT_MAX, FetchAhead } from './fetch-ahead.ts';
import { HashIndex } from './hash-index.ts';
import { verifyMemory } from './integrity.ts';
import type { HashSeed } from './key-hash.ts';
import { KeyOrder, keyIdOf } from './key-order.ts';
import { KeySlots } from './key-slots.ts';
import { KeyTree, TreeSlice } from './key-tree.ts';
import {
  IS_DELETED,
  LOCAL_ID_BITS,
  LOCAL_ID_MASK,
  SHARD_COUNT_MAX,
  VERSION_FLAGS,
  VERSION_VALUE_BYTES,
  keyByteCount,
  revisionAt,
} from './layout.ts';
import { LongChains, WRITES_PER_ROW_CHECK } from './long-chains.ts';
import { PagePool } from './page-pool.ts';
import { PageTable } from './page-table.ts';
import { readPlaced } from './placed-codec.ts';
import { Probe } from './probe.ts';
import type { ReaderAttachment } from './reader-link.ts';
import { ReaderLinks, tableNumber } from './reader-link.ts';
import { Shard } from './shard.ts';
import { SupersededQueue } from './superseded-queue.ts';
import { VersionArena, wordOffsetOf } from './version-arena.ts';
import { flagsOf, readDeadline, readKey, readVersion, unitsFor, writeVersion } from './version-codec.ts';

export interface MemoryEngineOptions {
  /** A power of two up to 64. */
  readonly shardCount?: number;
  /** Two secret random 32-bit numbers, so that nobody can choose keys that collide. */
  readonly hashSeed?: HashSeed;
}

const DEFAULT_SEED: HashSeed = [0x4b656c70, 0x44427631];

/** How many entries of the queue one `maintain` works off. */
const SUPERSEDED_PER_STEP = 256;
/** So many versions of a key are dropped with its entry; what is more, by the steps that follow. */
const DROPPED_PER_ENTRY = 64;
const DROPPED_PER_STEP = 4096;

const NONE = 0;

/** @returns false to stop. */
type VisitId = (id: number, reference: number) => boolean;

export class MemoryEngine implements Engine {
  readonly #shards: readonly Shard[];
  readonly #shardMask: number;
  readonly #pool = new PagePool();
  readonly #epochs = new Epochs();
  readonly #links: ReaderLinks;
  readonly #tables: PageTable[] = [];
  readonly #treeTables: readonly PageTable[];
  readonly #hashSeed: HashSeed;
  readonly #probe: Probe;
  readonly #byKey: KeyOrder;
  readonly #byDeadline: KeyOrder;
  readonly #keys: KeyTree;
  readonly #deadlines: KeyTree;
  readonly #superseded = new SupersededQueue(this.#pool);
  readonly #longChains = new LongChains();
  readonly #bytes = new BytePool();
  readonly #loader: BulkLoader;
  /** What a walk shows. */
  readonly #walked = new PlacedChange();
  readonly #fetchAhead = new FetchAhead();
  /** Versions that were cut off their chains and are still to be dropped. While there are any, none is moved. */
  readonly #cutTails: CutTail[] = [];
  /** Slices that no scan is using; a visitor may scan too. */
  readonly #slices: TreeSlice[] = [];
  #compactRevision = 0;
  #keyCount = 0;
  #versionCount = 0;
  #dataBytes = 0;
  /** The shard whose pages the next `maintain` looks at. */
  #nextShard = 0;

  constructor(options: MemoryEngineOptions = {}) {
    const { shardCount = SHARD_COUNT_MAX, hashSeed = DEFAULT_SEED } = options;
    assert(
      shardCount >= 1 && shardCount <= SHARD_COUNT_MAX && (shardCount & (shardCount - 1)) === 0,
      'the count of shards is a power of two up to 64',
    );
    this.#hashSeed = hashSeed;
    this.#shardMask = shardCount - 1;
    this.#probe = new Probe(hashSeed);
    this.#links = new ReaderLinks(this.#epochs);
    this.#shards = Array.from({ length: shardCount }, (_, number) => this.#newShard(number));
    this.#byKey = new KeyOrder(this.#shards, this.#probe, false);
    this.#byDeadline = new KeyOrder(this.#shards, this.#probe, true);
    // Readers of other threads do not go through the trees.
    const noNotice = (): void => {};
    const keyNodes = new PageTable(NONE, this.#pool, this.#epochs, noNotice);
    const deadlineNodes = new PageTable(NONE, this.#pool, this.#epochs, noNotice);
    this.#keys = new KeyTree(keyNodes, this.#byKey);
    this.#deadlines = new KeyTree(deadlineNodes, this.#byDeadline);
    this.#treeTables = [keyNodes, deadlineNodes];
    this.#loader = new BulkLoader({
      shards: this.#shards,
      shardMask: this.#shardMask,
      probe: this.#probe,
      byKey: this.#byKey,
      keys: this.#keys,
      deadlines: this.#deadlines,
      superseded: this.#superseded,
    });
  }

  /** The pages in use: what is resident of them may be less. */
  get memoryBytes(): number {
    return this.#pool.usedBytes + this.#longChains.byteCount;
  }

  read(key: Uint8Array, revision: number): Version | undefined {
    return this.#read(key, revision, true);
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    return this.#read(key, revision, false);
  }

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    this.#assertReadable(revision);
    let visitsLeft = options.visitsMax;
    const withValue = !options.keysOnly;
    const next = this.#forEachId(range, options.reverse, revision, (id, reference) => {
      if (visitsLeft-- <= 0) return false;
      if (reference === NONE) return true;
      const shard = this.#shards[id >>> LOCAL_ID_BITS]!;
      const words = shard.wordsOf(reference);
      const bytes = shard.bytesOf(reference);
      const version = readVersion(words, bytes, wordOffsetOf(reference), this.#bytes, withValue);
      if (!visit(readKey(words, bytes, wordOffsetOf(reference), this.#bytes), version)) visitsLeft = 0;
      return true;
    });
    return next === NONE ? undefined : this.#byKey.keyOf(next, this.#bytes);
  }

  count(range: EngineRange, revision: number, nowMs: number): number {
    this.#assertReadable(revision);
    let count = 0;
    this.#forEachId(range, false, revision, (id, reference) => {
      if (reference === NONE) return true;
      const shard = this.#shards[id >>> LOCAL_ID_BITS]!;
      const deadlineMs = readDeadline(shard.wordsOf(reference), wordOffsetOf(reference));
      if (deadlineMs === 0 || deadlineMs > nowMs) count++;
      return true;
    });
    return count;
  }

  apply(change: Change): void {
    const { key, revision } = change;
    assert(key.length >= 1 && key.length <= KEY_BYTES_MAX, 'a key has 1 to 65535 bytes');
    const probe = this.#probe;
    probe.set(key);
    const { hash } = probe;
    const shard = this.#shards[hash & this.#shardMask]!;
    const found = shard.find(probe);
    const previous = found === NONE ? NONE : shard.slots.newest(found);
    let oldDeadlineMs = 0;
    let wasAlive = false;
    if (previous !== NONE) {
      const words = shard.wordsOf(previous);
      const offset = wordOffsetOf(previous);
      assert(revision > revisionAt(words, offset), 'the revisions of a key ascend');
      oldDeadlineMs = readDeadline(words, offset);
      wasAlive = (words[offset + VERSION_FLAGS]! & IS_DELETED) === 0;
    } else {
      assert(revision > 0, 'the revisions of a key ascend');
    }

    const flags = flagsOf(change);
    const isDeletion = (flags & IS_DELETED) !== 0;
    const valueBytes = isDeletion ? 0 : change.value.length;
    const newDeadlineMs = isDeletion ? 0 : change.expireTimeMs;
    const reference = shard.versions.allocate(unitsFor(flags, key.length, valueBytes));
    const localId = found === NONE ? shard.slots.take(hash) : found;
    const id = keyIdOf(shard, localId);
    const words = shard.wordsOf(reference);
    const bytes = shard.bytesOf(reference);
    writeVersion(words, bytes, wordOffsetOf(reference), previous, localId, flags, probe, change);

    // An item is found in the index of deadlines by its newest version: out before that changes, in after it.
    if (oldDeadlineMs !== newDeadlineMs && oldDeadlineMs !== 0) {
      probe.deadlineMs = oldDeadlineMs;
      this.#deadlines.remove(id);
    }
    shard.publishNewest(localId, revision, reference);
    if (found === NONE) {
      shard.index.insert(hash, localId);
      probe.deadlineMs = 0;
      this.#keys.insert(id);
    }
    if (oldDeadlineMs !== newDeadlineMs && newDeadlineMs !== 0) {
      probe.setUnhashed(key);
      probe.deadlineMs = newDeadlineMs;
      this.#deadlines.insert(id);
    }

    if (previous !== NONE || isDeletion) this.#superseded.push(revision, id);
    if (change.version > 0 && change.version % WRITES_PER_ROW_CHECK === 0) shard.prepareRow(localId);
    this.#keyCount += (isDeletion ? 0 : 1) - (wasAlive ? 1 : 0);
    this.#versionCount++;
    this.#dataBytes += key.length + valueBytes;
  }

  load(change: PlacedChange): number {
    return this.#loader.load(change);
  }

  loadAscending(change: PlacedChange): number {
    return this.#loader.loadAscending(change);
  }

  finishLoad(): boolean {
    if (this.#loader.finish()) return true;
    const counts = this.#loader.takeCounts();
    this.#keyCount += counts.keyCount;
    this.#versionCount += counts.versionCount;
    this.#dataBytes += counts.dataBytes;
    return false;
  }

  walk(
    from: WalkPosition,
    oldest: number,
    newest: number,
    visitsMax: number,
    visit: WalkVisit,
  ): WalkPosition | undefined {
    this.#assertReadable(oldest);
    const window: ChainWindow = { oldest, newest };
    const walked = this.#walked;
    const references: number[] = [];
    let { aboveRevision } = from;
    let visitsLeft = visitsMax;
    const next = this.#forEachId({ start: from.key, end: undefined }, false, newest, (id) => {
      if (visitsLeft <= 0) return false;
      const shard = this.#shards[id >>> LOCAL_ID_BITS]!;
      const localId = id & LOCAL_ID_MASK;
      const above = aboveRevision > 0 && this.#isKeyOf(id, from.key) ? aboveRevision : 0;
      aboveRevision = 0;
      const isWhole = collectNeeded(shard, localId, window, above, visitsLeft, references);
      let visited = 0;
      let lastRevision = 0;
      while (visited < references.length && visitsLeft > 0) {
        const reference = references[visited++]!;
        readPlaced(shard.pageOf(reference), wordOffsetOf(reference), walked);
        lastRevision = walked.revision;
        visitsLeft--;
        if (visit(walked) === false) visitsLeft = 0;
      }
      if (visited < references.length || !isWhole) {
        aboveRevision = lastRevision;
        return false;
      }
      if (visited === 0) visitsLeft--;
      return true;
    });
    return next === NONE ? undefined : { key: this.#byKey.keyOf(next, this.#bytes), aboveRevision };
  }

  compact(revision: number): void {
    if (revision <= this.#compactRevision) return;
    this.#compactRevision = revision;
    this.#epochs.publishCompactRevision(revision);
  }

  maintain(isThorough = false): boolean {
    if (!this.#dropTails()) return true;
    for (let left = SUPERSEDED_PER_STEP; left > 0; left -= FETCH_COUNT_MAX) this.#dropSome();
    if (this.#cutTails.length > 0) return true;
    const isMoving = this.#moveSome(isThorough) || this.#keys.moveSome() || this.#deadlines.moveSome();
    this.#reclaim();
    const isTrimming = this.#pool.trim(isThorough);
    const isMore = isMoving || isTrimming || this.#superseded.nextRevision() <= this.#compactRevision;
    if (isThorough && !isMore) this.#pool.settle();
    return isMore;
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    const keys: Uint8Array[] = [];
    const first = limit > 0 ? this.#deadlines.first() : NONE;
    if (first === NONE) return keys;
    const slice = this.#takeSlice();
    this.#byDeadline.loadProbe(first);
    for (;;) {
      this.#deadlines.sliceUp(slice);
      for (let index = 0; index < slice.count; index++) {
        const id = slice.ids[index]!;
        if (keys.length === limit || this.#byDeadline.deadlineOf(id) > nowMs) {
          this.#slices.push(slice);
          return keys;
        }
        keys.push(this.#byDeadline.keyOf(id, this.#bytes));
      }
      if (slice.nextBorder === NONE) break;
      this.#byDeadline.loadProbe(slice.nextBorder);
    }
    this.#slices.push(slice);
    return keys;
  }

  nextDeadlineMs(): number | undefined {
    const first = this.#deadlines.first();
    return first === NONE ? undefined : this.#byDeadline.deadlineOf(first);
  }

  stats(): EngineStats {
    return { keyCount: this.#keyCount, versionCount: this.#versionCount, dataBytes: this.#dataBytes };
  }

  verifyIntegrity(): void {
    const counted = verifyMemory({
      shards: this.#shards,
      shardMask: this.#shardMask,
      probe: this.#probe,
      keys: this.#keys,
      deadlines: this.#deadlines,
      superseded: this.#superseded,
      longChains: this.#longChains,
      cutTails: this.#cutTails,
    });
    const { keyCount, versionCount, dataBytes } = this.stats();
    assert(
      counted.keyCount === keyCount &&
        counted.versionCount === versionCount &&
        counted.dataBytes === dataBytes,
      'the counts are true',
    );
    let pageCount = this.#superseded.pageCount;
    for (const table of [...this.#tables, ...this.#treeTables]) pageCount += table.verifyIntegrity();
    assert(pageCount === this.#pool.usedCount, 'every page in use belongs to something');
  }

  /**
   * Lets another thread read: what this returns is sent to it (with `transferList`) and handed to a `MemoryReader`.
   * `detachReader` must be called when that thread reads no more, also when it ended unexpectedly.
   */
  attachReader(): ReaderAttachment {
    return this.#links.attach(this.#hashSeed, this.#shards.length, this.#tables);
  }

  detachReader(seat: number): void {
    this.#links.detach(seat);
  }

  #newShard(number: number): Shard {
    const [slots, index, versions] = (['slots', 'index', 'versions'] as const).map((kind) => {
      const table = new PageTable(tableNumber(number, kind), this.#pool, this.#epochs, this.#links.notice);
      this.#tables.push(table);
      return table;
    });
    assert(slots !== undefined && index !== undefined && versions !== undefined, 'a shard has three tables');
    const keySlots = new KeySlots(slots, this.#epochs);
    const hashIndex = new HashIndex(index, keySlots, this.#epochs, (depth) =>
      this.#links.publishDepth(number, depth),
    );
    const parts = { index: hashIndex, slots: keySlots, versions: new VersionArena(versions) };
    return new Shard(number, parts, this.#longChains, this.#epochs);
  }

  #read(key: Uint8Array, revision: number, withValue: boolean): Version | undefined {
    this.#assertReadable(revision);
    const probe = this.#probe;
    probe.set(key);
    const shard = this.#shards[probe.hash & this.#shardMask]!;
    const localId = shard.find(probe);
    if (localId === NONE) return undefined;
    const reference = this.#visibleFrom(shard, localId, shard.slots.newest(localId), revision);
    if (reference === NONE) return undefined;
    return readVersion(
      shard.wordsOf(reference),
      shard.bytesOf(reference),
      wordOffsetOf(reference),
      this.#bytes,
      withValue,
    );
  }

  /** The version that a read at a revision sees, of a chain that begins with `newest`; 0: none, or a deletion. */
  #visibleFrom(shard: Shard, localId: number, newest: number, revision: number): number {
    const visible = shard.versionAt(localId, newest, revision);
    if (visible === NONE) return NONE;
    return (shard.wordsOf(visible)[wordOffsetOf(visible) + VERSION_FLAGS]! & IS_DELETED) === 0
      ? visible
      : NONE;
  }

  /**
   * Visits the ids of the keys of a range, each with the version that a read at `revision` sees (0: none), until
   * `visit` returns false.
   * @returns the id at which it did; 0 at the end of the range.
   */
  #forEachId(range: EngineRange, isReverse: boolean, revision: number, visit: VisitId): number {
    const slice = this.#takeSlice();
    const stopped = isReverse
      ? this.#forEachIdDown(range, slice, revision, visit)
      : this.#forEachIdUp(range, slice, revision, visit);
    this.#slices.push(slice);
    return stopped;
  }

  #forEachIdUp(range: EngineRange, slice: TreeSlice, revision: number, visit: VisitId): number {
    const { start, end } = range;
    const probe = this.#probe;
    probe.setUnhashed(start);
    for (;;) {
      this.#keys.sliceUp(slice);
      // Whether the range ends within the slice is asked once, of the border above it.
      let isEndNear = end !== undefined;
      if (end !== undefined && slice.nextBorder !== NONE) {
        probe.setUnhashed(end);
        isEndNear = this.#byKey.compareProbe(slice.nextBorder) <= 0;
      }
      this.#resolve(slice, revision);
      for (let index = 0; index < slice.count; index++) {
        const id = slice.ids[index]!;
        if (isEndNear && end !== undefined) {
          // Again for each, because the visitor may have used the probe.
          probe.setUnhashed(end);
          if (this.#byKey.compareProbe(id) <= 0) return NONE;
        }
        if (!visit(id, slice.references[index]!)) return id;
      }
      if (isEndNear || slice.nextBorder === NONE) return NONE;
      this.#byKey.loadProbe(slice.nextBorder);
    }
  }

  #forEachIdDown(range: EngineRange, slice: TreeSlice, revision: number, visit: VisitId): number {
    const { start, end } = range;
    const probe = this.#probe;
    if (end !== undefined) probe.setUnhashed(end);
    for (let isFromEnd = end === undefined; ; isFromEnd = false) {
      this.#keys.sliceDown(slice, isFromEnd);
      let isStartNear = start.length > 0;
      if (start.length > 0 && slice.nextBorder !== NONE) {
        probe.setUnhashed(start);
        isStartNear = this.#byKey.compareProbe(slice.nextBorder) >= 0;
      }
      this.#resolve(slice, revision);
      for (let index = slice.count - 1; index >= 0; index--) {
        const id = slice.ids[index]!;
        if (isStartNear) {
          probe.setUnhashed(start);
          if (this.#byKey.compareProbe(id) > 0) return NONE;
        }
        if (!visit(id, slice.references[index]!)) return id;
      }
      if (isStartNear || slice.nextBorder === NONE) return NONE;
      this.#byKey.loadProbe(slice.nextBorder);
    }
  }

  /**
   * Finds the versions that a read sees for all items of a slice, before any is visited: in short loops whose steps do
   * not wait for each other the processor fetches from many places of the memory at once.
   */
  #resolve(slice: TreeSlice, revision: number): void {
    const { ids, references, count } = slice;
    for (let index = 0; index < count; index++) {
      const id = ids[index]!;
      references[index] = this.#shards[id >>> LOCAL_ID_BITS]!.slots.newest(id & LOCAL_ID_MASK);
    }
    for (let index = 0; index < count; index++) {
      const id = ids[index]!;
      const shard = this.#shards[id >>> LOCAL_ID_BITS]!;
      references[index] = this.#visibleFrom(shard, id & LOCAL_ID_MASK, references[index]!, revision);
    }
  }

  #isKeyOf(id: number, key: Uint8Array): boolean {
    this.#probe.setUnhashed(key);
    return this.#byKey.compareProbe(id) === 0;
  }

  #takeSlice(): TreeSlice {
    return this.#slices.pop() ?? new TreeSlice();
  }

  /** Works off some entries of the queue. */
  #dropSome(): void {
    const { ids } = this.#fetchAhead;
    let count = 0;
    while (count < FETCH_COUNT_MAX && this.#superseded.nextRevision() <= this.#compactRevision) {
      ids[count++] = this.#superseded.shift();
    }
    this.#fetchAhead.fetch(this.#shards, count);
    for (let index = 0; index < count; index++) this.#dropSuperfluous(ids[index]!);
  }

  /** Drops the versions of a key that no read at the compaction's revision or above can see. */
  #dropSuperfluous(id: number): void {
    const shard = this.#shards[id >>> LOCAL_ID_BITS]!;
    const localId = id & LOCAL_ID_MASK;
    const base = shard.versionAt(localId, shard.slots.newest(localId), this.#compactRevision);
    if (base === NONE) return;
    const baseWords = shard.wordsOf(base);
    const baseRevision = revisionAt(baseWords, wordOffsetOf(base));
    const isBaseNeeded = (baseWords[wordOffsetOf(base) + VERSION_FLAGS]! & IS_DELETED) === 0;
    let dropped = base;
    if (isBaseNeeded) {
      dropped = shard.previousOf(base);
      if (dropped === NONE) return;
      shard.publishPrevious(base, NONE);
    } else {
      const newer = shard.newerOf(localId, base);
      if (newer === NONE) this.#removeKey(shard, localId);
      else shard.publishPrevious(newer, NONE);
    }
    shard.cutBelow(localId, isBaseNeeded ? baseRevision : baseRevision + 1);
    const left = this.#dropTail(shard, dropped, DROPPED_PER_ENTRY);
    if (left !== NONE) this.#cutTails.push({ shard, reference: left });
  }

  /** Drops versions that were cut off earlier. @returns whether all of them are gone. */
  #dropTails(): boolean {
    const tail = this.#cutTails.at(-1);
    if (tail === undefined) return true;
    tail.reference = this.#dropTail(tail.shard, tail.reference, DROPPED_PER_STEP);
    if (tail.reference === NONE) this.#cutTails.pop();
    return this.#cutTails.length === 0;
  }

  /** Drops versions from one on downwards, at most so many. @returns the next one; 0: there is none. */
  #dropTail(shard: Shard, newest: number, countMax: number): number {
    let each = newest;
    for (let count = 0; each !== NONE && count < countMax; count++) {
      const previous = shard.previousOf(each);
      const words = shard.wordsOf(each);
      const offset = wordOffsetOf(each);
      this.#versionCount--;
      this.#dataBytes -= keyByteCount(words, offset) + words[offset + VERSION_VALUE_BYTES]!;
      shard.drop(each);
      each = previous;
    }
    return each;
  }

  /** Takes a key out of the indexes whose only version left is a deletion. */
  #removeKey(shard: Shard, localId: number): void {
    const id = keyIdOf(shard, localId);
    this.#byKey.loadProbe(id);
    this.#keys.remove(id);
    shard.index.remove(shard.slots.hash(localId), localId);
    shard.slots.give(localId);
  }

  /** Moves together what is left in sparse pages of the next shard that has any. */
  #moveSome(isThorough: boolean): boolean {
    for (let count = 0; count <= this.#shardMask; count++) {
      const shard = this.#shards[this.#nextShard]!;
      if (shard.index.isWasteful()) {
        shard.index.moveTogether();
        return true;
      }
      if (shard.versions.isWasteful(isThorough)) {
        if (!shard.moveSome(isThorough)) this.#nextShard = (this.#nextShard + 1) & this.#shardMask;
        return true;
      }
      this.#nextShard = (this.#nextShard + 1) & this.#shardMask;
    }
    return false;
  }

  /** Frees what readers of other threads do not look at any more. */
  #reclaim(): void {
    if (!this.#epochs.hasReaders && !this.#isWaiting()) return;
    this.#epochs.advance();
    const oldest = this.#epochs.oldest();
    for (const shard of this.#shards) {
      shard.slots.reclaim(oldest);
      shard.index.reclaim(oldest);
    }
    for (const table of this.#tables) table.reclaim(oldest);
  }

  #isWaiting(): boolean {
    return (
      this.#shards.some((shard) => shard.slots.isWaiting || shard.index.isWaiting) ||
      this.#tables.some((table) => table.isWaiting)
    );
  }

  #assertReadable(revision: number): void {
    assert(revision >= this.#compactRevision, 'nobody reads below the revision of the compaction');
  }
}
