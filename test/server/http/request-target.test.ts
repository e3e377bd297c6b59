/** What the first line of a request may ask for, in every form that RFC 9112, section 3.2, has. */
import { beforeEach, describe, expect, test } from 'vitest';
import { originForm } from '../../../src/server/http/request-target.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

test.each([
  ['/readyz', '/readyz'],
  ['/readyz?x=1', '/readyz?x=1'],
  ['http://127.0.0.1:7379/readyz?x=1', '/readyz?x=1'],
  ['HTTPS://Kelp.Example/a//b', '/a//b'],
  ['http://[::1]:7379/metrics', '/metrics'],
  ['http://kelp', '/'],
  ['http://kelp?x', '/?x'],
  ['http://kelp/a?b=http://c/d', '/a?b=http://c/d'],
  ['*', undefined],
  ['', undefined],
  ['readyz', undefined],
  ['kelp:7379', undefined],
  ['http://', undefined],
  ['http:///readyz', undefined],
  ['http://kelp:port/readyz', undefined],
  ['http://[::1/readyz', undefined],
  ['http://user@kelp/readyz', undefined],
  ['ftp://kelp/readyz', undefined],
  ['/readyz#part', undefined],
  ['http://kelp/readyz#part', undefined],
])('the path of %j is %j', (target, path) => {
  expect(originForm(target)).toBe(path);
});

describe('a server', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });

  /** The whole answer to a request of HTTP/1.1. */
  async function answerTo(line: string, fields: readonly string[] = [], body = ''): Promise<string> {
    const connection = await RawConnection.open(server);
    const head = [`${line} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...fields];
    connection.send(`${head.join('\r\n')}\r\n\r\n${body}`);
    await connection.closed;
    return connection.received;
  }

  test.each([
    ['GET http://127.0.0.1:7379/readyz', /^HTTP\/1\.1 200 .*serving/s],
    ['GET http://localhost/healthz?verbose', /^HTTP\/1\.1 200 .*alive/s],
    ['GET /readyz?x=1', /^HTTP\/1\.1 200 .*serving/s],
    ['GET http://127.0.0.1:7379/metrics?x', /^HTTP\/1\.1 200 .*kelp_revision/s],
    ['GET /metrics?x=1', /^HTTP\/1\.1 200 .*kelp_revision/s],
    ['GET http://localhost', /^HTTP\/1\.1 404 .*nothing is served at \/; \/v1\/openapi\.json /s],
    ['GET http://localhost/nowhere', /^HTTP\/1\.1 404 .*nothing is served at \/nowhere;/s],
    ['OPTIONS *', /^HTTP\/1\.1 204 .*allow: GET, HEAD, POST, PUT, DELETE, OPTIONS\r\n/is],
    ['GET *', /^HTTP\/1\.1 400 /],
    ['GET readyz', /^HTTP\/1\.1 400 /],
    ['GET http://user@kelp/readyz', /^HTTP\/1\.1 400 .*request target/s],
    ['GET ftp://kelp/readyz', /^HTTP\/1\.1 400 .*request target/s],
    ['GET /readyz#part', /^HTTP\/1\.1 400 .*request target/s],
    ['CONNECT kelp:7379', /^HTTP\/1\.1 405 .*allow: .*this server is no proxy/is],
  ])('answers %s', async (line, answer) => {
    expect(await answerTo(line)).toMatch(answer);
  });

  const callFields = ['Content-Type: application/json', 'Content-Length: 11'];

  test.each(['/kelp.v1.KvService/Get?trace=1', 'http://localhost:80/kelp.v1.KvService/Get'])(
    'serves a call at %s',
    async (target) => {
      expect(await answerTo(`POST ${target}`, callFields, '{"key":"a"}')).toMatch(/^HTTP\/1\.1 200 .*\{/s);
    },
  );

  test('serves a GET of Connect with its query behind a host', async () => {
    const query = 'connect=v1&encoding=json&message=%7B%22service%22%3A%22%22%7D';
    const answer = await answerTo(`GET http://localhost/grpc.health.v1.Health/Check?${query}`);
    const origin = await answerTo(`GET /grpc.health.v1.Health/Check?${query}`);
    const withoutDate = (text: string): string => text.replace(/date: .*\r\n/i, '');
    expect(withoutDate(answer)).toBe(withoutDate(origin));
  });
});
