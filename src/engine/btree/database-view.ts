/**
 * The state of a database at one revision, by a connection of its own whose reading transaction stays open: the log (WAL) has what is
 * committed meanwhile behind what the view reads, and can't be cut before the view is closed.
 */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { BaseView } from '../layered/base/base.ts';
import { RangeSet } from '../range-set.ts';
import { PlacedChange } from '../version.ts';
import { Connection } from './database/connection.ts';
import { RowCursor } from './rows/row-cursor.ts';
import { RowSource } from './rows/row-source.ts';
import type { State } from './state.ts';
import { readState } from './stored-state.ts';

const EVERYTHING = { start: NO_BYTES, end: undefined };
const OPTIONS = { reverse: false, withValues: true, onPiece: () => undefined };

export class DatabaseView implements BaseView {
  readonly #connection: Connection;
  readonly #state: State;
  readonly #cursor: RowCursor;
  readonly #placed = new PlacedChange();
  readonly #closed: (view: DatabaseView) => void;
  #isClosed = false;

  /** @throws StoreError `damaged` @throws DiskError */
  static async open(path: string, closed: (view: DatabaseView) => void): Promise<DatabaseView> {
    const options = { cacheBytes: fixed.viewReadBytesMax, readOnly: true };
    const connection = await Connection.open(path, path, options);
    try {
      connection.exec('BEGIN', 'it could not be read');
      // From this read on it is the state that the transaction reads.
      return new DatabaseView(connection, readState(connection), closed);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private constructor(connection: Connection, state: State, closed: (view: DatabaseView) => void) {
    this.#connection = connection;
    this.#state = state;
    this.#closed = closed;
    this.#cursor = new RowCursor(new RowSource(connection), new RangeSet(), EVERYTHING, OPTIONS);
  }

  get revision(): number {
    return this.#state.revision;
  }

  get notes(): Uint8Array {
    return this.#state.notes;
  }

  next(): PlacedChange | undefined {
    this.#checkOpen();
    return this.#cursor.next(this.#placed) ? this.#placed : undefined;
  }

  /** All reading is done by `next`. */
  // eslint-disable-next-line typescript/require-await -- what it throws is to reject
  async read(): Promise<boolean> {
    this.#checkOpen();
    return false;
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      // With its transaction.
      this.#connection.close();
      this.#closed(this);
    }
    return Promise.resolve();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StoreError('closed', 'the engine is being closed');
  }
}
