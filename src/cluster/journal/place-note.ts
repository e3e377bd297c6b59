/**
 * The note of a place, as a record of the log. It stands
 *
 * - in the cache before the records of each batch of the shared log, and says which one it is;
 * - in the shared log as a batch of its own, where a writer says who it is; or, without an address, that it has handed over, and perhaps to
 *   whom. There it has no checksum, which is that of the record that it lies in.
 */
import { readRecord, sizeOfRecord, writeRecord } from '../../../gen/kelp/storage/v1/log_codec.ts';
import { StoreError } from '../../errors.ts';
import type { BatchRecord } from '../../shared-log/shared-log.ts';
import { RECORD } from '../../store/commit/record-tags.ts';
import type { LogPlace } from '../../wal/journal.ts';
import { recordPrefixBytes, walkRecords, writeRecordPrefix } from '../../wal/frames/records.ts';

/** The record, with its prefix. */
export function encodePlace({
  position,
  epoch,
  writerAddress,
  checksum,
  successorAddress = '',
}: LogPlace): Buffer {
  const record = {
    revision: 0,
    timeMs: 0,
    leaseClockMs: 0,
    effects: [
      {
        effect: {
          case: 'place' as const,
          value: { position, epoch, writerAddress, checksum, successorAddress },
        },
      },
    ],
  };
  const size = sizeOfRecord(record);
  const bytes = Buffer.allocUnsafe(recordPrefixBytes(size) + size);
  writeRecord(record, bytes, writeRecordPrefix(bytes, 0, size));
  return bytes;
}

/**
 * The place that a batch of the shared log tells, where it is such a note; `undefined`: it is another one.
 * @throws StoreError `damaged` when it tells another place than its own.
 */
export function placeOf({ bytes, position, epoch, checksum }: BatchRecord): LogPlace | undefined {
  const batch = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let place: LogPlace | undefined;
  walkRecords(batch, 0, batch.length, (buffer, start, end) => {
    // All records of stores begin with a revision or a time.
    if (buffer[start] === RECORD.effect) {
      const [first] = readRecord(buffer, start, end).effects;
      if (first?.effect.case === 'place') place = first.effect.value;
    }
    return false;
  });
  if (place !== undefined && (place.position !== position || place.epoch !== epoch)) {
    const text = `position ${position} of the shared log, of epoch ${epoch}, says that it is ${place.position}, of epoch ${place.epoch}`;
    throw new StoreError('damaged', text);
  }
  return place && { ...place, checksum };
}
