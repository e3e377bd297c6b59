/** Whether this version of KelpDB knows what is in a database: asked before anything else of it is looked at. */
import { StoreError } from '../../../errors.ts';
import type { Connection } from './connection.ts';
import { FORMAT } from './schema.ts';
import { damaged } from './sqlite-error.ts';

const READ_FORMAT = 'SELECT format FROM state WHERE id = 0';

/** @throws StoreError `damaged` */
export function checkFormat(connection: Connection): void {
  const { path } = connection;
  const what = 'the row of its state';
  const format = connection.row(READ_FORMAT, what)?.[0];
  if (format === undefined) throw damaged(path, `${what} is missing`);
  if (typeof format !== 'number') throw damaged(path, `${what} does not fit its checksum`);
  if (format !== FORMAT) throw otherFormat(path, format);
}

function otherFormat(path: string, format: number): StoreError<'damaged'> {
  const what =
    format > FORMAT
      ? 'a newer version of KelpDB wrote it; use that version, or restore a backup that it made'
      : 'an older version of KelpDB wrote it; make a backup with that version, and restore it with this one into an empty directory';
  return new StoreError('damaged', `${path} has the format ${format}, and this is ${FORMAT}: ${what}`);
}
