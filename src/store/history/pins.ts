/**
 * Pins: who reads at an old revision, and so keeps history from moving past it.
 *
 * A pin is held until it is released, or lost. It is lost when history wants to move past it,
 * - if its time is over, or
 * - if a write finds no room in memory, nothing but pins is left that keeps any (`History.shorten`), and it has been held for
 *   `fixed.fullPinMs`, however fast its reader is: writes go on within seconds. What counts is the time since it began; of a
 *   snapshot and a backup, which the store reads at its own pace and as a whole, the time alone in which it waited for a
 *   reader, in sum. So a snapshot never gives way, and a backup does if its reader is slow.
 *
 * The lowest revisions give way first, one at a time, and none does where another pin of the same revision stays. Nor is a
 * state pinned that history would have moved past but for other pins (`History.oldestWanted`): it would never go.
 *
 * All times are by the monotonic clock.
 */
import type { Clock } from '../../clock.ts';
import { fixed } from '../../limits.ts';

/** Who holds history back, as an operator is told. */
export type PinHolder = 'a snapshot' | 'a backup' | 'a watch that reads the present entries' | 'a long reply';

/** Whether the store reads by itself, but for the times in which it waits for a reader. */
const isAtOwnPace: Readonly<Record<PinHolder, boolean>> = {
  'a snapshot': true,
  'a backup': true,
  'a watch that reads the present entries': false,
  'a long reply': false,
};

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

  /** A write finds no room: those of the lowest revision are lost, if it is below `goal` and all of them are to give way. */
  giveWay(goal: number): void {
    let lowest = goal;
    for (const { revision } of this.#held) lowest = Math.min(lowest, revision);
    if (lowest === goal) return;
    const inTheWay = [...this.#held].filter(({ revision }) => revision === lowest);
    if (inTheWay.every((pin) => pin.isToGiveWay)) for (const pin of inTheWay) pin.lose('gaveWay');
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
  /** Since when the time counts after which it gives way; `undefined`: it does not. */
  #countsFromMs: number | undefined;
  /** What counted before. */
  #countedMs = 0;

  constructor(revision: number, options: PinOptions, clock: Clock, onEnd: () => void) {
    const { holder, msMax = Infinity, onLost = () => undefined } = options;
    this.revision = revision;
    this.holder = holder;
    this.#clock = clock;
    this.#untilMs = clock.monotonicMs() + msMax;
    this.#countsFromMs = isAtOwnPace[holder] ? undefined : clock.monotonicMs();
    this.#onEnd = onEnd;
    this.#onLost = onLost;
  }

  /** Whether the revision is sure to be readable. */
  isHeld(): boolean {
    return this.#state === 'held';
  }

  /** Whether it was lost because writes needed memory. */
  hasGivenWay(): boolean {
    return this.#state === 'gaveWay';
  }

  /** Of a backup: from now on the next step is its reader's. */
  waitForReader(): void {
    this.#countsFromMs ??= this.#clock.monotonicMs();
  }

  /** Its reader has asked for more. */
  goOn(): void {
    this.#countedMs = this.#fullMs;
    this.#countsFromMs = undefined;
  }

  release(): void {
    this.#end('released');
  }

  get isOutOfTime(): boolean {
    return this.#clock.monotonicMs() >= this.#untilMs;
  }

  get isToGiveWay(): boolean {
    return this.#fullMs >= fixed.fullPinMs;
  }

  lose(state: 'outOfTime' | 'gaveWay'): void {
    this.#end(state);
    this.#onLost();
  }

  /** The time that counts while memory is full. */
  get #fullMs(): number {
    const fromMs = this.#countsFromMs;
    return this.#countedMs + (fromMs === undefined ? 0 : this.#clock.monotonicMs() - fromMs);
  }

  #end(state: PinState): void {
    if (this.#state !== 'held') return;
    this.#state = state;
    this.#onEnd();
  }
}
