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
import { hexOf } from './head-format.ts';
import { type LogState, wentBack } from './log-state.ts';
import { type Listed, type LogStorage, LogStorageError, type StoredRecord } from './log-storage.ts';
import { decodeRecord } from './record-format.ts';
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
    const head = state.headOf(listed, reached);
    checkListed(listed, head, state.firstOf(listed), place.next, limit);
    for (const stored of listed.records) yield place.take(decodeRecord(stored, head.storeId));
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

/** Where a reader is: which record must come next. */
class Place {
  next: number;
  /** Of the record before; `undefined`: none was read yet. */
  epoch: number | undefined;

  constructor(next: number) {
    this.next = next;
  }

  take(record: LogRecord): LogRecord {
    const { kind, epoch, position } = record;
    const before = this.epoch;
    const isNext = before === undefined || epoch === before + (kind === 'takeOver' ? 1 : 0);
    if (!isNext || (position === 1 && kind !== 'takeOver')) {
      throw new SharedLogError(
        'damaged',
        `the record at position ${position} of the shared log is of epoch ${epoch}, behind one of ${before ?? 0}`,
      );
    }
    this.epoch = epoch;
    this.next = position + 1;
    return record;
  }
}

function checkListed({ records }: Listed, head: LogHead, first: number, next: number, limit: number): void {
  if (next < first) {
    throw new SharedLogError(
      'trimmed',
      `position ${next} of the shared log is trimmed; ${first} is the oldest`,
      {
        firstPosition: first,
      },
    );
  }
  // What it has read before is no part of this log.
  if (next > head.position + 1) throw wentBack(head, { epoch: head.epoch, position: next - 1 });
  const count = Math.min(limit, head.position + 1 - next);
  const hole = records.findIndex(({ position }, index) => position !== next + index);
  const missing = hole >= 0 ? hole : records.length;
  if (hole < 0 && records.length === count) return;
  throw new SharedLogError(
    'damaged',
    `the record at position ${next + missing} of the shared log (${hexOf(head.storeId)}) is missing`,
  );
}

/** Throws what would not be otherwise with other changes. */
function checkPassing(error: unknown): void {
  if (error === undefined) return;
  if (!(error instanceof LogStorageError)) throw error as Error;
  if (error.kind !== 'unavailable' && error.kind !== 'forgotten') throw errorOf(error, false);
}

/** As many as should have the bytes of a page, going by those of this one. */
function nextLimit(records: readonly StoredRecord[], limit: number): number {
  if (records.length === 0) return limit;
  const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0);
  const count = Math.floor((limits.pageBytes * records.length) / bytes);
  return Math.min(limits.pageRecordsMax, Math.max(limits.pageRecordsMin, count));
}
