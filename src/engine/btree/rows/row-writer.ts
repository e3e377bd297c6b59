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
  const find = database.prepare(sql.find);
  const put = database.prepare(sql.put);
  const remove = database.prepare(sql.remove);
  const putApart = database.prepare(sql.putApart);
  const removeApart = database.prepare(sql.removeApart);
  let addedCount = 0;

  /** The id of the value that is apart, 0: it is not; `undefined`: there is no row. */
  const apartIdOf = (key: Uint8Array): number | undefined => find.get(key)?.['id'] as number | undefined;

  return {
    write(batch, byteCount) {
      const integers = new Uint32Array(batch);
      const floats = new Float64Array(batch);
      let start = 0;
      while (start < byteCount) {
        const headBytes = integers[start / 4] as number;
        const keyBytes = integers[start / 4 + 1] as number;
        const valueBytes = integers[start / 4 + 2] as number;
        const isApart = integers[start / 4 + 3] === 1;
        const keyStart = start + 32 + headBytes;
        const keyEnd = keyStart + keyBytes;
        const key = new Uint8Array(batch, keyStart, keyBytes);
        const idBefore = apartIdOf(key);
        // A value that is apart stays in its place as long as there is one.
        if (!isApart && idBefore !== undefined && idBefore !== 0) removeApart.run(idBefore);
        if (headBytes > 0) {
          const head = new Uint8Array(batch, start + 32, headBytes);
          const value = new Uint8Array(batch, keyEnd, valueBytes);
          const deadline = floats[start / 8 + 2] as number;
          const lease = floats[start / 8 + 3] as number;
          // A number of JavaScript would become a REAL in a column without a type.
          const stored = isApart ? BigInt(putApart.run(idBefore || null, value).lastInsertRowid) : value;
          put.run(key, deadline, lease, head, stored);
          if (idBefore === undefined) addedCount++;
        } else if (idBefore !== undefined) {
          remove.run(key);
          addedCount--;
        }
        start = Math.ceil((keyEnd + valueBytes) / 8) * 8;
      }
    },

    forget(start, end) {
      const isRest = end === undefined;
      const bounds = isRest ? [start] : [start, end];
      const apart = database.prepare(isRest ? sql.findFrom : sql.findIn).iterate(...bounds);
      for (const { id } of apart) removeApart.run(id as number);
      const { changes } = database.prepare(isRest ? sql.forgetRest : sql.forget).run(...bounds);
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
