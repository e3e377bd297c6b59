/**
 * Opens the database of the engine `btree`, or makes it. SQLite reads and writes its files by itself, so it is only for a real disk; without
 * a directory the database is in memory alone.
 *
 * What is not as a flush left it is refused, and nothing of it is changed: what SQLite can not read, a database of another program, of
 * another store or of another version of KelpDB, and a log without its database or beside another one.
 */
import type { Clock } from '../../clock.ts';
import { DiskError, type Disk } from '../../disk/disk.ts';
import type { Base } from '../layered/base/base.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { crc32 } from '../../wire/crc32.ts';
import { BtreeBase } from './btree-base.ts';
import { checkSchema, isNew } from './database/check-schema.ts';
import { Connection } from './database/connection.ts';
import { checkLogFits } from './database/log-fit.ts';
import { createRowWriter } from './rows/row-writer.ts';
import {
  APPLICATION_ID,
  DATABASE_NAME,
  DURABLE_SQL,
  INCREMENTAL,
  LOG_NAME,
  PAGE_BYTES,
  SCHEMA,
  WRITE_SQL,
} from './database/schema.ts';
import { damaged, OTHER_PROGRAM } from './database/sqlite-error.ts';
import { newState } from './state.ts';
import { readState } from './stored-state.ts';

export interface OpenBtreeOptions {
  /** The folder of the database alone, which is made if need be; `undefined`: it is in memory. */
  readonly directory: string | undefined;
  /** The real one, for what KelpDB itself does with the files. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly storeId: Uint8Array;
  /** Of pages in memory: half for reads, half for a flush while it is at work. */
  readonly cacheBytes: number;
}

/**
 * @throws StoreError `damaged`
 * @throws DiskError
 */
export async function openBtree(options: OpenBtreeOptions): Promise<Base> {
  const { directory, disk, clock, cacheBytes } = options;
  const isInMemory = directory === undefined;
  const path = isInMemory ? ':memory:' : `${directory}/${DATABASE_NAME}`;
  if (!isInMemory) await prepareFiles(disk, directory, path);
  const connection = await Connection.open(path, path, {
    cacheBytes: isInMemory ? cacheBytes : cacheBytes / 2,
  });
  try {
    if (isNew(connection)) create(connection, options.storeId);
    checkSchema(connection);
    const state = readState(connection);
    if (Buffer.compare(state.storeId, options.storeId) !== 0) {
      const [own, wanted] = [state.storeId, options.storeId].map((id) => Buffer.from(id).toString('hex'));
      throw damaged(
        path,
        `it belongs to the store ${own}, and the log to ${wanted}`,
        'put back the one that belongs to the log',
      );
    }
    if (!isInMemory) useLog(connection);
    return new BtreeBase(connection, state, { cacheBytes, isInMemory, clock });
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function prepareFiles(disk: Disk, directory: string, path: string): Promise<void> {
  await disk.makeDirectory(directory);
  const names = await disk.list(directory);
  if (names.includes(DATABASE_NAME)) {
    // Says why if that is not allowed, as SQLite does not.
    const file = await disk.open(path, 'readWrite');
    await file.close();
    await checkLogFits(path, directory, disk);
    // The life before may have failed at it.
    await disk.syncDirectory(directory);
    return;
  }
  if (names.includes(LOG_NAME)) {
    throw damaged(path, `it is missing, and its log ${LOG_NAME} is there`, 'put it back');
  }
  // By the disk, which gives it to its owner alone; SQLite's other files are as the database is.
  const file = await disk.create(path);
  await file.close();
  await disk.syncDirectory(directory);
}

/** In one transaction, before which the database is new. */
function create(connection: Connection, storeId: Uint8Array): void {
  const what = 'it could not be made';
  const statements = Object.values(SCHEMA).join('; ');
  connection.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = ${INCREMENTAL}`, what);
  connection.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE', what);
  connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; ${statements}`, what);
  const state = newState({ storeId, revision: 0, notes: NO_BYTES, rowCount: 0 });
  createRowWriter(connection.database, WRITE_SQL, crc32).writeState(state);
  connection.exec('COMMIT', what);
}

/** Flushes go to a log beside the database, so that readers see the state before until a flush is committed. */
function useLog(connection: Connection): void {
  const mode = connection.row('PRAGMA journal_mode = WAL', 'the way in which it is written')?.[0];
  if (mode !== 'wal') {
    throw new DiskError(
      'failed',
      `${connection.path}: its file system has no shared memory for SQLite's log; use a local one`,
    );
  }
  connection.exec(DURABLE_SQL, 'it could not be opened');
  // What a commit of the life before left in the log may not be durable: copied from there into the database it is.
  const [isBusy] = connection.row('PRAGMA wal_checkpoint(TRUNCATE)', 'its log') ?? [];
  if (isBusy !== 0) throw new DiskError('busy', `${connection.path}: ${OTHER_PROGRAM}`);
  connection.exec('PRAGMA query_only = ON', 'it could not be opened');
}
