/** Long work in time slices: between two of them everything else has its turn. */
import type { Clock } from '../../../clock.ts';
import { TimeSlice } from '../../../time-slice.ts';

const STEPS_PER_LOOK = 16;

export class Pace {
  readonly #clock: Clock;
  readonly #slice: TimeSlice;

  constructor(clock: Clock, stepsPerLook = STEPS_PER_LOOK) {
    this.#clock = clock;
    this.#slice = new TimeSlice(clock, stepsPerLook);
    this.#slice.begin();
  }

  /** To be asked after each step. @returns whether `rest` is to be called before the next one. */
  isOver(): boolean {
    return this.#slice.isOver();
  }

  async rest(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.yieldNow(resolve));
    this.#slice.begin();
  }
}
