/** The version of the product, and where it is installed. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { assert } from '../../errors.ts';

/** It stands above the sources as well as above what is built of them. */
const packageJson = findPackageJSON(import.meta.url);
assert(packageJson !== undefined, 'a package.json stands above the command');

/** As its `package.json` says. */
export const version = (JSON.parse(readFileSync(packageJson, 'utf8')) as { readonly version: string })
  .version;

/** Where `tools/build-console.ts` puts the console. */
export const consoleFolder = join(dirname(packageJson), 'dist', 'console');
