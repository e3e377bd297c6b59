/**
 * The files of the console, read once when the server starts: nothing else of the disk can be asked for by HTTP, whatever the path says.
 * They are kept as they were built, by gzip, which every browser takes.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface ConsoleFile {
  readonly contentType: string;
  /** By gzip. */
  readonly zipped: Uint8Array;
  /** A weak entity tag, since it is that of both forms. */
  readonly etag: string;
  /** Whether its name is made of what it holds, so that a browser may keep it for good. */
  readonly isNamedByContent: boolean;
}

const ENDING = '.gz';

/** What the build makes: a type that is missing here stops the start of every test. */
const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * @param folder where `tools/build-console.ts` has put them.
 * @returns the files by their path below it, with `/` between; `undefined`: the console was not built, or this user may not read it, which is no
 * reason not to serve a store.
 */
export function readConsoleFiles(folder: string): ReadonlyMap<string, ConsoleFile> | undefined {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') return undefined;
    throw error;
  }
  const files = names
    .filter((name) => name.endsWith(ENDING))
    .map((name) => {
      const path = name.slice(0, -ENDING.length).replaceAll(sep, '/');
      return [path, consoleFile(path, readFileSync(join(folder, name)))] as const;
    });
  return new Map(files);
}

function consoleFile(path: string, zipped: Uint8Array): ConsoleFile {
  const contentType = contentTypes[extname(path)];
  if (contentType === undefined) throw new Error(`the console has a file of an unknown type: ${path}`);
  const etag = `W/"${createHash('sha256').update(zipped).digest('base64url').slice(0, 22)}"`;
  return { contentType, zipped, etag, isNamedByContent: path.startsWith('assets/') };
}

/** For the few clients that do not take gzip. */
export function plainBytes(file: ConsoleFile): Uint8Array {
  return gunzipSync(file.zipped);
}
