/** What `npm run build` makes runs as an installed package would. */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/test-server.ts';
import { KelpProcess } from './kelp-process.ts';

interface PackageJson {
  readonly bin: { readonly kelp: string };
}

test(
  'the built package serves, puts and gets, and exports store and client',
  { timeout: 120_000 },
  async () => {
    const directory = await temporaryDirectory();
    const build = spawnSync('tsc', ['-p', 'tsconfig.build.json', '--outDir', join(directory, 'dist')], {
      encoding: 'utf8',
    });
    expect(build.stdout).toBe('');
    expect(build.status).toBe(0);
    cpSync('package.json', join(directory, 'package.json'));
    symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));

    const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as PackageJson;
    const kelp = (...args: string[]): KelpProcess =>
      new KelpProcess(args, { main: join(directory, bin.kelp), cwd: directory });
    const server = kelp('serve', '--listen', '127.0.0.1:0', '--data-dir', join(directory, 'data'));
    const address = await server.ready();
    expect(await kelp('put', 'a', 'built', '--address', address).ended).toMatchObject({
      code: 0,
      stdout: 'revision 1\n',
    });
    expect(await kelp('get', 'a', '--address', address).ended).toMatchObject({ code: 0, stdout: 'built' });
    expect(await kelp('--version').ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });

    const script = `
    import { openStore } from 'kelpdb';
    import { createClient } from 'kelpdb/client';
    await using client = createClient({ address: '${address}' });
    const { entry } = await client.get('a');
    const store = await openStore({ dataDir: './other' });
    await store.put('b', entry.value);
    process.stdout.write(Buffer.from((await store.get('b')).entry.value));
    await store.close();`;
    const program = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect(program).toMatchObject({ stdout: 'built', stderr: '' });

    server.child.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0 });
  },
);
