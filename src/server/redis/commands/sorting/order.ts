/** The order of SORT: by numbers or by bytes, of the elements themselves or of what a pattern names. */
import type { ReadView } from '../../../../store/views/view.ts';
import { NO_BYTES } from '../../../../wire/bytes.ts';
import { readDouble } from '../../protocol/number-words.ts';
import { ReplyError } from '../../replies/errors.ts';
import type { ElementPattern } from './patterns.ts';

export interface Order {
  /** `undefined`: by the elements themselves. */
  readonly by: ElementPattern | undefined;
  readonly isAlpha: boolean;
  readonly isDescending: boolean;
}

interface Weighed {
  readonly element: Uint8Array;
  readonly score: number;
  /** What is compared as bytes: the weight; of equal scores, the element. */
  readonly text: Uint8Array | undefined;
  /** The begin of that, a character for each byte: strings are compared much faster. */
  readonly head: string;
}

const HEAD_BYTES = 32;

/**
 * So many comparisons are paid as one visit: SORT can do `sortedElementsMax` elements in one piece, and a transaction that has
 * done one such SORT does no other.
 */
const COMPARISONS_PER_VISIT = 8;

/** Elements on their way to their order: first all are weighed, in as many pieces as it takes, and then sorted in one. */
export class Ordering {
  readonly #elements: readonly Uint8Array[];
  readonly #order: Order;
  readonly #weighed: Weighed[] = [];
  #heldBytes: number;

  constructor(elements: readonly Uint8Array[], order: Order) {
    this.#elements = elements;
    this.#order = order;
    this.#heldBytes = heldBytesOf(elements);
  }

  /** Its memory, roughly: it grows until all are weighed. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get count(): number {
    return this.#elements.length;
  }

  /** Weighs some more. @returns whether there are others. Throws a `ReplyError` for a weight that is no number, and `limitReached`. */
  weigh(view: ReadView, countMax: number): boolean {
    const { by, isAlpha } = this.#order;
    const elements = this.#elements;
    const end = Math.min(elements.length, this.#weighed.length + countMax);
    for (let index = this.#weighed.length; index < end; index++) {
      const element = elements[index] ?? NO_BYTES;
      const weight = by === undefined ? element : by.valueOf(view, element);
      const score = isAlpha || weight === undefined ? 0 : scoreOf(weight);
      const text = isAlpha ? weight : element;
      if (by !== undefined && text !== undefined) this.#heldBytes += text.length;
      this.#weighed.push({ element, text, score, head: text === undefined ? '' : headOf(text) });
    }
    return end < elements.length;
  }

  /** Once all are weighed. */
  sorted(): Uint8Array[] {
    const { isAlpha, isDescending } = this.#order;
    const compare = isAlpha ? compareTexts : compareScores;
    this.#weighed.sort(isDescending ? (a, b) => -compare(a, b) : compare);
    return this.#weighed.map(({ element }) => element);
  }
}

/** The memory of some elements that are in order, or on their way to it, roughly. */
export function heldBytesOf(elements: readonly Uint8Array[]): number {
  return elements.reduce((bytes, element) => bytes + element.length + HELD_PER_ELEMENT, 0);
}

/** An array of bytes, what it weighs, and the head of that. */
const HELD_PER_ELEMENT = 300;

/** Pays for what `sorted` does with so many. */
export function paySort({ budget }: ReadView, count: number): void {
  budget.spendVisits(Math.floor((count * Math.log2(Math.max(count, 1))) / COMPARISONS_PER_VISIT));
}

/** Elements of the same score stand in the order of their bytes. */
function compareScores(a: Weighed, b: Weighed): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return compareTexts(a, b);
}

/** An element without a weight stands before all that have one. */
function compareTexts(a: Weighed, b: Weighed): number {
  if (a.head !== b.head) return a.head < b.head ? -1 : 1;
  if (a.text === undefined) return b.text === undefined ? 0 : -1;
  if (b.text === undefined) return 1;
  if (a.text.length <= HEAD_BYTES && b.text.length <= HEAD_BYTES) return 0;
  return Buffer.compare(a.text, b.text);
}

function headOf(text: Uint8Array): string {
  return Buffer.from(text.buffer, text.byteOffset, Math.min(text.length, HEAD_BYTES)).toString('latin1');
}

/** As C's `strtod` reads it up to a zero byte: empty text is 0, and space may stand before a number. */
function scoreOf(text: Uint8Array): number {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.length);
  const zero = bytes.indexOf(0);
  const end = zero < 0 ? bytes.length : zero;
  if (end === 0) return 0;
  let start = 0;
  while (start < end && isSpace(bytes[start])) start++;
  const score = readDouble(bytes, start, end);
  if (score === undefined) throw new ReplyError("ERR One or more scores can't be converted into double");
  return score;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}
