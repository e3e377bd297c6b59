/** What errors of SQLite mean: that the database is damaged, or that the system does not do what is asked of it. */
import { DiskError, type DiskErrorCode } from '../../../disk/disk.ts';
import { StoreError } from '../../../errors.ts';

/** Result codes of SQLite; the lowest 8 bits of an extended one. https://sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CAN_NOT_OPEN = 14;
const NOT_A_DATABASE = 26;
/** A file ends before what is read of it: an extended code of errors of the system. */
const SHORT_READ = 522;

/** Node's, for a number beyond 2^53 - 1: none is written. */
const OUT_OF_RANGE = 'ERR_OUT_OF_RANGE';

/** Who keeps KelpDB from what it needs: KelpDB itself never does. */
export const OTHER_PROGRAM =
  'another program reads it or writes to it, such as the command sqlite3 or a backup tool (lsof and fuser name it), and has to end first';

const WHAT_TO_DO = 'restore a backup into an empty directory';

interface SqliteFailure {
  readonly message: string;
  readonly errcode: number;
}

/** @param what could not be done, such as "the row of the key a could not be read". */
export function sqliteError(path: string, what: string, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(`${path}: ${what}: ${String(error)}`);
  const { message, code } = error as NodeJS.ErrnoException;
  const { errcode } = error as Partial<SqliteFailure>;
  if (errcode === undefined) {
    return code === OUT_OF_RANGE ? damaged(path, `${what}: ${message}`, undefined, error) : error;
  }
  return failureOf(path, what, { message, errcode }, error);
}

/** The same of what another thread tells of its error. */
export function failureOf(path: string, what: string, failure: SqliteFailure, cause?: Error): Error {
  const { message, errcode } = failure;
  const code = errcode & 0xff;
  if (code === CORRUPT || code === NOT_A_DATABASE || errcode === SHORT_READ) {
    return damaged(path, `${what}: ${message}`, undefined, cause);
  }
  const said = `${path}: ${what}: ${message}${advice(code)} (SQLite ${errcode})`;
  return new DiskError(diskCode(code), said, cause === undefined ? undefined : { cause });
}

/** @param remedy what else may be done about it than to restore a backup. */
export function damaged(
  path: string,
  fault: string,
  remedy?: string,
  cause?: unknown,
): StoreError<'damaged'> {
  const advice = remedy === undefined ? WHAT_TO_DO : `${remedy}, or ${WHAT_TO_DO}`;
  return new StoreError('damaged', `${path} is damaged: ${fault}; ${advice}`, { cause });
}

function advice(code: number): string {
  if (code === BUSY || code === LOCKED) return `; ${OTHER_PROGRAM}`;
  if (code === FULL) return '; the file system is full or a quota is used up';
  return '';
}

function diskCode(code: number): DiskErrorCode {
  if (code === FULL) return 'noSpace';
  if (code === CAN_NOT_OPEN || code === READ_ONLY) return 'noPermission';
  if (code === BUSY || code === LOCKED) return 'busy';
  return 'failed';
}
