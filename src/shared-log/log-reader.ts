/**
 * Reads a shared log from a position on. It lists what is there, page by page, and where the list ends it takes the changes that
 * came behind that very list, so that there is no gap between the two. Whatever goes wrong with the changes, it lists again from
 * the place that it has come to: when they break off, fall silent, are forgotten by the storage, or leave a hole.
 *
 * So the list alone decides what is in the log; changes only spare it the asking.
 */
import type { Clock } from '../clock.ts';
import { sharedLog as limits } from '../limits.ts';
import { type Attempts, errorOf } from './attempts.ts';
import { ChangeFeed } from './change-feed.ts';
import { checksumText, hexOf } from './head-format.ts';
import { type LogState, wentBack } from './log-state.ts';
import {
  type Listed,
  type LogStorage,
  LogStorageError,
  type Oldest,
  type StoredRecord,
} from './log-storage.ts';
import { bytesThrough, decodeRecord } from './record-format.ts';
import type { LogHead, LogRecord } from './shared-log.ts';
import { SharedLogError } from './shared-log-error.ts';

export interface ReadParts {
  readonly storage: LogStorage;
  readonly clock: Clock;
  readonly attempts: Attempts;
  readonly state: LogState;
}

export async function* readRecords(
  { storage, clock, attempts, state }: ReadParts,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void, undefined> {
  const place = new Place(from);
  let limit: number = limits.pageRecordsMin;
  let failures = 0;
  for (;;) {
    const { reached } = state;
    const list = (ended: AbortSignal): Promise<Listed> => storage.list(place.next, limit, ended);
    const listed = await attempts.until('list its records', { signal }, list, 'read');
    const head = state.headOf(listed.head, reached);
    const missing = missingIn(listed, head, place.next, limit);
    if (missing !== undefined) {
      const ask = (ended: AbortSignal): Promise<Oldest> => storage.oldest(ended);
      throw missingAt(missing, await attempts.until('tell its oldest record', { signal }, ask, 'read'), head);
    }
    for (const stored of listed.records) yield place.take(decodeRecord(stored, head.storeId));
    place.checkEnd(head);
    limit = nextLimit(listed.records, limit);
    if (place.next <= head.position) continue;

    const end = attempts.begin(signal);
    const feed = new ChangeFeed(clock, storage.changes(listed.revision, end.signal));
    try {
      for (;;) {
        const news = await feed.take(limits.silenceMs);
        end.check('go on', false);
        if (news.kind === 'over') {
          checkPassing(news.error);
          await attempts.pause(++failures, end.signal);
        }
        if (news.kind !== 'records') break;
        failures = 0;
        const { records } = news;
        if (records.some(({ position }, index) => position !== place.next + index)) break;
        for (const stored of records) yield place.take(decodeRecord(stored, head.storeId));
      }
    } finally {
      // Whether its user has left it or it has to list again.
      end.close();
      feed.leave();
      attempts.end(end);
    }
  }
}

/** What the first record comes behind. */
const NOTHING = { epoch: 0, checksum: 0, bytes: 0 };

/** Of the log up to a record. */
interface Ending {
  readonly epoch: number;
  readonly position: number;
  readonly checksum: number;
  readonly bytes: number;
}

/** Where a reader is: which record must come next. */
class Place {
  next: number;
  /** `undefined`: none was read yet. */
  #before: Ending | undefined;

  constructor(next: number) {
    this.next = next;
  }

  take(record: LogRecord): LogRecord {
    const { kind, epoch, position, behind, bytesBefore } = record;
    const before =
      position === 1 ? NOTHING : (this.#before ?? { epoch: undefined, checksum: behind, bytes: bytesBefore });
    const isNext = before.epoch === undefined || epoch === before.epoch + (kind === 'takeOver' ? 1 : 0);
    if (!isNext || behind !== before.checksum || bytesBefore !== before.bytes) {
      throw new SharedLogError(
        'damaged',
        `the record at position ${position} of the shared log is of epoch ${epoch} and behind ${checksumText(behind)} and ${bytesBefore} bytes, ` +
          `but comes behind one of epoch ${before.epoch ?? epoch} with checksum ${checksumText(before.checksum)} and ${before.bytes} bytes`,
      );
    }
    const { checksum } = record;
    this.#before = { epoch, position, checksum, bytes: bytesThrough(record) };
    this.next = position + 1;
    return record;
  }

  /** The head was told together with the records before `next`. */
  checkEnd(head: LogHead): void {
    const before = this.#before;
    if (before?.position !== head.position) return;
    const isIts = before.epoch === head.epoch && before.checksum === head.checksum;
    if (isIts && before.bytes === head.logBytes) return;
    throw new SharedLogError(
      'damaged',
      `the head of the shared log says epoch ${head.epoch}, checksum ${checksumText(head.checksum)} and ${head.logBytes} bytes at position ` +
        `${head.position}, and the record there has ${before.epoch}, ${checksumText(before.checksum)} and ${before.bytes}`,
    );
  }
}

/** @returns the first position that should be among those that were listed, and is not. */
function missingIn({ records }: Listed, head: LogHead, next: number, limit: number): number | undefined {
  // What it has read before is no part of this log.
  if (next > head.position + 1) throw wentBack(head, { epoch: head.epoch, position: next - 1 });
  const count = Math.min(limit, head.position + 1 - next);
  const hole = records.findIndex(({ position }, index) => position !== next + index);
  if (hole >= 0) return next + hole;
  return records.length < count ? next + records.length : undefined;
}

/**
 * Why there is no record at a position up to that of the head: all below the oldest one were trimmed. The newest never is, so the
 * oldest marks how far it was, and a log that is full can be trimmed, which could not take a mark of its own.
 */
export function missingAt(missing: number, { position: oldest }: Oldest, head: LogHead): SharedLogError {
  if (oldest !== undefined && oldest > missing) {
    const message = `position ${missing} of the shared log is trimmed; ${oldest} is the oldest that is kept`;
    return new SharedLogError('trimmed', message, { firstPosition: oldest });
  }
  const message = `the record at position ${missing} of the shared log (${hexOf(head.storeId)}) is missing`;
  return new SharedLogError('damaged', message);
}

/** Throws what would not be otherwise with other changes. To be refused may pass: a list logs in again, or is refused itself. */
function checkPassing(error: unknown): void {
  if (error === undefined) return;
  if (!(error instanceof LogStorageError)) throw error as Error;
  if (error.kind === 'full' || error.kind === 'failed') throw errorOf(error, false);
}

/** As many as should have the bytes of a page, going by those of this one. */
function nextLimit(records: readonly StoredRecord[], limit: number): number {
  if (records.length === 0) return limit;
  const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0);
  const count = Math.floor((limits.pageBytes * records.length) / bytes);
  return Math.min(limits.pageRecordsMax, Math.max(limits.pageRecordsMin, count));
}
