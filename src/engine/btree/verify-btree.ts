/**
 * Reads all of a database that nothing else has open, for `kelp verify`: SQLite's own check of its pages and indexes, then each row with
 * its checksums, and the count of them. It changes nothing.
 */
import type { Clock } from '../../clock.ts';
import type { Disk } from '../../disk/disk.ts';
import { isStoreError } from '../../errors.ts';
import type { OnProgress } from '../../progress.ts';
import { TimeSlice } from '../../time-slice.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { PlacedChange } from '../version.ts';
import { checkSchema } from './database/check-schema.ts';
import type { Connection } from './database/connection.ts';
import { openUnchanged } from './database/open-unchanged.ts';
import { RangeSet } from '../range-set.ts';
import { IndexCursor } from './rows/index-cursor.ts';
import { RowCursor } from './rows/row-cursor.ts';
import { RowSource } from './rows/row-source.ts';
import { isApart, PAGE_BYTES } from './database/schema.ts';
import { damaged } from './database/sqlite-error.ts';
import type { State } from './state.ts';
import { readState } from './stored-state.ts';

export interface VerifyBtreeOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly onProgress: OnProgress;
  /** What is wrong with what a row says, by what the store knows of it; `undefined`: nothing. */
  readonly faultOf?: (key: Uint8Array, value: Uint8Array) => string | undefined;
}

export interface VerifiedBtree {
  /** `undefined`: it can not be read. */
  readonly state: State | undefined;
  /** The rows that were found whole. */
  readonly rowCount: number;
  readonly bytes: number;
  /** The first fault that was found; `undefined`: it is whole. */
  readonly fault: Error | undefined;
}

const CACHE_BYTES = 64 * 1024 * 1024;
const ROWS_PER_LOOK = 64;

/** @param path of the database, not of its folder. */
export async function verifyBtree(path: string, options: VerifyBtreeOptions): Promise<VerifiedBtree> {
  const found = { state: undefined as State | undefined, rowCount: 0, bytes: 0 };
  let connection: Connection | undefined;
  try {
    connection = await openUnchanged(path, options.disk, CACHE_BYTES);
    found.bytes = connection.number('PRAGMA page_count') * PAGE_BYTES;
    checkSchema(connection);
    found.state = readState(connection);
    checkPages(connection);
    await readRows(connection, found.state, options, (rowCount) => (found.rowCount = rowCount));
    return { ...found, fault: undefined };
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    return { ...found, fault: error };
  } finally {
    connection?.close();
  }
}

function checkPages(connection: Connection): void {
  const [[said] = []] = connection.rows('PRAGMA integrity_check(1)', 'its pages');
  if (said !== 'ok') throw damaged(connection.path, String(said));
}

async function readRows(
  connection: Connection,
  state: State,
  { clock, onProgress, faultOf }: VerifyBtreeOptions,
  count: (rowCount: number) => void,
): Promise<void> {
  const slice = new TimeSlice(clock, ROWS_PER_LOOK);
  const source = new RowSource(connection);
  const none = new RangeSet();
  const pause = async (doneKeys: number): Promise<void> => {
    onProgress({
      work: 'reading the database',
      doneBytes: 0,
      totalBytes: 0,
      doneKeys,
      totalKeys: state.rowCount,
    });
    await new Promise<void>((resolve) => clock.yieldNow(resolve));
    slice.begin();
  };
  const all = { start: NO_BYTES, end: undefined };
  const rows = new RowCursor(source, none, all, {
    reverse: false,
    withValues: true,
    onPiece: () => undefined,
  });
  const placed = new PlacedChange();
  let rowCount = 0;
  let deadlineCount = 0;
  let leasedCount = 0;
  let apartCount = 0;
  slice.begin();
  while (rows.next(placed)) {
    count(++rowCount);
    if (placed.expireTimeMs > 0) deadlineCount++;
    if (placed.leaseId > 0) leasedCount++;
    if (isApart(placed.keyEnd - placed.keyStart, placed.valueEnd - placed.valueStart)) apartCount++;
    const fault = faultOf?.(placed.key, placed.value);
    if (fault !== undefined) throw damaged(connection.path, fault);
    if (slice.isOver()) await pause(rowCount);
  }
  if (rowCount !== state.rowCount) {
    throw damaged(connection.path, `it has ${rowCount} rows, and says that it has ${state.rowCount}`);
  }
  // The value of each row was found that is apart, so there are others if there are more.
  const valueCount = connection.number('SELECT count(*) FROM long_values');
  if (valueCount !== apartCount) {
    throw damaged(connection.path, `it has ${valueCount} long values, and ${apartCount} rows that have one`);
  }
  // Each place in an index says what its row says, and there are as many as there are rows to be found by it.
  for (const [column, wanted] of [
    ['deadline', deadlineCount],
    ['lease', leasedCount],
  ] as const) {
    const places = new IndexCursor(source, none, column);
    let found = 0;
    while (places.next() !== undefined) {
      found++;
      if (slice.isOver()) await pause(rowCount);
    }
    if (found !== wanted) {
      throw damaged(connection.path, `the index ${column}s has ${found} rows, and there are ${wanted}`);
    }
  }
}
