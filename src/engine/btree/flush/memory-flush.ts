/** A flush into a database that is in memory alone: it waits in memory, and is written at once by the commit. */
import type { EngineRange } from '../../engine.ts';
import { crc32 } from '../../../wire/crc32.ts';
import type { BaseFlush } from '../../layered/base/base.ts';
import type { PlacedChange } from '../../version.ts';
import { BatchFiller } from './batch-filler.ts';
import type { Connection } from '../database/connection.ts';
import type { FlushEnd, StateWith } from './flush-end.ts';
import type { RowBatch } from '../rows/row-batch.ts';
import { createRowWriter, type NewState } from '../rows/row-writer.ts';
import { RESET_ROW_ID_SQL, WRITE_SQL } from '../database/schema.ts';

export class MemoryFlush implements BaseFlush {
  readonly isFull = false;
  readonly #connection: Connection;
  readonly #stateWith: StateWith;
  readonly #end: FlushEnd;
  readonly #filler = new BatchFiller();
  #batches: RowBatch[] = [];
  readonly #forgotten: EngineRange[] = [];
  #heldBytes = 0;

  constructor(connection: Connection, stateWith: StateWith, end: FlushEnd) {
    this.#connection = connection;
    this.#stateWith = stateWith;
    this.#end = end;
  }

  get memoryBytes(): number {
    return this.#heldBytes;
  }

  add(change: PlacedChange): void {
    this.#hold(this.#filler.add(change));
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  beginRun(): Promise<void> {
    return Promise.resolve();
  }

  forget({ start, end }: EngineRange): void {
    this.#forgotten.push({ start: start.slice(), end: end?.slice() });
  }

  // eslint-disable-next-line typescript/require-await -- what it throws is to reject
  async commit(notes: Uint8Array): Promise<void> {
    this.#hold(this.#filler.takeRest());
    try {
      const state = this.#stateWith(notes.slice());
      const rowCount = this.#write(state);
      this.#end.committed({
        notes: state.notes,
        rowCount,
        forgotten: this.#forgotten,
        logFrames: 0,
        leftFrames: 0,
      });
    } finally {
      this.#end.over();
    }
  }

  abort(): Promise<void> {
    this.#batches = [];
    this.#end.over();
    return Promise.resolve();
  }

  #hold(batch: RowBatch | undefined): void {
    if (batch === undefined) return;
    this.#batches.push(batch);
    this.#heldBytes += batch.capacityBytes;
  }

  #write(state: NewState): number {
    const { database } = this.#connection;
    this.#connection.exec('BEGIN', 'it could not be written');
    try {
      // The connection is that of all flushes: one that was taken back has left the id of a row that is gone, for an overwritten one.
      database.exec(RESET_ROW_ID_SQL);
      const writer = createRowWriter(database, WRITE_SQL, crc32);
      for (const { start, end } of this.#forgotten) writer.forget(start, end);
      for (const { buffer, byteCount } of this.#batches) writer.write(buffer, byteCount);
      const rowCount = writer.writeState(state);
      database.exec('COMMIT');
      return rowCount;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}
