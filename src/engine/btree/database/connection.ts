/**
 * One connection to a database of SQLite, and what its errors mean. `node:sqlite` is loaded with the first: the other engines do
 * without it.
 *
 * No statement is left open: each call runs one to its end, or to its first row. So the log of the database can be copied and cut at
 * any time, and an open one never shows an older state, but in the transaction of a view (`database-view.ts`).
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { nameOfKey } from './key-name.ts';
import { CONNECTION_SQL } from './schema.ts';
import { sqliteError } from './sqlite-error.ts';

export interface ConnectionOptions {
  /** Of the pages that are kept in memory. */
  readonly cacheBytes: number;
  readonly readOnly?: boolean;
}

const KIB = 1024;

/** How long a statement waits for another connection that holds what it needs. Readers never wait. */
export const BUSY_MS = 5000;

export class Connection {
  /** Its database, in errors. */
  readonly path: string;
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(path: string, database: DatabaseSync) {
    this.path = path;
    this.database = database;
  }

  /** @param location a path, a URL of a file, or `:memory:`. */
  static async open(path: string, location: string | URL, options: ConnectionOptions): Promise<Connection> {
    const { DatabaseSync } = await import('node:sqlite');
    const { cacheBytes, readOnly = false } = options;
    try {
      const database = new DatabaseSync(location, { readOnly, timeout: BUSY_MS });
      database.exec(`${CONNECTION_SQL}; PRAGMA cache_size = -${Math.ceil(cacheBytes / KIB)}`);
      return new Connection(path, database);
    } catch (error) {
      throw sqliteError(path, 'it could not be opened', error);
    }
  }

  /**
   * The columns of the first row; `undefined`: there is none.
   * @param what is being read, for an error, which names the first parameter too if it is a key.
   */
  row(sql: string, what: string, ...parameters: SQLInputValue[]): readonly SQLOutputValue[] | undefined {
    try {
      // Statements give arrays, which the types do not know.
      return this.#prepared(sql).get(...parameters) as readonly SQLOutputValue[] | undefined;
    } catch (error) {
      throw this.#failure(what, parameters, error);
    }
  }

  /** All rows, which the statement bounds. */
  rows(sql: string, what: string, ...parameters: SQLInputValue[]): readonly (readonly SQLOutputValue[])[] {
    try {
      return this.#prepared(sql).all(...parameters) as unknown as readonly (readonly SQLOutputValue[])[];
    } catch (error) {
      throw this.#failure(what, parameters, error);
    }
  }

  /** A number that a PRAGMA, or whatever has one column, tells. */
  number(sql: string): number {
    return Number(this.row(sql, sql)?.[0]);
  }

  exec(sql: string, what: string): void {
    try {
      this.database.exec(sql);
    } catch (error) {
      throw sqliteError(this.path, what, error);
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.database.isOpen) this.database.close();
  }

  #failure(what: string, [key]: readonly SQLInputValue[], error: unknown): Error {
    const named = key instanceof Uint8Array ? `${what} ${nameOfKey(key)}` : what;
    return sqliteError(this.path, `${named} can not be read`, error);
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
