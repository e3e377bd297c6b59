/** The one place that turns errors of the system into the codes of the `Disk` contract. */
import { DiskError } from './disk.ts';
import type { DiskErrorCode } from './disk.ts';

const codeByErrno: ReadonlyMap<string, DiskErrorCode> = new Map([
  ['ENOENT', 'notFound'],
  ['EEXIST', 'exists'],
  ['ENOSPC', 'noSpace'],
  ['EDQUOT', 'noSpace'],
  ['EMFILE', 'tooManyFiles'],
  ['ENFILE', 'tooManyFiles'],
  ['EACCES', 'noPermission'],
  ['EPERM', 'noPermission'],
  ['EROFS', 'noPermission'],
]);

const reasonByCode: Readonly<Record<DiskErrorCode, string>> = {
  notFound: 'no such file or directory',
  exists: 'the name is taken',
  locked: 'another owner has it',
  busy: 'another program keeps it locked',
  noSpace: 'the file system is full or a quota is used up',
  tooManyFiles: 'as many files and connections are open as may be',
  noPermission: 'the process may not do this',
  failed: 'the system reports an error',
};

/** The system's own name of an error (`ENOENT`), if it has one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** An error that names what was asked of the system, for which path, and what the system said. */
export function diskError(call: string, path: string, cause: unknown): DiskError {
  const errno = errnoOf(cause);
  const code = codeByErrno.get(errno ?? '') ?? 'failed';
  const said = code === 'failed' && cause instanceof Error ? cause.message : reasonByCode[code];
  return new DiskError(code, `${call} ${path}: ${said}${errno === undefined ? '' : ` (${errno})`}`, {
    cause,
  });
}
