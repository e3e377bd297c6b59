/** Whether a database is one of KelpDB's, by what it says of itself. */
import { checkFormat } from './check-format.ts';
import type { Connection } from './connection.ts';
import { nameOfKey } from './key-name.ts';
import { APPLICATION_ID, INCREMENTAL, PAGE_BYTES, SCHEMA } from './schema.ts';
import { damaged } from './sqlite-error.ts';

/** Indexes that SQLite makes by itself have no text. */
const READ_SCHEMA = 'SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL';

/** Nothing was ever written to it but what SQLite needs. */
export function isNew(connection: Connection): boolean {
  return (
    connection.number('PRAGMA application_id') === 0 &&
    connection.rows(READ_SCHEMA, 'its schema').length === 0
  );
}

/** @throws StoreError `damaged` */
export function checkSchema(connection: Connection): void {
  const { path } = connection;
  if (connection.number('PRAGMA application_id') !== APPLICATION_ID) {
    throw damaged(path, 'it is a database of another program, not of KelpDB', 'move it elsewhere');
  }
  const found = new Map(connection.rows(READ_SCHEMA, 'its schema').map(([name, sql]) => [name, sql]));
  if (found.has('state')) checkFormat(connection);
  for (const [name, sql] of Object.entries(SCHEMA)) {
    if (found.get(name) !== sql) throw damaged(path, `"${name}" in it is not as KelpDB makes it`);
    found.delete(name);
  }
  const [other] = found.keys();
  if (other !== undefined) {
    throw damaged(path, `there is ${nameOfKey(Buffer.from(String(other)))} in it, which is not KelpDB's`);
  }
  // What another program has packed may have others.
  const [pageBytes, vacuum] = [
    connection.number('PRAGMA page_size'),
    connection.number('PRAGMA auto_vacuum'),
  ];
  if (pageBytes !== PAGE_BYTES || vacuum !== INCREMENTAL) {
    throw damaged(
      path,
      `its pages are of ${pageBytes} bytes, and auto_vacuum is ${vacuum}: KelpDB makes no such file`,
    );
  }
}
