/** A change as an engine takes it, with what a put or a delete of the log has besides. */
import { PlacedChange } from '../../engine/version.ts';

export class LoadedChange extends PlacedChange {
  reason = 0;
  replacedExpired = false;
}
