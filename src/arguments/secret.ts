/** The check of what must not be read in a log or on a screen: of what is wrong with it its kind alone is told. */
import type { Check } from './check.ts';

export const secret: Check<string> = (given) => {
  if (typeof given !== 'string') return ` is ${kindOf(given)}; it must be text`;
  if (given === '') return ' is empty; it must be text';
  return given.isWellFormed() ? undefined : ' holds half a surrogate pair, which is no text';
};

/** What there is in place of what is wanted, without a word of what it holds. */
export function kindOf(given: unknown): string {
  if (given === undefined) return 'missing';
  if (given === null) return 'null';
  return Array.isArray(given) ? 'an array' : `of type ${typeof given}`;
}
