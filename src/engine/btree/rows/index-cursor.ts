/** Goes over the rows that have a deadline, or a lease, in the order of the index, and passes over what is hidden. */
import { NO_BYTES } from '../../../wire/bytes.ts';
import type { DeadlineCursor, DeadlinePlace } from '../../layered/base/base.ts';
import { PlacedChange } from '../../version.ts';
import type { RangeSet } from '../../range-set.ts';
import { nameOfKey } from '../database/key-name.ts';
import { RowReader } from './row-head.ts';
import type { IndexColumn, Piece, RowSource } from './row-source.ts';
import { damaged } from '../database/sqlite-error.ts';

const FIRST_ROWS = 4;
const ROWS_MAX = 256;

export class IndexCursor {
  readonly #source: RowSource;
  readonly #hidden: RangeSet;
  readonly #column: IndexColumn;
  readonly #reader = new RowReader();
  readonly #placed = new PlacedChange();
  #number: number;
  #key: Uint8Array;
  #rows: readonly (readonly [number, Piece])[] = [];
  #index = 0;
  #rowsMax = FIRST_ROWS / 2;
  #isLast = false;

  /** @param after the place behind which it begins. */
  constructor(
    source: RowSource,
    hidden: RangeSet,
    column: IndexColumn,
    after: readonly [number: number, key: Uint8Array] = [0, NO_BYTES],
  ) {
    this.#source = source;
    this.#hidden = hidden;
    this.#column = column;
    this.#number = after[0];
    this.#key = after[1].slice();
  }

  /** The number in the index, and the key in memory of its own. */
  next(): readonly [number: number, key: Uint8Array] | undefined {
    for (;;) {
      const row = this.#rows[this.#index];
      if (row === undefined) {
        if (this.#isLast) return undefined;
        this.#readRows();
        continue;
      }
      this.#index++;
      this.#number = row[0];
      this.#key = this.#keyOf(row);
      if (this.#hidden.holding(this.#key) === undefined) return [this.#number, this.#key];
    }
  }

  close(): void {
    this.#rows = [];
    this.#isLast = true;
  }

  #readRows(): void {
    this.#rowsMax = Math.min(this.#rowsMax * 2, ROWS_MAX);
    this.#rows = this.#source.indexed(this.#column, this.#number, this.#key, this.#rowsMax);
    this.#index = 0;
    this.#isLast = this.#rows.length < this.#rowsMax;
  }

  /** Verifies that the row says of itself what the index says of it. */
  #keyOf([number, { memory, start, end }]: readonly [number, Piece]): Uint8Array {
    const placed = this.#placed;
    const column = this.#column;
    if (!this.#reader.readHead(memory, start, end, placed) || this.#reader.end !== end) {
      const place = `${number}, ${nameOfKey(this.#key)}`;
      throw damaged(
        this.#source.path,
        `a row behind ${place} in the index ${column}s does not fit its checksum`,
      );
    }
    if ((column === 'deadline' ? placed.expireTimeMs : placed.leaseId) !== number) {
      const key = nameOfKey(placed.key);
      throw damaged(
        this.#source.path,
        `the index ${column}s has ${number} for the key ${key}, and its row has not`,
      );
    }
    return placed.key;
  }
}

export class RowDeadlines implements DeadlineCursor {
  readonly #rows: IndexCursor;

  constructor(rows: IndexCursor) {
    this.#rows = rows;
  }

  next(): DeadlinePlace | undefined {
    const row = this.#rows.next();
    return row === undefined ? undefined : { deadlineMs: row[0], key: row[1] };
  }

  close(): void {
    this.#rows.close();
  }
}
