/** How long values are on average: of all of a small store, of a sample that is spread evenly over the keys of a larger one. */
import { fixed } from '../../limits.ts';
import { USER_KEYS } from '../../store/views/regions.ts';
import type { ReadView, View } from '../../store/views/view.ts';

/** In bytes; 0 where there is no key. The same store gives the same answer. */
export function meanValueBytes(view: View): number {
  const count = view.count(USER_KEYS);
  if (count <= fixed.sampledValuesMax) return meanOfFirst(view);
  const places = Float64Array.from({ length: fixed.sampledValuesMax }, (_, sample) =>
    Math.floor(((sample + 0.5) * count) / fixed.sampledValuesMax),
  );
  let bytes = 0;
  for (const start of view.selectAll(USER_KEYS, places)) {
    view.scan({ start, end: USER_KEYS.end }, false, ({ valueStart, valueEnd }) => {
      bytes += valueEnd - valueStart;
      return false;
    });
  }
  return bytes / fixed.sampledValuesMax;
}

/** The same of the first keys alone, for a state that has no ranks. */
export function meanOfFirst(view: ReadView): number {
  let bytes = 0;
  let count = 0;
  view.scan(USER_KEYS, false, ({ valueStart, valueEnd }) => {
    bytes += valueEnd - valueStart;
    return ++count < fixed.sampledValuesMax;
  });
  return count === 0 ? 0 : bytes / count;
}
