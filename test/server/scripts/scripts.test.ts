/** The interfaces for scripts, by curl over both versions of HTTP: bodies to the letter. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/index.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { type TestServer, startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { failingDisk, slowDisk } from '../../support/troubled-disk.ts';
import { type CurlAnswer, curl, isCurlInstalled, versions } from './curl.ts';

/** Status, and body as text. */
function told({ status, body }: CurlAnswer): readonly [number, string] {
  return [status, body.toString()];
}

describe.runIf(isCurlInstalled).each(versions)('curl over %s', (_, version) => {
  async function start(flags: Readonly<Record<string, string>> = {}): Promise<{
    readonly server: TestServer;
    readonly ask: (...args: readonly string[]) => Promise<CurlAnswer>;
  }> {
    const server = await startTestServer({ flags });
    const ask = (...args: readonly string[]): Promise<CurlAnswer> => {
      const path = args.at(-1) ?? '';
      return curl(version, ...args.slice(0, -1), `${server.url}${path}`);
    };
    return { server, ask };
  }

  test('writes, reads, lists and deletes blobs', async () => {
    const { ask } = await start({ 'volume-id': 'vol-3' });
    const written = await ask('-X', 'POST', '--data-binary', 'hello', '/blobs/greeting');
    expect(told(written)).toEqual([201, '{"key":"greeting","etag":"3610a686","size":5,"volume_id":"vol-3"}']);
    expect([written.type, written.headers['etag']]).toEqual(['application/json', '"3610a686"']);

    const read = await ask('/blobs/greeting');
    expect(told(read)).toEqual([200, 'hello']);
    expect([read.type, read.headers['etag'], read.headers['content-length']]).toEqual([
      'application/octet-stream',
      '"3610a686"',
      '5',
    ]);
    expect(told(await ask('/blobs'))).toEqual([200, '["greeting"]']);

    expect(told(await ask('-X', 'DELETE', '/blobs/greeting'))).toEqual([204, '']);
    expect(told(await ask('/blobs/greeting'))).toEqual([404, '{"error":"Blob not found"}']);
    // To delete what there is not is what was asked for.
    expect(told(await ask('-X', 'DELETE', '/blobs/greeting'))).toEqual([204, '']);
    expect(told(await ask('/blobs'))).toEqual([200, '[]']);
  });

  test('writes over a blob, also an empty one, and each tag has eight digits', async () => {
    const { ask } = await start();
    const tagOf = async (body: string): Promise<unknown> => {
      const answer = await ask('-X', 'POST', '--data-binary', body, '/blobs/a');
      expect(answer.status).toBe(201);
      return (JSON.parse(answer.body.toString()) as { readonly etag: string }).etag;
    };
    expect(await tagOf('')).toBe('00000000');
    expect(await tagOf('ab')).toBe('9e83486d');
    // One whose checksum begins with a zero.
    const zero = Array.from({ length: 100 }, (_each, index) => `x${index}`).find(
      (text) => crc32(text) < 2 ** 28,
    );
    expect(await tagOf(zero ?? '')).toMatch(/^0[0-9a-f]{7}$/);
    expect((await ask('/blobs/a')).body.toString()).toBe(zero);
  });

  test('is told that a blob is still the same', async () => {
    const { ask } = await start();
    await ask('-X', 'POST', '--data-binary', 'hello', '/blobs/a');
    expect((await ask('-H', 'If-None-Match: "3610a686"', '/blobs/a')).status).toBe(304);
    expect((await ask('-H', 'If-None-Match: W/"1", W/"3610a686"', '/blobs/a')).status).toBe(304);
    expect((await ask('-H', 'If-None-Match: "00000000"', '/blobs/a')).status).toBe(200);
    const head = await ask('-I', '-o', '/dev/null', '/blobs/a');
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '5', 0]);
  });

  test('has big blobs in and out as they are', async () => {
    const { ask } = await start();
    const bytes = randomBytes(16 * 1024 * 1024);
    const path = join(await temporaryDirectory(), 'blob');
    await writeFile(path, bytes);
    const written = await ask('-X', 'POST', '--data-binary', `@${path}`, '/blobs/big');
    const etag = crc32(bytes).toString(16).padStart(8, '0');
    expect(JSON.parse(written.body.toString())).toMatchObject({ etag, size: bytes.length });
    const read = await ask('/blobs/big');
    expect(read.headers['etag']).toBe(`"${etag}"`);
    expect(read.body.equals(bytes)).toBe(true);

    await writeFile(path, Buffer.concat([bytes, bytes.subarray(0, 1)]));
    const refused = await ask('-X', 'POST', '--data-binary', `@${path}`, '/blobs/big');
    expect(told(refused)).toEqual([
      413,
      expect.stringMatching(/^\{"error":".*16777216 bytes.*value-bytes-max.*"\}$/),
    ]);
  });

  test('lists very many blobs, in order', async () => {
    const { server, ask } = await start();
    const client = createClient({ address: server.address });
    onTestFinished(() => client.close());
    const keys = Array.from({ length: 5000 }, (_each, index) => `key ${String(index).padStart(5, '0')} "é"`);
    await Promise.all(keys.map((key) => client.put(key, '')));
    await client.put(Buffer.from([0xff, 1]), '');
    const list = await ask('/blobs');
    expect([list.status, list.type]).toEqual([200, 'application/json']);
    expect(JSON.parse(list.body.toString())).toEqual([...keys, { base64: '/wE=' }]);
    expect(JSON.parse((await ask('/blobs?prefix=key%2004')).body.toString())).toEqual(keys.slice(4000));
    expect(told(await ask('/blobs?prefix=none'))).toEqual([200, '[]']);
  });

  test('sets, gets and deletes values in JSON', async () => {
    const { ask } = await start();
    expect(
      told(await ask('-X', 'POST', '-d', '{"value": "Alice \\u00e9\\n\\"x\\""}', '/set/user:1')),
    ).toEqual([200, '{"status":"ok"}']);
    expect(told(await ask('/get/user:1'))).toEqual([200, '{"value":"Alice é\\n\\"x\\""}']);
    expect(told(await ask('-X', 'DELETE', '/delete/user:1'))).toEqual([200, '{"status":"ok"}']);
    expect(told(await ask('-X', 'DELETE', '/delete/user:1'))).toEqual([404, '{"error":"Key not found"}']);
    expect(told(await ask('/get/user:1'))).toEqual([404, '{"error":"Key not found"}']);
  });

  test('sees what all others see', async () => {
    const { server, ask } = await start();
    const client = createClient({ address: server.address });
    onTestFinished(() => client.close());
    await ask('-X', 'POST', '-d', '{"value":"1"}', '/set/a%2Fb');
    expect(Buffer.from((await client.get('a/b')).entry?.value ?? []).toString()).toBe('1');
    expect((await ask('/v1/keys/a%2Fb')).body.toString()).toBe('1');
    expect((await ask('/blobs/a%2Fb')).body.toString()).toBe('1');

    await client.put('bytes', Uint8Array.of(0xff, 0));
    expect(told(await ask('/get/bytes'))).toEqual([200, '{"value":{"base64":"/wA="}}']);
    await ask('-X', 'POST', '-d', '{"value":{"base64":"/wA="}}', '/set/copy');
    expect([...((await client.get('copy')).entry?.value ?? [])]).toEqual([0xff, 0]);
  });

  test('is told of the volume', async () => {
    const { ask } = await start();
    await ask('-X', 'POST', '--data-binary', 'hello', '/blobs/greeting');
    const health = await ask('/health');
    expect([health.status, health.type]).toEqual([200, 'application/json']);
    expect(JSON.parse(health.body.toString())).toEqual({
      status: 'healthy',
      volume_id: 'vol-1',
      keys: 1,
      segments: 1,
      total_mb: expect.any(Number),
      uptime_secs: expect.any(Number),
    });
    const metrics = await ask('-H', 'Accept: application/json', '/metrics');
    expect([metrics.status, metrics.type]).toEqual([200, 'application/json']);
    const told = JSON.parse(metrics.body.toString()) as Record<string, number>;
    expect(told).toEqual({
      total_keys: 1,
      total_segments: 1,
      total_bytes: expect.any(Number),
      total_mb: expect.any(Number),
      active_segment_id: 1,
      oldest_segment_id: 1,
      volume_id: 'vol-1',
      uptime_secs: expect.any(Number),
      avg_value_size_bytes: 'hello'.length,
    });
    expect(told['total_mb']).toBeCloseTo((told['total_bytes'] ?? 0) / 1024 / 1024, 2);
    expect(Number.isInteger(told['uptime_secs'])).toBe(true);
    expect((await ask('/metrics')).type).toContain('text/plain');
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ['no body', ['-X', 'POST', '/set/a'], 400, /"value" alone/],
    ['no JSON', ['-d', 'value=1', '/set/a'], 400, /\{"value": "text"\}/],
    ['no value', ['-d', '{}', '/set/a'], 400, /no "value"/],
    ['another member', ['-d', '{"valeu":"1"}', '/set/a'], 400, /another member/],
    ['two members', ['-d', '{"value":"1","value":"2"}', '/set/a'], 400, /"value" alone/],
    ['a number', ['-d', '{"value":1}', '/set/a'], 400, /no text/],
    ['more than JSON', ['-d', '{"value":"1"}}', '/set/a'], 400, /follows/],
    ['half of JSON', ['-d', '{"value":"1', '/set/a'], 400, /does not end/],
    ['half a character', ['-d', '{"value":"\\ud800"}', '/set/a'], 400, /surrogate/],
    ['no base64', ['-d', '{"value":{"base64":"*"}}', '/set/a'], 400, /base64/],
    ['no key', ['-d', '{"value":"1"}', '/set/'], 400, /key/],
    ['a key that is too long', ['-d', '1', `/blobs/${'k'.repeat(4097)}`], 400, /4096/],
    ['a key that is encoded wrong', ['/get/%zz'], 400, /%25/],
    ['a condition', ['-d', '1', '-H', 'If-Match: "1"', '/blobs/a'], 400, /\/v1\/keys/],
    ['a condition of a delete', ['-X', 'DELETE', '-H', 'If-Match: "1"', '/delete/a'], 400, /\/v1\/keys/],
    ['a key with a slash', ['/blobs/a/b'], 404, /%2F/],
    ['a parameter', ['/blobs/a?revision=1'], 400, /revision/],
    ['a method that is not there', ['-X', 'PUT', '-d', '1', '/blobs/a'], 405, /GET/],
    ['another that is not', ['-d', '1', '/health'], 405, /GET/],
    ['a body that is compressed', ['-d', '1', '-H', 'Content-Encoding: gzip', '/blobs/a'], 415, /compressed/],
  ])('is refused %s, and nothing is written', async (_what, args, status, reason) => {
    const { ask } = await start();
    const answer = await ask(...args);
    expect(answer.status).toBe(status);
    expect(answer.type).toBe('application/json');
    const { error, ...others } = JSON.parse(answer.body.toString()) as { readonly error: string };
    expect(error).toMatch(reason);
    expect(others).toEqual({});
    expect(told(await ask('/blobs'))).toEqual([200, '[]']);
  });
});

