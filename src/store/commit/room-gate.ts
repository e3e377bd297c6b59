/**
 * Where writes wait that a full memory has refused, while a checkpoint brings to the files what fills it: for an engine on disk. A
 * decision that was refused has changed nothing, so it is made again, from the start, when there is room.
 *
 * - First come, first served: a checkpoint that ends wakes as many as find room by what they were refused, in slices of time. One that
 *   is refused again keeps its place. Nothing is looked at in between, and no decision pays for it but one that is refused.
 * - A write that finds room does not ask who waits, so short ones pass a long one: until a checkpoint has ended and the first still finds
 *   none. From then on there is none for others (`keepsRoom`), so that what checkpoints give back comes together for it.
 * - A write waits for `roomWaitMsMax` in all, then it gets its refusal; at once where no checkpoint would give memory back, where too
 *   many wait already, and when the store closes or has failed.
 * - What needs no room goes on: reads, deletes, expiry. So a call may come before one that waits. Those that keep the order of their
 *   caller (`isOrdered`) wait behind it, whatever they need; a connection of Redis and a stream of a pipeline wait as a whole.
 *
 * Answers are held beside it (`answer-gate.ts`): that slows down what is never refused, such as deletes, each of which is a change for
 * the files as well; and it keeps a reserve for those that can't wait.
 */
