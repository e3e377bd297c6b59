/** The files of certificates and keys that options name. */
import { readFile } from 'node:fs/promises';
import { systemReason } from '../../errors.ts';
import { UsageError } from '../../shell-words/usage-error.ts';

/** @param option as it was typed. @throws UsageError */
export async function readPem(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`${option}: can't read ${path}: ${systemReason(error)}`, { cause: error });
  }
}
