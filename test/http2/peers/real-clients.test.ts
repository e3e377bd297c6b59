/** Clients that others have written, as far as they are installed. */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Client, credentials } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ConnectionEnd } from '../../../src/http2/contract/endpoint.ts';
import { openSession, replyOf } from '../../support/bare-http2.ts';
import { found } from '../../support/installed.ts';
import { EchoServer } from '../support/echo-server.ts';

const run = promisify(execFile);

function isInstalled(command: string, ...mustKnow: string[]): boolean {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return found(command, status === 0 && mustKnow.every((word) => stdout.includes(word)));
}

/** Every request has come to its end, and every connection closed in peace. */
async function expectPeace(server: EchoServer, connections: number, requests: number): Promise<void> {
  await expectEnded(server, connections, requests);
  expect(server.ends).toEqual(Array.from({ length: connections }, () => ({ kind: 'done' })));
}

const isDone = ({ kind }: ConnectionEnd): boolean => kind === 'done';
const isReset = (end: ConnectionEnd): boolean =>
  end.kind === 'io' && end.error !== undefined && 'code' in end.error && end.error.code === 'ECONNRESET';

/** However the connections have ended. */
async function expectEnded(server: EchoServer, connections: number, requests: number): Promise<void> {
  await server.ended(connections);
  expect(server.connections.size).toBe(0);
  expect(server.requests).toHaveLength(requests);
  expect(server.requests.every(({ closes, late }) => closes.length === 1 && late.length === 0)).toBe(true);
}