import { type Clock, holdProcess, type Timer } from '../../clock.ts';
import type { NoRoomYetError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { TimeSlice } from '../../time-slice.ts';
import type { WaitingWrites } from '../figures.ts';

/** A call that waits, as often as it is refused, for one time in all. */
export class RoomWait {
  /** Decides anew. */
  readonly goOn: () => void;
  /** Whether it does so only after `goOn` has returned. */
  readonly decidesLater: boolean;
  /** Whether calls that are made after it wait behind it (`RoomGate.isHoldingOrder`). */
  readonly isOrdered: boolean;
  /**
   * Of the gate: what it was refused last, until when it waits by the monotonic clock (0: it never has), since when, and whether it does.
   */
  byteCount = 0;
  untilMs = 0;
  sinceMs = 0;
  isWaiting = false;

  constructor(goOn: () => void, { decidesLater = false, isOrdered = false }) {
    this.goOn = goOn;
    this.decidesLater = decidesLater;
    this.isOrdered = isOrdered;
  }
}

export interface RoomGateContext {
  readonly clock: Clock;
  readonly memory: {
    readonly freeBytes: number;
    /** Whether a checkpoint gives memory back that is worth waiting for. */
    readonly isGivingBack: boolean;
    /** Whether there is no room but for those that wait. */
    keepsRoom: boolean;
  };
  /** Somebody waits for a checkpoint. */
  wanted(): void;
  /** A write is refused that has waited in vain, or can't wait. */
  refused(): void;
}

export class RoomGate {
  readonly #context: RoomGateContext;
  readonly #slice: TimeSlice;
  /** In the order in which they came. */
  readonly #waiting = new Set<RoomWait>();
  /** Those that were woken and refused again, and so came before the others; the first that came is the first. */
  readonly #again: RoomWait[] = [];
  #bytes = 0;
  #orderedCount = 0;
  /** How long those have waited that do no more, and since when the others do, together. */
  #endedMs = 0;
  #sinceMs = 0;
  #isClosed = false;
  #isWaking = false;
  #timer: Timer | undefined;
  /** Callers wait, and timers alone would not keep the process alive. */
  #process: Timer | undefined;

  constructor(context: RoomGateContext) {
    this.#context = context;
    this.#slice = new TimeSlice(context.clock, 1);
  }

  /** How many wait. */
  get count(): number {
    return this.#waiting.size + this.#again.length;
  }

  /** Whether a call of the one caller that keeps its order waits: so those that it makes now do. */
  get isHoldingOrder(): boolean {
    return this.#orderedCount > 0;
  }

  get figures(): WaitingWrites {
    const { count } = this;
    return { count, waitedMs: this.#endedMs + count * this.#context.clock.monotonicMs() - this.#sinceMs };
  }

  /** A write was refused. @returns whether it waits: `goOn` is called, in a turn of its own; else it is refused. */
  wait(wait: RoomWait, { byteCount }: NoRoomYetError): boolean {
    const nowMs = this.#context.clock.monotonicMs();
    const isNew = wait.untilMs === 0;
    const mayWait = isNew
      ? this.count < fixed.roomWaitsMax && this.#bytes + byteCount <= fixed.roomWaitBytesMax
      : nowMs < wait.untilMs;
    if (!mayWait || this.#isClosed) {
      this.#context.refused();
      return false;
    }
    if (isNew) {
      wait.untilMs = nowMs + fixed.roomWaitMsMax;
      this.#waiting.add(wait);
    } else {
      const place = this.#again.findIndex(({ untilMs }) => untilMs > wait.untilMs);
      this.#again.splice(place === -1 ? this.#again.length : place, 0, wait);
    }
    wait.byteCount = byteCount;
    wait.sinceMs = nowMs;
    wait.isWaiting = true;
    this.#sinceMs += nowMs;
    this.#bytes += byteCount;
    if (wait.isOrdered) this.#orderedCount++;
    this.#process ??= holdProcess();
    this.#timer ??= this.#endLater(wait.untilMs - nowMs);
    this.#context.wanted();
    return true;
  }

  /** Its caller is gone: it waits no more, and never again. */
  leave(wait: RoomWait): void {
    if (!wait.isWaiting) return;
    this.#left(wait);
    this.#rest();
    // The next one may need less.
    this.wake();
  }

  /** Memory may have been given back, or never will be. */
  wake(): void {
    if (this.#isWaking || this.count === 0) return;
    this.#isWaking = true;
    this.#context.clock.yieldNow(this.#wakeSome);
  }

  /** Those that wait are refused, in the next turn; others at once, from now on. */
  close(): void {
    this.#isClosed = true;
    this.wake();
  }

  readonly #wakeSome = (): void => {
    const { clock, memory } = this.#context;
    this.#isWaking = false;
    this.#slice.begin();
    const nowMs = clock.monotonicMs();
    memory.keepsRoom = false;
    /** What those take that decide later. */
    let givenBytes = 0;
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      // Its refusal will be the last.
      const isOver = this.#isClosed || nowMs >= next.untilMs || !memory.isGivingBack;
      if (!isOver && givenBytes + next.byteCount > memory.freeBytes) {
        // Those that decide later would find none either.
        memory.keepsRoom = givenBytes === 0;
        break;
      }
      this.#left(next);
      if (next.decidesLater && !isOver) givenBytes += next.byteCount;
      next.goOn();
      // It took more than it seemed to.
      if (next.isWaiting) break;
      if (this.#slice.isOver()) {
        this.wake();
        break;
      }
    }
    this.#rest();
    if (this.count > 0) this.#context.wanted();
  };

  #endLater(ms: number): Timer {
    return this.#context.clock.setTimer(Math.max(0, ms), () => {
      this.#timer = undefined;
      this.wake();
    });
  }

  #left(wait: RoomWait): void {
    // What it holds may be long.
    if (!this.#waiting.delete(wait)) this.#again.splice(this.#again.indexOf(wait), 1);
    wait.isWaiting = false;
    this.#endedMs += this.#context.clock.monotonicMs() - wait.sinceMs;
    this.#sinceMs -= wait.sinceMs;
    // What additions have left of fractions.
    if (this.count === 0) this.#sinceMs = 0;
    this.#bytes -= wait.byteCount;
    if (wait.isOrdered) this.#orderedCount--;
  }

  /** The one whose time is over first. */
  #first(): RoomWait | undefined {
    return this.#again[0] ?? this.#waiting.values().next().value;
  }

  /** Sees to those that are left. */
  #rest(): void {
    const first = this.#first();
    if (first !== undefined) {
      this.#timer ??= this.#endLater(first.untilMs - this.#context.clock.monotonicMs());
      return;
    }
    this.#timer?.cancel();
    this.#process?.cancel();
    this.#timer = this.#process = undefined;
    this.#context.memory.keepsRoom = false;
  }
}
