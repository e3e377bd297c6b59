/** A command loads what it needs and nothing else: that is most of the time that it takes to start. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { KelpProcess } from './kelp-process.ts';

/** Runs a command from the sources. @returns what it loaded: paths within this project, and names of Node's modules. */
async function loadedBy(...args: string[]): Promise<string[]> {
  const list = join(await temporaryDirectory(), 'loaded');
  const hook = new URL('./loaded-modules.ts', import.meta.url).href;
  const environment = { NODE_OPTIONS: `--import=${hook}`, LOADED_MODULES: list };
  const kelp = new KelpProcess(args, { environment });
  kelp.child.stdin?.end();
  const { code, stderr } = await kelp.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const root = `${pathToFileURL(resolve('.')).href}/`;
  return readFileSync(list, 'utf8')
    .split('\n')
    .map((url) => url.replace(root, ''));
}

function packagesOf(modules: readonly string[]): string[] {
  const names = modules.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

test('the version and the help need the table of commands alone', async () => {
  for (const args of [['--version'], ['serve', '--help']]) {
    const modules = await loadedBy(...args);
    expect(packagesOf(modules)).toEqual(['commander']);
    expect(
      modules.filter((path) => /^(?:gen|src\/(?:cli\/tasks|store|offline|engine))\//.test(path)),
    ).toEqual([]);
    expect(modules.filter((path) => path.startsWith('src/client/')).sort()).toEqual([
      'src/client/errors/connect-failure.ts',
      'src/client/errors/error.ts',
    ]);
  }
});

test('a call loads the client and its own task, and nothing of the server or of files', async () => {
  const server = await startTestServer();
  await loadedBy('put', 'a', '1', '--address', server.address);
  const modules = await loadedBy('get', 'a', '--address', server.address);
  expect(packagesOf(modules)).toEqual(['commander']);
  expect(modules.filter((path) => path.startsWith('src/cli/tasks/'))).toEqual(['src/cli/tasks/read.ts']);
  expect(modules.filter((path) => /^src\/(?:store|offline|engine|wal|cli\/shell)\//.test(path))).toEqual([]);
  expect(modules.filter((path) => path.startsWith('src/server/')).sort()).toEqual([
    'src/server/config/option-values.ts',
    'src/server/config/server-options.ts',
    'src/server/logging/printable.ts',
  ]);
});

test('a shell against a server loads nothing of a store or of files', async () => {
  const server = await startTestServer();
  const modules = await loadedBy('shell', '--address', server.address);
  expect(packagesOf(modules)).toEqual(['commander']);
  expect(modules.filter((path) => path.startsWith('src/cli/shell/')).length).toBeGreaterThan(10);
  expect(
    modules.filter((path) => /^src\/(?:kv|store|offline|engine|wal|snapshot|disk)\//.test(path)),
  ).toEqual([]);
});
