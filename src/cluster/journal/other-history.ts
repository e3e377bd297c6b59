/** A shared log that was put back to an older state, and may have gone on from there, has other records at the places that a node has. */
import { StoreError } from '../../errors.ts';
import type { LogRecord } from '../../shared-log/shared-log.ts';

interface Placed {
  readonly position: number;
  readonly epoch: number;
}

/** @throws StoreError `damaged` when a record can't be the one behind a place, since another writer has written what is before it. */
export function checkFollows(record: LogRecord, place: Placed): void {
  if (record.epoch !== place.epoch + (record.kind === 'takeOver' ? 1 : 0))
    throw otherHistoryError(record, place);
}

/** @throws StoreError `damaged` when a log with this head has not got the place, or another one there. */
export function checkHasPlace(head: Placed, place: Placed): void {
  const isSame = head.position === place.position && head.epoch === place.epoch;
  if (head.position <= place.position && !isSame) throw otherHistoryError(head, place);
}

function otherHistoryError(found: Placed, own: Placed): StoreError<'damaged'> {
  return new StoreError(
    'damaged',
    `the shared log has position ${found.position} of epoch ${found.epoch}, and this node has position ${own.position} of epoch ${own.epoch}: ` +
      'an older state of the log was put back. Keep a copy of this data directory, which may have writes that no other node has; to ' +
      'follow the log as it is now, start this node with an empty one',
  );
}
