/** The life of a server that is a node of a cluster: its store is closed and opened again while the listener stays. */
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { ConnectError } from '@connectrpc/connect';
import { SharedLogError } from '../../../src/shared-log/shared-log-error.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { StubNodes } from '../../support/stub-node.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../../support/test-server.ts';

const LOG = 'etcd://127.0.0.1:1/kelp/test';
/** What a busy machine keeps. */
const PATIENCE = { timeout: 20_000 };
const OVERTAKEN = new Error('another node has taken over');

async function startNode(
  nodes: StubNodes,
  flags: Readonly<Record<string, string>> = {},
  options: TestServerOptions = {},
): Promise<TestServer> {
  return startTestServer({ flags: { log: LOG, ...flags }, nodeParts: nodes.parts, ...options });
}

async function readiness({ url }: TestServer): Promise<unknown> {
  const response = await fetch(`${url}/readyz`);
  return [response.status, ((await response.json()) as { status: unknown }).status];
}

function reasonOf(error: unknown): ErrorReason | undefined {
  return ConnectError.from(error).findDetails(ErrorDetailSchema)[0]?.reason;
}

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a node that has ended', () => {
  test('is closed and opened again, never two at once, and the listener stays', async () => {
    const nodes = new StubNodes();
    const server = await startNode(nodes);
    const transport = createGrpcTransport({ baseUrl: server.url });
    const kv = createClient(KvService, transport);
    const first = nodes.last;
    first.role = 'writer';
    await kv.put({ key: 'a', value: Buffer.from('kept') });

    first.end(OVERTAKEN);
    await nodes.count(2);
    await server.log.line(
      ({ msg }) => msg === 'this node goes on as a follower: its store is closed and opened again',
    );
    nodes.last.role = 'writer';

    expect(first.isClosed).toBe(true);
    await expect.poll(() => readiness(server), PATIENCE).toEqual([200, 'serving']);
    expect(Buffer.from((await kv.get({ key: 'a' })).entry?.value ?? []).toString()).toBe('kept');
    expect(nodes.openCount).toBe(1);
  });

  test('ends watches with where to go on, and calls are refused as recovering until it is open', async () => {
    const nodes = new StubNodes();
    const server = await startNode(nodes);
    const transport = createGrpcTransport({ baseUrl: server.url });
    const kv = createClient(KvService, transport);
    nodes.last.role = 'writer';
    await kv.put({ key: 'a', value: Buffer.from('1') });
    const opening = Promise.withResolvers<void>();
    nodes.onOpen = () => opening.promise;
    const watch = createClient(WatchService, transport).watch({ ranges: [{}], startRevision: 1n });
    const messages = watch[Symbol.asyncIterator]();
    await messages.next();

    nodes.last.end(OVERTAKEN);
    let error: unknown;
    while (error === undefined) error = await failureOf(messages.next());

    expect(reasonOf(error)).toBe(ErrorReason.SHUTTING_DOWN);
    const [detail] = ConnectError.from(error).findDetails(ErrorDetailSchema);
    expect(detail?.info).toMatchObject({ case: 'watchEnded', value: { resumeRevision: 2n } });
    expect(ConnectError.from(error).rawMessage).toContain('try again, here or at another node');
    expect(reasonOf(await failureOf(kv.get({ key: 'a' })))).toBe(ErrorReason.RECOVERING);
    expect(await readiness(server)).toEqual([503, 'recovering']);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    opening.resolve();
    await expect.poll(() => readiness(server), PATIENCE).toEqual([200, 'serving']);
  });

  test('keeps a watch of its health, which is told of all of it', async () => {
    const nodes = new StubNodes();
    const server = await startNode(nodes);
    const health = createClient(Health, createGrpcTransport({ baseUrl: server.url })).watch({});
    const messages = health[Symbol.asyncIterator]();
    const next = async (): Promise<Status | undefined> =>
      ((await messages.next()).value as { status: Status } | undefined)?.status;

    expect(await next()).toBe(Status.SERVING);
    nodes.last.end(OVERTAKEN);
    expect(await next()).toBe(Status.NOT_SERVING);
    expect(await next()).toBe(Status.SERVING);
  });

  test('closes clients of Redis, and tells those that come that it loads', async () => {
    const nodes = new StubNodes();
    const server = await startNode(nodes, { 'redis-listen': '127.0.0.1:0' });
    const port = Number(server.redisAddress.split(':').at(-1));
    const open = await RawConnection.open({ host: '127.0.0.1', port });
    open.send('PING\r\n');
    await open.until('+PONG');
    const opening = Promise.withResolvers<void>();
    nodes.onOpen = () => opening.promise;

    nodes.last.end(OVERTAKEN);
    await open.closed;

    const late = await RawConnection.open({ host: '127.0.0.1', port });
    late.send('GET a\r\n');
    await late.until('-LOADING');
    opening.resolve();
    await nodes.count(2);
    late.send('PING\r\n');
    await late.until('+PONG');
  });

  test('is tried again when it can not be opened', async () => {
    const nodes = new StubNodes();
    const server = await startNode(nodes);
    let failures = 0;
    nodes.onOpen = async () => {
      if (failures++ === 0) throw new Error('no shared log');
    };

    nodes.last.end(OVERTAKEN);

    await server.log.message('the store could not be opened again');
    await nodes.count(2);
    await expect.poll(() => readiness(server), PATIENCE).toEqual([200, 'serving']);
  });
});

