/**
 * The packages as a user has them: packed from a copy of this project, then installed, with what they depend on and
 * nothing else, in a project that is empty otherwise.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freshClone } from '../support/fresh-clone.ts';

const run = promisify(execFile);

export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
}

/** An entry of `package-lock.json`. */
interface LockedPackage extends Partial<PackageJson> {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly bin?: unknown;
  readonly dev?: boolean;
}

export interface Tarball {
  readonly manifest: PackageJson;
  readonly path: string;
  /** Where it is unpacked. */
  readonly directory: string;
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'kelp-package-'));
}

/** Packs both packages from a fresh clone: packing is what builds them. */
export async function packAll(folder: string): Promise<{ kelpdb: Tarball; client: Tarball }> {
  const source = join(folder, 'source');
  freshClone(source);
  return {
    kelpdb: await pack(source, join(folder, 'kelpdb')),
    client: await pack(join(source, 'clients/typescript'), join(folder, 'client')),
  };
}

async function pack(source: string, folder: string): Promise<Tarball> {
  mkdirSync(folder);
  await npm(source, 'pack', '--pack-destination', folder);
  const { name, version } = readJson(join(source, 'package.json')) as PackageJson;
  const path = join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  await run('tar', ['-xzf', path, '-C', folder]);
  const directory = join(folder, 'package');
  return { manifest: readJson(join(directory, 'package.json')) as PackageJson, path, directory };
}

/**
 * Installs packages in an empty project. What they depend on is what this project has locked, so that npm finds it in
 * its cache. @returns the project's folder.
 */
export async function install(folder: string, tarballs: readonly Tarball[]): Promise<string> {
  mkdirSync(folder);
  const { packages: locked } = readJson('package-lock.json') as { packages: Record<string, LockedPackage> };
  const types = { '@types/node': locked['node_modules/@types/node']?.version ?? '' };
  const dependencies = Object.fromEntries(
    tarballs.map(({ manifest, path }) => [manifest.name, `file:${path}`]),
  );
  const project = {
    name: 'empty',
    version: '1.0.0',
    type: 'module',
    dependencies: { ...dependencies, ...types },
  };
  const packages: Record<string, LockedPackage> = { '': project };
  const add = (from: string, names: readonly string[]): void => {
    for (const name of names) {
      const path = lockedPath(locked, from, name);
      if (packages[path] !== undefined) continue;
      const { dev: _, ...entry } = locked[path] ?? {};
      packages[path] = entry;
      add(path, Object.keys(entry.dependencies ?? {}));
    }
  };
  add('', Object.keys(types));
  for (const { manifest, path } of tarballs) {
    const { name, ...entry } = manifest;
    packages[`node_modules/${name}`] = { ...entry, resolved: `file:${path}` };
    add('', Object.keys(manifest.dependencies ?? {}));
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ ...project, lockfileVersion: 3, requires: true, packages }),
  );
  await npm(folder, 'ci', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund');
  return folder;
}

/** Where what a package needs lies, as Node finds it: from the package's own folder upwards. */
function lockedPath(locked: Readonly<Record<string, LockedPackage>>, from: string, name: string): string {
  const path = `${from}/node_modules/${name}`.replace(/^\//, '');
  if (locked[path] !== undefined) return path;
  if (from === '') throw new Error(`package-lock.json does not have ${name}`);
  return lockedPath(locked, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name);
}

async function npm(cwd: string, ...args: string[]): Promise<void> {
  await run('npm', args, { cwd, env: cleanEnvironment() });
}

/** Without what npm has told the tests themselves. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|NODE_OPTIONS|NODE_ENV|VITEST)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    PATH: [resolve('node_modules/.bin'), process.env['PATH']].join(delimiter),
  };
}
