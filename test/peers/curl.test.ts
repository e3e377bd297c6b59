/** curl, as most people meet REST first: over both versions of HTTP, with what it knows of tags, parts and uploads. */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestServer } from '../support/test-server.ts';

const tls = { cert: resolve('test/support/tls/cert.pem'), key: resolve('test/support/tls/key.pem') };
const isInstalled = process.env['TEST_PEERS'] === 'required' || spawnSync('curl', ['--version']).status === 0;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'kelp-curl-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe.runIf(isInstalled).each<[string, string, readonly string[], Record<string, string>]>([
  ['HTTP/1.1', 'http', ['--http1.1'], {}],
  ['HTTP/2', 'http', ['--http2-prior-knowledge'], {}],
  [
    'HTTP/1.1 and TLS',
    'https',
    ['--http1.1', '--cacert', tls.cert],
    { 'tls-cert': tls.cert, 'tls-key': tls.key },
  ],
  [
    'HTTP/2 and TLS',
    'https',
    ['--http2', '--cacert', tls.cert],
    { 'tls-cert': tls.cert, 'tls-key': tls.key },
  ],
])('curl over %s', { timeout: 60_000 }, (_, scheme, options, flags) => {
  async function server(): Promise<(path: string, ...args: readonly string[]) => Promise<string>> {
    const { address } = await startTestServer({ flags });
    return async (path, ...args) => {
      const all = [
        '-s',
        '-S',
        ...options,
        '-w',
        ' %{http_code}',
        ...args,
        `${scheme}://${address}/v1/keys/${path}`,
      ];
      return (await promisify(execFile)('curl', all)).stdout;
    };
  }

  test('reads, writes and deletes', async () => {
    const curl = await server();
    expect(await curl('a', '-X', 'PUT', '-d', 'value')).toMatch(/"created":true\}\n 201$/);
    expect(await curl('a')).toBe('value 200');
    expect(await curl('a', '-X', 'DELETE')).toMatch(/"deleted":true\}\n 200$/);
    expect(await curl('a')).toMatch(/keyNotFound.* 404$/s);
  });

  test('takes files in and out, and goes on with one that was cut short', async () => {
    const curl = await server();
    const at = folder();
    const value = randomBytes(8 * 1024 * 1024);
    writeFileSync(join(at, 'in'), value);
    expect(await curl('file', '-T', join(at, 'in'))).toMatch(/ 201$/);
    expect(await curl('file', '-o', join(at, 'out'))).toBe(' 200');
    expect(readFileSync(join(at, 'out')).equals(value)).toBe(true);

    truncateSync(join(at, 'out'), 1_000_000);
    expect(await curl('file', '-C', '-', '-o', join(at, 'out'))).toBe(' 206');
    expect(readFileSync(join(at, 'out')).equals(value)).toBe(true);
  });

  test('sends a body of no known length', async () => {
    const curl = await server();
    const at = folder();
    const value = randomBytes(300_000);
    writeFileSync(join(at, 'in'), value);
    expect(
      await curl('a', '-X', 'PUT', '-H', 'transfer-encoding: chunked', '--data-binary', `@${join(at, 'in')}`),
    ).toMatch(/ 201$/);
    await curl('a', '-o', join(at, 'out'));
    expect(readFileSync(join(at, 'out')).equals(value)).toBe(true);
  });

  test('asks only for what has changed', async () => {
    const curl = await server();
    const at = folder();
    const tagged = ['--etag-save', join(at, 'tag'), '--etag-compare', join(at, 'tag'), '-o', join(at, 'out')];
    await curl('a', '-X', 'PUT', '-d', 'first');
    writeFileSync(join(at, 'tag'), '');
    expect(await curl('a', ...tagged)).toBe(' 200');
    expect(await curl('a', ...tagged)).toBe(' 304');
    await curl('a', '-X', 'PUT', '-d', 'second');
    expect(await curl('a', ...tagged)).toBe(' 200');
    expect(readFileSync(join(at, 'out'), 'utf8')).toBe('second');
  });

  test('is told why a file is not taken', async () => {
    const { address } = await startTestServer({ flags: { ...flags, 'value-bytes-max': '1MiB' } });
    const at = folder();
    writeFileSync(join(at, 'in'), Buffer.alloc(4 * 1024 * 1024));
    const { stdout } = await promisify(execFile)('curl', [
      '-s',
      ...options,
      '-w',
      ' %{http_code}',
      '-T',
      join(at, 'in'),
      `${scheme}://${address}/v1/keys/a`,
    ]);
    expect(stdout).toMatch(/bodyTooLong.* 413$/s);
  });
});
