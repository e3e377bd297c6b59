/**
 * The lock on a data directory: SQLite's exclusive lock on an empty file.
 *
 * SQLite takes POSIX locks, which end with the process, however it ends, and which every process on the machine sees,
 * in whatever container. POSIX locks do not tell the owners within one process apart; SQLite does, for all its threads.
 * See docs/decisions/0001-directory-lock.md.
 *
 * Nothing else in this process may open the lock file: by POSIX, closing any descriptor of a file gives back all the
 * locks that the process has on it.
 */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { DatabaseSync, DatabaseSyncOptions } from 'node:sqlite';
import { DiskError } from './disk.ts';
import type { DiskLock } from './disk.ts';
import { diskError, errnoOf } from './system-error.ts';

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html. */
const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

/** Keeps the databases alive: one that the garbage collector takes would give its lock back. */
const held = new Set<DatabaseSync>();

/**
 * How often the lock is taken anew because the file under the name has become another one meanwhile. A file that SQLite has
 * just made counts as one, so the first start takes it twice.
 */
const ATTEMPTS_MAX = 5;

export function lockDirectory(path: string): Promise<DiskLock> {
  return lockAt(path, lockFile);
}

/** @param lock locks what is at the path at some instant. */
async function lockAt(
  path: string,
  lock: (absolutePath: string) => Promise<DatabaseSync>,
): Promise<DiskLock> {
  // An absolute path can't be taken for one of SQLite's special names.
  const absolutePath = resolve(path);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    // SQLite does not tell which file it has opened: the one that was there before and is there after.
    const before = await identityOf(absolutePath);
    const database = await lock(absolutePath);
    const after = await identityOf(absolutePath);
    if (typeof before === 'string' && before === after) return new HeldLock(absolutePath, database, before);
    database.close();
  }
  throw new DiskError('failed', `lock ${absolutePath}: the file is replaced again and again`);
}

class HeldLock implements DiskLock {
  readonly #path: string;
  readonly #identity: string;
  readonly #database: DatabaseSync;

  constructor(path: string, database: DatabaseSync, identity: string) {
    this.#path = path;
    this.#database = database;
    this.#identity = identity;
    held.add(database);
  }

  async isHeld(): Promise<boolean> {
    // The file is open, so the system can't have given its number to another.
    const identity = await identityOf(this.#path);
    return identity === this.#identity || identity === 'unknown';
  }

  release(): Promise<void> {
    // Closing rolls the empty transaction back, and the lock goes with the last descriptor.
    if (held.delete(this.#database)) this.#database.close();
    return Promise.resolve();
  }
}

/** Device and inode; `undefined`: there is no such file. Opens nothing. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '') ? undefined : 'unknown';
  }
}

async function lockFile(absolutePath: string): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined;
  try {
    database = await openDatabase(absolutePath, { timeout: 0 });
    // A journal in memory: otherwise SQLite would write one beside the lock file, which a full disk refuses.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    // SQLite falls back on reading a file that it may not write, and then takes a lock that it shares with others.
    await access(absolutePath, constants.R_OK | constants.W_OK);
  } catch (cause) {
    if (database?.isOpen) database.close();
    throw await lockError(absolutePath, cause);
  }
  return database;
}

/** An older Node has no SQLite; without an import at the top it comes as far as to say that it is older. */
async function openDatabase(path: string, options: DatabaseSyncOptions): Promise<DatabaseSync> {
  const sqlite = await import('node:sqlite');
  return new sqlite.DatabaseSync(path, options);
}

/**
 * Keeps others from taking the lock while this process reads what it guards, where the lock file can't be written, as on
 * a file system that is mounted to be read only: SQLite's shared lock, of which there may be several.
 */
export function lockDirectoryForReading(path: string): Promise<DiskLock> {
  return lockAt(path, lockFileForReading);
}

async function lockFileForReading(absolutePath: string): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined;
  try {
    database = await openDatabase(absolutePath, { readOnly: true, timeout: 0 });
    // The first read takes the lock, and the end of its transaction would give it back.
    database.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
  } catch (cause) {
    if (database?.isOpen) database.close();
    throw await lockError(absolutePath, cause);
  }
  return database;
}

async function lockError(path: string, cause: unknown): Promise<DiskError> {
  // The low byte is the primary code; the rest of an extended code says more than is needed.
  const sqliteCode =
    cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number'
      ? cause.errcode & 0xff
      : 0;
  if (sqliteCode === SQLITE_BUSY) {
    return new DiskError('locked', `lock ${path}: another process, or this one, has it`, { cause });
  }
  if (sqliteCode === SQLITE_NOTADB) {
    return new DiskError('failed', `lock ${path}: the file must be empty, but it is not`, { cause });
  }
  // SQLite says only that it could not open or write; the system knows why. (`access` opens no descriptor.)
  const directory = dirname(path);
  try {
    await access(directory);
    await access(path, constants.R_OK | constants.W_OK);
  } catch (accessError) {
    if (errnoOf(accessError) !== 'ENOENT') return diskError('lock', path, accessError);
    try {
      await access(directory, constants.W_OK | constants.X_OK);
    } catch (directoryError) {
      return diskError('lock', path, directoryError);
    }
  }
  return diskError('lock', path, cause);
}
