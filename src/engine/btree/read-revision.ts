/** Reads the revision of a database that nothing else has open, and nothing more. */
import type { Disk } from '../../disk/disk.ts';
import { checkSchema } from './database/check-schema.ts';
import { openUnchanged } from './database/open-unchanged.ts';
import { DATABASE_NAME } from './database/schema.ts';
import { readState } from './stored-state.ts';

const CACHE_BYTES = 64 * 1024;

/** @returns 0 also where there is none. @throws StoreError `damaged`, a `DiskError`. */
export async function readRevision(folder: string, disk: Disk): Promise<number> {
  if (!(await disk.list(folder)).includes(DATABASE_NAME)) return 0;
  const connection = await openUnchanged(`${folder}/${DATABASE_NAME}`, disk, CACHE_BYTES);
  try {
    checkSchema(connection);
    return readState(connection).revision;
  } finally {
    connection.close();
  }
}
