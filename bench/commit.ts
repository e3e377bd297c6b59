/** Which sources are measured: the commit, and whether the files are those of it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Commit {
  readonly id: string;
  /** There are files that the commit does not have, or has otherwise. */
  readonly isDirty: boolean;
}

/** Results lie beside the sources and change none: the second of two runs is as clean as the first. */
const SOURCES = ['.', ':(exclude)bench/results'];

/** `null`: `directory` is in no git repository, there is no commit yet, or no `git`. */
export async function describeCommit(directory: string): Promise<Commit | null> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args, { cwd: directory })).stdout;
  try {
    const id = (await git('rev-parse', 'HEAD')).trim();
    const changes = await git('status', '--porcelain', '--untracked-files=normal', '--', ...SOURCES);
    return { id, isDirty: changes !== '' };
  } catch {
    return null;
  }
}

/** The commit of a run that took its time: processes of its later cases load what lies there then. */
export function commitOfRun(before: Commit | null, after: Commit | null): Commit | null {
  if (before === null || after === null) return null;
  return { id: before.id, isDirty: before.isDirty || after.isDirty || before.id !== after.id };
}
