/** Reads a secret from a file, a pipe or standard input. */
import type { Readable } from 'node:stream';
import { isStoreError } from '../../errors.ts';
import {
  type SecretFile,
  type SecretKind,
  readSecretFile,
  secretBytesReadMax,
  secretIn,
} from '../../secret-file.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import type { SecretSource } from './login.ts';

/** @throws UsageError that names the option or variable beside the file. */
export async function readSecretOf({ path, source }: SecretSource, kind: SecretKind): Promise<SecretFile> {
  try {
    return await readSecretFile(path, kind);
  } catch (error) {
    if (!isStoreError(error, 'invalidArgument')) throw error;
    throw new UsageError(`${source}: ${error.message}`, { cause: error });
  }
}

/** The password that standard input holds. Rejects with `invalidArgument` when it holds none. */
export async function readPasswordInput(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    byteCount += bytes.length;
    // The rest is not read: it is too long by now.
    if (byteCount >= secretBytesReadMax) break;
  }
  return secretIn(Buffer.concat(chunks), 'standard input', 'password');
}
