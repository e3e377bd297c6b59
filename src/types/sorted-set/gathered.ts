/**
 * Members gathered from a combination, each once, and brought into the order of scores: in pieces, none of which takes long. Gathering
 * comes first, then `sort` until it is done, then `next`.
 */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { fromKeyText, type KeyText, toKeyText } from '../../store/views/keys.ts';
import { type Aggregate, aggregated } from './combination.ts';

interface Scored {
  readonly text: KeyText;
  readonly score: number;
}

/** A sorted part, and how far it is given out. */
interface Run {
  readonly elements: readonly Scored[];
  at: number;
  head: Scored;
}

export class Gathered {
  readonly #aggregate: Aggregate;
  readonly #scores = new Map<KeyText, number>();
  #bytes = 0;
  #unsorted: Iterator<[KeyText, number]> | undefined;
  /** A heap: the run with the lowest head comes first. */
  readonly #runs: Run[] = [];

  constructor(aggregate: Aggregate) {
    this.#aggregate = aggregate;
  }

  get count(): number {
    return this.#scores.size;
  }

  /** Throws `limitReached`. */
  add(member: Uint8Array, score: number): void {
    const text = toKeyText(member);
    const before = this.#scores.get(text);
    this.#scores.set(text, before === undefined ? score : aggregated(before, score, this.#aggregate));
    if (before !== undefined) return;
    this.#bytes += member.length;
    if (this.count <= fixed.combinedMembersMax && this.#bytes <= fixed.combinedBytesMax) return;
    throw new StoreError(
      'limitReached',
      `the combination has more than ${fixed.combinedMembersMax} members, or ${fixed.combinedBytesMax} bytes of them; combine fewer`,
    );
  }

  /** All, in no order. */
  *all(): Generator<readonly [member: Uint8Array, score: number], undefined> {
    for (const [text, score] of this.#scores) yield [fromKeyText(text), score];
  }

  /** Sorts a piece. @returns whether there is more to sort. */
  sort(countMax: number): boolean {
    const unsorted = (this.#unsorted ??= this.#scores.entries());
    const elements: Scored[] = [];
    while (elements.length < countMax) {
      const { value, done } = unsorted.next();
      if (done === true) break;
      elements.push({ text: value[0], score: value[1] });
    }
    elements.sort(compare);
    const [head] = elements;
    if (head === undefined) return false;
    this.#runs.push({ elements, at: 0, head });
    this.#siftUp(this.#runs.length - 1);
    return elements.length === countMax;
  }

  /** Gives out the next ones by score. @returns whether there are more. */
  next(countMax: number, visit: (member: Uint8Array, score: number) => void): boolean {
    for (let left = countMax; left > 0; left--) {
      const [run] = this.#runs;
      if (run === undefined) return false;
      const { text, score } = run.head;
      visit(fromKeyText(text), score);
      const head = run.elements[++run.at];
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
    if (first === undefined || second === undefined || compare(first.head, second.head) >= 0) return false;
    this.#runs[a] = second;
    this.#runs[b] = first;
    return true;
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#runs[a];
    const second = this.#runs[b];
    return first !== undefined && second !== undefined && compare(first.head, second.head) < 0;
  }
}

function compare(a: Scored, b: Scored): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  if (a.text === b.text) return 0;
  return a.text < b.text ? -1 : 1;
}
