/**
 * The newest state over all layers: how many keys and bytes it has, where its live keys lie (the census), and the deadlines. Kept up by
 * each change, so that nothing of it is ever counted.
 */
import { assert, isUnreadable } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { EngineRange, EngineStats, GroupOfKey } from '../engine.ts';
import { WorkBudget } from '../../work-budget.ts';
import type { Change } from '../version.ts';
import { type Census, SPLIT_ABOVE, SPLIT_INTO } from './census/census.ts';
import type { BucketSizes } from './census/census-part.ts';
import type { KeptState } from './checkpoint/base-notes.ts';
import { DeadlineTotals } from './deadline-totals.ts';
import { separatorOf } from './key-order.ts';
import { CURRENT, NOWHERE, PREVIOUS } from './layer.ts';
import { type Layers, Newest } from './layers.ts';
import { Merge } from './merge.ts';

/** A bucket that could not be cut, since what the base has there can't be read, is tried again when so many more keys have come. */
const SPLIT_AGAIN = 32;
/** Where a checkpoint leaves so many deletions in the base without a live key between them, scans pass over them at once. */
const GAP_KEYS_MIN = 256;
/** `forget` looks at so many keys for each that it may drop: deleted ones are not counted. */
const LOOKED_PER_FORGOTTEN = 16;
/** ... and has the base step over deleted keys so often. */
const DELETED_STEPS_MAX = 256;

/** A key that is about to be forgotten. */
interface Forgotten {
  readonly key: Uint8Array;
  readonly layers: number;
  /** As the newest state has it: the length of its value, -1 when it is deleted; its deadline. */
  readonly valueBytes: number;
  readonly deadlineMs: number;
  /** The layer whose deletion hides it, when it is deleted. */
  readonly hiding: number;
  /** The length of its value in the layers below the current one, and in the base; -1: it is not there. */
  readonly belowBytes: number;
  readonly baseBytes: number;
}

export class NewestState {
  /** Of keys and values. */
  dataBytes = 0;
  deadlines: DeadlineTotals;
  /** What is in the base, and in the layers below the current one. Without a previous generation both are the same. */
  baseKeyCount = 0;
  baseBytes = 0;
  #belowKeyCount = 0;
  #belowBytes = 0;
  readonly #layers: Layers;
  readonly #merge: Merge;
  readonly #below = new Newest();
  /** The keys that `rank` and `select` went through, and what they have passed over besides. */
  #steps = 0;
  readonly #passing = new WorkBudget(0, 0);

  constructor(layers: Layers, groupOf: GroupOfKey) {
    this.#layers = layers;
    this.#merge = new Merge(layers);
    this.deadlines = new DeadlineTotals(groupOf);
  }

  /** What `rank` and `select` have taken in visits, by all calls. */
  get placeVisits(): number {
    return this.#passing.visitsSpent + Math.floor(this.#steps / fixed.censusStepsPerVisit);
  }

  get census(): Census {
    return this.#layers.census;
  }

  /** Takes over what the base has, while nothing lies above it. */
  begin(census: Census, dataBytes: number, deadlines: DeadlineTotals): void {
    this.#layers.census = census;
    this.deadlines = deadlines;
    this.dataBytes = this.baseBytes = this.#belowBytes = dataBytes;
    this.baseKeyCount = this.#belowKeyCount = census.keyCount;
  }

  /** What a checkpoint keeps of it; it does not change any more. */
  seal(): KeptState {
    const { census, dataBytes, deadlines } = this;
    this.#belowKeyCount = census.keyCount;
    this.#belowBytes = dataBytes;
    return { census: census.seal(), keyCount: census.keyCount, dataBytes, deadlines: deadlines.copy() };
  }

  /** What was sealed is in the base now. */
  noteCommit(): void {
    this.baseKeyCount = this.#belowKeyCount;
    this.baseBytes = this.#belowBytes;
    const { base, gaps, newestRevision } = this.#layers;
    if (base.hasDeletions) {
      for (const { start, end, hidden } of this.census.emptyRanges(GAP_KEYS_MIN))
        gaps.cover({ start, end, revision: newestRevision, count: hidden });
    }
    this.census.noteCommit();
  }

  /** A change has replaced the newest version of its key. @param hiding the layer that hides it while it is dead. */
  replace(change: Change, newest: Newest, hiding: number): void {
    const { key, deleted } = change;
    this.dataBytes += deleted ? 0 : key.length + change.value.length;
    this.dataBytes -= newest.isLive ? key.length + newest.valueBytes : 0;
    this.deadlines.add(key, newest.deadlineMs, -1);
    if (!deleted) this.deadlines.add(key, change.expireTimeMs, 1);
    if (deleted !== newest.isLive) return;
    const shown = this.census.add(key, deleted ? -1 : 1, hiding);
    if (!deleted && shown > SPLIT_ABOVE && (shown - SPLIT_ABOVE) % SPLIT_AGAIN === 1) this.#split();
  }