test('a node without a shared log says how it is made', async () => {
  const nodes = new StubNodes();
  nodes.onOpen = () => Promise.reject(new SharedLogError('notInitialized', 'there is none'));
  const server = await startNode(nodes, {}, { waitUntilReady: false });

  await expect(server.ready).rejects.toThrow(`kelp cluster init --log ${LOG}`);
});

describe('a stop', () => {
  test('hands over first', async () => {
    const nodes = new StubNodes();
    const server = await startNode(nodes);
    const node = nodes.last;
    node.role = 'writer';

    await server.stop();

    expect(node.handOvers).toBe(1);
    expect(nodes.openCount).toBe(0);
  });

  test('while the store is being opened again ends that', async () => {
    const nodes = new StubNodes();
    const server = await startNode(nodes);
    const asked = Promise.withResolvers<void>();
    nodes.onOpen = (signal) => {
      asked.resolve();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    };
    nodes.last.end(OVERTAKEN);
    await asked.promise;

    await server.stop();

    expect(nodes.opened).toHaveLength(1);
    expect(nodes.openCount).toBe(0);
  });

  test('at the moment at which a node ends opens none', async () => {
    const nodes = new StubNodes();
    const server = await startNode(nodes);

    nodes.last.end(OVERTAKEN);
    await server.stop();

    expect(nodes.openCount).toBe(0);
    expect(server.log.lines.map(({ msg }) => msg)).toContain('stopped');
  });

  test('before the first store is open ends the wait for the shared log', async () => {
    const nodes = new StubNodes();
    nodes.onOpen = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const server = await startNode(nodes, {}, { waitUntilReady: false });

    await server.stop();

    expect((await failureOf(server.ready)) as Error).toMatchObject({ message: 'aborted' });
  });
});

test('a node that is too far behind serves, and is not ready', async () => {
  const nodes = new StubNodes();
  const server = await startNode(nodes, { 'ready-lag': '1s' });
  expect(await readiness(server)).toEqual([200, 'serving']);

  nodes.last.lagMs = 1001;

  await expect.poll(() => readiness(server), PATIENCE).toEqual([503, 'behind']);
  const health = createClient(Health, createGrpcTransport({ baseUrl: server.url }));
  expect((await health.check({})).status).toBe(Status.NOT_SERVING);
  nodes.last.lagMs = 0;
  await expect.poll(() => readiness(server), PATIENCE).toEqual([200, 'serving']);
});

test('a node that the shared log does not answer for too long is not ready', async () => {
  const nodes = new StubNodes();
  const server = await startNode(nodes, { 'ready-lag': '1s' });

  nodes.happened({ kind: 'logUnreachable', error: new Error('no answer') });

  await expect.poll(() => readiness(server), PATIENCE).toEqual([503, 'behind']);
  nodes.happened({ kind: 'logReachable', afterMs: 1000 });
  await expect.poll(() => readiness(server), PATIENCE).toEqual([200, 'serving']);
});

test('where it is reached is what it is told to advertise, or else where it listens', async () => {
  const own = new StubNodes();
  const server = await startNode(own, { 'redis-listen': '127.0.0.1:0' });
  expect(own.addresses).toEqual([`${server.address},redis=${server.redisAddress}`]);
  const told = new StubNodes();
  const flags = { advertise: 'one.example:7379', 'redis-listen': '127.0.0.1:0' };
  const { redisAddress } = await startNode(told, flags);
  expect(told.addresses).toEqual([`one.example:7379,redis=one.example:${redisAddress.split(':')[1]}`]);
});
