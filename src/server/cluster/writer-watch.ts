/**
 * Has those look who is the writer of the cluster that are on their way to it: every so often while there are such. A writer that stands
 * still says nothing itself.
 *
 * Some of them have found no writer, and wait for one: another node takes over in a moment, and clients take an error for more than that
 * moment. They wait for longer than another node takes to become it, and only so many at a time.
 */
import type { Clock, Timer } from '../../clock.ts';
import { cluster, forwarding as limits } from '../../limits.ts';

/** What has to do with who is the writer. */
export interface Looking {
  /** Called every so often. */
  look(): void;
}

/** For how long one that has found no writer waits for one. @param failoverAfterMs after which silence of a writer another node takes over. */
export function writerWaitMsOf(failoverAfterMs: number): number {
  return failoverAfterMs + cluster.failoverJitterMs + limits.takeoverMs;
}

export class WriterWatch {
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #looking = new Set<Looking>();
  #waitingCount = 0;
  #timer: Timer | undefined;
  #isStopping = false;

  /** @param waitMs for how long one waits; 0: none does. */
  constructor(clock: Clock, waitMs: number) {
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  add(looking: Looking): void {
    this.#looking.add(looking);
    this.#timer ??= this.#clock.setTimer(limits.writerLookMs, () => this.#look());
  }

  remove(looking: Looking): void {
    this.#looking.delete(looking);
  }

  /** One that looks has found no writer. @returns until when it may wait for one, and is to call `endWait`; `undefined`: it may not. */
  beginWait(): number | undefined {
    if (this.#isStopping || this.#waitMs === 0 || this.#waitingCount >= limits.waitingCallsMax)
      return undefined;
    this.#waitingCount++;
    return this.#clock.monotonicMs() + this.#waitMs;
  }

  endWait(): void {
    this.#waitingCount--;
  }

  /** @param untilMs what `beginWait` has returned. */
  isOver(untilMs: number): boolean {
    return this.#isStopping || this.#clock.monotonicMs() >= untilMs;
  }

  /** The server stops: those that wait look once more, and find that it is over, and so does who comes. */
  stopWaiting(): void {
    this.#isStopping = true;
    for (const one of this.#looking) one.look();
  }

  close(): void {
    this.stopWaiting();
    this.#looking.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#looking.size === 0) return;
    this.#timer = this.#clock.setTimer(limits.writerLookMs, () => this.#look());
    for (const one of this.#looking) one.look();
  }
}
