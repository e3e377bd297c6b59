/**
 * A revision with the incarnation that wrote it, as entity tags and the ids of events name it: `4c1d5b9a07e2-17`, of the
 * incarnation its first digits. Where that is not known, and for revision 0, they are left out: `-0`.
 */

/** Two of the lives of a store have the same ones once in 2^48. */
const INCARNATION_DIGITS = 12;

const FORM = new RegExp(`^([0-9a-f]{${INCARNATION_DIGITS}}|)-(\\d{1,16})$`);

export interface ShortPlace {
  readonly revision: number;
  /** The first digits; '': not known. */
  readonly incarnationHead: string;
}

export function shortPlace(incarnation: string, revision: number): string {
  return `${incarnation.slice(0, INCARNATION_DIGITS)}-${revision}`;
}

/** @returns `undefined`: it is none. */
export function parseShortPlace(text: string): ShortPlace | undefined {
  const [, incarnationHead = '', digits] = FORM.exec(text) ?? [];
  const revision = Number(digits);
  return Number.isSafeInteger(revision) ? { revision, incarnationHead } : undefined;
}
