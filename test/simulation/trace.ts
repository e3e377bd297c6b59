/** What happened, line by line. Two runs that have the same hash went the same way. */
export class Trace {
  readonly #lines: string[] | undefined;
  readonly #position: () => TracePosition;
  #hash = 0;

  /** @param isKept whether the lines can be read afterwards. @param position stands before each of them. */
  constructor(isKept: boolean, position: () => TracePosition) {
    this.#lines = isKept ? [] : undefined;
    this.#position = position;
  }

  /** Of the positions of all lines: whatever goes another way soon comes to another step or another time. */
  get hash(): number {
    return this.#hash >>> 0;
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  /** @param text of the line; only called if lines are kept. */
  add(text: () => string): void {
    const { step, generation, monotonicMs } = this.#position();
    for (const number of [step, generation, monotonicMs]) {
      this.#hash = Math.imul(this.#hash ^ number, 0x9e3779b1) ^ (this.#hash >>> 15);
    }
    this.#lines?.push(`${step} g${generation} ${monotonicMs}ms ${text()}`);
  }
}

/** Where a simulation is. */
interface TracePosition {
  readonly step: number;
  readonly generation: number;
  readonly monotonicMs: number;
}
