/**
 * Counts of what was measured by upper bounds, as Prometheus has histograms, in one array: adding to it makes no garbage, and looks
 * at as many bounds as lie below the value.
 */
export class Histogram {
  /** Ascending; a value counts in the first that it does not exceed. */
  readonly bounds: readonly number[];
  sum = 0;
  /** By bound; the last count is of the values above all of them. */
  readonly #counts: Float64Array;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** @param count how many there are of this value. */
  add(value: number, count = 1): void {
    const { bounds } = this;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index++;
    const counts = this.#counts;
    counts[index] = (counts[index] as number) + count;
    this.sum += value * count;
  }

  /** By bound, not cumulative; one more for what is above all bounds. */
  get counts(): Readonly<Float64Array> {
    return this.#counts;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }
}
