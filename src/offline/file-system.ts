/** What tools need of the file system beyond the `Disk` contract: what a path is, and folders as a whole. */
import { rename, rm, rmdir, stat } from 'node:fs/promises';

/** `undefined`: there is nothing. */
export async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}

/** Whether the system says that a path leads nowhere, be it that there is a file on its way. */
export function isNothing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code));
}

/** Gives a folder another place on the same file system, at once. */
export function moveFolder(from: string, to: string): Promise<void> {
  return rename(from, to);
}

export function removeEmptyFolder(path: string): Promise<void> {
  return rmdir(path);
}

/** Removes a folder with all that is in it; a missing one is not an error. */
export function removeFolder(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}
