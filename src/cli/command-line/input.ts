/** What a command reads: a file, or standard input. */
import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { systemReason } from '../../errors.ts';
import { client as limits } from '../../limits.ts';
import { UsageError } from '../../shell-words/usage-error.ts';

/** Reads a file to its end, or standard input when the path is `-`. */
export async function readInput(path: string, stdin: Readable): Promise<Buffer> {
  if (path === '-') return readAll(stdin);
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`can't read ${path}: ${systemReason(error)}`, { cause: error });
  }
}

/** The same, for what must be text: where bytes are not UTF-8, decoding would silently put other text. */
export async function readTextInput(path: string, stdin: Readable): Promise<string> {
  const bytes = await readInput(path, stdin);
  if (!isUtf8(bytes)) throw new UsageError(`${path === '-' ? 'standard input' : path} is not UTF-8 text`);
  return bytes.toString('utf8');
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk);
    byteCount += bytes.length;
    if (byteCount > limits.messageBytesMax) {
      throw new UsageError(
        `standard input holds more than ${limits.messageBytesMax} bytes, too much to send`,
      );
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
