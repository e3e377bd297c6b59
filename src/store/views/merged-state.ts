/**
 * The newest state with a transaction's changes laid over it, in key order: scans, ranks, and keys by rank.
 *
 * The changes stand in an `Overlay`, each with by how much it changes the number of live keys that the engine counts. Keys past
 * their deadline, which the engine counts and no reader shall see, stand there too, as hidden ones. So the number of entries
 * before a key is the engine's rank plus the sum of what lies before it in the overlay: O(log n + log m).
 *
 * The overlay is made when the first ordered read meets changes (or overdue keys, for counts), and kept up from then on.
 */
import type { Engine, EngineRange, Visit } from '../../engine/engine.ts';
import { placeChange } from '../../engine/version.ts';
import { assert, StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { WorkBudget } from '../../work-budget.ts';
import { isElementKey } from '../collections/collection-keys.ts';
import { Overlay, type OverlayEntry } from './overlay.ts';
import { isOverdue } from './overdue.ts';
import type { PlannedChange } from './planned-change.ts';
import { hasElementsAlone } from './regions.ts';

/** The draft, as far as it is needed here. */
export interface MergedSource {
  readonly instantMs: number;
  readonly budget: WorkBudget;
  readonly changes: readonly PlannedChange[];
  /** How many these are; costs nothing to ask for. */
  readonly changeCount: number;
  /** Has the budget pay for what the engine has done. @returns whether something is left of it. */
  payEngine(): boolean;
}

/** `undefined`: the key is overdue, and hidden. */
type Laid = PlannedChange | undefined;
type LaidEntry = OverlayEntry<Laid>;

const ALL: EngineRange = { start: NO_BYTES, end: undefined };
const NEWEST = fixed.integerMax;
const NOTHING = new Overlay<Laid>();

export class MergedState {
  readonly #engine: Engine;
  #overlay: Overlay<Laid> | undefined;
  /** Whether the overlay holds the overdue keys. */
  #hidesOverdue = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Forgets the changes. */
  end(): void {
    this.#overlay = undefined;
    this.#hidesOverdue = false;
  }

  /** The change of a key is another one by now; `undefined`: there is none. */
  noteChange(key: Uint8Array, change: PlannedChange | undefined, instantMs: () => number): void {
    const overlay = this.#overlay;
    if (overlay === undefined) return;
    if (change !== undefined) overlay.set(change.key, deltaOf(change), change);
    else if (this.#isHidden(key, instantMs)) overlay.set(key, -1, undefined);
    else overlay.delete(key);
  }

  scan(source: MergedSource, range: EngineRange, reverse: boolean, visit: Visit): Uint8Array | undefined {
    const { budget } = source;
    if (source.changeCount === 0) {
      return this.#engine.scan(range, NEWEST, { reverse, budget }, (shown) =>
        shown.expireTimeMs !== 0 && isOverdue(shown, source.instantMs) ? true : visit(shown),
      );
    }
    return this.#scanMerged(source, this.#laidOver(source), range, reverse, visit);
  }

  count(source: MergedSource, range: EngineRange): number {
    const overlay = this.#exact(source, range);
    return Math.max(0, this.#entriesBeforeEnd(overlay, range) - this.#entriesBefore(overlay, range.start));
  }

  rank(source: MergedSource, range: EngineRange, key: Uint8Array): number {
    const overlay = this.#exact(source, range);
    const end = range.end !== undefined && Buffer.compare(key, range.end) > 0 ? range.end : key;
    return Math.max(0, this.#entriesBefore(overlay, end) - this.#entriesBefore(overlay, range.start));
  }

  select(source: MergedSource, range: EngineRange, index: number): Uint8Array | undefined {
    const overlay = this.#exact(source, range);
    const place = this.#entriesBefore(overlay, range.start) + index;
    return place >= this.#entriesBeforeEnd(overlay, range) ? undefined : this.#keyAt(overlay, place);
  }

  /**
   * The keys at several places, ascending, all of which are there: the ends of the range are looked for once. When the budget is spent on the
   * way, some are empty.
   */
  selectAll(source: MergedSource, range: EngineRange, places: Float64Array): Uint8Array[] {
    const overlay =
      source.changeCount === 0 && hasElementsAlone(range) ? NOTHING : this.#exact(source, range);
    const before = this.#entriesBefore(overlay, range.start);
    const end = this.#entriesBeforeEnd(overlay, range);
    const keys: Uint8Array[] = Array.from(places, () => NO_BYTES);
    // What the overlay has not, the engine finds together.
    const indexes = new Float64Array(places.length);
    const placeOf = new Uint32Array(places.length);
    let count = 0;
    if (!this.#rankForMany(source, overlay, places.length)) return keys;
    for (const [place, index] of places.entries()) {
      if (!source.payEngine()) return keys;
      assert(before + index < end, 'a place is one of the range');
      const found = this.#find(overlay, before + index);
      if (typeof found === 'number') {
        indexes[count] = found;
        placeOf[count++] = place;
      } else keys[place] = found;
    }
    let at = 0;
    this.#engine.selectAll(indexes.subarray(0, count), source.budget, (key) => {
      keys[placeOf[at++] ?? 0] = key;
    });
    return keys;
  }

  /** @param place among all entries, of which there are more. */
  #keyAt(overlay: Overlay<Laid>, place: number): Uint8Array | undefined {
    const found = this.#find(overlay, place);
    return typeof found === 'number' ? this.#engine.select(ALL, found) : found;
  }

  /** @param place as above. @returns the key, or the index that it has in the engine. */
  #find(overlay: Overlay<Laid>, place: number): Uint8Array | number {
    // The last key of the overlay before which no more entries lie than before the one that is looked for.
    let deltaThrough = 0;
    const last = overlay.findLast((entry, deltaBefore) => {
      if (this.#rankOf(entry) + deltaBefore > place) return false;
      deltaThrough = deltaBefore + entry.delta;
      return true;
    });
    if (last === undefined) return place;
    const isShown = last.item !== undefined && !last.item.deleted;
    const deltaBefore = deltaThrough - last.delta;
    if (isShown && this.#rankOf(last) + deltaBefore === place) return last.key;
    return place - deltaThrough;
  }

  #scanMerged(
    { budget, instantMs }: MergedSource,
    overlay: Overlay<Laid>,
    range: EngineRange,
    reverse: boolean,
    visit: Visit,
  ): Uint8Array | undefined {
    const sign = reverse ? -1 : 1;
    const following = (entry: LaidEntry): LaidEntry | undefined =>
      within(reverse ? overlay.previous(entry) : overlay.next(entry));
    const within = (entry: LaidEntry | undefined): LaidEntry | undefined => {
      if (entry === undefined) return undefined;
      const isInside = reverse
        ? Buffer.compare(entry.key, range.start) >= 0
        : range.end === undefined || Buffer.compare(entry.key, range.end) < 0;
      return isInside ? entry : undefined;
    };
    const first = within(reverse ? overlay.lastBelow(range.end) : overlay.firstFrom(range.start));
    const state = { next: first, isStopped: budget.isSpent };
    let notShown: Uint8Array | undefined;
    /** Shows what the overlay has next. */
    const showNext = (entry: LaidEntry): void => {
      state.next = following(entry);
      if (entry.item === undefined || entry.item.deleted) return;
      budget.spendVisits(1);
      state.isStopped = !visit(placeChange(entry.item)) || budget.isSpent;
    };
    /** Shows what the overlay has before a key of the engine; at least one, so that each piece of a scan goes on. */
    const showBefore = (key: Uint8Array | undefined): void => {
      for (let { next } = state; next !== undefined && !state.isStopped; next = state.next) {
        if (key !== undefined && Buffer.compare(next.key, key) * sign >= 0) return;
        showNext(next);
      }
    };
    const rest = this.#engine.scan(range, NEWEST, { reverse, budget }, (shown) => {
      const { key } = shown;
      showBefore(key);
      if (state.isStopped) {
        notShown = shown.copyKey();
        return false;
      }
      const { next } = state;
      if (next !== undefined && Buffer.compare(next.key, key) === 0) showNext(next);
      else if (!isOverdue(shown, instantMs)) state.isStopped = !visit(shown);
      return !state.isStopped;
    });
    showBefore(rest);
    return firstOf([notShown, rest, state.next?.key], sign);
  }

  /** The number of entries before a key. */
  #entriesBefore(overlay: Overlay<Laid>, key: Uint8Array): number {
    return key.length === 0 ? 0 : this.#engine.rank(ALL, key) + overlay.deltaBefore(key);
  }

  #entriesBeforeEnd(overlay: Overlay<Laid>, { end }: EngineRange): number {
    if (end !== undefined) return this.#entriesBefore(overlay, end);
    return this.#engine.count(ALL) + overlay.deltaSum;
  }

  /**
   * Asks for the ranks of the overlay's keys together, where so many places are looked for that most of them would be asked for one by one: an
   * engine on disk goes through a bucket of keys for each. @returns whether the budget was enough.
   */
  #rankForMany({ budget }: MergedSource, overlay: Overlay<Laid>, placeCount: number): boolean {
    const { size } = overlay;
    if (size < 2 || placeCount * Math.log2(size) < size) return true;
    const unranked: LaidEntry[] = [];
    for (let entry = overlay.firstFrom(NO_BYTES); entry !== undefined; entry = overlay.next(entry))
      if (entry.rankBefore < 0) unranked.push(entry);
    const keys = unranked.map(({ key }) => key);
    let at = 0;
    const count = this.#engine.rankAll(keys, budget, (rank) => {
      const entry = unranked[at++];
      if (entry !== undefined) entry.rankBefore = rank;
    });
    return count === keys.length;
  }

  /** The engine's rank of a key of the overlay, asked for once. */
  #rankOf(entry: LaidEntry): number {
    if (entry.rankBefore < 0) entry.rankBefore = this.#engine.rank(ALL, entry.key);
    return entry.rankBefore;
  }

  #laidOver(source: MergedSource): Overlay<Laid> {
    if (this.#overlay !== undefined) return this.#overlay;
    const overlay = new Overlay<Laid>();
    for (const change of source.changes) overlay.set(change.key, deltaOf(change), change);
    return (this.#overlay = overlay);
  }

  /** The overlay with the keys that the engine counts and that are overdue. */
  #exact(source: MergedSource, range: EngineRange): Overlay<Laid> {
    const overlay = this.#laidOver(source);
    // Elements count until they are removed: what is overdue elsewhere counts on both sides of each difference.
    if (this.#hidesOverdue || hasElementsAlone(range)) return overlay;
    const firstMs = this.#engine.nextDeadlineMs();
    if (firstMs === undefined || firstMs > source.instantMs) {
      this.#hidesOverdue = true;
      return overlay;
    }
    const keys = this.#engine.due(source.instantMs, fixed.overdueCountedMax + 1);
    source.budget.spendVisits(keys.length);
    if (keys.length > fixed.overdueCountedMax) {
      throw new StoreError(
        'limitReached',
        `more than ${fixed.overdueCountedMax} keys are past their deadline and not removed yet, so that none can be counted; they are being removed: try again`,
      );
    }
    this.#hidesOverdue = true;
    for (const key of keys)
      if (!isElementKey(key) && overlay.get(key) === undefined) overlay.set(key, -1, undefined);
    return overlay;
  }

  #isHidden(key: Uint8Array, instantMs: () => number): boolean {
    if (!this.#hidesOverdue || isElementKey(key)) return false;
    const stored = this.#engine.readMeta(key, NEWEST);
    return stored !== undefined && stored.expireTimeMs !== 0 && isOverdue(stored, instantMs());
  }
}

/** By how much a change alters the number of keys that the engine counts. */
function deltaOf(change: PlannedChange): number {
  const isCounted = change.hadEntry || change.replacedExpired;
  return Number(!change.deleted) - Number(isCounted);
}

/** The key that comes first in the direction of a scan. */
function firstOf(keys: readonly (Uint8Array | undefined)[], sign: number): Uint8Array | undefined {
  return keys.reduce(
    (first, key) =>
      first === undefined || (key !== undefined && Buffer.compare(key, first) * sign < 0) ? key : first,
    undefined,
  );
}
