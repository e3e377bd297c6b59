/**
 * The engine's own work, a bounded piece at a time between other work: dropping what history has let go of, sweeping
 * collections that no key has any more (`collections/sweeper.ts`), giving memory back. What takes much work for little memory is left until nothing has changed for a while, or memory is scarce.
 *
 * While memory is scarce and the engine has nothing left to do, the older half of history is given up, and so on until
 * there is room or only the newest revision can be read. Half at a time, because the last revisions are what paged
 * scans and watches that want the entries before a change still need. Pins are kept to, until a write finds no room (`pins.ts`).
 * Then keys go, where a memory policy says so (`eviction.ts`).
 *
 * A write that finds no room does as much of that work itself as a time slice allows (`makeRoom`): with a small limit a
 * single large value is more than what is left when memory becomes scarce. A delete in parts waits between them for what those
 * before have added (`isOwing`): what is deleted is copied first, and is there twice until history lets go of it.
 */
import type { Clock, Timer } from '../../clock.ts';
import type { Engine } from '../../engine/engine.ts';
import { isUnreadable } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { Sweeper } from '../collections/sweeper.ts';
import type { History } from './history.ts';
import type { MemoryLimit } from './memory-limit.ts';
import type { PinHolder } from './pins.ts';
import { TimeSlice } from '../../time-slice.ts';

export interface MaintenanceContext {
  readonly engine: Engine;
  readonly sweeper: Sweeper;
  readonly history: History;
  readonly memory: MemoryLimit;
  readonly clock: Clock;
  visibleRevision(): number;
  /** There is neither work left nor history worth giving up, and memory is scarce. */
  exhausted(): void;
  /** Work has ended that may have made room. */
  ended(): void;
  /** Files of the engine could not be read. */
  onUnreadable(error: Error): void;
}

/** Pieces that are done in one go, ... */
const STEPS_MAX = 4;
/** ... and while memory is scarce, for as long as a time slice lasts: more than what a part of a delete leaves. */
const STEPS_WHEN_SCARCE_MAX = 32;
/** When history was halved so often, what is left of it is not what fills memory. */
const SHORTENED_IN_A_ROW_MAX = 8;
/** A write makes room for itself by a step more for each of these: to encode and log them takes longer. */
const BYTES_PER_STEP = 64 * 1024;

export class Maintenance {
  readonly #context: MaintenanceContext;
  readonly #slice: TimeSlice;
  #isWorking = false;
  /** Whether nothing has changed for a while, so that the work is done thoroughly. */
  #isTidying = false;
  /** `#extent` when it was last found unchanged. */
  #tidiedExtent = 0;
  /** How often history was shortened since memory was not scarce. */
  #shortenedInARow = 0;
  #timer: Timer | undefined;

  constructor(context: MaintenanceContext) {
    this.#context = context;
    this.#slice = new TimeSlice(context.clock, 1);
  }

  /** Lets the engine know how far history reaches by now, and does some of the work; the rest follows by itself. */
  compact(): void {
    const { engine, history } = this.#context;
    engine.compact(history.oldestRevision);
    if (this.#extent() !== this.#tidiedExtent) {
      this.#isTidying = false;
      this.#timer ??= this.#tidyLater();
    }
    if (!this.#isWorking) this.#work();
  }

  /**
   * Does at once what makes room for so many bytes: drops what history has let go of, then the older half of history, and so
   * on, for as many steps as the bytes are worth, and as long as a time slice lasts. What is left to do goes on by itself:
   * memory is scarce for as long as `memory` says so. Nothing is swept here, within a transaction, which has counted keys.
   * @returns whether something is left to do that may make more room.
   */
  makeRoom(byteCount: number): boolean {
    const { engine, history, memory } = this.#context;
    const stepsMin = STEPS_MAX + Math.ceil(byteCount / BYTES_PER_STEP);
    let isMore = true;
    this.#slice.begin();
    for (let step = 0; !memory.hasRoom(byteCount) && (step < stepsMin || !this.#slice.isOver()); step++) {
      if (engine.maintain(true)) continue;
      isMore = history.shorten(this.#context.visibleRevision(), true);
      if (!isMore) break;
      engine.compact(history.oldestRevision);
    }
    if (!this.#isWorking && memory.isScarce) this.#workLater();
    return isMore || this.#context.sweeper.canSweep;
  }

  /** Whether more than the limit is taken, and what is at work may give it back. */
  get isOwing(): boolean {
    return this.#isWorking && !this.#context.memory.hasRoom(0);
  }

  /** What keeps memory from being freed; `undefined`: nothing but the newest state. */
  heldBy(): PinHolder | undefined {
    return this.#context.history.heldBy(this.#context.visibleRevision());
  }

  /** Begins nothing more by itself. */
  stop(): void {
    this.#timer?.cancel();
  }

  #workLater(): void {
    this.#isWorking = true;
    this.#context.clock.yieldNow(() => this.#work());
  }

  #work(): void {
    const { memory, clock } = this.#context;
    this.#isWorking = true;
    this.#slice.begin();
    const stepsMax = memory.isScarce ? STEPS_WHEN_SCARCE_MAX : STEPS_MAX;
    for (let step = 0; step < stepsMax && !this.#slice.isOver(); step++) {
      if (this.#step(this.#isTidying || memory.isScarce)) continue;
      if (!memory.isScarce) {
        this.#isWorking = false;
        this.#shortenedInARow = 0;
        this.#context.ended();
        return;
      }
      // Not at once: watches that keep up shall first see what has just become visible.
      clock.yieldNow(() => this.#shortenHistory());
      return;
    }
    clock.yieldNow(() => this.#work());
  }

  /** A piece of what is to be done. @returns whether there is more. */
  #step(isThorough: boolean): boolean {
    // What is swept leaves more for the engine to do.
    const isMoreToSweep = this.#sweep();
    return this.#context.engine.maintain(isThorough) || isMoreToSweep;
  }

  /** Where files of the engine are damaged, nothing is swept until the store is opened again; what could not be read is tried again later. */
  #sweep(): boolean {
    const { sweeper } = this.#context;
    try {
      return sweeper.sweep();
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#context.onUnreadable(error);
      if (error.code === 'damaged') sweeper.stop();
      return false;
    }
  }

  #shortenHistory(): void {
    const { engine, history, memory } = this.#context;
    this.#isWorking = false;
    if (memory.isScarce) {
      // Of what is written all the while there is always a little. What was given up for the last step is given back by now.
      const isShort = this.#shortenedInARow >= SHORTENED_IN_A_ROW_MAX;
      if (isShort) this.#context.exhausted();
      const isMore = history.shorten(this.#context.visibleRevision(), memory.isFull);
      if (!isMore && !isShort) this.#context.exhausted();
      if (isMore) {
        this.#shortenedInARow++;
        engine.compact(history.oldestRevision);
        this.#work();
        return;
      }
    }
    this.#shortenedInARow = 0;
    this.#context.ended();
  }

  #tidyLater(): Timer {
    const extent = this.#extent();
    return this.#context.clock.setTimer(fixed.tidyAfterMs, () => {
      this.#timer = undefined;
      if (this.#extent() !== extent) {
        this.#timer = this.#tidyLater();
        return;
      }
      this.#tidiedExtent = extent;
      this.#isTidying = true;
      if (!this.#isWorking) this.#work();
    });
  }

  /** Another number whenever something was written, or history has let go of something: both only grow. */
  #extent(): number {
    return this.#context.visibleRevision() + this.#context.history.oldestRevision;
  }
}
