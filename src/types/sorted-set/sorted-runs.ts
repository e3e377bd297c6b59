/** Elements that are sorted in parts, each of which takes little time, and given out in the order of all: the parts lie in a heap by their first elements. */

/** What is left of a sorted part. */
interface Run<Element> {
  /** Behind `head`, the next one at the end. */
  readonly rest: Element[];
  head: Element;
}

export class SortedRuns<Element> {
  readonly #compare: (a: Element, b: Element) => number;
  /** The run with the lowest head comes first. */
  readonly #runs: Run<Element>[] = [];

  constructor(compare: (a: Element, b: Element) => number) {
    this.#compare = compare;
  }

  /** Takes a part over: it is sorted in place, and emptied as it is given out. */
  add(elements: Element[]): void {
    const rest = elements.sort(this.#compare).reverse();
    const head = rest.pop();
    if (head === undefined) return;
    this.#runs.push({ rest, head });
    this.#siftUp(this.#runs.length - 1);
  }

  /** Gives out the next ones. @returns whether there are more. */
  next(countMax: number, visit: (element: Element) => void): boolean {
    for (let left = countMax; left > 0; left--) {
      const [run] = this.#runs;
      if (run === undefined) return false;
      visit(run.head);
      const head = run.rest.pop();
      if (head !== undefined) run.head = head;
      else {
        const last = this.#runs.pop();
        if (last !== undefined && last !== run) this.#runs[0] = last;
      }
      this.#siftDown();
    }
    return this.#runs.length > 0;
  }

  #siftUp(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #siftDown(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const least = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfBefore(least, at)) return;
      at = least;
    }
  }

  #swapIfBefore(a: number, b: number): boolean {
    const first = this.#runs[a];
    const second = this.#runs[b];
    if (first === undefined || second === undefined || this.#compare(first.head, second.head) >= 0)
      return false;
    this.#runs[a] = second;
    this.#runs[b] = first;
    return true;
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#runs[a];
    const second = this.#runs[b];
    return first !== undefined && second !== undefined && this.#compare(first.head, second.head) < 0;
  }
}
