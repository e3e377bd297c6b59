/**
 * Whether a small batch waits a little for those who have just been told that theirs is durable: clients that send one write after
 * the other come again within moments, and then one flush serves them all. Without it they part into halves that take turns, each
 * with a flush of its own, of half the length. (PostgreSQL waits for siblings by a fixed `commit_delay`; this one learns.)
 *
 * It ends as soon as so many records are there as were told of and as were there before; at the latest after four times
 * the time of a flush. Where that was in vain, as with clients that come when they like, the next batches do not wait, twice as many each time.
 */
import { fixed } from '../../limits.ts';

export interface GatheringLimits {
  /** A batch that will have more records than this does not wait. */
  readonly recordsMax: number;
  readonly waitMsMax: number;
  /** Whether it waits also before its first record has come: worth it where a flush takes long. */
  readonly waitsForFirst: boolean;
}

const ofLocalLog: GatheringLimits = {
  recordsMax: fixed.gatheredRecordsMax,
  waitMsMax: fixed.gatheringMsMax,
  waitsForFirst: false,
};

export class Gathering {
  readonly #limits: GatheringLimits;
  #wantedCount = 0;
  #endMs = 0;
  #turnsLeft = 0;
  /** So many batches do not wait, ... */
  #skippedLeft = 0;
  /** ... and so many after the next that waits in vain. */
  #skippedNext = 1;

  constructor(limits = ofLocalLog) {
    this.#limits = limits;
  }

  /**
   * A flush has ended. @returns whether its callers are to be told before the next one begins, since the batch may wait for them.
   * @param toldCount the records that it made durable.
   * @param waitingCount those that wait for the next.
   */
  wants(toldCount: number, waitingCount: number): boolean {
    this.#wantedCount = 0;
    const count = toldCount + waitingCount;
    // One alone shares its flush with none; and of many records each costs little, while the flush runs beside the work.
    if (toldCount === 0 || count === 1 || count > this.#limits.recordsMax) return false;
    if (waitingCount === 0 && !this.#limits.waitsForFirst) return false;
    if (this.#skippedLeft > 0) {
      this.#skippedLeft--;
      return false;
    }
    this.#wantedCount = count;
    return true;
  }

  /** The callers have been told. @param flushMs how long their flush has taken. @returns for how long the batch waits at most. */
  begin(nowMs: number, flushMs: number): number {
    const waitMs = Math.min(4 * flushMs, this.#limits.waitMsMax);
    this.#endMs = nowMs + waitMs;
    this.#turnsLeft = fixed.gatheringTurnsMax;
    return waitMs;
  }

  /** With so many records the batch waits no longer. */
  get wantedCount(): number {
    return this.#wantedCount;
  }

  /** Whether the batch, which has so many records now, waits for another turn of the event loop. */
  waits(waitingCount: number, nowMs: number): boolean {
    if (this.#wantedCount === 0) return false;
    if (waitingCount < this.#wantedCount && nowMs < this.#endMs && this.#turnsLeft-- > 0) return true;
    this.end(waitingCount);
    return false;
  }

  /** The batch is not to wait any longer, and has so many records. */
  end(waitingCount: number): void {
    // Nearly all are there: who is not has gone, or will be counted no more.
    if (waitingCount >= this.#wantedCount * NEARLY_ALL) this.#skippedNext = 1;
    else {
      this.#skippedLeft = this.#skippedNext;
      this.#skippedNext = Math.min(2 * this.#skippedNext, fixed.gatheringsSkippedMax);
    }
    this.#wantedCount = 0;
  }
}

const NEARLY_ALL = 0.9;