  /** How many live keys lie before a key. */
  rank(key: Uint8Array): number {
    if (key.length === 0) return 0;
    const { census } = this;
    census.goTo(key);
    const { before, count, fence } = census;
    return count === 0 ? before : before + this.#countLive({ start: fence, end: key });
  }

  /** The live key with so many before it, of which there are more. */
  select(index: number): Uint8Array {
    const { census } = this;
    census.goToIndex(index);
    let left = index - census.before;
    const merge = this.#merge;
    try {
      merge.open({ start: census.fence, end: census.nextFence }, fixed.integerMax, false, false);
      for (; merge.find(); merge.leave(this.#passing)) {
        this.#steps++;
        if (merge.version() !== undefined && left-- === 0) return merge.copyKey();
      }
    } finally {
      merge.close();
    }
    assert(false, 'a bucket has as many keys as were counted');
  }

  /** `Engine.selectAll`: goes through each bucket that has a key of these once. */
  selectAll(indexes: Float64Array, budget: WorkBudget, visit: (key: Uint8Array) => void): number {
    let count = 0;
    while (count < indexes.length && budget.visitsLeft > 0) {
      const found = this.#selectInBucket(indexes, count, budget, visit);
      assert(found > 0, 'a bucket has as many keys as were counted');
      count += found;
    }
    return count;
  }

  /** @param first of the indexes that are left. @returns how many of these are of one bucket with it. */
  #selectInBucket(
    indexes: Float64Array,
    first: number,
    budget: WorkBudget,
    visit: (key: Uint8Array) => void,
  ): number {
    const { census } = this;
    census.goToIndex(indexes[first] ?? 0);
    const end = census.before + census.count;
    let index = census.before;
    let at = first;
    let steps = 0;
    const merge = this.#merge;
    try {
      merge.open({ start: census.fence, end: census.nextFence }, fixed.integerMax, false, false);
      // Behind the last of these nothing is looked at.
      for (; (indexes[at] ?? end) < end && merge.find(); merge.leave(budget)) {
        steps++;
        if (merge.version() === undefined || index++ !== indexes[at]) continue;
        at++;
        visit(merge.copyKey());
      }
    } finally {
      merge.close();
      payThrough(steps, at - first, budget);
    }
    return at - first;
  }

  /** `Engine.rankAll`: goes through each bucket that one of the keys belongs to once. */
  rankAll(keys: readonly Uint8Array[], budget: WorkBudget, visit: (rank: number) => void): number {
    let count = 0;
    while (count < keys.length && budget.visitsLeft > 0)
      count += this.#rankInBucket(keys, count, budget, visit);
    return count;
  }

