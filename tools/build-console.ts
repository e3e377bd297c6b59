/** Builds the console (`src/console/`): what a browser loads, each file by gzip, as `src/server/console/console-files.ts` reads it. */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Rolldown, build } from 'vite';

const root = resolve(import.meta.dirname, '..');

/**
 * @param folder is emptied first.
 * @returns the modules that it holds code of, by their paths.
 */
export async function buildConsole(folder: string): Promise<readonly string[]> {
  const { output } = (await build({
    root: join(root, 'src/console'),
    base: '/console/',
    configFile: false,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      write: false,
      target: 'es2023',
      // Its policy lets no script stand in the page, and no file in a text.
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
    },
  })) as Rolldown.RolldownOutput;
  rmSync(folder, { recursive: true, force: true });
  for (const file of output) {
    write(join(folder, file.fileName), file.type === 'chunk' ? file.code : file.source);
  }
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}

/** The bytes that a browser loads for all of it. */
export function consoleBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.gz'))
    .reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0);
}
