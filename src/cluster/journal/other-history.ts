/**
 * A shared log that was put back to an older state, and may have gone on from there, has other records at the places that a node has. What
 * tells is the checksum of the record at a place: the record behind it holds that, and so does the head while it is the newest.
 */
import { StoreError } from '../../errors.ts';
import { checksumText } from '../../shared-log/head-format.ts';
import type { LogHead, LogRecord } from '../../shared-log/shared-log.ts';
import type { LogPlace } from '../../wal/journal.ts';

type Placed = Pick<LogPlace, 'position' | 'epoch' | 'checksum'>;

/** @throws StoreError `damaged` when a record is not the one behind a place, since what lies before it is something else. */
export function checkFollows(record: LogRecord, place: Placed): void {
  const { epoch, position, kind, behind } = record;
  if (epoch === place.epoch + (kind === 'takeOver' ? 1 : 0) && behind === place.checksum) return;
  throw otherHistoryError(
    `the record at position ${position} of the shared log, of epoch ${epoch}, lies behind one with checksum ${checksumText(behind)}`,
    place,
  );
}

/** @throws StoreError `damaged` when a log with this head has not got the place, or another record there. */
export function checkHasPlace(head: LogHead, place: Placed): void {
  const { position, epoch, checksum } = head;
  const isSame = position === place.position && epoch === place.epoch && checksum === place.checksum;
  if (position > place.position || isSame) return;
  throw otherHistoryError(
    `the shared log ends at position ${position} of epoch ${epoch} with checksum ${checksumText(checksum)}`,
    place,
  );
}

function otherHistoryError(found: string, { position, epoch, checksum }: Placed): StoreError<'damaged'> {
  return new StoreError(
    'damaged',
    `${found}, and this node has position ${position} of epoch ${epoch} with checksum ${checksumText(checksum)}: ` +
      'an older state of the log was put back. Keep a copy of this data directory, which may have writes that no other node has; to ' +
      'follow the log as it is now, start this node with an empty one',
  );
}