  /** @param first of the keys that are left. @returns how many of these belong to one bucket with it. */
  #rankInBucket(
    keys: readonly Uint8Array[],
    first: number,
    budget: WorkBudget,
    visit: (rank: number) => void,
  ): number {
    const { census } = this;
    census.goTo(keys[first] ?? NO_BYTES);
    const { before: rankOfFence, fence: start, nextFence: end } = census;
    let rank = rankOfFence;
    let at = first;
    let steps = 0;
    /** The next key, if it belongs to the bucket. */
    const next = (): Uint8Array | undefined => {
      const key = keys[at];
      return key === undefined || (end !== undefined && Buffer.compare(key, end) >= 0) ? undefined : key;
    };
    const merge = this.#merge;
    try {
      merge.open({ start, end }, fixed.integerMax, false, false);
      for (let key = next(); key !== undefined; key = next()) {
        // Behind the last of these nothing is looked at.
        while (merge.find()) {
          if (merge.compareTo(key) >= 0) break;
          steps++;
          if (merge.version() !== undefined) rank++;
          merge.leave(budget);
        }
        visit(rank);
        at++;
      }
    } finally {
      merge.close();
      payThrough(steps, at - first, budget);
    }
    return at - first;
  }

  /** `Engine.forget`: what is dropped is hidden in the base and in the previous generation, and taken out of the current one. */
  forget(range: EngineRange, limit: number): number {
    const { layers, found, count, end } = this.#findForgotten(range, limit);
    const hidden = { start: range.start, end };
    layers.base.hide(hidden);
    layers.forgotten.add(hidden);
    layers.lookup.forget();
    for (const each of found) this.#drop(each);
    return count;
  }

  stats(): EngineStats {
    const { current, previous } = this.#layers;
    let versionCount = this.baseKeyCount + current.keyspace.versionCount;
    let dataBytes = this.baseBytes + current.keyspace.dataBytes;
    if (previous !== undefined) {
      versionCount += previous.keyspace.versionCount;
      dataBytes += previous.keyspace.dataBytes;
    }
    return { keyCount: this.census.keyCount, versionCount, dataBytes };
  }

  #countLive(range: EngineRange): number {
    const merge = this.#merge;
    let count = 0;
    try {
      merge.open(range, fixed.integerMax, false, false);
      for (; merge.find(); merge.leave(this.#passing)) {
        this.#steps++;
        if (merge.version() !== undefined) count++;
      }
    } finally {
      merge.close();
    }
    return count;
  }

  /** Cuts the bucket that the census has gone to last. The change that made it too long has been applied: nothing may fail. */
  #split(): void {
    const { census } = this;
    const { count: live, shown } = census;
    const merge = this.#merge;
    const size = Math.ceil(shown / Math.ceil(shown / SPLIT_INTO));
    const pieces: BucketSizes[] = [];
    const fences: Uint8Array[] = [];
    let piece = { live: 0, hidden: 0, sealedHidden: 0 };
    let last: Uint8Array | undefined;
    try {
      this.#openShown({ start: census.fence, end: census.nextFence });
      for (; merge.find(); merge.leave(undefined)) {
        const isLive = merge.version() !== undefined;
        const hiding = isLive ? NOWHERE : merge.hidingLayer;
        if (!isLive && hiding === NOWHERE) continue;
        if (last !== undefined) {
          fences.push(separatorOf(last, merge.copyKey()));
          pieces.push(piece);
          piece = { live: 0, hidden: 0, sealedHidden: 0 };
          last = undefined;
        }
        if (isLive) piece.live++;
        else if (hiding === CURRENT) piece.hidden++;
        else piece.sealedHidden++;
        if (piece.live + piece.hidden + piece.sealedHidden === size) last = merge.copyKey();
      }
    } catch (error) {
      if (isUnreadable(error)) return;
      throw error;
    } finally {
      merge.close();
    }
    pieces.push(piece);
    const total = pieces.reduce((sum, each) => sum + each.live, 0);
    assert(total === live, 'a bucket has as many keys as were counted');
    census.split(pieces, fences);
  }

  /** Goes over a range with all dead keys that are hidden, those of gaps and of empty buckets included. */
  #openShown(range: EngineRange): void {
    this.#merge.open(range, fixed.integerMax, false, false, this.#layers.newestRevision);
  }

  /** What `forget` drops, and the key behind it. */
  #findForgotten(range: EngineRange, limit: number) {
    const layers = this.#layers;
    const merge = this.#merge;
    const found: Forgotten[] = [];
    let count = 0;
    let steps = 0;
    let end = range.end;
    try {
      merge.open(range, fixed.integerMax, false, false, layers.compactRevision);
      for (; merge.find(); merge.leave(undefined)) {
        if (merge.isDeletedInBase && ++steps < DELETED_STEPS_MAX) continue;
        if (count === limit || found.length === limit * LOOKED_PER_FORGOTTEN || steps === DELETED_STEPS_MAX) {
          // What follows is left for the next call.
          end = merge.copyKey();
          count = limit;
          break;
        }
        const forgotten = this.#forgottenAt(merge);
        found.push(forgotten);
        const isSeen = forgotten.valueBytes !== -1 || merge.isDeletionSeen;
        if (isSeen) count++;
      }
    } finally {
      merge.close();
    }
    return { layers, found, count, end };
  }

  #forgottenAt(merge: Merge): Forgotten {
    const version = merge.version();
    const below = this.#below;
    merge.takeBelow(below);
    return {
      key: merge.copyKey(),
      layers: merge.layers,
      valueBytes: version === undefined ? -1 : version.valueEnd - version.valueStart,
      deadlineMs: version?.expireTimeMs ?? 0,
      hiding: version === undefined ? merge.hidingLayer : NOWHERE,
      belowBytes: below.isLive ? below.valueBytes : -1,
      baseBytes: merge.isInBase ? merge.basePlaced.valueEnd - merge.basePlaced.valueStart : -1,
    };
  }

  #drop({ key, layers, valueBytes, deadlineMs, hiding, belowBytes, baseBytes }: Forgotten): void {
    const { current, previous } = this.#layers;
    if ((layers & CURRENT) !== 0) current.keyspace.forget(current.find(key));
    else if ((layers & PREVIOUS) !== 0) previous?.leaveDeadline(previous.find(key));
    if (valueBytes !== -1) {
      this.census.add(key, -1, NOWHERE);
      this.dataBytes -= key.length + valueBytes;
      this.deadlines.add(key, deadlineMs, -1);
    } else if (hiding !== NOWHERE) this.census.forgetHidden(key, hiding);
    if (belowBytes !== -1) {
      this.#belowKeyCount--;
      this.#belowBytes -= key.length + belowBytes;
    }
    if (baseBytes !== -1) {
      this.baseKeyCount--;
      this.baseBytes -= key.length + baseBytes;
    }
  }
}

/** Has a budget pay for the keys of a bucket that were gone through, beyond a visit for each that was found among them. */
function payThrough(steps: number, foundCount: number, budget: WorkBudget): void {
  budget.spendVisits(Math.max(0, Math.floor(steps / fixed.censusStepsPerVisit) - foundCount));
}
