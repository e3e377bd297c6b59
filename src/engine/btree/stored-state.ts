/** Reads the row of `state`, and says what is wrong with it. */
import type { Connection } from './database/connection.ts';
import { FORMAT } from './database/schema.ts';
import { damaged } from './database/sqlite-error.ts';
import { stateChecksum, type State } from './state.ts';
import { StoreError } from '../../errors.ts';

const READ_FORMAT = 'SELECT format FROM state WHERE id = 0';
const READ = 'SELECT store_id, revision, notes, row_count, checksum FROM state WHERE id = 0';

/** @throws StoreError `damaged`: what it says can not be relied on, or is of another version of KelpDB. */
export function readState(connection: Connection): State {
  const { path } = connection;
  const what = 'the row of its state';
  const format = connection.row(READ_FORMAT, what)?.[0];
  if (format === undefined) throw damaged(path, `${what} is missing`);
  if (typeof format === 'number' && format !== FORMAT) throw otherFormat(path, format);
  const [storeId, revision, notes, rowCount, checksum] = connection.row(READ, what) ?? [];
  if (
    storeId instanceof Uint8Array &&
    typeof revision === 'number' &&
    Number.isSafeInteger(revision) &&
    revision >= 0 &&
    notes instanceof Uint8Array &&
    typeof rowCount === 'number'
  ) {
    const state = { storeId, revision, notes, rowCount };
    if (stateChecksum(state) === checksum) return state;
  }
  throw damaged(path, `${what} does not fit its checksum`);
}

function otherFormat(path: string, format: number): StoreError<'damaged'> {
  const what =
    format > FORMAT
      ? 'a newer version of KelpDB wrote it; use that version, or restore a backup that it made'
      : 'an older version of KelpDB wrote it; make a backup with that version, and restore it with this one';
  return new StoreError('damaged', `${path} has the format ${format}, and this is ${FORMAT}: ${what}`);
}
