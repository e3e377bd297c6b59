/** What a page takes: how many items it has at most, and the memory of each, which is asked for before it is made. */
import type { PageOptions } from '../../api.ts';
import { fixed } from '../../limits.ts';

/** For doors, which make many pages at once. */
export interface ChargedPage {
  /** Called with the memory of what is about to be made; what it throws refuses the call. */
  readonly charge?: (bytes: number) => void;
}

/** What a key takes in a list besides its characters or bytes, and a lease in a page. */
export const LISTED_KEY_BYTES = 64;
export const LISTED_LEASE_BYTES = 320;

export function pageLimitOf({ limit = 0 }: PageOptions): number {
  return limit === 0 ? fixed.pageLimitDefault : Math.min(limit, fixed.pageLimitMax);
}
