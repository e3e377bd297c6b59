/** The project as a newcomer has it after `npm ci`, and what is typed there. */
import { cpSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { delimiter } from 'node:path';

/** What a clone does not bring along, or what would take long to copy. */
const notCloned = new Set(['node_modules', '.git', 'dist', 'data', 'data-embedded', 'coverage']);

/** Copies the project into a folder that does not exist yet; `node_modules` are those that are here. */
export function freshClone(folder: string): void {
  for (const name of readdirSync('.')) {
    if (!notCloned.has(name)) cpSync(name, join(folder, name), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
}

/**
 * The environment of somebody's own shell: without what npm adds when it runs the tests, the project's Node in the first
 * place of the path among it.
 */
export function ownEnvironment(): Record<string, string | undefined> {
  const variables = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|INIT_CWD$|NODE|VITEST)/.test(name),
  );
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes(`${sep}node_modules${sep}`) && !folder.endsWith('node-gyp-bin'));
  return { ...Object.fromEntries(variables), PATH: path.join(delimiter) };
}
