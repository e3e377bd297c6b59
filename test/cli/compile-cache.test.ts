/** Where the command keeps what Node has compiled: in a folder that nobody else can put code into, or nowhere. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/test-server.ts';
import { KelpProcess } from './kelp-process.ts';

async function runWith(environment: Readonly<Record<string, string>>): Promise<void> {
  const own = { NODE_COMPILE_CACHE: undefined, ...environment };
  const { code, stderr } = await new KelpProcess(['--version'], { environment: own }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

test('is a folder of the user alone, in the home or where caches go', async () => {
  const home = await temporaryDirectory();
  const caches = join(home, 'caches');
  await runWith({ HOME: home });
  await runWith({ HOME: home, XDG_CACHE_HOME: caches });
  for (const folder of [join(home, '.cache/kelp'), join(caches, 'kelp')]) {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).length).toBe(1);
  }
});

test('is not used where others may write', async () => {
  const home = await temporaryDirectory();
  const folder = join(home, '.cache/kelp');
  mkdirSync(folder, { recursive: true });
  for (const mode of [0o777, 0o770, 0o702]) {
    chmodSync(folder, mode);
    await runWith({ HOME: home });
    expect(readdirSync(folder)).toEqual([]);
  }
  chmodSync(folder, 0o755);
  await runWith({ HOME: home });
  expect(readdirSync(folder).length).toBe(1);
});

test.runIf(process.geteuid?.() === 0)(
  'is not used by root when it is the folder of somebody else',
  async () => {
    const home = await temporaryDirectory();
    const folder = join(home, '.cache/kelp');
    mkdirSync(folder, { recursive: true });
    chownSync(folder, 65_534, 65_534);
    await runWith({ HOME: home });
    expect(readdirSync(folder)).toEqual([]);
  },
);

test('is done without where there is no home, or none that can be written', async () => {
  const file = join(await temporaryDirectory(), 'file');
  writeFileSync(file, '');
  await runWith({});
  await runWith({ HOME: file });
  await runWith({ HOME: 'a/relative/path' });
  expect(existsSync('a')).toBe(false);
});

test('is left to Node where its own variables say so', async () => {
  const home = await temporaryDirectory();
  const chosen = join(home, 'chosen');
  await runWith({ HOME: home, NODE_COMPILE_CACHE: chosen });
  expect(readdirSync(home)).toEqual(['chosen']);
  await runWith({ HOME: home, NODE_DISABLE_COMPILE_CACHE: '1' });
  expect(readdirSync(join(home, '.cache/kelp'))).toEqual([]);
});

test('is not made by a server, whose data may lie in the home of its user', async () => {
  const home = await temporaryDirectory();
  const data = await temporaryDirectory();
  const serveOnce = async (environment: Readonly<Record<string, string>>): Promise<void> => {
    const server = new KelpProcess(['serve', '--listen', '127.0.0.1:0'], { environment });
    await server.ready();
    server.child.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0 });
  };
  await serveOnce({ KELP_DATA_DIR: data });
  await serveOnce({ HOME: home, KELP_DATA_DIR: home });
  expect(readdirSync(home)).toEqual(readdirSync(data));
});
