/**
 * A key gets another name, or goes to another database. Its value goes as it is, whatever its type: the elements of a collection lie
 * under its id, which goes along, with deadline and lease. So the time does not depend on how many elements there are.
 */
import type { View } from '../../store/views/view.ts';
import { moveHolder } from '../collections/timed-table.ts';
import { keepLifetime } from '../lifetime.ts';

/** `noKey`: there is none of the old name. `taken`: there is one of the new name. */
export type MoveOutcome = 'moved' | 'noKey' | 'taken';

/** @param replaces a key of the new name gives way; else nothing is done when there is one. */
export function moveKey(view: View, from: Uint8Array, to: Uint8Array, replaces: boolean): MoveOutcome {
  const version = view.read(from);
  if (version === undefined) return 'noKey';
  const isSame = Buffer.compare(from, to) === 0;
  if (isSame && replaces) return 'moved';
  if (isSame || (!replaces && view.readMeta(to) !== undefined)) return 'taken';
  const { value, kind, collectionId } = version;
  view.put(to, value, { ...keepLifetime(version), kind, collectionId });
  moveHolder(view, version, to);
  view.delete(from);
  return 'moved';
}
