/**
 * The row of `state`: whose database this is, and at which revision. It is written in the transaction of the rows that belong to it.
 * Its checksum is the CRC-32 of the format (u32), the store id, the revision (u64), the notes, and the count of rows (f64).
 */
import { crc32 } from '../../wire/crc32.ts';
import { FORMAT } from './database/schema.ts';
import type { NewState } from './rows/row-writer.ts';

export interface State {
  readonly storeId: Uint8Array;
  readonly revision: number;
  readonly notes: Uint8Array;
  readonly rowCount: number;
}

const STORE_ID_AT = 4;
const REVISION_BYTES = 8;
const COUNT_BYTES = 8;

/** What the next commit writes, with the count of rows that there are before it. */
export function newState({ storeId, revision, notes, rowCount }: State): NewState {
  const fields = { storeId, revision, notes, rowCount };
  return { format: FORMAT, ...fields, checksum: checksumOf(fields) };
}

/** Of the whole row. */
export function stateChecksum(state: State): number {
  const count = Buffer.alloc(COUNT_BYTES);
  count.writeDoubleLE(state.rowCount);
  return crc32(count, checksumOf(state));
}

function checksumOf({ storeId, revision, notes }: State): number {
  const revisionAt = STORE_ID_AT + storeId.length;
  const bytes = Buffer.alloc(revisionAt + REVISION_BYTES);
  bytes.writeUInt32LE(FORMAT);
  bytes.set(storeId, STORE_ID_AT);
  bytes.writeBigUInt64LE(BigInt(revision), revisionAt);
  return crc32(notes, crc32(bytes));
}
