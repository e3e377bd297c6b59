/** Whom a node asks for a snapshot that has nothing to go on from: the shared log itself says who its writer is. */
import { cluster as limits } from '../../limits.ts';
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

/**
 * Looks for the newest writer that the log tells of, again and again: first from its end backwards, by longer and longer pieces, until one
 * is told of, and then in what is new. So no record is read twice, but for those that a trim breaks off.
 */
export class WriterSearch {
  readonly #sharedLog: SharedLog;
  #firstPosition: number;
  #address = '';
  /** Up to here all was looked through that is behind what tells of the writer; `undefined`: nothing was. */
  #searchedTo: number | undefined;

  /** @param firstPosition that is kept. */
  constructor(sharedLog: SharedLog, firstPosition: number) {
    this.#sharedLog = sharedLog;
    this.#firstPosition = firstPosition;
  }

  async find(signal: AbortSignal): Promise<FoundWriter> {
    for (;;) {
      try {
        const { position } = await this.#sharedLog.head({ signal });
        if (this.#searchedTo === undefined) await this.#searchBackwards(position, signal);
        else await this.#searchOn(this.#searchedTo + 1, position, signal);
        this.#searchedTo = position;
        return { address: this.#address, firstPosition: this.#firstPosition };
      } catch (error) {
        if (!(error instanceof SharedLogError) || error.firstPosition === undefined) throw error;
        this.#firstPosition = error.firstPosition;
      }
    }
  }

  async #searchBackwards(end: number, signal: AbortSignal): Promise<void> {
    let last = end;
    for (let count: number = limits.searchedRecordsMin; this.#address === ''; count *= SEARCH_GROWTH) {
      if (last < this.#firstPosition) return;
      const from = Math.max(this.#firstPosition, last - count + 1);
      await this.#searchOn(from, last, signal);
      last = from - 1;
    }
  }

  /** The last of these that tells of a writer is the newest that is known. */
  async #searchOn(from: number, last: number, signal: AbortSignal): Promise<void> {
    const start = Math.max(from, this.#firstPosition);
    if (start > last) return;
    let address = '';
    for await (const record of records(this.#sharedLog, start, signal)) {
      address = addressIn(record) || address;
      if (record.position >= last) break;
    }
    if (address !== '') this.#address = address;
  }
}

/** Each piece that is looked through is so many times as long as the one behind it. */
const SEARCH_GROWTH = 4;

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
