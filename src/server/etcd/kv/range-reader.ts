/**
 * Reads a range by its plan, in one piece or in several, and holds what is to be returned. Where only the first of a sorted range
 * are wanted no more than twice as many are held at a time. What is held is charged before it is copied.
 */
import type { RangeResponseShape } from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { KeyValueShape } from '../../../../gen/etcd/api/mvccpb/kv_codec.ts';
import type { EngineRange } from '../../../engine/engine.ts';
import type { PlacedChange } from '../../../engine/version.ts';
import type { ReadView } from '../../../store/views/view.ts';
import { keyAfter } from '../../../store/views/keys.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { toEtcd } from '../revisions.ts';
import { bytesOfKeyValue, bytesOfShown, copyKeyValue } from './key-values.ts';
import { isFilteredOut, type RangePlan } from './range-plan.ts';

/** What a reply is charged to before it is made. */
export type Charge = (bytes: number) => void;

/** Few are held twice rather than sorted again and again. */
const CUT_COUNT_MIN = 1000;

export interface PieceLimits {
  readonly keysMax: number;
  readonly bytesMax: number;
}

export class RangeReader {
  readonly #plan: RangePlan;
  readonly #charge: Charge;
  readonly #countsAll: boolean;
  /** What is still to be read; `undefined`: nothing. */
  #rest: EngineRange | undefined;
  #keyValues: KeyValueShape[] = [];
  /** Those that passed the filters. */
  #passedCount = 0;
  /** All that were seen. */
  #seenCount = 0;
  #heldBytes = 0;
  #chargedBytes = 0;

  /** @param countsAll whether to go on behind what is returned, since it is not known how many keys there are. */
  constructor(plan: RangePlan, countsAll: boolean, charge: Charge) {
    this.#plan = plan;
    this.#countsAll = countsAll;
    this.#charge = charge;
    this.#rest = plan.range;
  }

  /** How many keys there were, once all are read. */
  get seenCount(): number {
    return this.#seenCount;
  }

  /** Whether all that is to be read has been. */
  get isDone(): boolean {
    return this.#rest === undefined;
  }

  /** Reads on, as far as the budget of the view and the limits allow. @returns whether there is more to read. */
  read(view: ReadView, limits?: PieceLimits): boolean {
    const rest = this.#rest;
    if (rest === undefined) return false;
    const keysEnd = this.#seenCount + (limits?.keysMax ?? Infinity);
    const bytesEnd = this.#heldBytes + (limits?.bytesMax ?? Infinity);
    const next = view.scan(rest, this.#plan.reverse, (shown) => {
      const goesOn = this.#see(shown, view);
      return goesOn && this.#seenCount < keysEnd && this.#heldBytes < bytesEnd;
    });
    this.#rest = this.#isEnough || next === undefined ? undefined : this.#from(next, rest);
    return this.#rest !== undefined;
  }

  /** The reply but for its header. @param count of all keys. */
  response(count: number): Omit<RangeResponseShape, 'header'> {
    const { limit, keysOnly, wantsValues } = this.#plan;
    this.#cut(limit);
    const kvs = this.#keyValues;
    if (keysOnly && wantsValues) for (const keyValue of kvs) keyValue.value = NO_BYTES;
    return { kvs, more: this.hasMore, count };
  }

  /** Takes what was read and is in the order in which it is returned, for a reply in pieces. */
  take(): KeyValueShape[] {
    const taken = this.#keyValues;
    this.#keyValues = [];
    this.#heldBytes = 0;
    this.#chargedBytes = 0;
    return taken;
  }

  /** Whether the limit leaves some out, once all are read. */
  get hasMore(): boolean {
    return this.#passedCount > this.#plan.limit;
  }

  get #isEnough(): boolean {
    return !this.#countsAll && this.#passedCount >= this.#plan.readMax;
  }

  #see(shown: PlacedChange, view: ReadView): boolean {
    this.#seenCount++;
    const plan = this.#plan;
    if (plan.countOnly || this.#passedCount >= plan.readMax) return true;
    const revisions = {
      modRevision: toEtcd(shown.modRevision),
      createRevision: toEtcd(shown.createRevision),
    };
    if (isFilteredOut(plan, revisions)) return true;
    this.#passedCount++;
    // That there is one more is all that is asked of it, unless it may be sorted to the front.
    if (plan.order === undefined && this.#passedCount > plan.limit) return !this.#isEnough;
    const bytes = bytesOfShown(shown, plan.wantsValues);
    view.budget.spendBytes(bytes);
    this.#heldBytes += bytes;
    if (this.#heldBytes > this.#chargedBytes) {
      this.#charge(this.#heldBytes - this.#chargedBytes);
      this.#chargedBytes = this.#heldBytes;
    }
    this.#keyValues.push(copyKeyValue(shown, plan.wantsValues));
    if (this.#keyValues.length >= 2 * Math.max(plan.limit, CUT_COUNT_MIN)) this.#cut(plan.limit);
    return !this.#isEnough;
  }

  /** Sorts what is held and keeps the first of it. */
  #cut(count: number): void {
    const { order } = this.#plan;
    if (order !== undefined) this.#keyValues.sort(order);
    if (this.#keyValues.length <= count) return;
    for (const dropped of this.#keyValues.splice(count)) this.#heldBytes -= bytesOfKeyValue(dropped);
  }

  #from(next: Uint8Array, { start, end }: EngineRange): EngineRange {
    return this.#plan.reverse ? { start, end: keyAfter(next) } : { start: next, end };
  }
}
