/** What the Dockerfile makes of its image, as far as it shows without a container. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/server/config/config.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { KelpProcess } from './kelp-process.ts';

const dockerfile = readFileSync('Dockerfile', 'utf8').replaceAll('\\\n', ' ');

/** The last instruction of its kind, which is the one that counts. */
function instruction(name: string): string {
  return [...dockerfile.matchAll(new RegExp(`^${name}\\s+(.*)$`, 'gm'))].at(-1)?.[1] ?? '';
}

function execForm(text: string): string[] {
  return JSON.parse(text) as string[];
}

const environment = Object.fromEntries(
  [...dockerfile.matchAll(/^ENV\s+(.*)$/gm)].flatMap(([, line = '']) =>
    line.split(/\s+/).map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]),
  ),
);
const command = execForm(instruction('CMD'));

test('what is copied into the image is enough to build what it starts', { timeout: 120_000 }, async () => {
  const directory = await temporaryDirectory();
  const [stage = ''] = dockerfile.split(/^FROM .*$/m).slice(1);
  for (const [, list = ''] of stage.matchAll(/^COPY (.*)$/gm)) {
    const paths = list.split(/\s+/);
    const target = paths.pop() ?? '';
    for (const path of paths) {
      // A folder's contents go into the target, a file goes by its own name into a target that ends with a slash.
      const to = join(directory, target, target.endsWith('/') ? basename(path) : '');
      cpSync(path, to, { recursive: true });
    }
  }
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  const [, build = ''] = /^RUN npm run build -- (\w+) && npm prune --omit=dev$/m.exec(stage) ?? [];
  const { status, stderr } = spawnSync(process.execPath, ['tools/build.ts', build], {
    cwd: directory,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: { kelp: string } };
  expect(execForm(instruction('ENTRYPOINT'))).toEqual(['node', bin.kelp]);
  expect(existsSync(join(directory, bin.kelp))).toBe(true);
  for (const path of ['package.json', 'package-lock.json', '.npmrc', 'tools/build.ts', 'gen', 'src']) {
    expect(readFileSync('.dockerignore', 'utf8').split('\n')).toContain(`!${path}`);
  }
});

test('without an option the image serves on all addresses, from its volume', async () => {
  expect(command).toEqual(['serve']);
  expect(await loadConfig({ environment })).toMatchObject({
    listen: { host: '0.0.0.0', port: 7379 },
    dataDir: instruction('VOLUME'),
  });
  expect(instruction('EXPOSE')).toBe('7379');
});

test('it does not start before who may do what is decided', async () => {
  const dataDir = join(await temporaryDirectory(), 'data');
  const here = { ...environment, KELP_LISTEN: '0.0.0.0:0', KELP_DATA_DIR: dataDir };
  const refused = await new KelpProcess(command, { environment: here }).ended;
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('KELP_ALLOW_ANONYMOUS=true');
  await new KelpProcess(command, { environment: { ...here, KELP_ALLOW_ANONYMOUS: 'true' } }).ready();
});

test('options behind "serve", or in the environment, leave address and data directory as they are', async () => {
  const dataDir = join(await temporaryDirectory(), 'data');
  const here = { ...environment, KELP_LISTEN: '127.0.0.1:0', KELP_DATA_DIR: dataDir };
  const typed = new KelpProcess([...command, '--fsync', 'never'], { environment: here });
  await typed.ready();
  expect(typed.stdout).toContain(`"dataDir":"${dataDir}","engine":"memory","fsync":"never"`);
  typed.child.kill('SIGTERM');
  await typed.ended;
  const set = new KelpProcess(command, { environment: { ...here, KELP_FSYNC: 'never' } });
  await set.ready();
  expect(set.stdout).toContain(`"dataDir":"${dataDir}","engine":"memory","fsync":"never"`);
});

describe('the health check', () => {
  const [node = '', ...args] = execForm(/CMD (\[.*\])$/.exec(instruction('HEALTHCHECK'))?.[1] ?? '[]');
  const cert = resolve('test/support/tls/cert.pem');
  const key = resolve('test/support/tls/key.pem');

  async function check(variables: Readonly<Record<string, string>>): Promise<unknown> {
    expect(node).toBe('node');
    const child = spawn(process.execPath, args, {
      env: { ...environment, ...variables },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }

  test.each([
    ['plain text', {}],
    ['TLS', { KELP_TLS_CERT: cert, KELP_TLS_KEY: key }],
  ])('asks the port of the environment, with %s', async (_, tls) => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const variables = { ...environment, ...tls, KELP_LISTEN: '127.0.0.1:0', KELP_DATA_DIR: dataDir };
    const server = new KelpProcess(command, { environment: variables });
    const listened = { ...tls, KELP_LISTEN: `0.0.0.0:${(await server.ready()).split(':').at(-1)}` };
    expect(await check(listened)).toBe(0);
    server.child.kill('SIGTERM');
    await server.ended;
    expect(await check(listened)).toBe(1);
  });
});
