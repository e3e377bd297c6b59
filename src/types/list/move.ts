/** An element that goes from an end of a list to an end of another, or of the same. */
import type { View } from '../../store/views/view.ts';
import { type End, List } from './list.ts';
import { popFrom } from './pop.ts';
import { pushTo } from './push.ts';

export interface Moved {
  readonly element: Uint8Array;
  /** How many elements the source has now; 0: it is gone. */
  readonly sourceCount: number;
}

/**
 * @param from the end of `source` that the element is popped from.
 * @param to the end of `target` that it is pushed to.
 * @returns `undefined`: there is no list at `source`, and nothing was done. Throws `wrongType`.
 */
export function move(
  view: View,
  source: Uint8Array,
  from: End,
  target: Uint8Array,
  to: End,
): Moved | undefined {
  const list = List.read(view, source);
  if (list === undefined) return undefined;
  const isSame = Buffer.compare(source, target) === 0;
  // The target's type is looked at before anything changes.
  const targetList = isSame ? list : (List.read(view, target) ?? new List());
  const [element] = popFrom(view, list, from, 1);
  if (element === undefined) return undefined;
  if (!isSame) list.write(view, source);
  pushTo(view, target, targetList, to, [element]);
  return { element, sourceCount: list.count };
}
