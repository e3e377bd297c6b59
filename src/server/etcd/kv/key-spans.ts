/** A set of ranges of keys, for asking whether a key is in one of them. Keys are texts with one character for each byte. */

export class KeySpans {
  /** Ranges that neither overlap nor touch, in their order. */
  readonly #starts: string[] = [];
  readonly #ends: string[] = [];

  /** @param end exclusive, behind the start. */
  add(start: string, end: string): void {
    // Those that end before it begins stay, those that begin behind its end, too; the rest become one with it.
    const first = firstAtLeast(this.#ends, start);
    const behind = firstAbove(this.#starts, end);
    const merged = behind - first;
    const from = merged > 0 ? lower(start, this.#starts[first] ?? start) : start;
    const to = merged > 0 ? higher(end, this.#ends[behind - 1] ?? end) : end;
    this.#starts.splice(first, merged, from);
    this.#ends.splice(first, merged, to);
  }

  addAll(spans: KeySpans): void {
    for (const [index, start] of spans.#starts.entries()) this.add(start, spans.#ends[index] ?? start);
  }

  has(key: string): boolean {
    const index = firstAbove(this.#starts, key) - 1;
    return index >= 0 && key < (this.#ends[index] ?? '');
  }
}

/** The index of the first item above `key`. */
function firstAbove(items: readonly string[], key: string): number {
  return firstWhere(items, (item) => item > key);
}

function firstAtLeast(items: readonly string[], key: string): number {
  return firstWhere(items, (item) => item >= key);
}

/** @param isBehind false for the items up to some place, true for those behind it. */
function firstWhere(items: readonly string[], isBehind: (item: string) => boolean): number {
  let first = 0;
  for (let end = items.length; first < end;) {
    const middle = (first + end) >> 1;
    if (isBehind(items[middle] ?? '')) end = middle;
    else first = middle + 1;
  }
  return first;
}

function lower(a: string, b: string): string {
  return a < b ? a : b;
}

function higher(a: string, b: string): string {
  return a > b ? a : b;
}
