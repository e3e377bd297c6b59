/** Reads the row of `state`, and says what is wrong with it. */
import type { Connection } from './database/connection.ts';
import { damaged } from './database/sqlite-error.ts';
import { stateChecksum, type State } from './state.ts';

const READ = 'SELECT store_id, revision, notes, row_count, checksum FROM state WHERE id = 0';

/** @throws StoreError `damaged`: what it says can not be relied on. */
export function readState(connection: Connection): State {
  const { path } = connection;
  const what = 'the row of its state';
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
