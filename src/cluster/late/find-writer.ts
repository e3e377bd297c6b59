/** Whom a node asks for a snapshot that has nothing to go on from: the shared log itself says who its writer is. */
import type { LogRecord, SharedLog } from '../../shared-log/shared-log.ts';
import { SharedLogError } from '../../shared-log/shared-log-error.ts';
import type { LogPlace } from '../../wal/journal.ts';
import { checkFollows, checkHasPlace } from '../journal/other-history.ts';
import { placeOf } from '../journal/place-note.ts';

/**
 * The first position that is kept, when that is above `from`; `undefined`: the record at `from` is there, or `from` is behind the newest.
 */
export async function firstPositionBeyond(
  sharedLog: SharedLog,
  from: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const head = await sharedLog.head({ signal });
  return from > head.position ? undefined : firstPositionFrom(sharedLog, from, signal, () => undefined);
}

/**
 * The first position that is kept, when that is not the next one behind a place; `undefined`: a node that is there can go on.
 * @throws StoreError `damaged` when what the log has is not what this place was reached by.
 */
export async function firstPositionBehind(
  sharedLog: SharedLog,
  place: LogPlace,
  signal: AbortSignal,
): Promise<number | undefined> {
  const head = await sharedLog.head({ signal });
  checkHasPlace(head, place);
  if (head.position === place.position) return undefined;
  return firstPositionFrom(sharedLog, place.position + 1, signal, (record) => checkFollows(record, place));
}

async function firstPositionFrom(
  sharedLog: SharedLog,
  from: number,
  signal: AbortSignal,
  check: (record: LogRecord) => void,
): Promise<number | undefined> {
  try {
    for await (const record of records(sharedLog, from, signal)) {
      check(record);
      return undefined;
    }
    return undefined;
  } catch (error) {
    if (error instanceof SharedLogError && error.code === 'trimmed') return error.firstPosition;
    throw error;
  }
}

export interface FoundWriter {
  /**
   * Of the newest writer that the records tell of, as it stands there; '': none does. One that has handed over counts: it has its state
   * still.
   */
  readonly address: string;
  /** The first position that is kept: it may be a later one by now. */
  readonly firstPosition: number;
}

export async function writerFrom(
  sharedLog: SharedLog,
  from: number,
  signal: AbortSignal,
): Promise<FoundWriter> {
  for (let firstPosition = from; ;) {
    try {
      return { address: await newestAddress(sharedLog, firstPosition, signal), firstPosition };
    } catch (error) {
      if (!(error instanceof SharedLogError) || error.firstPosition === undefined) throw error;
      firstPosition = error.firstPosition;
    }
  }
}

async function newestAddress(sharedLog: SharedLog, from: number, signal: AbortSignal): Promise<string> {
  const head = await sharedLog.head({ signal });
  let address = '';
  for await (const record of records(sharedLog, from, signal)) {
    address = addressIn(record) || address;
    if (record.position >= head.position) break;
  }
  return address;
}

function addressIn(record: LogRecord): string {
  return record.kind === 'takeOver' ? record.address : (placeOf(record)?.writerAddress ?? '');
}

/** Ends the reading when its user leaves it. */
async function* records(sharedLog: SharedLog, from: number, signal: AbortSignal): AsyncGenerator<LogRecord> {
  const end = new AbortController();
  const aborted = (): void => end.abort(signal.reason);
  signal.addEventListener('abort', aborted, { once: true });
  try {
    signal.throwIfAborted();
    yield* sharedLog.read(from, end.signal);
  } finally {
    signal.removeEventListener('abort', aborted);
    end.abort();
  }
}
