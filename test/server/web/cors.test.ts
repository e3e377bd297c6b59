/** What pages of allowed origins are told, on both versions of HTTP: before their calls, with replies, errors and streams. */
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { describe, expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { type Answer, type Ask, tlsFlags, versions } from './ask.ts';

const page = 'https://app.example.com';
const get = '/kelp.v1.KvService/Get';

function question(origin: string, more: Ask['headers'] = {}): Ask {
  const headers = { origin, 'access-control-request-method': 'POST', ...more };
  return { method: 'OPTIONS', path: get, headers };
}

/** The fields of CORS, and `vary`. */
function fieldsOf({ headers }: Answer): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^(access-control-|vary)/.test(name)));
}

function wordsOf(answer: Answer, name: string): string[] {
  return String(answer.headers[name]).split(', ');
}

describe.each(versions)('over %s', (_, ask) => {
  test("a browser's question is answered with what its page may send", async () => {
    const { url } = await startTestServer({ flags: { 'cors-origin': `${page}, http://localhost:3000` } });
    for (const origin of [page, 'http://localhost:3000']) {
      const answer = await ask(url, question(origin));
      expect([answer.status, answer.body.length]).toEqual([204, 0]);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-max-age': '7200',
        vary: 'Origin',
      });
      expect(answer.headers).not.toHaveProperty('access-control-allow-private-network');
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
      expect(wordsOf(answer, 'access-control-allow-methods')).toEqual([
        'GET',
        'HEAD',
        'PUT',
        'POST',
        'DELETE',
      ]);
      expect(wordsOf(answer, 'access-control-allow-headers')).toEqual(
        expect.arrayContaining([
          'authorization',
          'content-type',
          'connect-protocol-version',
          'connect-timeout-ms',
          'grpc-timeout',
          'x-grpc-web',
          'x-user-agent',
          'if-match',
          'if-none-match',
          'range',
          'last-event-id',
        ]),
      );
    }
  });

  test('a page of the internet may call a private network when its browser asks', async () => {
    const { url } = await startTestServer({ flags: { 'cors-origin': page } });
    const answer = await ask(url, question(page, { 'access-control-request-private-network': 'true' }));
    expect(answer.headers['access-control-allow-private-network']).toBe('true');
  });

  test.each<[string, Ask, number]>([
    ['a reply of Connect', connectGet('{"key":"a"}'), 200],
    ['an error of Connect', connectGet('{"key":""}'), 400],
    ['a reply of gRPC-Web', grpcWeb(), 200],
    ['a stream', stream(), 200],
    ['a write over REST', { method: 'PUT', path: '/v1/keys/a', body: '1' }, 201],
    ['a problem of REST', { method: 'GET', path: '/v1/keys/a' }, 404],
    ['a blob', { method: 'POST', path: '/blobs/a', body: '1' }, 201],
    ['health', { method: 'GET', path: '/healthz' }, 200],
    ['what there is not', { method: 'GET', path: '/nothing' }, 404],
    ['a wrong method', { method: 'DELETE', path: '/healthz' }, 405],
    ['OPTIONS that are no question', { method: 'OPTIONS', path: '/nothing' }, 404],
  ])('%s is shown to a page that may see it', async (_what, request, status) => {
    const { url } = await startTestServer({ flags: { 'cors-origin': page } });
    const answer = await ask(url, { ...request, headers: { ...request.headers, origin: page } });
    expect(answer.status).toBe(status);
    expect(fieldsOf(answer)).toMatchObject({ 'access-control-allow-origin': page, vary: 'Origin' });
    const seen = ['grpc-status', 'grpc-message', 'grpc-status-details-bin', 'etag', 'kelp-revision'];
    expect(wordsOf(answer, 'access-control-expose-headers')).toEqual(expect.arrayContaining(seen));
  });

  test('a response that depends on more than the origin says so too', async () => {
    const { url } = await startTestServer({ flags: { 'cors-origin': page } });
    for (const accept of ['application/json', '*/*']) {
      const headers = { origin: page, accept };
      const answer = await ask(url, { method: 'GET', path: '/metrics', headers });
      expect([answer.status, answer.headers.vary]).toEqual([200, 'Origin, Accept']);
      expect(answer.headers['access-control-allow-origin']).toBe(page);
    }
  });

  test('who is no page of another origin gets none of it, but caches learn of the difference', async () => {
    const { url } = await startTestServer({ flags: { 'cors-origin': page } });
    for (const headers of [{}, { origin: url }] as const) {
      const answer = await ask(url, { method: 'GET', path: '/healthz', headers });
      expect([answer.status, fieldsOf(answer)]).toEqual([200, { vary: 'Origin' }]);
    }
  });

  test('a page that is not allowed is told nothing', async () => {
    const { url } = await startTestServer({ flags: { 'cors-origin': page } });
    const answer = await ask(url, question('https://evil.example'));
    expect([answer.status, fieldsOf(answer)]).toEqual([403, {}]);
  });

  test('a server that allows none says nothing of it', async () => {
    const { url } = await startTestServer();
    const answer = await ask(url, { method: 'GET', path: '/healthz', headers: { origin: url } });
    expect([answer.status, fieldsOf(answer)]).toEqual([200, {}]);
    expect((await ask(url, question(url))).status).toBe(405);
  });

  test('a server that allows all says so, for every host too', async () => {
    const { url } = await startTestServer({ flags: { 'cors-origin': '*' } });
    for (const origin of ['null', 'https://anyone.example']) {
      const request = question(origin, { host: 'anyone.example' });
      const asked = await ask(url, request);
      expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([204, '*']);
      const { method, path, body } = connectGet('{"key":"a"}');
      const headers = { 'content-type': 'application/json', origin, host: 'anyone.example' };
      const answer = await ask(url, { method, path, headers, ...(body === undefined ? {} : { body }) });
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({ 'access-control-allow-origin': '*' });
      expect(answer.headers).not.toHaveProperty('vary');
    }
  });

  test('over TLS it is the same', async () => {
    const { url } = await startTestServer({ flags: { ...tlsFlags, 'cors-origin': page } });
    expect((await ask(url, question(page))).headers['access-control-allow-origin']).toBe(page);
  });
});

function connectGet(body: string): Ask {
  return { method: 'POST', path: get, headers: { 'content-type': 'application/json' }, body };
}

function grpcWeb(): Ask {
  const headers = { 'content-type': 'application/grpc-web+json' };
  return { method: 'POST', path: get, headers, body: encodeEnvelope(0, Buffer.from('{"key":"a"}')) };
}

function stream(): Ask {
  const headers = { 'content-type': 'application/connect+json' };
  return {
    method: 'POST',
    path: '/kelp.v1.KvService/ScanStream',
    headers,
    body: encodeEnvelope(0, Buffer.from('{}')),
  };
}
