/** The files of TLS as they lie on disk, which others write and replace at any time. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemReason } from '../../errors.ts';
import { serverFixed } from '../../limits.ts';
import type { ServerConfig } from '../config/config.ts';
import { TlsFileError, type TlsFiles } from './tls-material.ts';

export type TlsPaths = NonNullable<ServerConfig['tls']>;

/** Rejects with a `TlsFileError`. */
export async function readTlsFiles({ certPath, keyPath, clientCaPath }: TlsPaths): Promise<TlsFiles> {
  return {
    cert: await readWhole('--tls-cert', certPath),
    key: await readWhole('--tls-key', keyPath),
    clientCa: clientCaPath === undefined ? undefined : await readWhole('--tls-client-ca', clientCaPath),
  };
}

/**
 * Reads them again. One that is no file, as the pipe of `--tls-key <(decrypt key)`, can't be: it is as it was.
 * Rejects with a `TlsFileError`.
 */
export async function readTlsFilesAgain(paths: TlsPaths, before: TlsFiles): Promise<TlsFiles> {
  const { certPath, keyPath, clientCaPath } = paths;
  return {
    cert: await readAgain('--tls-cert', certPath, before.cert),
    key: await readAgain('--tls-key', keyPath, before.key),
    clientCa:
      clientCaPath === undefined || before.clientCa === undefined
        ? undefined
        : await readAgain('--tls-client-ca', clientCaPath, before.clientCa),
  };
}

export function areSameFiles(one: TlsFiles, other: TlsFiles): boolean {
  return (
    one.cert.equals(other.cert) &&
    one.key.equals(other.key) &&
    Buffer.compare(one.clientCa ?? Buffer.alloc(0), other.clientCa ?? Buffer.alloc(0)) === 0
  );
}

function readWhole(option: string, path: string): Promise<Buffer> {
  return withFile(option, path, constants.O_RDONLY, (file) => readBounded(file, option, path));
}

function readAgain(option: string, path: string, before: Buffer): Promise<Buffer> {
  // Without it a pipe that is not written to would keep a thread waiting.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  return withFile(option, path, flags, async (file) =>
    (await file.stat()).isFile() ? readBounded(file, option, path) : before,
  );
}

async function withFile(
  option: string,
  path: string,
  flags: number,
  read: (file: FileHandle) => Promise<Buffer>,
): Promise<Buffer> {
  try {
    await using file = await open(path, flags);
    return await read(file);
  } catch (error) {
    if (error instanceof TlsFileError) throw error;
    throw new TlsFileError(`${option}: can't read ${path}: ${systemReason(error)}`, { cause: error });
  }
}

/** Whatever it is that is named, as a device without end. */
async function readBounded(file: FileHandle, option: string, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > serverFixed.tlsFileBytesMax) {
      throw new TlsFileError(`${option}: ${path} is longer than ${serverFixed.tlsFileBytesMax} bytes`);
    }
  }
  return Buffer.concat(chunks);
}
