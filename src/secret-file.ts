/**
 * A file that holds a password and nothing else, so that it stands neither in a list of processes nor in an environment. One line
 * break at its end, which editors and `echo` put there, is none of the password.
 */
import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { StoreError, systemReason } from './errors.ts';
import { fixed } from './limits.ts';

export interface PasswordFile {
  readonly password: string;
  /** Whether every user of the machine may read it. */
  readonly mayAllRead: boolean;
}

const LINE_BREAK_BYTES_MAX = 2;
const OTHERS_MAY_READ = 0o004;

/** Rejects with `invalidArgument`, which names the file, when it can't be read or holds no password. */
export async function readPasswordFile(path: string): Promise<PasswordFile> {
  let bytes: Buffer;
  let mode: number;
  try {
    await using file = await open(path);
    ({ mode } = await file.stat());
    bytes = await readStart(file, fixed.passwordBytesMax + LINE_BREAK_BYTES_MAX + 1);
  } catch (error) {
    throw new StoreError('invalidArgument', `can't read ${path}: ${systemReason(error)}`, { cause: error });
  }
  return { password: passwordIn(bytes, path), mayAllRead: (mode & OTHERS_MAY_READ) !== 0 };
}

/** Its bytes up to so many; it may be a pipe, which gives them bit by bit. */
async function readStart(file: FileHandle, bytesMax: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytesMax);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, bytesMax - length, null);
    length += bytesRead;
    if (bytesRead === 0 || length === bytesMax) return buffer.subarray(0, length);
  }
}

function passwordIn(bytes: Buffer, path: string): string {
  if (!isUtf8(bytes)) throw wrong(path, 'is not UTF-8 text');
  const password = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (password === '') throw wrong(path, 'is empty');
  if (Buffer.byteLength(password) > fixed.passwordBytesMax) {
    throw wrong(path, `holds more than ${fixed.passwordBytesMax} bytes, the longest password`);
  }
  return password;
}

function wrong(path: string, what: string): StoreError {
  return new StoreError('invalidArgument', `${path} ${what}; it must hold the password and nothing else`);
}
