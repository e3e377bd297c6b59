/**
 * Fills the structures of a memory engine with what lies on disk: many changes, and nobody who looks for them in order
 * meanwhile. So what is dear for one change at a time is put off and done for all at once:
 *
 * - While keys ascend, a key needs no search: it is the last one again, or new. The hash index is filled at the end, shard
 *   by shard; the ordered index grows at its end.
 * - Later keys come in any order. They go into the hash index at once, and into the ordered index at the end, sorted.
 */
import { assert } from '../../errors.ts';
import { KEY_BYTES_MAX, REFUSED_LOAD } from '../engine.ts';
import type { EngineStats } from '../engine.ts';
import type { PlacedChange } from '../placed-change.ts';
import { keyIdOf } from './key-order.ts';
import type { KeyOrder } from './key-order.ts';
import { KeySorter } from './key-sorter.ts';
import type { KeyTree } from './key-tree.ts';
import { IS_DELETED, LOCAL_ID_BITS, LOCAL_ID_MASK, VERSION_FLAGS, revisionAt } from './layout.ts';
import { flagsOfPlaced, readLeaseId, writePlaced } from './placed-codec.ts';
import type { Probe } from './probe.ts';
import type { Shard } from './shard.ts';
import type { SupersededQueue } from './superseded-queue.ts';
import { wordOffsetOf } from './version-arena.ts';
import { readDeadline, unitsFor } from './version-codec.ts';

/** What a loader fills. */
export interface LoadTarget {
  readonly shards: readonly Shard[];
  readonly shardMask: number;
  readonly probe: Probe;
  readonly byKey: KeyOrder;
  readonly keys: KeyTree;
  readonly deadlines: KeyTree;
  readonly superseded: SupersededQueue;
}

/** So many keys are sorted at a time, which takes 30 bytes for each. */
const SORTED_COUNT_MAX = 2 ** 20;

/** How many keys one piece of `finish` puts into the ordered index. */
const KEYS_PER_PIECE = 10_000;

const PREFIX_BYTES_MAX = 64;

const NONE = 0;

/**
 * - `empty`: nothing was loaded.
 * - `ascending`: keys came in order; they are in no hash index.
 * - `mixed`: all keys are in the hash index. Those from `#unsortedStart` on are not in the ordered index.
 */
type State = 'empty' | 'ascending' | 'mixed';

export class BulkLoader {
  readonly #target: LoadTarget;
  #state: State = 'empty';
  /** The key that was loaded last, while keys ascend. */
  #lastId = NONE;
  /** By shard: the first local id of a key that may be missing in the ordered index. */
  readonly #unsortedStart: number[];
  /** The ordered index has a key. */
  #hasSorted = false;
  /** There are keys that the ordered index has not. */
  #hasUnsorted = false;
  /** The bytes with which all unsorted keys begin, or the first of these bytes. */
  readonly #prefix = new Uint8Array(PREFIX_BYTES_MAX);
  #prefixBytes = 0;
  #pieces: Generator<undefined, undefined> | undefined;
  #keyCount = 0;
  #versionCount = 0;
  #dataBytes = 0;

  constructor(target: LoadTarget) {
    this.#target = target;
    this.#unsortedStart = target.shards.map(() => 1);
  }

  /** What was loaded since this was last asked. */
  takeCounts(): EngineStats {
    const counts = {
      keyCount: this.#keyCount,
      versionCount: this.#versionCount,
      dataBytes: this.#dataBytes,
    };
    this.#keyCount = this.#versionCount = this.#dataBytes = 0;
    return counts;
  }