describe('node:http2', () => {
  test('calls with small and large bodies, many at a time', async () => {
    const server = await EchoServer.start();
    const session = await openSession(server.url);
    const bodies = Array.from({ length: 50 }, (_, index) => randomBytes(index * 5000));
    const replies = bodies.map(async (body, index) => {
      const stream = session.request({ ':method': 'POST', ':path': index % 2 === 0 ? '/echo' : '/unary' });
      stream.end(body);
      return replyOf(stream);
    });
    for (const [index, { headers, body }] of (await Promise.all(replies)).entries()) {
      expect(headers).toMatchObject({ ':status': 200, 'grpc-status': '0' });
      expect(body.equals(bodies[index]!)).toBe(true);
    }
    session.close();
    await expectPeace(server, 1, 50);
  });

  test('long replies at the pace of a client with small windows', async () => {
    const server = await EchoServer.start();
    const session = await openSession(server.url, { settings: { initialWindowSize: 1000 } });
    const replies = await Promise.all(
      ['/large', '/stream', '/large', '/stream'].map((path) => replyOf(session.request({ ':path': path }))),
    );
    expect(replies.map(({ body }) => body.length)).toEqual([200_000, 200_000, 200_000, 200_000]);
    session.close();
    await expectPeace(server, 1, 4);
  });

  test('trailers, resets, pings and settings', async () => {
    const server = await EchoServer.start();
    const session = await openSession(server.url);
    const stream = session.request({ ':method': 'POST', ':path': '/echo' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': 'abc' }));
    stream.end('body');
    expect((await replyOf(stream)).body.toString()).toBe('body');
    expect(server.requests[0]?.trailers).toEqual([['x-checksum', 'abc']]);

    await promisify(session.ping.bind(session))();
    await promisify(session.settings.bind(session))({ headerTableSize: 0, initialWindowSize: 500_000 });
    expect((await replyOf(session.request({ ':path': '/unary' }))).headers).toMatchObject({
      'grpc-status': '0',
    });

    const ignored = session.request({ ':method': 'POST', ':path': '/ignore' });
    ignored.on('error', () => undefined);
    await promisify(session.ping.bind(session))();
    ignored.close(8);
    await once(ignored, 'close');
    const refused = session.request({ ':method': 'POST', ':path': '/refuse' });
    refused.on('error', () => undefined);
    expect((await replyOf(refused)).headers).toEqual(expect.objectContaining({ ':status': 503 }));
    const reset = session.request({ ':path': '/reset-late' });
    const [error] = (await once(reset, 'error')) as [Error];
    expect(error.message).toContain('NGHTTP2_INTERNAL_ERROR');
    session.close();
    await expectPeace(server, 1, 5);
  });

  test('a server that shuts down serves what is under way', async () => {
    const server = await EchoServer.start();
    const session = await openSession(server.url);
    const stream = session.request({ ':method': 'POST', ':path': '/unary' });
    const reply = replyOf(stream);
    stream.write('first ');
    await promisify(session.ping.bind(session))();
    const goaway = once(session, 'goaway');
    for (const connection of server.connections) connection.shutdown();
    await goaway;
    stream.end('last');
    expect((await reply).body.toString()).toBe('first last');
    await expectPeace(server, 1, 1);
  });
});

test('grpc-js makes unary calls', async () => {
  const server = await EchoServer.start();
  const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const calls = Array.from({ length: 30 }, async (_, index) => {
    const sent = randomBytes(index * 1000);
    const received = await new Promise<Buffer | undefined>((resolve, reject) => {
      client.makeUnaryRequest(
        '/kelp.Echo/Call',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        sent,
        (error, reply) => (error === null ? resolve(reply) : reject(error)),
      );
    });
    expect(received?.equals(sent)).toBe(true);
  });
  await Promise.all(calls);
  client.close();
  await server.ended(1);
  expect(server.requests).toHaveLength(30);
});

/** An interpreter that has gRPC; the system's may, where another comes first in the path. */
const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import grpc'], { stdio: 'ignore' }).status === 0,
);

const pythonCalls = `
import grpc, sys
channel = grpc.insecure_channel(sys.argv[1])
unary = channel.unary_unary('/kelp.Echo/Call')
bodies = [bytes([index]) * (index * 1000) for index in range(100)]
calls = [unary.future(body) for body in bodies]
assert [call.result(timeout=60) for call in calls] == bodies
messages = [b'message %d' % index for index in range(200)]
assert list(channel.stream_stream('/echo')(iter(messages))) == messages
ignored = channel.unary_unary('/ignore').future(b'x')
ignored.cancel()
channel.close()
print('done')
`;

describe.runIf(found('grpcio of Python', python !== undefined))("Python's grpcio", () => {
  test('makes unary calls, streams both ways and cancels', async () => {
    const server = await EchoServer.start();
    const { stdout } = await run(python ?? '', ['-c', pythonCalls, `127.0.0.1:${server.port}`]);
    expect(stdout).toBe('done\n');
    await server.ended(1);
    expect(server.ends).toEqual([{ kind: 'done' }]);
    expect(server.requests.filter(({ head }) => head.path === '/kelp.Echo/Call')).toHaveLength(100);
    expect(server.requests.every(({ closes, late }) => closes.length === 1 && late.length === 0)).toBe(true);
  });
});

describe.runIf(isInstalled('curl', 'nghttp2'))('curl', () => {
  const curl = async (server: EchoServer, path: string, ...rest: string[]): Promise<string> => {
    const { stdout } = await run(
      'curl',
      [
        '--silent',
        '--show-error',
        '--noproxy',
        '*',
        '--http2-prior-knowledge',
        ...rest,
        `${server.url}${path}`,
      ],
      { maxBuffer: 1 << 24 },
    );
    return stdout;
  };

  test('a request without a body, and its response', async () => {
    const server = await EchoServer.start();
    expect(await curl(server, '/unary', '--include')).toMatch(
      /^HTTP\/2 200 \r\ncontent-type: application\/grpc/,
    );
    await expectPeace(server, 1, 1);
  });

  test('a long body up and down', async () => {
    const server = await EchoServer.start();
    const body = 'kelp'.repeat(20_000);
    expect(await curl(server, '/echo', '--data-binary', body)).toBe(body);
    expect((await curl(server, '/large')).length).toBe(200_000);
    await expectPeace(server, 2, 2);
  });

  test('a reply that goes out as the head of a request comes is not lost, whatever body follows', async () => {
    const server = await EchoServer.start();
    for (const bytes of [1, 1000, 100_000]) {
      for (const header of ['a: b', `x-long: ${'x'.repeat(20_000)}`]) {
        const status = await curl(
          server,
          '/refuse',
          '--output',
          '/dev/null',
          '--write-out',
          '%{http_code}',
          '--header',
          header,
          '--data-binary',
          'x'.repeat(bytes),
        );
        expect(status).toBe(header === 'a: b' ? '503' : '431');
      }
    }
    // It may have ended before it has read all that came, for which the system resets the connection.
    await expectEnded(server, 6, 3);
    expect(server.ends.filter((end) => !isDone(end) && !isReset(end))).toEqual([]);
  });

  test('a header that is too long is answered by 431', async () => {
    const server = await EchoServer.start();
    const status = await curl(
      server,
      '/unary',
      '--output',
      '/dev/null',
      '--write-out',
      '%{http_code}',
      '--header',
      `x-long: ${'x'.repeat(20_000)}`,
    );
    expect(status).toBe('431');
  });
});

describe.runIf(isInstalled('nghttp'))('nghttp', () => {
  test('several long replies at a time, with small windows, padding and long heads', async () => {
    const server = await EchoServer.start({ headerListBytesMax: 65_536 });
    const { stdout } = await run('nghttp', [
      '--null-out',
      '--stat',
      '--no-dep',
      '--multiply=5',
      '--window-bits=8',
      '--padding=30',
      '--header-table-size=0',
      '--continuation',
      `${server.url}/large`,
    ]);
    expect(stdout.match(/ 200 195K \/large/g) ?? []).toHaveLength(5);
    await expectPeace(server, 1, 5);
  });
});

describe.runIf(isInstalled('h2load'))('h2load', () => {
  test.each(['/unary', '/large'])('thousands of requests for %s', async (path) => {
    const count = path === '/large' ? 200 : 4000;
    const server = await EchoServer.start();
    const { stdout } = await run('h2load', ['-n', `${count}`, '-c', '4', '-m', '50', `${server.url}${path}`]);
    expect(stdout).toContain(`${count} succeeded, 0 failed, 0 errored, 0 timeout`);
    await expectPeace(server, 4, count);
  });
});
