/** Opens a database that nothing else has open, to be read: nothing of it is changed. */
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Disk } from '../../../disk/disk.ts';
import { Connection } from './connection.ts';
import { checkLogFits } from './log-fit.ts';
import { LOG_NAME } from './schema.ts';

/**
 * Where there is no log SQLite may take the file as one that never changes, and then makes none of its own beside it.
 * @throws StoreError `damaged` @throws DiskError
 */
export async function openUnchanged(path: string, disk: Disk, cacheBytes: number): Promise<Connection> {
  const url = pathToFileURL(path);
  const folder = dirname(path);
  await checkLogFits(path, folder, disk);
  const names = await disk.list(folder);
  if (!names.includes(LOG_NAME)) url.searchParams.set('immutable', '1');
  return Connection.open(path, url, { cacheBytes, readOnly: true });
}
