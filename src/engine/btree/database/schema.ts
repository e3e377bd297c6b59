/**
 * What lies in the database of the engine `btree`, and how it is reached. `docs/format.md` has the bytes.
 *
 *     entries   one row for each key: the key, its deadline and lease for the indexes, its head (`row-head.ts`), its value
 *     state     one row: the revision whose state this is, whose it is, and what the store wrote beside it
 *
 * The table has row ids and the key an index of its own. Without them (WITHOUT ROWID) a database of short values is 8 % smaller, but each
 * look at a row that does not fit a quarter of a page reads all of its pages: a get of 10 KiB took 41 µs where it takes 18, and an absent
 * key 38 where it takes 5. Pages of 8 KiB made 100-byte rows a third dearer to change.
 */

export const DATABASE_NAME = 'kelp.sqlite';

/** What SQLite puts beside the database, apart from shared memory. A log without its database holds changes of what is gone. */
export const LOG_NAME = `${DATABASE_NAME}-wal`;

/** "KELP": tells the database from those of other programs. */
export const APPLICATION_ID = 0x4b45_4c50;

export const FORMAT = 1;

export const PAGE_BYTES = 4096;

/** Of `auto_vacuum`: free pages are taken out of the file when that is asked for. It is set before the first table, or never. */
export const INCREMENTAL = 2;

/** A log holds each page with so many bytes before it. */
export const LOG_FRAME_HEAD_BYTES = 24;

/** The number of the commit, in the header of the database: each has the next one (`log-fit.ts`). */
export const COMMIT_NUMBER = 'user_version';

/** By name. A database that has anything else is not whole. */
export const SCHEMA: Readonly<Record<string, string>> = {
  entries: `CREATE TABLE entries (
  key BLOB NOT NULL UNIQUE,
  deadline INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  head BLOB NOT NULL,
  value BLOB NOT NULL
)`,
  deadlines: 'CREATE INDEX deadlines ON entries (deadline, key) WHERE deadline > 0',
  leases: 'CREATE INDEX leases ON entries (lease, key) WHERE lease > 0',
  state: `CREATE TABLE state (
  id INTEGER PRIMARY KEY,
  format INTEGER NOT NULL,
  store_id BLOB NOT NULL,
  revision INTEGER NOT NULL,
  notes BLOB NOT NULL,
  row_count INTEGER NOT NULL,
  checksum INTEGER NOT NULL
)`,
};

/** Checks the cells of a page when it is read, and brings no functions into what a file says. */
export const CONNECTION_SQL = 'PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF';

/** Every commit is synced, and nothing is copied into the database but by who asks for it. */
export const DURABLE_SQL = 'PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0';

/** The statements of a flush (`row-writer.ts`). */
export const WRITE_SQL = {
  put: `INSERT INTO entries (key, deadline, lease, head, value) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
    deadline = excluded.deadline, lease = excluded.lease, head = excluded.head, value = excluded.value`,
  remove: 'DELETE FROM entries WHERE key = ?',
  forget: 'DELETE FROM entries WHERE key >= ? AND key < ?',
  forgetRest: 'DELETE FROM entries WHERE key >= ?',
  state: `INSERT OR REPLACE INTO state (id, format, store_id, revision, notes, row_count, checksum)
    VALUES (0, ?, ?, ?, ?, ?, ?)`,
} as const;

/** Makes the id of `state` that of the row that was inserted last, as a writer finds it on a new connection (`row-writer.ts`). */
export const RESET_ROW_ID_SQL = 'INSERT OR REPLACE INTO state SELECT * FROM state';

export type WriteSql = typeof WRITE_SQL;
