/**
 * Files that are there as a whole or not at all: written under a temporary name, flushed, checked, and only then given
 * their own.
 */
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DiskError, type Disk, type DiskFile } from '../disk/disk.ts';
import { StoreError } from '../errors.ts';
import { isNothing, kindOf } from './file-system.ts';

export interface WholeFile<Result> {
  readonly disk: Disk;
  readonly path: string;
  /** What is written, such as "backup". */
  readonly what: string;
  /** Whether a file of this name may be replaced. */
  readonly mayReplace: boolean;
  /** What else lets it do so. */
  readonly howToAsk?: string;
  /** Writes the bytes one behind the other. */
  readonly fill: (append: (piece: Uint8Array) => Promise<void>) => Promise<void>;
  /** Looks at what was written, before it has its name. */
  readonly check: (unfinishedPath: string) => Promise<Result>;
}

/**
 * What goes wrong leaves no file, or the one that was there.
 * @throws StoreError `invalidArgument` when there is such a file already or no such folder; a `DiskError`; whatever `fill` and
 * `check` throw.
 */
export async function writeWholeFile<Result>(request: WholeFile<Result>): Promise<Result> {
  const { disk, what, mayReplace, fill, check } = request;
  await refuseExisting(request);
  // What is replaced is the file that a link leads to, and not the link.
  const path = mayReplace ? await realpath(request.path).catch(() => request.path) : request.path;
  const unfinished = `${path}.tmp`;
  const file = await createEmpty(disk, unfinished, what);
  try {
    try {
      await fill(appendTo(file));
      await file.sync();
    } finally {
      await file.close();
    }
    const result = await check(unfinished);
    // It may have come meanwhile, and renaming would replace it.
    await refuseExisting(request);
    await disk.rename(unfinished, path);
    await disk.syncDirectory(dirname(path));
    return result;
  } catch (error) {
    await disk.remove(unfinished).catch(() => undefined);
    throw error;
  }
}

function appendTo(file: DiskFile): (piece: Uint8Array) => Promise<void> {
  let bytes = 0;
  return async (piece) => {
    await file.write(piece, bytes);
    bytes += piece.length;
  };
}

async function refuseExisting({ path, what, mayReplace, howToAsk }: WholeFile<unknown>): Promise<void> {
  if ((await kindOf(path)) === undefined) return;
  const article = /^[aeiou]/.test(what) ? 'an' : 'a';
  if (!mayReplace) {
    const rule =
      howToAsk === undefined ? 'never overwrites a file' : `overwrites a file only with ${howToAsk}`;
    throw new StoreError('invalidArgument', `${path} exists; ${article} ${what} ${rule}`);
  }
  if (!(await stat(path)).isFile()) {
    throw new StoreError('invalidArgument', `${path} is no file that ${article} ${what} could replace`);
  }
}

async function createEmpty(disk: Disk, path: string, what: string): Promise<DiskFile> {
  try {
    return await disk.create(path);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    if (isNothing(error.cause)) {
      const message = `there is no folder ${dirname(path)}; make it first`;
      throw new StoreError('invalidArgument', message, { cause: error });
    }
    if (error.code !== 'exists') throw error;
    const { mtime } = await stat(path).catch(() => ({ mtime: undefined }));
    const lastWrite = mtime === undefined ? '' : `, last written to at ${mtime.toISOString()}`;
    throw new StoreError(
      'invalidArgument',
      `${path} exists${lastWrite}: another ${what} is being written there, or one was killed before it could remove it; if none is running, remove the file and try again`,
      { cause: error },
    );
  }
}
