/**
 * The texts that are counted most among very many, in a table of fixed size ("Efficient Computation of Frequent and Top-k Elements
 * in Data Streams", Metwally and others, 2005: Space-Saving). A text for which there is no room takes the place of the one that was
 * counted least, and goes on from its count: so none that makes up more than a part in `size` of all is ever missing, and no count
 * is too low.
 */
export class Busiest {
  readonly #size: number;
  readonly #countByText = new Map<string, number>();

  constructor(size: number) {
    this.#size = size;
  }

  add(text: string, count: number): void {
    const counts = this.#countByText;
    const before = counts.get(text);
    if (before !== undefined || counts.size < this.#size) {
      counts.set(text, (before ?? 0) + count);
      return;
    }
    let leastText = '';
    let least = Infinity;
    for (const [each, itsCount] of counts) {
      if (itsCount >= least) continue;
      leastText = each;
      least = itsCount;
    }
    counts.delete(leastText);
    counts.set(text, least + count);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#countByText;
  }
}
