import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  connect as connectHttp2,
  constants,
} from 'node:http2';
import { Agent, request as httpRequest } from 'node:http';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Code, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { createClient as createKelpClient } from '../../../src/client/client.ts';
import { serverDefaults } from '../../../src/limits.ts';
import { ServerStartError } from '../../../src/server/server.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { openSession } from '../../support/bare-http2.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { startTestServer } from '../../support/test-server.ts';

const certPath = fileURLToPath(new URL('../../support/tls/cert.pem', import.meta.url));
const keyPath = fileURLToPath(new URL('../../support/tls/key.pem', import.meta.url));
const ca = readFileSync(certPath);
/** The preface and an empty SETTINGS frame. */
const HTTP2_BEGINNING = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

interface Answer {
  readonly headers: IncomingHttpHeaders & { readonly ':status'?: number };
  readonly body: string;
}

async function http2Session(url: string, options: object = {}): Promise<ClientHttp2Session> {
  const session = connectHttp2(url, options);
  onTestFinished(() => session.destroy());
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  return session;
}

async function http2Get(session: ClientHttp2Session, path: string): Promise<Answer> {
  const stream = session.request({ ':path': path });
  const [headers] = (await once(stream, 'response')) as [Answer['headers']];
  return { headers, body: await textOf(stream) };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('one port', () => {
  test('answers HTTP/1.1 and HTTP/2 with prior knowledge', async () => {
    const server = await startTestServer();

    const http1 = await fetch(`${server.url}/readyz`);
    const http2 = await http2Get(await http2Session(server.url), '/readyz');

    expect([http1.status, await http1.json()]).toEqual([200, { status: 'serving' }]);
    expect([http2.headers[':status'], JSON.parse(http2.body)]).toEqual([200, { status: 'serving' }]);
  });

  test('takes a preface that comes byte by byte', async () => {
    const server = await startTestServer();
    const connection = await RawConnection.open(server);
    connection.socket.setNoDelay(true);

    for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') {
      connection.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    // An empty SETTINGS frame, and its acknowledgement.
    connection.send(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));

    await connection.until('\0\0\0\x04\x01\0\0\0\0');
  });

  test('takes a method of HTTP/1.1 that begins like the preface', async () => {
    const server = await startTestServer();
    const connection = await RawConnection.open(server);

    connection.send('P');
    connection.send('R');
    connection.send('OPFIND /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n');

    expect(await connection.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 405 /);
  });

  test('keeps a connection of HTTP/1.1 for the next request', async () => {
    const server = await startTestServer();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const get = async (): Promise<number | undefined> => {
      const request = httpRequest(`${server.url}/healthz`, { agent });
      request.end();
      const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
      await textOf(response);
      return request.socket?.localPort;
    };

    expect(await get()).toBe(await get());
  });

  test('answers requests that are pipelined, in their order', async () => {
    const server = await startTestServer();
    const connection = await RawConnection.open(server);

    connection.send(
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n',
    );

    expect(await connection.until(/alive.*serving/s)).toMatch(/alive.*serving/s);
  });

  test('answers a client that ends its side after the request', async () => {
    const server = await startTestServer();
    const connection = await RawConnection.open(server);

    connection.socket.end('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

    expect(await connection.until(/alive/)).toMatch(/^HTTP\/1\.1 200/);
    await connection.closed;
  });

  test('answers a call of HTTP/1.0, which has no Host header', async () => {
    const server = await startTestServer();
    const connection = await RawConnection.open(server);

    connection.send('POST /kelp.v1.KvService/Get HTTP/1.0\r\nContent-Type: application/json\r\n');
    connection.send('Content-Length: 11\r\n\r\n{"key":"a"}');

    expect(await connection.until(/\}/)).toMatch(
      /^HTTP\/1\.1 200 OK.*\{"revision":"0"\}|^HTTP\/1\.1 200 OK.*\{\}/s,
    );
  });

  test('answers a call whose Host header is no host, where every one is allowed', async () => {
    const server = await startTestServer({ flags: { 'cors-origin': '*' } });
    const connection = await RawConnection.open(server);

    connection.send(
      'POST /kelp.v1.KvService/Get HTTP/1.1\r\nHost: a b:c\r\nContent-Type: application/json\r\n',
    );
    connection.send('Content-Length: 11\r\n\r\n{"key":"a"}');

    expect(await connection.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test.each(['h2c', 'h2c, HTTP2-Settings', 'websocket'])(
    'answers a request that asks to go on in another protocol (%s) in its own',
    async (protocol) => {
      const server = await startTestServer();
      const connection = await RawConnection.open(server);

      connection.send(
        `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\n` +
          'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n',
      );

      expect(await connection.until(/alive/)).toMatch(/^HTTP\/1\.1 200 OK/);
      // And the next one, too.
      connection.send('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await connection.until(/serving/);
    },
  );

  describe('a request to upgrade', () => {
    const upgrade =
      'Connection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
    const get = (path: string, fields = ''): string =>
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`;
    const body = '{"key":"a"}';
    const post = (fields: string): string =>
      'POST /kelp.v1.KvService/Get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\n${fields}\r\n`;

    /** Waits for so many responses. @returns a word of each body, in order. */
    async function answers(
      connection: RawConnection,
      count: number,
    ): Promise<readonly (string | undefined)[]> {
      const response = String.raw`HTTP/1\.1 200 OK\r\n(?:[^\r]+\r\n)+\r\n[^]*?(alive|serving|\{\})`;
      const received = await connection.until(new RegExp(`(?:${response}[^]*?){${count}}`));
      return [...received.matchAll(new RegExp(response, 'g'))].map(([, word]) => word);
    }

    test.each([
      ['without a body', [get('/healthz', upgrade) + get('/readyz')], ['alive', 'serving']],
      ['with a body', [post(upgrade) + body + get('/readyz')], ['{}', 'serving']],
      [
        'whose body comes later',
        [post(upgrade), body.slice(0, 3), body.slice(3) + get('/readyz')],
        ['{}', 'serving'],
      ],
      [
        'behind several others that are not answered yet',
        [(post('') + body).repeat(3) + post(upgrade) + body + get('/healthz')],
        ['{}', '{}', '{}', '{}', 'alive'],
      ],
      [
        'behind others and before others that ask as well',
        [
          post('') +
            body +
            post(upgrade) +
            body +
            get('/healthz', upgrade) +
            get('/readyz', upgrade) +
            post('') +
            body,
        ],
        ['{}', '{}', 'alive', 'serving', '{}'],
      ],
    ])('%s is answered, and what came with it too, in order', async (_, parts, expected) => {
      const server = await startTestServer();
      const connection = await RawConnection.open(server);
      for (const part of parts) {
        connection.send(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await answers(connection, expected.length)).toEqual(expected);
    });

    test('leaves nothing on the connection, however often one comes', async () => {
      const warnings: Error[] = [];
      const note = (warning: Error): void => void warnings.push(warning);
      process.on('warning', note);
      onTestFinished(() => void process.off('warning', note));
      const server = await startTestServer();
      const connection = await RawConnection.open(server);
      connection.send(get('/healthz', upgrade).repeat(15));
      expect(await answers(connection, 15)).toEqual(Array(15).fill('alive'));
      expect(warnings).toEqual([]);
    });

    test('leaves the connection as it was told to be', async () => {
      const server = await startTestServer();
      const connection = await RawConnection.open(server);
      connection.send(get('/healthz', 'Connection: Upgrade, close\r\nUpgrade: h2c\r\n'));
      await connection.closed;
      expect(connection.received).toMatch(/^HTTP\/1\.1 200 [^]*alive/);
    });
  });

  test('says what it can not listen on', async () => {
    const server = await startTestServer();

    const second = startTestServer({ flags: { listen: server.address } });

    await expect(second).rejects.toThrow(ServerStartError);
    await expect(second).rejects.toThrow(`can't listen on ${server.address}`);
  });
});

describe('a connection that dawdles', () => {
  const flags = { 'handshake-timeout': '100ms' };

  test('is closed when it sends nothing', async () => {
    const server = await startTestServer({ flags });
    const connection = await RawConnection.open(server);

    await connection.closed;

    expect(connection.received).toBe('');
  });

  test('is closed when it stops within the preface', async () => {
    const server = await startTestServer({ flags });
    const connection = await RawConnection.open(server);

    connection.send('PRI * HT');

    await connection.closed;
  });

  test.each([
    ['after the first line of the preface', 'PRI * HTTP/2.0\r\n'],
    ['before its settings', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    [
      'within the headers of a call',
      // Settings, and headers that are said to go on.
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\0\0\0\0\x01\x83',
    ],
  ])('is closed when it stops %s of HTTP/2', async (_, bytes) => {
    const server = await startTestServer({ flags });
    const connection = await RawConnection.open(server);

    connection.send(Buffer.from(bytes, 'latin1'));

    await connection.closed;
  });

  test('is kept when it idles on HTTP/2', async () => {
    const server = await startTestServer({ flags });
    const session = await openSession(server.url);
    const rival = await RawConnection.open(server);

    rival.send('PRI * HTTP/2.0\r\n');

    await rival.closed;
    expect(session.closed).toBe(false);
  });

  test('is answered 408 when it stops within the headers of HTTP/1.1', async () => {
    const server = await startTestServer({ flags });
    const connection = await RawConnection.open(server);

    connection.send('GET /healthz HTTP/1.1\r\nHost: lo');

    expect(await connection.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 408 /);
    await connection.closed;
  });

  test('is closed when it does not finish the TLS handshake', async () => {
    const server = await startTestServer({ flags: { ...flags, 'tls-cert': certPath, 'tls-key': keyPath } });
    const connection = await RawConnection.open(server);

    connection.send(Buffer.from([0x16, 0x03, 0x01]));

    await connection.closed;
  });

  test('is closed when it idles after a request of HTTP/1.1', async () => {
    const server = await startTestServer({ flags: { 'idle-timeout': '50ms' } });
    const connection = await RawConnection.open(server);

    connection.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');

    await connection.until(/alive/);
    await connection.closed;
  });
});

describe('limits of connections', () => {
  test('one connection too many is closed, the others go on', async () => {
    const server = await startTestServer({ flags: { 'connections-max': '2' } });
    const first = await RawConnection.open(server);
    const second = await RawConnection.open(server);

    const third = await RawConnection.open(server);
    await third.closed;

    for (const connection of [first, second]) {
      connection.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await connection.until(/alive/);
    }
  });

  test('one connection too many of an address is told so, and another has its place once one is closed', async () => {
    const server = await startTestServer({
      flags: { 'connections-per-address-max': '2' },
      countsLoopback: true,
    });
    const request = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const first = await RawConnection.open(server);
    const second = await RawConnection.open(server);
    for (const connection of [first, second]) {
      connection.send(request);
      await connection.until(/alive/);
    }

    const third = await RawConnection.open(server);
    third.send(request);
    const text = await third.until(/connections-per-address-max\)\n$/);
    expect(text).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/);
    expect(text).toMatch(/retry-after: 1\r\n[^]*your address has 2 connections open/);
    await third.closed;

    const session = connectHttp2(server.url);
    session.on('error', () => undefined);
    const [code, lastStreamId, reason] = (await once(session, 'goaway')) as [number, number, Buffer];
    expect([code, lastStreamId]).toEqual([constants.NGHTTP2_ENHANCE_YOUR_CALM, 0]);
    expect(reason.toString()).toContain('your address has 2 connections open');

    await using client = createKelpClient({ address: server.address, retries: 0 });
    await expect(client.put('a', '1')).rejects.toMatchObject({
      code: 'unavailable',
      mayHaveTakenEffect: false,
    });
    const line = await server.log.message('an address has too many connections, one more was closed');
    expect(line).toMatchObject({ remoteAddress: '127.0.0.1', connectionsPerAddressMax: 2 });

    second.send('GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await second.until(/kelp_connections_refused_total\{limit="connections-per-address-max"\} 3\n/);
    await second.closed;
    expect((await client.put('a', '1')).revision).toBe(1);
  });

  test('headers that are too long are refused over both versions', async () => {
    const server = await startTestServer({ flags: { 'header-bytes-max': '4KiB' } });
    const connection = await RawConnection.open(server);
    const long = 'x'.repeat(8000);

    connection.send(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ${long}\r\n\r\n`);
    const refused = await connection.until(/longer than 4096 bytes \(header-bytes-max\)\n$/);
    expect(refused).toMatch(/^HTTP\/1\.1 431 /);
    await connection.closed;

    const session = await http2Session(server.url);
    // The server's limit holds from when it knows that the client knows it.
    await new Promise((resolve) => session.ping(resolve));
    const stream = session.request({ ':path': '/healthz', 'x-long': long });
    const [headers] = (await once(stream, 'response')) as [Answer['headers']];
    expect(headers[':status']).toBe(431);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  test.each([
    ['GET /v1/keys/\u00fc HTTP/1.1\r\nHost: localhost\r\n\r\n', /write it percent-encoded, as in %C3%BC\n$/],
    ['GET /v1/keys/a b HTTP/1.1\r\nHost: localhost\r\n\r\n', /this is no request of HTTP\/1\.1: .+\n$/],
    ['GET / HTTP/1.1\r\nHost: localhost\r\na b: c\r\n\r\n', /this is no request of HTTP\/1\.1: .+\n$/],
    [
      'PUT /v1/keys/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\nno length\r\n',
      /this is no request of HTTP\/1\.1: .+\n$/,
    ],
  ])('what is no request is told why: %j', async (bytes, text) => {
    const connection = await RawConnection.open(await startTestServer());
    connection.send(Buffer.from(bytes, 'latin1'));
    expect(await connection.until(text)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    await connection.closed;
  });

  test('what is no request behind one that is not answered yet only ends the connection', async () => {
    const server = await startTestServer();
    const connection = await RawConnection.open(server);
    connection.send('GET /v1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await connection.until('synced');
    connection.send('no request\r\n\r\n');
    await connection.closed;
    expect(connection.received).not.toContain('400');
  });

  test('a call of gRPC whose metadata is too long is told so by its status', async () => {
    const server = await startTestServer();
    const long = 'x'.repeat(serverDefaults.headerBytesMax);
    const refusal = /headers of the call, its metadata, .* 16384 bytes, .*\(header-bytes-max\)/;

    const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));
    await expect(kv.get({ key: 'a' }, { headers: { 'x-long': long } })).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: expect.stringMatching(refusal),
    });

    const client = new Client(server.address, credentials.createInsecure());
    onTestFinished(() => client.close());
    const metadata = new Metadata();
    metadata.set('x-long', long);
    const call = new Promise((resolve, reject) => {
      const asIs = (bytes: Buffer): Buffer => bytes;
      const told = (error: Error | null, reply?: Buffer): void =>
        error === null ? resolve(reply) : reject(error);
      client.makeUnaryRequest('/kelp.v1.KvService/Get', asIs, asIs, Buffer.alloc(0), metadata, told);
    });
    await expect(call).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      details: expect.stringMatching(refusal),
    });
    expect((await kv.get({ key: 'a' })).revision).toBe(0n);
  });

  test('streams beyond the limit of a connection wait for their turn', async () => {
    const server = await startTestServer({ flags: { 'streams-per-connection-max': '4' } });
    const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));
    // The client learns the limit when it connects.
    await kv.get({ key: 'a' });

    const replies = await Promise.all(Array.from({ length: 40 }, (_, index) => kv.put({ key: `k${index}` })));

    expect(replies).toHaveLength(40);
  });
});

/** Hands a connection to a server, what the client sends first a byte at a time. */
async function splittingProxy(server: {
  readonly host: string;
  readonly port: number;
}): Promise<AddressInfo> {
  const proxy = createTcpServer((socket) => {
    const upstream = connectTcp({ host: server.host, port: server.port, noDelay: true });
    onTestFinished(() => void upstream.destroy());
    for (const each of [socket, upstream]) each.on('error', () => undefined);
    upstream.pipe(socket);
    socket.once('data', (first: Buffer) => {
      socket.pause();
      void (async () => {
        for (const byte of first) {
          upstream.write(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.pipe(upstream);
      })();
    });
  });
  onTestFinished(() => void proxy.close());
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return proxy.address() as AddressInfo;
}

describe('without TLS', () => {
  test('a client that comes with TLS is told in plain text, and logged once for many', async () => {
    const server = await startTestServer();
    for (let count = 0; count < 3; count++) {
      const socket = connectTls({ port: server.port, host: server.host, ca, servername: 'localhost' });
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toMatch(/WRONG_VERSION_NUMBER/);
    }
    const connection = await RawConnection.open(server);
    connection.send(Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 3]));
    await connection.closed;
    expect(connection.received).toMatch(/^HTTP\/1\.1 400 .*this port speaks no TLS; use http:\/\/\n$/s);
    const text = 'a client with TLS came to this port, which has none';
    expect(server.log.lines.filter(({ msg }) => msg === text)).toMatchObject([{ level: 'info' }]);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });
});

describe('with TLS', () => {
  const flags = { 'tls-cert': certPath, 'tls-key': keyPath };

  test('serves HTTP/1.1 and HTTP/2 as the client likes', async () => {
    const server = await startTestServer({ flags });
    for (const httpVersion of ['1.1', '2'] as const) {
      const transport = createConnectTransport({
        baseUrl: `https://localhost:${server.port}`,
        httpVersion,
        nodeOptions: { ca },
      });
      const kv = createClient(KvService, transport);
      const value = Buffer.alloc(1_000_000, httpVersion);

      await kv.put({ key: httpVersion, value });

      expect(Buffer.from((await kv.get({ key: httpVersion })).entry?.value ?? []).equals(value)).toBe(true);
    }
  });

  test.each(['h2', 'http/1.1'])('resumes a session of TLS for a client of %s', async (protocol) => {
    const server = await startTestServer({ flags });
    const options = {
      port: server.port,
      host: server.host,
      ca,
      servername: 'localhost',
      ALPNProtocols: [protocol],
    };
    const first = connectTls(options);
    onTestFinished(() => void first.destroy());
    first.resume();
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();

    const second = connectTls({ ...options, session });
    onTestFinished(() => void second.destroy());
    await once(second, 'secureConnect');

    expect([second.isSessionReused(), second.alpnProtocol]).toEqual([true, protocol]);
    second.write(protocol === 'h2' ? HTTP2_BEGINNING : 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = (await once(second, 'data')) as [Buffer];
    // SETTINGS, or a status line.
    expect(protocol === 'h2' ? answer[3] : answer.toString('latin1', 0, 12)).toBe(
      protocol === 'h2' ? 4 : 'HTTP/1.1 200',
    );
  });

  test('serves grpc-js', async () => {
    const server = await startTestServer({ flags });
    const client = new GrpcJsClient(`localhost:${server.port}`, credentials.createSsl(ca));

    expect(await client.unary(KvService.method.put, { key: 'a' })).toMatchObject({ revision: 1n });
  });

  test('serves HTTP/1.1 to a client that does not negotiate', async () => {
    const server = await startTestServer({ flags });
    const socket = connectTls({ port: server.port, host: server.host, ca, servername: 'localhost' });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');

    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 200 OK.*alive/s);
  });

  test.each([
    ['HTTP/1.1', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['nothing that is known', 'hello\r\n'],
  ])('tells a client that speaks %s in plain text to use TLS, and goes on', async (_, bytes) => {
    const server = await startTestServer({ flags });
    const connection = await RawConnection.open(server);

    connection.send(bytes);
    await connection.closed;

    expect(connection.received).toMatch(/^HTTP\/1\.1 400 .*\r\n\r\nthis port speaks TLS; use https:\/\/\n$/s);
    await server.log.message('a client without TLS came to this port, which has TLS');
    const answer = await http2Get(await http2Session(`https://localhost:${server.port}`, { ca }), '/healthz');
    expect(answer.headers[':status']).toBe(200);
  });

  test('tells grpc-js that comes in plain text to use TLS', async () => {
    const server = await startTestServer({ flags });
    const client = new GrpcJsClient(server.address);

    await expect(client.unary(KvService.method.put, { key: 'a' })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: 'this port speaks TLS; use https://',
    });

    await server.log.message('a client without TLS came to this port, which has TLS');
  });

  test('tells any other client of HTTP/2 in plain text to use TLS, by its answer and as it closes', async () => {
    const server = await startTestServer({ flags });
    const session = await http2Session(`http://${server.address}`);
    const goaway = once(session, 'goaway') as Promise<[code: number, lastStreamId: number, text: Buffer]>;
    const closed = once(session, 'close');

    const answer = await http2Get(session, '/healthz');

    expect(answer.headers[':status']).toBe(400);
    expect(answer.body).toBe('this port speaks TLS; use https://\n');
    const [code, , text] = await goaway;
    expect([code, text.toString()]).toEqual([0, 'this port speaks TLS; use https://']);
    await closed;
  });

  test('closes a connection of HTTP/2 in plain text that asks for nothing', async () => {
    const server = await startTestServer({ flags: { ...flags, 'handshake-timeout': '100ms' } });
    const connection = await RawConnection.open(server);

    connection.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

    await connection.closed;
  });

  test('takes a first record that comes byte by byte', async () => {
    const server = await startTestServer({ flags });
    const { port } = await splittingProxy(server);

    const answer = await http2Get(await http2Session(`https://localhost:${port}`, { ca }), '/healthz');

    expect(answer.headers[':status']).toBe(200);
  });

  test('closes a connection that stops within its handshake', async () => {
    const server = await startTestServer({ flags: { ...flags, 'handshake-timeout': '100ms' } });
    const connection = await RawConnection.open(server);

    connection.send(Buffer.from([22, 3, 1]));

    await connection.closed;
  });

  test('does not start with a certificate that is none', async () => {
    const start = startTestServer({ flags: { 'tls-cert': import.meta.filename, 'tls-key': keyPath } });
    await expect(start).rejects.toThrow(/^--tls-cert and --tls-key: expected/);

    const missing = startTestServer({ flags: { 'tls-cert': '/nowhere/cert.pem', 'tls-key': keyPath } });
    await expect(missing).rejects.toThrow(/^--tls-cert: can't read \/nowhere\/cert.pem/);
  });
});

describe('unknown paths', () => {
  test('are 404 in JSON', async () => {
    const server = await startTestServer();

    const response = await fetch(`${server.url}/nowhere`);

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: 'unimplemented',
      message: expect.stringContaining('/nowhere'),
    });
  });

  test('are UNIMPLEMENTED to gRPC, with the method in the text', async () => {
    const server = await startTestServer();
    const session = await http2Session(server.url);

    const stream = session.request({
      ':method': 'POST',
      ':path': '/kelp.v1.KvService/Fly',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end();

    const [headers] = (await once(stream, 'response')) as [Answer['headers']];
    expect(headers).toMatchObject({ ':status': 200, 'grpc-status': '12' });
    expect(decodeURIComponent(String(headers['grpc-message']))).toContain('/kelp.v1.KvService/Fly');
  });

  test('probes answer only to GET', async () => {
    const server = await startTestServer();

    expect((await fetch(`${server.url}/readyz`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${server.url}/readyz`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${server.url}/healthz?verbose`)).status).toBe(200);
  });
});
