/** Which records of a cache are the notes of places. */
import { readRecord } from '../../../gen/kelp/storage/v1/log_codec.ts';
import type { LogPlace } from '../../../src/wal/journal.ts';

/** @returns `undefined`: it is another record. */
export function readPlaceNote(buffer: Buffer, start: number, end: number): LogPlace | undefined {
  try {
    const [first] = readRecord(buffer, start, end).effects;
    return first?.effect.case === 'place' ? first.effect.value : undefined;
  } catch {
    return undefined;
  }
}