test('requests of all doors behind each other in a connection see what those before have written', async () => {
  const server = await startTestServer({ flags: { fsync: 'always' } });
  const connection = await RawConnection.open(server);
  const request = (line: string, body = ''): string =>
    `${line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n` +
    `${line.startsWith('POST /kelp') ? 'content-type: application/json\r\n' : ''}\r\n${body}`;
  connection.send(
    request('POST /blobs/a', 'one') +
      request('GET /v1/keys/a') +
      request('PUT /v1/keys/a', 'two') +
      request('GET /get/a') +
      request('DELETE /delete/a') +
      request('POST /kelp.v1.KvService/Put', '{"key":"YQ==","value":"Y29ubmVjdA=="}') +
      request('POST /kelp.v1.KvService/Get', '{"key":"YQ=="}') +
      request('DELETE /blobs/a') +
      request('GET /v1/keys/a'),
  );
  const received = await connection.until(/404 Not Found[^]*\}\n?$/);
  const statuses = [...received.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status);
  expect(statuses).toEqual(['201', '200', '200', '200', '200', '200', '200', '204', '404']);
  expect(received).toMatch(/\r\n\r\none[^]*\{"value":"two"\}[^]*"value":"Y29ubmVjdA=="/);
});

describe('a server that can not write', () => {
  const healthOf = async ({ url }: TestServer): Promise<readonly unknown[]> => {
    const response = await fetch(`${url}/health`);
    return [response.status, await response.json()];
  };

  test('since it has all the calls that it takes is no ill one, and tells of itself', async () => {
    const server = await startTestServer({ flags: { 'calls-max': '1' } });
    const controller = new AbortController();
    onTestFinished(() => controller.abort());
    await fetch(`${server.url}/v1/watch`, { signal: controller.signal });
    expect((await fetch(`${server.url}/blobs`)).status).toBe(429);
    expect(await healthOf(server)).toMatchObject([200, { status: 'healthy', keys: 0 }]);
    const metrics = await fetch(`${server.url}/metrics`, { headers: { accept: 'application/json' } });
    expect([metrics.status, await metrics.json()]).toMatchObject([200, { total_keys: 0 }]);
  });

  test('since it recovers says so, and nothing else, as it is not known who may know more', async () => {
    const { disk, goOn } = slowDisk();
    const server = await startTestServer({ storeOptions: { disk }, waitUntilReady: false });
    expect(await healthOf(server)).toEqual([503, { status: 'recovering' }]);
    const read = await fetch(`${server.url}/blobs/a`);
    expect([read.status, await read.json()]).toEqual([503, { error: expect.stringContaining('recovering') }]);
    goOn();
    await server.ready;
    expect(await healthOf(server)).toMatchObject([200, { status: 'healthy', segments: 1 }]);
  });

  test('since its disk failed says so, and is read from', async () => {
    const { disk, fail } = failingDisk();
    const server = await startTestServer({ flags: { fsync: 'always' }, storeOptions: { disk } });
    const ask = (method: string, path: string): Promise<Response> =>
      fetch(`${server.url}${path}`, { method, ...(method === 'POST' ? { body: 'hello' } : {}) });
    await ask('POST', '/blobs/a');
    fail();
    expect((await ask('POST', '/blobs/b')).status).toBe(503);
    expect(await healthOf(server)).toMatchObject([503, { status: 'readOnly', keys: 1 }]);
    expect(await (await ask('GET', '/blobs/a')).text()).toBe('hello');
    expect((await ask('DELETE', '/blobs/a')).status).toBe(503);
  });
});
