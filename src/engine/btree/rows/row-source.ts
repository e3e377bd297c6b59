/**
 * The rows of a database, as they are read: by key, and a piece of a range at a time.
 *
 * A piece is one value that SQLite makes of many rows, their heads, keys and short values one behind the other: a row takes 0.2 µs so,
 * where a row of columns takes 1.2, since Node makes an object for each of them. A value that is apart is read by itself, so that a piece is
 * bounded: with others it has 512 KiB at most.
 */
import { memoryOf, type Memory } from '../../../wire/memory.ts';
import type { PlacedChange } from '../../version.ts';
import type { Connection } from '../database/connection.ts';
import { nameOfKey } from '../database/key-name.ts';
import { RowReader } from './row-head.ts';
import { damaged } from '../database/sqlite-error.ts';

const HEAD_AND_KEY = 'CAST(head || key AS BLOB)';
/** Of a row whose value is apart and is not there it is NULL, and so is all that has it as a part. */
const VALUE = `iif(typeof(value) = 'integer',
  (SELECT long_values.value FROM long_values WHERE id = entries.value), value)`;
const FIND_WHOLE = `SELECT CAST(head || key || ${VALUE} AS BLOB) FROM entries WHERE key = ?`;
const FIND_HEAD = `SELECT ${HEAD_AND_KEY} FROM entries WHERE key = ?`;
const FIND_VALUE = `SELECT ${VALUE} FROM entries WHERE key = ?`;

const SHORT_ROW = "head || key || iif(typeof(value) = 'integer', x'', value)";

/** In SQLite what is aggregated comes in the order of the subquery that it comes from; readers verify it. */
const pieceSql = (part: string, bounds: string, order: string): string =>
  `SELECT CAST(group_concat(part, '') AS BLOB) FROM (
    SELECT ${part} AS part FROM entries WHERE ${bounds} ORDER BY key ${order} LIMIT ?)`;

/** By whether there is an end, ... */
const BOUNDS = ['key >= ?', 'key >= ? AND key < ?'];
/** ... whether values are wanted, ... */
const PARTS = ['head || key', SHORT_ROW];
/** ... and whether it is in reverse. */
const ORDERS = ['ASC', 'DESC'];

const PIECES = BOUNDS.map((bounds) =>
  PARTS.map((part) => ORDERS.map((order) => pieceSql(part, bounds, order))),
);

const FIRST_KEYS = BOUNDS.map((bounds) =>
  ORDERS.map((order) => `SELECT key FROM entries WHERE ${bounds} ORDER BY key ${order} LIMIT 1`),
);

const indexSql = (column: IndexColumn): string =>
  `SELECT ${HEAD_AND_KEY}, ${column} FROM entries INDEXED BY ${column}s
    WHERE ${column} > 0 AND (${column}, key) > (?, ?) ORDER BY ${column}, key LIMIT ?`;

const INDEXED: Readonly<Record<IndexColumn, string>> = {
  deadline: indexSql('deadline'),
  lease: indexSql('lease'),
};

export interface Piece {
  readonly memory: Memory;
  /** Where its rows begin and end. */
  readonly start: number;
  readonly end: number;
}

/** The index of rows by deadline, or that by lease: its column. */
export type IndexColumn = 'deadline' | 'lease';

export class RowSource {
  readonly #connection: Connection;
  readonly #reader = new RowReader();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get path(): string {
    return this.#connection.path;
  }

  /** @returns whether there is a row; else `placed` is as it was. */
  find(key: Uint8Array, placed: PlacedChange, withValue: boolean): boolean {
    const found = this.#bytes(withValue ? FIND_WHOLE : FIND_HEAD, key);
    if (found === undefined) return false;
    const { memory, start, end } = pieceOf(found);
    const reader = this.#reader;
    if (!reader.readHead(memory, start, end, placed)) throw this.damagedRow(key);
    if (withValue && !reader.readValue(end, placed)) throw this.damagedRow(key);
    if (reader.end !== end || Buffer.compare(placed.key, key) !== 0) throw this.damagedRow(key);
    return true;
  }

  /** Another number once a flush was committed since: that may come between any two statements, for it has a thread of its own. */
  get dataVersion(): number {
    return this.#connection.number('PRAGMA data_version');
  }

  /**
   * Gives a change, of which `reader` has read the head, its value, which is apart. Where a flush was committed behind the head, the change is what the row
   * is now.
   * @param dataVersion from before the head was read.
   * @returns false when such a flush has deleted the row.
   */
  placeApart(reader: RowReader, placed: PlacedChange, dataVersion: number): boolean {
    const key = placed.copyKey();
    const value = this.#bytes(FIND_VALUE, key);
    if (value !== undefined && reader.placeValue(memoryOf(value), placed)) return true;
    if (this.dataVersion === dataVersion) throw this.damagedRow(key);
    return this.find(key, placed, true);
  }

  /**
   * The first rows of a range, or the last in reverse.
   * @param start inclusive. @param end exclusive; `undefined`: the last key.
   */
  piece(
    start: Uint8Array,
    end: Uint8Array | undefined,
    reverse: boolean,
    withValues: boolean,
    rowsMax: number,
  ): Piece | undefined {
    const sql = PIECES[end === undefined ? 0 : 1]?.[withValues ? 1 : 0]?.[reverse ? 1 : 0] ?? '';
    const what = 'a row from the key';
    const row =
      end === undefined
        ? this.#connection.row(sql, what, start, rowsMax)
        : this.#connection.row(sql, what, start, end, rowsMax);
    const bytes = row?.[0];
    return bytes instanceof Uint8Array ? pieceOf(bytes) : undefined;
  }

  /** Rows behind a place in an index, in its order: the number there, with head and key. */
  indexed(
    column: IndexColumn,
    after: number,
    afterKey: Uint8Array,
    rowsMax: number,
  ): readonly (readonly [number, Piece])[] {
    const what = `the index ${column}s`;
    return this.#connection.rows(INDEXED[column], what, after, afterKey, rowsMax).map(([bytes, number]) => {
      if (typeof number === 'number' && bytes instanceof Uint8Array) return [number, pieceOf(bytes)];
      throw damaged(this.path, `${what} holds what is no row`);
    });
  }

  /** The first row of a range, or the last in reverse, does not fit: which it is. */
  firstDamaged(start: Uint8Array, end: Uint8Array | undefined, reverse: boolean): Error {
    const sql = FIRST_KEYS[end === undefined ? 0 : 1]?.[reverse ? 1 : 0] ?? '';
    const what = 'a row from the key';
    const row =
      end === undefined
        ? this.#connection.row(sql, what, start)
        : this.#connection.row(sql, what, start, end);
    const key = row?.[0];
    return this.damagedRow(key instanceof Uint8Array ? key : start);
  }

  damagedRow(key: Uint8Array): Error {
    return damaged(this.path, `the row of the key ${nameOfKey(key)} does not fit its checksum`);
  }

  #bytes(sql: string, key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const row = this.#connection.row(sql, 'the row of the key', key);
    if (row === undefined) return undefined;
    const bytes = row[0];
    if (!(bytes instanceof Uint8Array)) throw this.damagedRow(key);
    return bytes;
  }
}

function pieceOf(bytes: Uint8Array): Piece {
  const start = bytes.byteOffset;
  return { memory: memoryOf(bytes), start, end: start + bytes.length };
}
