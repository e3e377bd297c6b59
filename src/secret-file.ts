/**
 * A file that holds a password or a token and nothing else, so that it stands neither in a list of processes nor in an environment.
 * One line break at its end, which editors and `echo` put there, is none of the secret. No message shows any of it.
 */
import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { StoreError, systemReason } from './errors.ts';
import { fixed } from './limits.ts';

export type SecretKind = 'password' | 'token';

export interface SecretFile {
  readonly secret: string;
  /** Whether every user of the machine may read it. */
  readonly mayAllRead: boolean;
  /** False: it gives what it has once, as a pipe does. */
  readonly isRereadable: boolean;
}

/** As much as shows that there is too much, with a line break of two bytes behind it. A token has less than a password may have. */
export const secretBytesReadMax = fixed.passwordBytesMax + 3;

const OTHERS_MAY_READ = 0o004;

/** Rejects with `invalidArgument`, which names the file, when it can't be read or holds no secret. */
export async function readSecretFile(path: string, kind: SecretKind): Promise<SecretFile> {
  let bytes: Buffer;
  let mode: number;
  let isRereadable: boolean;
  try {
    await using file = await open(path);
    const stats = await file.stat();
    mode = stats.mode;
    isRereadable = stats.isFile();
    bytes = await readStart(file, secretBytesReadMax);
  } catch (error) {
    throw new StoreError('invalidArgument', `can't read ${path}: ${systemReason(error)}`, { cause: error });
  }
  const mayAllRead = isRereadable && (mode & OTHERS_MAY_READ) !== 0;
  return { secret: secretIn(bytes, path, kind), mayAllRead, isRereadable };
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

/** The secret that bytes hold. @param source what messages call these. Throws `invalidArgument`. */
export function secretIn(bytes: Uint8Array, source: string, kind: SecretKind): string {
  const secret = withoutLineBreak(bytes);
  if (secret.length === 0) throw wrong(source, 'is empty', kind);
  if (secret.length > fixed.passwordBytesMax) {
    throw wrong(source, `holds more than ${fixed.passwordBytesMax} bytes, the longest password`, kind);
  }
  if (!isUtf8(secret)) throw wrong(source, 'is not UTF-8 text', kind);
  return Buffer.from(secret).toString('utf8');
}

function withoutLineBreak(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

function wrong(source: string, what: string, kind: SecretKind): StoreError {
  return new StoreError('invalidArgument', `${source} ${what}; it must hold the ${kind} and nothing else`);
}
