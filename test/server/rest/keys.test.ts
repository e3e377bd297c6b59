/** Single keys over REST: what is read, written and deleted. */
import { describe, expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { HttpClient, versions } from './http-client.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';

describe.each(versions)('over %s a key', (version) => {
  async function client(flags = {}): Promise<HttpClient> {
    return new HttpClient((await startTestServer({ flags })).url, version);
  }

  test('is written, read and deleted', async () => {
    const http = await client();
    const path = '/v1/keys/user%2F1';

    const created = await http.ask({ method: 'PUT', path, body: 'Alice' });
    expect([created.status, JSON.parse(created.body.toString())]).toEqual([
      201,
      { revision: 1, createRevision: 1, version: 1, created: true },
    ]);
    const replaced = await http.ask({ method: 'PUT', path, body: 'Bob' });
    expect([replaced.status, JSON.parse(replaced.body.toString())]).toEqual([
      200,
      { revision: 2, createRevision: 1, version: 2, created: false },
    ]);
    await http.ask({ method: 'PUT', path: '/v1/keys/other', body: '' });
    const read = await http.ask({ path });
    expect([read.status, read.body.toString()]).toEqual([200, 'Bob']);
    expect(read.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-length': '3',
      'accept-ranges': 'bytes',
      'cache-control': 'no-cache',
      etag: replaced.headers['etag'],
      'kelp-revision': '3',
      'kelp-mod-revision': '2',
      'kelp-create-revision': '1',
      'kelp-version': '2',
    });
    expect(read.headers['etag']).toMatch(/^"[0-9a-f]{12}-2"$/);
    expect([read.headers['expires'], read.headers['kelp-lease']]).toEqual([undefined, undefined]);

    const deleted = await http.ask({ method: 'DELETE', path });
    expect([deleted.status, JSON.parse(deleted.body.toString())]).toEqual([
      200,
      { revision: 4, deleted: true },
    ]);
    const missing = [
      404,
      {
        type: 'urn:kelpdb:error:keyNotFound',
        title: 'Not Found',
        status: 404,
        detail: 'there is no such key',
        code: 'keyNotFound',
      },
    ];
    for (const method of ['GET', 'DELETE']) {
      const gone = await http.ask({ method, path });
      expect(gone.headers['content-type']).toBe('application/problem+json');
      expect([gone.status, JSON.parse(gone.body.toString())]).toEqual(missing);
    }
  });

  test('is read among many that together are too long for one turn', async () => {
    const { url } = await startTestServer();
    const http = new HttpClient(url, version);
    const value = Buffer.alloc(1024 * 1024, 'v');
    await http.ask({ method: 'PUT', path: '/v1/keys/a', body: value });
    const others = Array.from({ length: 20 }, () => new HttpClient(url, version));
    const paths = others.map((_, index) => (index % 2 === 0 ? '/v1/keys/a' : '/v1/keys/b'));
    const answers = await Promise.all(others.map((other, index) => other.ask({ path: paths[index] ?? '' })));
    expect(answers.map(({ status, body }) => (status === 200 ? body.equals(value) : status))).toEqual(
      paths.map((path) => (path === '/v1/keys/a' ? true : 404)),
    );
  });

  test('is read as it was', async () => {
    const http = await client(KEPT_HISTORY_FLAGS);
    for (const body of ['first', 'second']) await http.ask({ method: 'PUT', path: '/v1/keys/a', body });
    await http.ask({ method: 'DELETE', path: '/v1/keys/a' });

    const old = await http.ask({ path: '/v1/keys/a?revision=1' });
    expect([old.status, old.body.toString(), old.headers['kelp-revision']]).toEqual([200, 'first', '1']);
    expect((await http.ask({ path: '/v1/keys/a?revision=3' })).status).toBe(404);
    const head = await http.ask({ method: 'HEAD', path: '/v1/keys/a?revision=2' });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '6', 0]);
  });

  test('has the same head for HEAD as for GET', async () => {
    const http = await client();
    await http.ask({ method: 'PUT', path: '/v1/keys/a', body: 'value' });
    const get = await http.ask({ path: '/v1/keys/a' });
    const head = await http.ask({ method: 'HEAD', path: '/v1/keys/a', headers: { range: 'bytes=0-1' } });

    expect(head.body.length).toBe(0);
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' });
    const missing = await http.ask({ method: 'HEAD', path: '/v1/keys/b' });
    expect([missing.status, missing.body.length]).toEqual([404, 0]);
  });

  test('may be empty', async () => {
    const http = await client();
    expect((await http.ask({ method: 'PUT', path: '/v1/keys/a', body: '' })).status).toBe(201);
    expect((await http.ask({ method: 'PUT', path: '/v1/keys/a' })).status).toBe(200);
    const { status, headers, body } = await http.ask({ path: '/v1/keys/a' });
    expect([status, headers['content-length'], body.length]).toEqual([200, '0', 0]);
  });

  test.each([256, 3 * 4096, 3 * 512 * 1024])('holds any bytes (%i)', async (length) => {
    const http = await client();
    const value = Buffer.from(Array.from({ length }, (_, at) => at & 0xff));
    await http.ask({ method: 'PUT', path: '/v1/keys/a', body: value });
    const { headers, body } = await http.ask({ path: '/v1/keys/a' });
    expect([headers['content-length'], body.equals(value)]).toEqual([String(length), true]);
  });

  test('has a time to live and a lease, and tells of them', async () => {
    const { url } = await startTestServer();
    const http = new HttpClient(url, version);
    const granted = await fetch(`${url}/kelp.v1.LeaseService/Grant`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ttl: '600s', leaseId: 7 }),
    });
    expect(granted.status).toBe(200);
    const before = Date.now();
    await http.ask({ method: 'PUT', path: '/v1/keys/a?ttl=1h&lease=7', body: 'v' });
    const { headers } = await http.ask({ path: '/v1/keys/a' });
    expect(headers['kelp-lease']).toBe('7');
    const livesMs = Date.parse(headers['expires'] ?? '') - before;
    expect([livesMs > 3_590_000, livesMs < 3_700_000]).toEqual([true, true]);

    const unknown = await http.ask({ method: 'PUT', path: '/v1/keys/a?lease=8', body: 'w' });
    expect([unknown.status, JSON.parse(unknown.body.toString()).code]).toEqual([404, 'leaseNotFound']);
    expect((await http.ask({ path: '/v1/keys/a' })).body.toString()).toBe('v');
  });

  test.each<[string, string | Uint8Array]>([
    ['a%2Fb%3Fc%23d', 'a/b?c#d'],
    ['a+b%20c', 'a+b c'],
    ['%61%62', 'ab'],
    ['%e2%82%AC', '€'],
    ['100%25', '100%'],
    ["!$&'()*+,;=:@-._~", "!$&'()*+,;=:@-._~"],
    ['..', '..'],
    ['%00%01', '\0\u0001'],
    ['%FF%C3', Buffer.from([0xff, 0xc3])],
    ['%F8%80', Buffer.from([0xf8, 0x80])],
    ['a%2Fincrement', 'a/increment'],
  ])('named %s in a path is the same key by other doors', async (encoded, key) => {
    const { url } = await startTestServer();
    const http = new HttpClient(url, version);
    expect((await http.ask({ method: 'PUT', path: `/v1/keys/${encoded}`, body: 'value' })).status).toBe(201);
    expect((await http.ask({ path: `/v1/keys/${encoded}` })).body.toString()).toBe('value');
    const named = typeof key === 'string' ? { key } : { keyBytes: Buffer.from(key).toString('base64') };
    const reply = await fetch(`${url}/kelp.v1.KvService/Get`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(named),
    });
    expect(await reply.json()).toMatchObject({ entry: { value: Buffer.from('value').toString('base64') } });
  });
});
