/** Requests that can't be served: each gets its problem, nothing is changed, and the connection goes on. */
import { describe, expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { type Asked, HttpClient, problemIn, versions } from './http-client.ts';

const longKey = 'k'.repeat(4097);

const badRequests: readonly (readonly [
  what: string,
  asked: Asked,
  status: number,
  code: string,
  detail: RegExp,
])[] = [
  ['an unknown path', { path: '/v1/key/a' }, 404, 'pathNotFound', /nothing is served at \/v1\/key\/a$/],
  ['a slash in a key', { path: '/v1/keys/a/b' }, 404, 'pathNotFound', /a slash in a key is written %2F/],
  ['the prefix alone', { path: '/v1/' }, 404, 'pathNotFound', /nothing is served at \/v1\//],
  ['a very long path', { path: `/v1/${'x'.repeat(5000)}` }, 404, 'pathNotFound', /^.{1,400}$/],
  [
    'another method',
    { method: 'PATCH', path: '/v1/keys/a' },
    405,
    'methodNotAllowed',
    /has no method PATCH; it has GET, PUT, DELETE, HEAD, OPTIONS/,
  ],
  ['an empty key', { path: '/v1/keys/' }, 400, 'invalidArgument', /the key is empty/],
  [
    'an empty key to write',
    { method: 'PUT', path: '/v1/keys/', body: 'v' },
    400,
    'invalidArgument',
    /the key is empty/,
  ],
  [
    'a key that is too long',
    { path: `/v1/keys/${longKey}` },
    400,
    'invalidArgument',
    /the key is 4097 bytes long/,
  ],
  [
    'a malformed key',
    { path: '/v1/keys/%G1' },
    400,
    'invalidArgument',
    /the key in the path is malformed: "%G1"/,
  ],
  [
    'a cut-off byte in a key',
    { method: 'PUT', path: '/v1/keys/a%4', body: 'v' },
    400,
    'invalidArgument',
    /"%4" is no percent-encoded byte/,
  ],
  [
    'an unknown parameter',
    { path: '/v1/keys/a?revison=1' },
    400,
    'invalidArgument',
    /no parameter "revison"; did you mean revision\?/,
  ],
  [
    'a parameter of another method',
    { path: '/v1/keys/a?ttl=1s' },
    400,
    'invalidArgument',
    /no parameter "ttl"/,
  ],
  [
    'a parameter that is given twice',
    { path: '/v1/keys/a?revision=1&revision=1' },
    400,
    'invalidArgument',
    /given twice/,
  ],
  [
    'a revision that is none',
    { path: '/v1/keys/a?revision=-1' },
    400,
    'invalidArgument',
    /revision must be a whole number/,
  ],
  [
    'a revision that is not reached',
    { path: '/v1/keys/a?revision=99' },
    400,
    'revisionFuture',
    /revision 99 has not been reached; the newest is 1/,
  ],
  [
    'a time to live without a unit',
    { method: 'PUT', path: '/v1/keys/a?ttl=30', body: 'v' },
    400,
    'invalidArgument',
    /ttl must be a length of time with its unit/,
  ],
  [
    'no time to live',
    { method: 'PUT', path: '/v1/keys/a?ttl=0s', body: 'v' },
    400,
    'invalidArgument',
    /ttl must be 1ms to 100 years/,
  ],
  [
    'an empty time to live',
    { method: 'PUT', path: '/v1/keys/a?ttl=', body: 'v' },
    400,
    'invalidArgument',
    /ttl must be a length of time/,
  ],
  [
    'a lease that is not there',
    { method: 'PUT', path: '/v1/keys/a?lease=5', body: 'v' },
    404,
    'leaseNotFound',
    /lease 5/,
  ],
  [
    'a malformed condition',
    { method: 'PUT', path: '/v1/keys/a', body: 'v', headers: { 'if-match': 'x' } },
    400,
    'invalidArgument',
    /If-Match is neither/,
  ],
  [
    'a malformed condition of a read',
    { path: '/v1/keys/a', headers: { 'if-none-match': 'x' } },
    400,
    'invalidArgument',
    /If-None-Match is neither/,
  ],
  [
    'a body of a delete',
    { method: 'DELETE', path: '/v1/keys/a', body: 'v' },
    400,
    'invalidArgument',
    /DELETE takes no body here/,
  ],
  ['a body of a read', { path: '/v1/keys/a', body: 'v' }, 400, 'invalidArgument', /GET takes no body here/],
  [
    'a compressed body',
    { method: 'PUT', path: '/v1/keys/a', body: 'v', headers: { 'content-encoding': 'gzip' } },
    415,
    'unsupportedMediaType',
    /send it as it is/,
  ],
  [
    'a part of a value',
    { method: 'PUT', path: '/v1/keys/a', body: 'v', headers: { 'content-range': 'bytes 0-0/9' } },
    400,
    'invalidArgument',
    /send all of it/,
  ],
  [
    'a value that is too long',
    { method: 'PUT', path: '/v1/keys/a', body: Buffer.alloc(2001) },
    413,
    'bodyTooLong',
    /longer than 2000 bytes \(value-bytes-max/,
  ],
];

describe.each(versions)('over %s', (version) => {
  test.each(badRequests)('%s is refused', async (_, asked, status, code, detail) => {
    const server = await startTestServer({ flags: { 'value-bytes-max': '2000' } });
    const http = new HttpClient(server.url, version);
    await http.ask({ method: 'PUT', path: '/v1/keys/a', body: 'before' });

    const answer = await http.ask(asked);

    expect(problemIn(answer)).toEqual([status, status, code, 'application/problem+json']);
    expect(JSON.parse(answer.body.toString()).detail).toMatch(detail);
    const after = await http.ask({ path: '/v1/keys/a' });
    expect([after.status, after.body.toString(), after.headers['kelp-revision']]).toEqual([
      200,
      'before',
      '1',
    ]);
    await server.log.line(({ msg, status: logged }) => msg === 'call' && logged === status);
  });

  test('a body that grows too long without being announced is refused', async () => {
    const { url } = await startTestServer({ flags: { 'value-bytes-max': '2000' } });
    const http = new HttpClient(url, version);
    const { request, head } = http.begin({ method: 'PUT', path: '/v1/keys/a' });
    request.write(Buffer.alloc(1500));
    request.write(Buffer.alloc(1500));
    const { status, body } = await head;
    expect(status).toBe(413);
    await body.toArray();
    request.end();
    expect((await http.ask({ path: '/v1/keys/a' })).status).toBe(404);
  });

  test.each(['/v1/keys/a', '/v1/keys?prefix=a'])(
    'a body of a delete of %s that is not announced is refused',
    async (path) => {
      const { url } = await startTestServer();
      const http = new HttpClient(url, version);
      await http.ask({ method: 'PUT', path: '/v1/keys/a', body: '1' });
      const { request, head } = http.begin({
        method: 'DELETE',
        path,
        headers: version === 'HTTP/1.1' ? { 'transfer-encoding': 'chunked' } : {},
      });
      request.end('{"prefix": "a"}');
      const { status, body } = await head;
      expect([status, Buffer.concat((await body.toArray()) as Buffer[]).toString()]).toEqual([
        400,
        expect.stringContaining('DELETE takes no body here'),
      ]);
      expect((await http.ask({ path: '/v1/keys/a' })).status).toBe(200);
    },
  );

  test('OPTIONS tells what a path has', async () => {
    const http = new HttpClient((await startTestServer()).url, version);
    const { status, headers, body } = await http.ask({ method: 'OPTIONS', path: '/v1/keys/a' });
    expect([status, headers['allow'], body.length]).toEqual([204, 'GET, PUT, DELETE, HEAD, OPTIONS', 0]);
    const refused = await http.ask({ method: 'POST', path: '/v1/keys/a' });
    expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, PUT, DELETE, HEAD, OPTIONS']);
  });
});

test('a target that names host and path is served', async () => {
  const connection = await RawConnection.open(await startTestServer());
  connection.send('GET http://localhost/v1/keys/a HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await connection.until('"code":"keyNotFound"');
});

test('a value that is compressed for the transfer is refused, since it would be kept as it came', async () => {
  const connection = await RawConnection.open(await startTestServer());
  connection.send(
    'PUT /v1/keys/a HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
  );
  await connection.until(/501 Not Implemented[^]*"code":"unimplemented"\}\n$/);
  connection.send(
    'PUT /v1/keys/a HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
  );
  await connection.until(/"revision":1,/);
});

test('requests that stand behind each other in a connection see what those before have written', async () => {
  const connection = await RawConnection.open(await startTestServer());
  const put = 'PUT /v1/keys/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nvalue';
  const bad = 'GET /v1/keys/a?x=1 HTTP/1.1\r\nhost: localhost\r\n\r\n';
  const get = 'GET /v1/keys/a HTTP/1.1\r\nhost: localhost\r\n\r\n';
  const remove = 'DELETE /v1/keys/a HTTP/1.1\r\nhost: localhost\r\n\r\n';
  connection.send(put + bad + get + get + remove + get);
  const received = await connection.until(/404 Not Found[^]*\}\n$/);
  const statuses = [...received.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status);
  expect(statuses).toEqual(['201', '400', '200', '200', '200', '404']);
});
