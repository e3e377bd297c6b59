/** How many items a page has at most. */
import type { PageOptions } from '../api.ts';
import { fixed } from '../limits.ts';

export function pageLimitOf({ limit = 0 }: PageOptions): number {
  return limit === 0 ? fixed.pageLimitDefault : Math.min(limit, fixed.pageLimitMax);
}
