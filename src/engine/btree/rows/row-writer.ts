/**
 * Writes the changes of a flush into a database, in the transaction that is open there.
 *
 * Self-contained: `flush-thread.ts` hands the text of this function to a thread that has nothing else of KelpDB. So it names nothing
 * that stands outside of it, types aside.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { WriteSql } from '../database/schema.ts';

/** What becomes the row of `state`, but for the count of rows. */
export interface NewState {
  readonly format: number;
  readonly storeId: Uint8Array;
  readonly revision: number;
  readonly notes: Uint8Array;
  /** That of all that stands above (`state.ts`). */
  readonly checksum: number;
  /** Before the flush. */
  readonly rowCount: number;
}

export interface RowWriter {
  /** Writes a batch (`row-batch.ts`). */
  write(batch: ArrayBuffer, byteCount: number): void;
  /** Deletes the rows of a range; only before the first batch. */
  forget(start: Uint8Array, end: Uint8Array | undefined): void;
  /** @returns how many rows there are now. */
  writeState(state: NewState): number;
}

export type Checksum = (bytes: Uint8Array, seed: number) => number;

export function createRowWriter(database: DatabaseSync, sql: WriteSql, crc32: Checksum): RowWriter {
  const put = database.prepare(sql.put);
  const remove = database.prepare(sql.remove);
  let addedCount = 0;
  // Each row that is new gets an id that none has had since the transaction began, and an overwritten one leaves this as it is. It
  // is 0 at first: that is the id in `state`, which is written last.
  let lastRowId: number | bigint = 0;

  return {
    write(batch, byteCount) {
      const integers = new Uint32Array(batch);
      const floats = new Float64Array(batch);
      let start = 0;
      while (start < byteCount) {
        const headBytes = integers[start / 4] as number;
        const keyBytes = integers[start / 4 + 1] as number;
        const valueBytes = integers[start / 4 + 2] as number;
        const keyStart = start + 32 + headBytes;
        const keyEnd = keyStart + keyBytes;
        const key = new Uint8Array(batch, keyStart, keyBytes);
        if (headBytes === 0) addedCount -= Number(remove.run(key).changes);
        else {
          const head = new Uint8Array(batch, start + 32, headBytes);
          const value = new Uint8Array(batch, keyEnd, valueBytes);
          const deadline = floats[start / 8 + 2] as number;
          const lease = floats[start / 8 + 3] as number;
          const { lastInsertRowid } = put.run(key, deadline, lease, head, value);
          if (lastInsertRowid !== lastRowId) addedCount++;
          lastRowId = lastInsertRowid;
        }
        start = Math.ceil((keyEnd + valueBytes) / 8) * 8;
      }
    },

    forget(start, end) {
      const { changes } =
        end === undefined
          ? database.prepare(sql.forgetRest).run(start)
          : database.prepare(sql.forget).run(start, end);
      addedCount -= Number(changes);
    },

    writeState({ format, storeId, revision, notes, checksum, rowCount }) {
      const count = rowCount + addedCount;
      const countBytes = new Uint8Array(new Float64Array([count]).buffer);
      const whole = crc32(countBytes, checksum);
      database.prepare(sql.state).run(format, storeId, revision, notes, count, whole);
      return count;
    },
  };
}
