/**
 * The lines that were typed, kept for the next shell: in `$XDG_STATE_HOME/kelp/history` or `~/.local/state/kelp/history`, for
 * the user's eyes alone. Where there is no such folder, or it is not the user's own, a shell remembers its own lines only.
 *
 * Several shells may write at once. Each line is appended by itself, with the file opened by its name, so the lines of
 * all are kept. A file with enough lines is renamed to `history.old`, in place of the one before; who is about to
 * append finds the old file or the new one, and both are read. Renaming twice would lose lines: the file
 * `history.lock` is made before, and who can't make it leaves the renaming to others.
 */
import { appendFile, chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { shell as limits } from '../../../limits.ts';
import { mayHoldSecret } from '../../../shell-words/login-words.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export class History {
  /** Those of shells before, the newest last. */
  readonly lines: readonly string[];
  /** Nothing where none is kept. */
  readonly #path: string | undefined;
  /** As far as this shell knows. */
  #lineCount: number;
  /** One write after the other. */
  #writes: Promise<void> = Promise.resolve();

  private constructor(path: string | undefined, lines: readonly string[], lineCount: number) {
    this.#path = path;
    this.lines = lines;
    this.#lineCount = lineCount;
  }

  /** Never rejects: a shell works without a history. */
  static async open(environment: Environment): Promise<History> {
    try {
      const path = await pathOf(environment);
      if (path === undefined) return new History(undefined, [], 0);
      const newer = await readLines(path);
      const older = newer.length < limits.historyLinesMax ? await readLines(`${path}.old`) : [];
      return new History(path, [...older, ...newer].slice(-limits.historyLinesMax), newer.length);
    } catch {
      return new History(undefined, [], 0);
    }
  }

  /** Keeps a line if it is one to be kept. */
  add(line: string): void {
    const path = this.#path;
    if (path === undefined || !isKept(line)) return;
    this.#writes = this.#writes.then(() => this.#append(path, line)).catch(() => undefined);
  }

  /** Resolves when all is written. */
  close(): Promise<void> {
    return this.#writes;
  }

  async #append(path: string, line: string): Promise<void> {
    if (this.#lineCount >= limits.historyLinesMax) await this.#putAside(path);
    await appendFile(path, `${line}\n`, { mode: 0o600 });
    this.#lineCount++;
  }

  async #putAside(path: string): Promise<void> {
    const lock = `${path}.lock`;
    if (!(await takeLock(lock))) return;
    try {
      // Another shell may have done so.
      const lineCount = await countLines(path);
      if (lineCount >= limits.historyLinesMax) await rename(path, `${path}.old`);
      this.#lineCount = lineCount >= limits.historyLinesMax ? 0 : lineCount;
    } finally {
      await rm(lock, { force: true });
    }
  }
}

/** What is typed behind a blank is not for keeping, nor is what may hold a password. */
export function isKept(line: string): boolean {
  return /^\S/.test(line) && line.length <= limits.historyLineCharactersMax && !mayHoldSecret(line);
}

async function pathOf({ XDG_STATE_HOME: states, HOME: home }: Environment): Promise<string | undefined> {
  const isGiven = states !== undefined && isAbsolute(states);
  const parent = isGiven ? states : home && join(home, '.local', 'state');
  if (!parent || !isAbsolute(parent)) return undefined;
  const folder = join(parent, 'kelp');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Root, with the home of another user, would leave files there that this user can't write to.
  const { uid, mode } = await stat(folder);
  const isOurs = uid === process.geteuid?.() && (mode & 0o022) === 0;
  return isOurs ? join(folder, 'history') : undefined;
}

async function readLines(path: string): Promise<string[]> {
  try {
    const { size, mode } = await stat(path);
    if ((mode & 0o077) !== 0) await chmod(path, 0o600);
    if (size > limits.historyFileBytesMax) return [];
    return (await readFile(path, 'utf8')).split('\n').filter(isKept);
  } catch {
    return [];
  }
}

/** One that is too long to be read has enough. */
async function countLines(path: string): Promise<number> {
  const { size } = await stat(path);
  return size > limits.historyFileBytesMax ? limits.historyLinesMax : (await readLines(path)).length;
}

async function takeLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch {
    const { mtimeMs } = await stat(path);
    // Of a shell that was killed: the next line finds it gone.
    if (Date.now() - mtimeMs > limits.historyLockMsMax) await rm(path, { force: true });
    return false;
  }
}
