import { once } from 'node:events';
import { createServer as createHttp1Server } from 'node:http';
import type { Http2Server } from 'node:http2';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { afterEach, describe, expect, test } from 'vitest';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { failureOf } from '../support/fake-server.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function clientFor(port: number, options: Partial<ClientOptions> = {}): KelpClient {
  const client = createClient({ address: `127.0.0.1:${port}`, retries: 0, deadlineMs: 5000, ...options });
  cleanups.push(() => client.close());
  return client;
}

async function listen(server: Server | Http2Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

interface FakeServer {
  readonly port: number;
  readonly server: Http2Server;
  readonly calls: string[];
  watchCount: number;
  /** Cuts all connections, like a process that is killed. */
  kill(): void;
}

/** Its port stays free when it is killed. */
async function startServer(port?: number): Promise<FakeServer> {
  const calls: string[] = [];
  const sockets = new Set<Socket>();
  const handler = connectNodeAdapter({
    routes: (router) => {
      router.service(KvService, {
        get: ({ key }) => (calls.push(key), { revision: 1n }),
        put: ({ key }) => (calls.push(key), new Promise<never>(() => undefined)),
      });
      router.service(WatchService, {
        async *watch(_, { signal }) {
          fake.watchCount++;
          signal.addEventListener('abort', () => void fake.watchCount--);
          yield { message: { case: 'synced', value: { revision: 1n } } };
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
      });
    },
  });
  const server = createHttp2Server(handler);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('sessionError', () => undefined);
  const kill = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  cleanups.push(kill);
  const fake: FakeServer = {
    port: await listen(server, port ?? (await freePort())),
    server,
    calls,
    watchCount: 0,
    kill,
  };
  return fake;
}

test('calls share one connection', async () => {
  const fake = await startServer();
  let connectionCount = 0;
  fake.server.on('session', () => connectionCount++);
  const client = clientFor(fake.port);
  await Promise.all(Array.from({ length: 50 }, (_, index) => client.get(`k${index}`)));
  expect(fake.calls).toHaveLength(50);
  expect(connectionCount).toBe(1);
});

describe('without a server', () => {
  test('a write says that nothing has changed', async () => {
    const failure = await failureOf(clientFor(await freePort()).put('a', '1'));
    expect(failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
    expect((failure as Error).message).toMatch(
      /can't reach the server at http:\/\/127\.0\.0\.1:\d+: connection refused/,
    );
  });

  test('a host that does not exist is told', async () => {
    const failure = await failureOf(clientFor(0, { address: 'no-such-host.invalid:1' }).get('a'));
    expect(failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
  });

  test('a call that is tried again finds the server when it comes', async () => {
    const port = await freePort();
    const client = clientFor(port, { retries: Number.POSITIVE_INFINITY, deadlineMs: 60_000 });
    const getting = client.get('a');
    await startServer(port);
    expect(await getting).toMatchObject({ revision: 1 });
  });
});

describe('when the server dies', () => {
  test('a write under way says that it may have taken effect', async () => {
    const fake = await startServer();
    const putting = failureOf(clientFor(fake.port, { retries: 3 }).put('a', '1'));
    await eventually(() => fake.calls).toEqual(['a']);
    fake.kill();
    expect(await putting).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: true });
    expect(fake.calls).toEqual(['a']);
  });

  test('the next call makes a new connection', async () => {
    const first = await startServer();
    // The one retry is for the moment in which the client has not heard yet of the end of the connection.
    const client = clientFor(first.port, { retries: 1 });
    await client.get('a');
    first.kill();
    await once(first.server, 'close');
    await startServer(first.port);
    expect(await client.get('b')).toMatchObject({ revision: 1 });
  });

  test('a watch goes on with the next one', async () => {
    const first = await startServer();
    const watch = clientFor(first.port).watch();
    expect(await watch.next()).toMatchObject({ value: { kind: 'synced' } });
    const next = watch.next();
    first.kill();
    await once(first.server, 'close');
    await startServer(first.port);
    expect(await next).toMatchObject({ value: { kind: 'progress', revision: 1 } });
    await watch.return();
  });
});

test('leaving a watch ends it at the server', async () => {
  const fake = await startServer();
  for await (const message of clientFor(fake.port).watch()) {
    expect(message.kind).toBe('synced');
    expect(fake.watchCount).toBe(1);
    break;
  }
  await eventually(() => fake.watchCount).toBe(0);
});

test('an aborted call is ended at the server, and its connection stays', async () => {
  const fake = await startServer();
  const client = clientFor(fake.port);
  const controller = new AbortController();
  const putting = failureOf(client.put('a', '1', { signal: controller.signal }));
  await eventually(() => fake.calls).toEqual(['a']);
  controller.abort();
  expect(await putting).toMatchObject({ code: 'canceled' });
  expect(await client.get('b')).toMatchObject({ revision: 1 });
});

test('closing breaks off the calls under way', async () => {
  const fake = await startServer();
  const client = clientFor(fake.port, { deadlineMs: 60_000 });
  const putting = failureOf(client.put('a', '1'));
  await eventually(() => fake.calls).toEqual(['a']);
  client.close();
  expect(await putting).toMatchObject({ code: 'closed', mayHaveTakenEffect: true });
});

describe('what is no KelpDB server', () => {
  test('a server of HTTP/1.1 is told, and does not end the process when the client is closed', async () => {
    const server = createHttp1Server((_, response) => response.end('hello'));
    const client = clientFor(await listen(server));
    const failure = await failureOf(client.get('a'));
    expect(failure).toMatchObject({ code: 'unavailable' });
    expect((failure as Error).message).toMatch(/does not speak HTTP\/2/);
    client.close();
    server.closeAllConnections();
    await nextTurn();
  });

  test('a server without TLS is told to a client with TLS', async () => {
    const fake = await startServer();
    const failure = await failureOf(clientFor(fake.port, { tls: true }).get('a'));
    expect(failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
  });

  test('another HTTP/2 server is told', async () => {
    const server = createHttp2Server((_, response) => {
      response.statusCode = 404;
      response.end();
    });
    const client = clientFor(await listen(server));
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'unimplemented' });
    client.close();
  });

  test('a port that takes connections and never answers runs into the deadline', async () => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    const client = clientFor(await listen(server), { deadlineMs: 50 });
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'deadlineExceeded' });
    for (const socket of sockets) socket.destroy();
  });
});
