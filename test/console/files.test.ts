/** What the server gives for `/console`: by which headers, to whom, and that nothing else of the disk can be had. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildConsole, consoleBytes } from '../../tools/build-console.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../support/test-server.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kelp-console-'));
  await buildConsole(folder);
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

function start(flags: NonNullable<TestServerOptions['flags']> = {}): Promise<TestServer> {
  return startTestServer({ consoleFolder: folder, flags });
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** With the target and the headers as they are given: `fetch` would tidy them up. */
async function get(
  { host, port }: TestServer,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  request({ host, port, path, headers, method }, (response) => {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('end', () =>
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) }),
    );
  })
    .on('error', reject)
    .end();
  return promise;
}

function assetOf(page: Buffer): string {
  return /src="(\/console\/assets\/[^"]+\.js)"/.exec(page.toString())?.[1] ?? '';
}

test('the whole of it is less than 150 kB as it is sent', () => {
  const bytes = consoleBytes(folder);
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThan(150_000);
});

test('the page comes with a policy that lets nothing run but what the server gives', async () => {
  const server = await start();
  for (const path of ['/console', '/console/', '/console/index.html', '/console?x=1']) {
    const { status, headers, body } = await get(server, path);
    expect({ path, status, type: headers['content-type'] }).toEqual({
      path,
      status: 200,
      type: 'text/html; charset=utf-8',
    });
    expect(body.toString()).not.toMatch(/<script(?![^>]* src=)|<style|\bon\w+=|style=|https?:/);
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
      ]),
    );
    expect(policy.join()).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    expect(headers['set-cookie']).toBeUndefined();
  }
});

test('a browser keeps what is named by its content, and asks whether the page is still the same', async () => {
  const server = await start();
  const page = await get(server, '/console');
  expect(page.headers['cache-control']).toBe('no-cache');
  const etag = String(page.headers['etag']);
  for (const known of [etag, `"other", ${etag.replace('W/', '')}`, '*']) {
    const again = await get(server, '/console', { 'if-none-match': known });
    expect({ known, status: again.status, bytes: again.body.length }).toEqual({
      known,
      status: 304,
      bytes: 0,
    });
    expect(again.headers['content-security-policy']).toBe(page.headers['content-security-policy']);
  }
  expect((await get(server, '/console', { 'if-none-match': '"other"' })).status).toBe(200);
  const asset = await get(server, assetOf(page.body));
  expect(asset.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
  });
});

test('files go by gzip to those that take it, and say so to caches', async () => {
  const server = await start();
  const plain = await get(server, '/console');
  expect(plain.headers).toMatchObject({
    vary: 'Accept-Encoding',
    'content-length': String(plain.body.length),
  });
  expect(plain.headers['content-encoding']).toBeUndefined();
  for (const accepted of ['gzip, deflate, br', 'br;q=1, gzip;q=0.5', '*']) {
    const zipped = await get(server, '/console', { 'accept-encoding': accepted });
    expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', etag: plain.headers['etag'] });
    expect(zipped.body.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
  }
  const refused = await get(server, '/console', { 'accept-encoding': 'gzip;q=0, br' });
  expect(refused.body).toEqual(plain.body);
  const head = await get(server, '/console', {}, 'HEAD');
  expect(head).toMatchObject({ status: 200, headers: { 'content-length': String(plain.body.length) } });
  expect(head.body.length).toBe(0);
});

test('there is nothing but its files, and nothing but reading', async () => {
  const server = await start();
  const paths = [
    '/console/../package.json',
    '/console/%2e%2e/package.json',
    '/console/..%2fpackage.json',
    '/console//etc/passwd',
    '/console/assets',
    '/console/assets/',
    '/console/LICENSES.txt',
    '/console/index.html.gz',
    '/console/__proto__',
  ];
  for (const path of paths)
    expect({ path, status: (await get(server, path)).status }).toEqual({ path, status: 404 });
  for (const method of ['POST', 'PUT', 'DELETE']) {
    expect(await get(server, '/console', {}, method)).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  }
  expect((await get(server, '/consoles')).body.toString()).toContain('nothing is served at');
});

test('pages of other origins, and names that lead here, are refused as everywhere', async () => {
  const server = await start();
  expect((await get(server, '/console', { origin: 'https://evil.example' })).status).toBe(403);
  expect((await get(server, '/console', { host: 'evil.example' })).status).toBe(403);
});

test('it needs no login itself: what it shows does', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kelp-console-'));
  await writeFile(join(directory, 'root.password'), 'secret-of-root\n');
  const server = await start({ 'root-password-file': join(directory, 'root.password') });
  await rm(directory, { recursive: true });
  expect((await get(server, '/console')).status).toBe(200);
  expect((await get(server, '/v1/keys')).status).toBe(401);
});

test('it is on where no other machine comes, and elsewhere if that is asked for', async () => {
  const everywhere = { listen: '0.0.0.0:0', 'allow-anonymous': 'true' };
  const statusOf = async (flags: Record<string, string>): Promise<number | undefined> =>
    (await get({ ...(await start(flags)), host: '127.0.0.1' }, '/console')).status;
  expect(await statusOf({})).toBe(200);
  expect(await statusOf({ console: 'off' })).toBe(404);
  expect(await statusOf(everywhere)).toBe(404);
  expect(await statusOf({ ...everywhere, console: 'on' })).toBe(200);
});

test('where it was not built, the answer says how to', async () => {
  const server = await startTestServer({ consoleFolder: join(folder, 'not-there') });
  const { status, body } = await get(server, '/console');
  expect(status).toBe(404);
  expect(body.toString()).toContain('npm run build -- console');
});
