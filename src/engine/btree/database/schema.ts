/**
 * What lies in the database of the engine `btree`, and how it is reached. `docs/format.md` has the bytes.
 *
 *     entries       one row for each key: the key, its deadline and lease for the indexes, its head (`row-head.ts`), and its value or, of a
 *                   long one, the id of its row in `long_values`
 *     long_values   one row for each value that is apart
 *     state         one row: the revision whose state this is, whose it is, and what the store wrote beside it
 *
 * `entries` is one tree in the order of keys (WITHOUT ROWID), so a key lies in it once. SQLite cuts a row of such a tree that is longer than a quarter
 * of a page, puts the rest on pages of its own, and reads all of them with each look at the row, other keys' lookups included; so long values are apart, and a page
 * has 8 KiB, a quarter of which holds keys of 1,900 bytes. `docs/decisions/0033-rows-of-btree.md` has the figures.
 */

export const DATABASE_NAME = 'kelp.sqlite';

/** What SQLite puts beside the database, apart from shared memory. A log without its database holds changes of what is gone. */
export const LOG_NAME = `${DATABASE_NAME}-wal`;

/** "KELP": tells the database from those of other programs. */
export const APPLICATION_ID = 0x4b45_4c50;

export const FORMAT = 2;

export const PAGE_BYTES = 8192;

/** With its head and numbers a row of such a key and value is not cut. */
const WHOLE_ROW_BYTES_MAX = 1900;

/** A longer value is apart in any case: the tree of keys is read through by scans of keys, and the fewer bytes a row has the lower it is. */
const SHORT_VALUE_BYTES_MAX = 512;

/** Whether a value lies in `long_values`. */
export function isApart(keyBytes: number, valueBytes: number): boolean {
  return valueBytes > SHORT_VALUE_BYTES_MAX || keyBytes + valueBytes > WHOLE_ROW_BYTES_MAX;
}

/** Of `auto_vacuum`: free pages are taken out of the file when that is asked for. It is set before the first table, or never. */
export const INCREMENTAL = 2;

/** A log holds each page with so many bytes before it. */
export const LOG_FRAME_HEAD_BYTES = 24;

/** The number of the commit, in the header of the database: each has the next one (`log-fit.ts`). */
export const COMMIT_NUMBER = 'user_version';

/** By name. A database that has anything else is not whole. */
export const SCHEMA: Readonly<Record<string, string>> = {
  entries: `CREATE TABLE entries (
  key BLOB PRIMARY KEY,
  deadline INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  head BLOB NOT NULL,
  value NOT NULL
) WITHOUT ROWID`,
  long_values: `CREATE TABLE long_values (
  id INTEGER PRIMARY KEY,
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

const SET =
  'deadline = excluded.deadline, lease = excluded.lease, head = excluded.head, value = excluded.value';

/** Of a row of `entries` whose value is apart its id there, else 0. */
const APART_ID = "iif(typeof(value) = 'integer', value, 0)";

/** The statements of a flush (`row-writer.ts`). */
export const WRITE_SQL = {
  find: `SELECT ${APART_ID} AS id FROM entries WHERE key = ?`,
  put: `INSERT INTO entries (key, deadline, lease, head, value) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET ${SET}`,
  /** With the id NULL it gets one. */
  putApart: 'INSERT OR REPLACE INTO long_values (id, value) VALUES (?, ?)',
  removeApart: 'DELETE FROM long_values WHERE id = ?',
  remove: 'DELETE FROM entries WHERE key = ?',
  findIn: `SELECT value AS id FROM entries WHERE key >= ? AND key < ? AND typeof(value) = 'integer'`,
  findFrom: `SELECT value AS id FROM entries WHERE key >= ? AND typeof(value) = 'integer'`,
  forget: 'DELETE FROM entries WHERE key >= ? AND key < ?',
  forgetRest: 'DELETE FROM entries WHERE key >= ?',
  state: `INSERT OR REPLACE INTO state (id, format, store_id, revision, notes, row_count, checksum)
    VALUES (0, ?, ?, ?, ?, ?, ?)`,
} as const;

export type WriteSql = typeof WRITE_SQL;
