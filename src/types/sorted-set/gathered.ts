/**
 * Members gathered from a combination, each once, and brought into the order of scores: in pieces, none of which takes long. Gathering
 * comes first, then `sort` until it is done, then `next`. What is given out is held no longer.
 */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { fromKeyText, type KeyText, toKeyText } from '../../store/views/keys.ts';
import { type Aggregate, aggregated } from './combination.ts';
import { SortedRuns } from './sorted-runs.ts';

interface Scored {
  readonly text: KeyText;
  readonly score: number;
}

export class Gathered {
  readonly #aggregate: Aggregate;
  /** Those that are not sorted yet. */
  readonly #scores = new Map<KeyText, number>();
  #count = 0;
  #givenCount = 0;
  /** Of the members that are not given out yet. */
  #bytes = 0;
  #unsorted: Iterator<[KeyText, number]> | undefined;
  readonly #sorted = new SortedRuns<Scored>(compare);

  constructor(aggregate: Aggregate) {
    this.#aggregate = aggregate;
  }

  get count(): number {
    return this.#count;
  }

  /** Its memory, roughly. */
  get heldBytes(): number {
    return this.#bytes + (this.#count - this.#givenCount) * HELD_PER_MEMBER;
  }

  /** Throws `limitReached`. */
  add(member: Uint8Array, score: number): void {
    const text = toKeyText(member);
    const before = this.#scores.get(text);
    this.#scores.set(text, before === undefined ? score : aggregated(before, score, this.#aggregate));
    if (before !== undefined) return;
    this.#count++;
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
      const [text, score] = value;
      elements.push({ text, score });
      this.#scores.delete(text);
    }
    const hasMore = elements.length === countMax;
    this.#sorted.add(elements);
    return hasMore;
  }

  /** Gives out the next ones by score. @returns whether there are more. */
  next(countMax: number, visit: (member: Uint8Array, score: number) => void): boolean {
    return this.#sorted.next(countMax, ({ text, score }) => {
      this.#givenCount++;
      this.#bytes -= text.length;
      visit(fromKeyText(text), score);
    });
  }
}

/** Its text, its number, and its place in the map or a run. */
const HELD_PER_MEMBER = 150;

function compare(a: Scored, b: Scored): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  if (a.text === b.text) return 0;
  return a.text < b.text ? -1 : 1;
}
