/** What the Dockerfile makes of its image, as far as it shows without a container. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/server/config.ts';
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
  instruction('ENV')
    .split(/\s+/)
    .map((pair) => pair.split('=') as [string, string]),
);
const command = execForm(instruction('CMD'));

test('without an option the image serves on all addresses, from its volume', async () => {
  expect(command).toEqual(['serve']);
  expect(await loadConfig({ environment })).toMatchObject({
    listen: { host: '0.0.0.0', port: 7379 },
    dataDir: instruction('VOLUME'),
  });
  expect(instruction('EXPOSE')).toBe('7379');
});

test('options behind "serve", or in the environment, leave address and data directory as they are', async () => {
  const dataDir = join(await temporaryDirectory(), 'data');
  const here = { ...environment, KELP_LISTEN: '127.0.0.1:0', KELP_DATA_DIR: dataDir };
  const typed = new KelpProcess([...command, '--fsync', 'never'], { environment: here });
  await typed.ready();
  expect(typed.stdout).toContain(`"dataDir":"${dataDir}","fsync":"never"`);
  typed.child.kill('SIGTERM');
  await typed.ended;
  const set = new KelpProcess(command, { environment: { ...here, KELP_FSYNC: 'never' } });
  await set.ready();
  expect(set.stdout).toContain(`"dataDir":"${dataDir}","fsync":"never"`);
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
