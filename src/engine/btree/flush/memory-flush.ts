/**
 * A flush into a database that is in memory alone. What is added waits, and the commit writes it in one transaction, in pieces between which
 * others run.
 *
 * There is one connection to such a database, so reads see what was written so far. That is what the contract of a base allows: each key of the
 * flush is read in the state before or the new one, and stands in memory above until the commit; ranges that it forgets are hidden.
 */
import type { Clock } from '../../../clock.ts';
import type { EngineRange } from '../../engine.ts';
import { crc32 } from '../../../wire/crc32.ts';
import type { BaseFlush } from '../../layered/base/base.ts';
import type { PlacedChange } from '../../version.ts';
import { BatchFiller } from './batch-filler.ts';
import type { Connection } from '../database/connection.ts';
import type { FlushEnd, StateWith } from './flush-end.ts';
import type { RowBatch } from '../rows/row-batch.ts';
import { createRowWriter, type NewState } from '../rows/row-writer.ts';
import { WRITE_SQL } from '../database/schema.ts';

/** A row is forgotten in some 5 µs. */
const FORGOTTEN_PER_PIECE = 2000;
const PIECE = `SELECT key FROM entries WHERE key >= ? AND key < ? ORDER BY key LIMIT 1 OFFSET ${FORGOTTEN_PER_PIECE}`;
const PIECE_OF_REST = `SELECT key FROM entries WHERE key >= ? ORDER BY key LIMIT 1 OFFSET ${FORGOTTEN_PER_PIECE}`;

export class MemoryFlush implements BaseFlush {
  readonly isFull = false;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #stateWith: StateWith;
  readonly #end: FlushEnd;
  readonly #filler = new BatchFiller();
  #batches: RowBatch[] = [];
  readonly #forgotten: EngineRange[] = [];
  #heldBytes = 0;

  constructor(connection: Connection, clock: Clock, stateWith: StateWith, end: FlushEnd) {
    this.#connection = connection;
    this.#clock = clock;
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

  async commit(notes: Uint8Array): Promise<void> {
    this.#hold(this.#filler.takeRest());
    try {
      const state = this.#stateWith(notes.slice());
      const rowCount = await this.#write(state);
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

  async #write(state: NewState): Promise<number> {
    const { database } = this.#connection;
    this.#connection.exec('BEGIN', 'it could not be written');
    try {
      const writer = createRowWriter(database, WRITE_SQL, crc32);
      for (const range of this.#forgotten) {
        for (const piece of this.#piecesOf(range)) {
          writer.forget(piece.start, piece.end);
          await this.#pause();
        }
      }
      for (const { buffer, byteCount } of this.#batches) {
        writer.write(buffer, byteCount);
        await this.#pause();
      }
      const rowCount = writer.writeState(state);
      database.exec('COMMIT');
      return rowCount;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Of so many rows at most; each is found when the one before is gone. */
  *#piecesOf({ start, end }: EngineRange): Generator<EngineRange, void> {
    for (;;) {
      const [next] =
        end === undefined
          ? (this.#connection.row(PIECE_OF_REST, 'rows that are forgotten', start) ?? [])
          : (this.#connection.row(PIECE, 'rows that are forgotten', start, end) ?? []);
      if (!(next instanceof Uint8Array)) break;
      yield { start, end: next };
    }
    yield { start, end };
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.yieldNow(resolve));
  }
}
