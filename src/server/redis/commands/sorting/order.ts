/** The order of SORT: by numbers or by bytes, of the elements themselves or of what a pattern names. */
import type { ReadView } from '../../../../store/views/view.ts';
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
  readonly text: Uint8Array | undefined;
}

/**
 * So many elements are paid as one visit, far below the time that they take: so that SORT can do `sortedElementsMax` of them with a
 * pattern for BY and one for GET, and yet few SORTs are done in one turn, or in one transaction.
 */
const SORTED_PER_VISIT = 2;

/** Throws a `ReplyError` for a weight that is no number. */
export function sortElements(
  view: ReadView,
  elements: readonly Uint8Array[],
  { by, isAlpha, isDescending }: Order,
): Uint8Array[] {
  view.budget.spendVisits(Math.floor(elements.length / SORTED_PER_VISIT));
  const weighed = elements.map((element): Weighed => {
    const text = by === undefined ? element : by.valueOf(view, element);
    return { element, text, score: isAlpha || text === undefined ? 0 : scoreOf(text) };
  });
  const compare = isAlpha ? compareTexts : compareScores;
  weighed.sort((a, b) => (isDescending ? -compare(a, b) : compare(a, b)));
  return weighed.map(({ element }) => element);
}

/** Elements of the same score stand in the order of their bytes. */
function compareScores(a: Weighed, b: Weighed): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return Buffer.compare(a.element, b.element);
}

/** An element without a weight stands before all that have one. */
function compareTexts(a: Weighed, b: Weighed): number {
  if (a.text === undefined) return b.text === undefined ? 0 : -1;
  if (b.text === undefined) return 1;
  return Buffer.compare(a.text, b.text);
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
