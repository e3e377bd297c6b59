/** Requests that a web page may have sent are refused at every door, of both versions of HTTP, before anything runs. */
import { create, toBinary } from '@bufbuild/protobuf';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { describe, expect, test } from 'vitest';
import { PutRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import { openSession, post, replyOf } from '../../support/bare-http2.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { type TestServer, startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { type Ask, tlsFlags, versions } from './ask.ts';

const put = '/kelp.v1.KvService/Put';
const message = toBinary(PutRequestSchema, create(PutRequestSchema, { key: 'a', value: Buffer.from('1') }));
const json = JSON.stringify({ key: 'a', value: 'MQ==' });

function call(type: string, body: Uint8Array | string): Ask {
  return { method: 'POST', path: put, headers: { 'content-type': type }, body };
}

const doors: readonly (readonly [name: string, ask: Ask])[] = [
  ['gRPC', call('application/grpc', encodeEnvelope(0, message))],
  ['gRPC-Web', call('application/grpc-web+proto', encodeEnvelope(0, message))],
  ['Connect', call('application/proto', message)],
  ['Connect in JSON', call('application/json', json)],
  ['REST', { method: 'PUT', path: '/v1/keys/a', headers: { 'content-type': 'text/plain' }, body: '1' }],
  ['health', { method: 'GET', path: '/healthz' }],
  ['readiness', { method: 'HEAD', path: '/readyz' }],
  ['metrics', { method: 'GET', path: '/metrics' }],
  ['no door', { method: 'GET', path: '/' }],
  ['no path', { method: 'OPTIONS', path: '*' }],
  [
    "a browser's question",
    { method: 'OPTIONS', path: put, headers: { 'access-control-request-method': 'POST' } },
  ],
];

const faults: readonly (readonly [name: string, headers: (server: TestServer) => Ask['headers']])[] = [
  ['a foreign origin', () => ({ origin: 'https://evil.example' })],
  ['the origin null', () => ({ origin: 'null' })],
  ['a foreign host', ({ port }) => ({ host: `evil.example:${port}` })],
  [
    'a foreign host that is its own origin',
    ({ port }) => ({ host: `evil.example:${port}`, origin: `http://evil.example:${port}` }),
  ],
];

async function revisionOf({ url }: TestServer): Promise<string> {
  const [, [, ask]] = versions as [unknown, (typeof versions)[number]];
  const { body } = await ask(url, { method: 'GET', path: '/metrics', headers: { host: 'localhost' } });
  return /^kelp_revision (\d+)$/m.exec(body.toString())?.[1] ?? '';
}

describe.each([
  ['plain text', {}],
  ['TLS', tlsFlags],
])('over %s', (_, flags) => {
  test.each(versions)('%s refuses a page at every door, and nothing of it has run', async (_name, ask) => {
    const server = await startTestServer({ flags });
    for (const [door, request] of doors) {
      for (const [fault, headersOf] of faults) {
        const headers = { ...request.headers, ...headersOf(server) };
        const { status } = await ask(server.url, { ...request, headers });
        expect(status, `${door}, ${fault}`).toBe(403);
      }
    }
    expect(await revisionOf(server)).toBe('0');
  });

  test.each(versions)('%s serves the page of the server itself, and programs', async (_name, ask) => {
    const server = await startTestServer({ flags });
    const scheme = flags === tlsFlags ? 'https' : 'http';
    const own: readonly NonNullable<Ask['headers']>[] = [
      {},
      { host: `localhost:${server.port}` },
      { origin: `${scheme}://${server.address}` },
      { host: 'localhost', origin: `${scheme}://localhost` },
    ];
    for (const headers of own) {
      const request = call('application/json', json);
      const { status } = await ask(server.url, { ...request, headers: { ...request.headers, ...headers } });
      expect(status, JSON.stringify(headers)).toBe(200);
    }
    expect(await revisionOf(server)).toBe(String(own.length));
  });
});

describe('the refusal', () => {
  const reason = 'start the server with --cors-origin https://evil.example';

  test.each(versions)('of %s tells each kind of client what to do', async (_name, ask) => {
    const { url } = await startTestServer();
    const refused = async (type: string, more: Ask['headers'] = {}): Promise<string[]> => {
      const headers = { 'content-type': type, origin: 'https://evil.example', ...more };
      const answer = await ask(url, { method: 'POST', path: put, headers, body: json });
      const text = answer.headers['grpc-message'] ?? answer.body.toString();
      expect(text).toContain(reason);
      return [answer.headers['content-type'] ?? '', String(answer.headers['grpc-status'])];
    };
    expect(await refused('application/grpc+proto')).toEqual(['application/grpc+proto', '7']);
    expect(await refused('application/grpc-web-text')).toEqual(['application/grpc-web-text', '7']);
    expect(await refused('application/proto')).toEqual(['application/json', 'undefined']);
    expect(await refused('application/connect+json')).toEqual(['application/json', 'undefined']);
    const connect = { 'connect-protocol-version': '1' };
    expect(await refused('application/json', connect)).toEqual(['application/json', 'undefined']);
    expect(await refused('application/json')).toEqual(['application/problem+json', 'undefined']);
    expect(await refused('text/plain')).toEqual(['application/problem+json', 'undefined']);
  });

  test('is logged once in a while', async () => {
    const { url, log } = await startTestServer();
    const [[, ask]] = versions as [(typeof versions)[number]];
    const request = { method: 'GET', path: '/healthz', headers: { origin: 'https://evil.example' } };
    for (let count = 0; count < 3; count++) await ask(url, request);
    const line = await log.message('a request was refused that a web page may have sent');
    expect(line['reason']).toContain(reason);
    expect(log.lines.filter(({ msg }) => msg === line['msg'])).toHaveLength(1);
  });
});

test('of a connection of HTTP/2 each request is looked at, also those whose bytes came before', async () => {
  const server = await startTestServer();
  const session = await openSession(server.url);
  const statusOf = async (headers: object): Promise<number | undefined> => {
    const stream = post(session, put, 'application/grpc', { ...headers });
    stream.end(encodeEnvelope(0, message));
    return (await replyOf(stream)).headers[':status'];
  };
  const foreign = { ':authority': 'evil.example' };
  const page = { origin: 'https://evil.example' };
  for (let round = 0; round < 4; round++) {
    expect(await statusOf({})).toBe(200);
    expect(await statusOf(foreign)).toBe(403);
    expect(await statusOf(page)).toBe(403);
  }
  expect(await revisionOf(server)).toBe('4');
});

test('several lines of origin are no origin', async () => {
  const server = await startTestServer({ flags: { 'cors-origin': 'https://app.example.com' } });
  const connection = await RawConnection.open(server);
  const line = 'Origin: https://app.example.com\r\n';
  connection.send(`GET /healthz HTTP/1.1\r\nHost: localhost\r\n${line}\r\n`);
  await connection.until('alive');
  connection.send(`GET /healthz HTTP/1.1\r\nHost: localhost\r\n${line}${line}\r\n`);
  await connection.until('403 Forbidden');
});

test('several lines of host are no host of this machine', async () => {
  const server = await startTestServer();
  const connection = await RawConnection.open(server);
  connection.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\nhost: evil.example\r\n\r\n');
  await connection.until('403 Forbidden');
  expect(connection.received).toContain('localhost, evil.example');
});

test('a target with a host of its own counts for Host, and one of HTTP/1.0 needs none', async () => {
  const server = await startTestServer();
  const answerTo = async (request: string): Promise<string> => {
    const connection = await RawConnection.open(server);
    connection.send(`${request}\r\nConnection: close\r\n\r\n`);
    await connection.closed;
    return connection.received.slice(0, connection.received.indexOf('\r\n'));
  };
  expect(await answerTo('GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost')).toContain('403');
  expect(await answerTo('GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example')).toContain('200');
  expect(await answerTo('GET /healthz HTTP/1.0')).toContain('200');
  expect(await answerTo('GET /healthz HTTP/1.0\r\nOrigin: http://localhost')).toContain('403');
  expect(await answerTo('GET /healthz HTTP/1.1\r\nHost: ')).toContain('200');
});

test('a socket of a file has no rule for the host, but that for the origin', async () => {
  const path = `${await temporaryDirectory()}/kelp.sock`;
  await startTestServer({ flags: { listen: `unix:${path}` } });
  const statusOf = async (headers: string): Promise<string> => {
    const connection = await RawConnection.openFile(path);
    connection.send(`GET /healthz HTTP/1.1\r\nConnection: close\r\n${headers}\r\n\r\n`);
    await connection.closed;
    return connection.received.slice(9, 12);
  };
  expect(await statusOf('Host: kv.example.com')).toBe('200');
  expect(await statusOf('Host: kv.example.com\r\nOrigin: https://kv.example.com')).toBe('200');
  expect(await statusOf('Host: kv.example.com\r\nOrigin: https://evil.example')).toBe('403');
});

test('hosts of --listen and of allowed origins are its own', async () => {
  const flags = {
    listen: '0.0.0.0:0',
    'allow-anonymous': 'true',
    'cors-origin': 'https://kv.example.com',
  };
  const { port } = await startTestServer({ flags });
  for (const [, ask] of versions) {
    const statusOf = async (host: string): Promise<number> =>
      (await ask(`http://127.0.0.1:${port}`, { method: 'GET', path: '/healthz', headers: { host } })).status;
    expect(await statusOf(`0.0.0.0:${port}`)).toBe(200);
    expect(await statusOf('kv.example.com')).toBe(200);
    expect(await statusOf('example.com')).toBe(403);
  }
});
