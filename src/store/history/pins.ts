/**
 * Pins: who reads at an old revision, and so keeps history from moving past it.
 *
 * A pin is held until it is released, or lost. It is lost, when history wants to move past it,
 * - if its time is over, or
 * - if memory is scarce and it is idle: what it was made for waits for a reader of its own that has not asked for more for
 *   `fixed.idleReaderMs`. A client that stopped reading a backup must not keep a full store from accepting writes. What
 *   works by itself, as a snapshot or a count does, is never idle.
 *
 * All times are by the monotonic clock.
 */
import type { Clock } from '../../clock.ts';
import { fixed } from '../../limits.ts';

/** Who holds history back, as an operator is told. */
export type PinHolder = 'a snapshot' | 'a backup' | 'a watch that reads the present entries' | 'a long reply';

export interface PinOptions {
  readonly holder: PinHolder;
  /** Its time; left out: it has no end. */
  readonly msMax?: number;
  /** Called at once when it is lost: what else keeps memory for it is to be given up. */
  readonly onLost?: () => void;
}

/** What its maker sees of it. */
export type Pin = Pick<HeldPin, 'isHeld' | 'hasGivenWay' | 'waitForReader' | 'goOn' | 'release'>;

/** `held`, then once and for all one of the others. */
type PinState = 'held' | 'released' | 'outOfTime' | 'gaveWay';

export class Pins {
  readonly #clock: Clock;
  readonly #held = new Set<HeldPin>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Pins a revision that can be read. */
  open(revision: number, options: PinOptions): Pin {
    const pin = new HeldPin(revision, options, this.#clock, () => this.#held.delete(pin));
    this.#held.add(pin);
    return pin;
  }

  /** History wants to move up to `goal`: @returns how far it may. Pins whose time is over are lost. */
  reach(goal: number): number {
    let reach = goal;
    for (const pin of this.#held) {
      if (pin.revision >= goal) continue;
      if (pin.isOutOfTime) pin.lose('outOfTime');
      else reach = Math.min(reach, pin.revision);
    }
    return reach;
  }

  /** Memory is scarce: the idle ones below `goal` are lost. */
  giveWay(goal: number): void {
    for (const pin of this.#held) if (pin.revision < goal && pin.isIdle) pin.lose('gaveWay');
  }

  /** Who keeps history from moving up to `goal`; `undefined`: none does. */
  holderBelow(goal: number): PinHolder | undefined {
    for (const pin of this.#held) if (pin.revision < goal && !pin.isOutOfTime) return pin.holder;
    return undefined;
  }
}

class HeldPin {
  readonly revision: number;
  readonly holder: PinHolder;
  readonly #clock: Clock;
  readonly #untilMs: number;
  readonly #onEnd: () => void;
  readonly #onLost: () => void;
  #state: PinState = 'held';
  /** Since when its reader has been waited for. */
  #idleSinceMs = Infinity;

  constructor(revision: number, options: PinOptions, clock: Clock, onEnd: () => void) {
    const { holder, msMax = Infinity, onLost = () => undefined } = options;
    this.revision = revision;
    this.holder = holder;
    this.#clock = clock;
    this.#untilMs = clock.monotonicMs() + msMax;
    this.#onEnd = onEnd;
    this.#onLost = onLost;
  }

  /** Whether the revision is sure to be readable. */
  isHeld(): boolean {
    return this.#state === 'held';
  }

  /** Whether it was lost because its reader was idle while memory was scarce. */
  hasGivenWay(): boolean {
    return this.#state === 'gaveWay';
  }

  /** From now on the next step is its reader's. */
  waitForReader(): void {
    this.#idleSinceMs = this.#clock.monotonicMs();
  }

  /** Its reader has asked for more. */
  goOn(): void {
    this.#idleSinceMs = Infinity;
  }

  release(): void {
    this.#end('released');
  }

  get isOutOfTime(): boolean {
    return this.#clock.monotonicMs() >= this.#untilMs;
  }

  get isIdle(): boolean {
    return this.#clock.monotonicMs() - this.#idleSinceMs >= fixed.idleReaderMs;
  }

  lose(state: 'outOfTime' | 'gaveWay'): void {
    this.#end(state);
    this.#onLost();
  }

  #end(state: PinState): void {
    if (this.#state !== 'held') return;
    this.#state = state;
    this.#onEnd();
  }
}