  load(change: PlacedChange): number {
    assert(this.#state !== 'ascending' && this.#pieces === undefined, 'what was loaded before is finished');
    this.#state = 'mixed';
    const shard = this.#find(change);
    const found = shard.find(this.#target.probe);
    return this.#add(shard, found, change);
  }

  loadAscending(change: PlacedChange): number {
    assert(this.#state !== 'mixed' && this.#pieces === undefined, 'keys that ascend are loaded first');
    this.#state = 'ascending';
    const { shards, byKey } = this.#target;
    const last = this.#lastId;
    const shard = this.#find(change);
    if (last !== NONE) {
      const order = byKey.compareProbe(last);
      if (order < 0) return REFUSED_LOAD;
      if (order === 0) return this.#add(shards[last >>> LOCAL_ID_BITS]!, last & LOCAL_ID_MASK, change);
    }
    return this.#add(shard, NONE, change);
  }

  /** Does a piece of the work that was put off. @returns whether there is more to do. */
  finish(): boolean {
    if (this.#state === 'empty') return false;
    this.#pieces ??= this.#finish(this.#state === 'ascending');
    if (this.#pieces.next().done !== true) return true;
    this.#pieces = undefined;
    this.#state = 'mixed';
    return false;
  }

  /** Takes the key into the probe. @returns its shard. */
  #find({ memory, keyStart, keyEnd }: PlacedChange): Shard {
    assert(keyEnd > keyStart && keyEnd - keyStart <= KEY_BYTES_MAX, 'a key has 1 to 65535 bytes');
    const { probe, shards, shardMask } = this.#target;
    probe.setPlaced(memory.bytes, keyStart, keyEnd);
    probe.hash = probe.computeHash();
    return shards[probe.hash & shardMask]!;
  }

  /** Adds a version to the key in the probe. */
  #add(shard: Shard, found: number, change: PlacedChange): number {
    const { probe, keys, superseded } = this.#target;
    const { revision } = change;
    const { hash } = probe;
    let previous = NONE;
    let leaseBefore = 0;
    let wasAlive = false;
    let oldDeadlineMs = 0;
    if (found !== NONE) {
      previous = shard.slots.newest(found);
      const words = shard.wordsOf(previous);
      const offset = wordOffsetOf(previous);
      if (revision <= revisionAt(words, offset)) return REFUSED_LOAD;
      leaseBefore = readLeaseId(words, offset);
      wasAlive = (words[offset + VERSION_FLAGS]! & IS_DELETED) === 0;
      oldDeadlineMs = readDeadline(words, offset);
    } else if (revision <= 0) {
      return REFUSED_LOAD;
    }

    const flags = flagsOfPlaced(change);
    const isDeletion = (flags & IS_DELETED) !== 0;
    const keyBytes = probe.length;
    const valueBytes = isDeletion ? 0 : change.valueEnd - change.valueStart;
    const reference = shard.versions.allocate(unitsFor(flags, keyBytes, valueBytes));
    // Never the slot of an index's border that was given back: keys that are still to be sorted lie behind the others.
    const localId = found === NONE ? shard.slots.append(hash) : found;
    const id = keyIdOf(shard, localId);
    writePlaced(shard.pageOf(reference), wordOffsetOf(reference), previous, localId, flags, probe, change);
    const newDeadlineMs = isDeletion ? 0 : change.expireTimeMs;
    if (oldDeadlineMs !== newDeadlineMs) this.#unsetDeadline(id, oldDeadlineMs);
    shard.publishNewest(localId, revision, reference);
    if (this.#state === 'ascending') {
      this.#lastId = id;
      if (found === NONE) keys.append(id);
    } else if (found === NONE) {
      this.#fitPrefix();
      shard.index.insert(hash, localId);
    }
    if (oldDeadlineMs !== newDeadlineMs) this.#setDeadline(id, newDeadlineMs, change);

    if (previous !== NONE || isDeletion) superseded.push(revision, id);
    this.#keyCount += (isDeletion ? 0 : 1) - (wasAlive ? 1 : 0);
    this.#versionCount++;
    this.#dataBytes += keyBytes + valueBytes;
    return leaseBefore;
  }

  /** Makes the prefix one of the key in the probe too. */
  #fitPrefix(): void {
    const { byKey } = this.#target;
    this.#prefixBytes = this.#hasUnsorted
      ? byKey.commonBytesOfProbe(this.#prefix, this.#prefixBytes)
      : byKey.copyProbe(this.#prefix);
    this.#hasUnsorted = true;
  }

  /** An item is found in the index of deadlines by its newest version: it goes out before that changes, ... */
  #unsetDeadline(id: number, deadlineMs: number): void {
    if (deadlineMs === 0) return;
    const { probe, deadlines } = this.#target;
    probe.deadlineMs = deadlineMs;
    deadlines.remove(id);
  }

  /** ... and in after it. */
  #setDeadline(id: number, deadlineMs: number, { memory, keyStart, keyEnd }: PlacedChange): void {
    if (deadlineMs === 0) return;
    const { probe, deadlines } = this.#target;
    probe.setPlaced(memory.bytes, keyStart, keyEnd);
    probe.deadlineMs = deadlineMs;
    deadlines.insert(id);
  }

  *#finish(isAscending: boolean): Generator<undefined, undefined> {
    const { keys } = this.#target;
    if (isAscending) {
      keys.endAppending();
      this.#hasSorted = this.#lastId !== NONE;
      yield* this.#fillHashIndexes();
    } else {
      yield* this.#sortKeys();
    }
    for (const [number, { slots }] of this.#target.shards.entries()) this.#unsortedStart[number] = slots.end;
  }

  *#fillHashIndexes(): Generator<undefined, undefined> {
    for (const shard of this.#target.shards) {
      const { slots, index } = shard;
      index.reserve(slots.end - 1);
      for (let localId = 1; localId < slots.end; localId++) {
        if (slots.isOfKey(localId)) index.insert(slots.hash(localId), localId);
        if (localId % KEYS_PER_PIECE === 0) yield;
      }
      yield;
    }
  }

  /** Puts the keys that came in no order into the ordered index. */
  *#sortKeys(): Generator<undefined, undefined> {
    const { shards, byKey } = this.#target;
    const spans = shards.map(({ slots }, number) => slots.end - this.#unsortedStart[number]!);
    const spanSum = spans.reduce((sum, span) => sum + span, 0);
    if (!this.#hasUnsorted) return;
    const sorter = new KeySorter(Math.min(spanSum, SORTED_COUNT_MAX), byKey);
    for (const [number, shard] of shards.entries()) {
      for (let localId = this.#unsortedStart[number]!; localId < shard.slots.end; localId++) {
        if (!shard.slots.isOfKey(localId)) continue;
        if (sorter.isFull) yield* this.#order(sorter);
        sorter.add(keyIdOf(shard, localId));
      }
      yield;
    }
    yield* this.#order(sorter);
    this.#hasUnsorted = false;
  }

  /** Puts keys into the ordered index in their order: at the end of an empty one, among the keys of another. */
  *#order(sorter: KeySorter): Generator<undefined, undefined> {
    const { byKey, keys } = this.#target;
    yield* sorter.sort(this.#prefixBytes);
    for (let index = 0; index < sorter.count; index++) {
      const id = sorter.ids[index]!;
      if (this.#hasSorted) {
        byKey.loadProbe(id);
        keys.insert(id);
      } else {
        keys.append(id, sorter.heads, index);
      }
      if (index % KEYS_PER_PIECE === 0) yield;
    }
    if (!this.#hasSorted) keys.endAppending();
    this.#hasSorted ||= sorter.count > 0;
    sorter.clear();
  }
}
