/** The ranges of which a run may have keys that the manifest has forgotten. */
import { RangeSet } from '../range-set.ts';
import type { Manifest } from '../runs/manifest.ts';

/** By the number of the run; one that has none of such keys is left out. */
export function forgottenByRun({ runs, forgotten }: Manifest): ReadonlyMap<number, RangeSet> {
  const rangesByRun = new Map<number, RangeSet>();
  for (const { number, cleanThrough } of runs) {
    const ranges = new RangeSet();
    for (const range of forgotten) if (range.id > cleanThrough) ranges.add(range);
    if (!ranges.isEmpty) rangesByRun.set(number, ranges);
  }
  return rangesByRun;
}
