/** The version of the product. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { assert } from '../../errors.ts';

/** As its `package.json` says, which stands above the sources as well as above what is built of them. */
export const version = readVersion();

function readVersion(): string {
  const path = findPackageJSON(import.meta.url);
  assert(path !== undefined, 'a package.json stands above the command');
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}
