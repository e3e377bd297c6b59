import { once } from 'node:events';
import { create, toBinary } from '@bufbuild/protobuf';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { connect as connectHttp2 } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';
import { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { KvService, PutRequestSchema } from '../../gen/kelp/v1/kv_pb.ts';
import { WatchService } from '../../gen/kelp/v1/watch_pb.ts';
import { isStoreError } from '../../src/errors.ts';
import { openSession, post, replyOf } from '../support/bare-http2.ts';
import { GrpcJsClient } from '../support/grpc-js-client.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { startTestServer } from '../support/test-server.ts';
import { slowDisk } from '../support/troubled-disk.ts';
import { engineOfTests } from '../support/test-engine.ts';

const PUT_PATH = '/kelp.v1.KvService/Put';

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

/** An engine on disk writes no snapshots, and its checkpoints take history with them: `test/store/durable` and `test/server/engines` try these. */
const memoryTest = test.skipIf(engineOfTests() !== undefined);

describe('starting', () => {
  test('logs when it listens and when it is ready, with what an operator asks first', async () => {
    const server = await startTestServer();
    const { address, dataDir } = server;

    expect(await server.log.message('listening; recovering')).toMatchObject({ address, dataDir });
    expect(await server.log.message('ready')).toMatchObject({
      level: 'info',
      address,
      dataDir,
      fsync: 'never',
      version: '0.0.0-test',
      revision: 0,
      tls: false,
      recoveryMs: expect.any(Number),
    });
  });

  test('serves after a restart what was written before', async () => {
    const first = await startTestServer();
    const kv = createClient(KvService, createGrpcTransport({ baseUrl: first.url }));
    await kv.put({ key: 'a', value: Buffer.from('kept') });
    await first.stop();

    const second = await startTestServer({ flags: { 'data-dir': first.dataDir } });

    const { entry } = await createClient(KvService, createGrpcTransport({ baseUrl: second.url })).get({
      key: 'a',
    });
    expect(Buffer.from(entry?.value ?? []).toString()).toBe('kept');
    expect(await second.log.message('ready')).toMatchObject({ revision: 1 });
  });

  test('refuses a data directory that another server has, and closes its port', async () => {
    const first = await startTestServer();

    const second = await startTestServer({ flags: { 'data-dir': first.dataDir }, waitUntilReady: false });

    const error = await failureOf(second.ready);
    expect(isStoreError(error, 'locked')).toBe(true);
    await expect(fetch(`${second.url}/healthz`)).rejects.toThrow();
    await second.stop();
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  });
});

describe('while the store is recovered', () => {
  const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
    'gRPC, HTTP/2': (baseUrl) => createGrpcTransport({ baseUrl }),
    'gRPC-Web, HTTP/2': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '2' }),
    'gRPC-Web, HTTP/1.1': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
    'Connect, HTTP/2': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' }),
    'Connect, HTTP/1.1': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1' }),
  };

  test.each(Object.entries(transports))('calls are UNAVAILABLE and say why: %s', async (_, makeTransport) => {
    const { disk, goOn } = slowDisk();
    const server = await startTestServer({ storeOptions: { disk }, waitUntilReady: false });
    const transport = makeTransport(server.url);
    const kv = createClient(KvService, transport);
    const watches = createClient(WatchService, transport);

    // A refused request is not read, be it short or long, and leaves the connection as it was.
    const calls: (() => Promise<unknown>)[] = [
      () => kv.put({ key: 'a', value: Buffer.from('1') }),
      () => kv.put({ key: 'a', value: new Uint8Array(1_000_000) }),
      () => kv.get({ key: 'a' }),
      () => watches.watch({})[Symbol.asyncIterator]().next(),
    ];
    for (const call of [...calls, ...calls]) {
      const error = ConnectError.from(await failureOf(call()));
      expect(Code[error.code]).toBe('Unavailable');
      expect(error.rawMessage).toBe('the server is recovering its data; try again');
      expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.RECOVERING);
    }
    goOn();
    await server.ready;
    expect((await kv.put({ key: 'a' })).revision).toBe(1n);
  });
});

describe('status', () => {
  memoryTest(
    'tells of the process and the store; snapshots and compactions are there to be had',
    async () => {
      const server = await startTestServer();
      const transport = createConnectTransport({ baseUrl: server.url, httpVersion: '2' });
      const admin = createClient(AdminService, transport);
      const kv = createClient(KvService, transport);
      for (const key of ['a', 'b', 'a']) await kv.put({ key });

      expect(await admin.snapshot({})).toMatchObject({ revision: 3n });
      expect(await admin.compact({ revision: 2n })).toMatchObject({ oldestRevision: 2n });

      const reply = await admin.status({});
      expect(reply).toMatchObject({
        version: '0.0.0-test',
        revision: 3n,
        oldestRevision: 2n,
        keyCount: 2n,
        snapshotCount: 1,
        snapshotRevision: 3n,
      });
      expect(reply.storeId).toMatch(/^[0-9a-f]{32}$/);
      expect(Number(reply.residentBytes)).toBeGreaterThan(1_000_000);
      expect(reply.uptime?.seconds).toBeGreaterThanOrEqual(0n);
      const compacted = ConnectError.from(await failureOf(kv.get({ key: 'a', revision: 1n })));
      expect(compacted.findDetails(ErrorDetailSchema)).toMatchObject([
        {
          reason: ErrorReason.REVISION_COMPACTED,
          info: {
            case: 'revisionOutOfRange',
            value: { requestedRevision: 1n, oldestRevision: 2n, newestRevision: 3n },
          },
        },
      ]);
      for (const revision of [0n, -1n]) {
        const refused = ConnectError.from(await failureOf(admin.compact({ revision })));
        expect(Code[refused.code]).toBe('InvalidArgument');
      }
    },
  );
});

describe('stopping', () => {
  test('finishes the calls under way, takes no new ones, and ends at once when nothing is', async () => {
    const server = await startTestServer({ flags: { fsync: 'always' } });
    const client = new GrpcJsClient(server.address);
    await client.unary(KvService.method.get, { key: 'a' });
    const value = new Uint8Array(1_000_000);
    const puts = Array.from({ length: 20 }, (_, index) =>
      client.unary(KvService.method.put, { key: `k${index}`, value }),
    );
    await puts[0];

    const stopped = server.stop();

    // Each is either done or was not begun: none is broken off.
    const outcomes = await Promise.allSettled(puts);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: status.UNAVAILABLE });
    }
    await stopped;
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    const done = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
    const again = await startTestServer({ flags: { 'data-dir': server.dataDir } });
    const admin = createClient(AdminService, createGrpcTransport({ baseUrl: again.url }));
    expect(Number((await admin.status({})).keyCount)).toBeGreaterThanOrEqual(done);
  });

  test('under load tells each call what became of it, and loses nothing that was acknowledged', async () => {
    const server = await startTestServer({ flags: { fsync: 'always' } });
    const { promise: isLoaded, resolve: loaded } = Promise.withResolvers<void>();
    const acknowledged = new Set<string>();
    const refused = new Set<string>();
    const writers = Array.from({ length: 4 }, async (_, index) => {
      const session = await openSession(server.url);
      await Promise.all(
        Array.from({ length: 16 }, async (__, lane) => {
          for (let count = 0; !session.closed && !session.destroyed; count++) {
            const key = `${index}/${lane}/${count}`;
            const stream = post(session, PUT_PATH, 'application/grpc');
            stream.end(encodeEnvelope(0, toBinary(PutRequestSchema, create(PutRequestSchema, { key }))));
            const { headers } = await replyOf(stream);
            if (headers['grpc-status'] === '0') acknowledged.add(key);
            // Not begun: the status says so, or the session, which had closed before the call could be sent.
            else if (headers['grpc-status'] === '14' || stream.rstCode === 7 || session.closed)
              refused.add(key);
            else throw new Error(`${key}: ${JSON.stringify(headers)}, code ${stream.rstCode}`);
            if (acknowledged.size === 500) loaded();
          }
        }),
      );
    });
    await isLoaded;

    await server.stop();

    await Promise.all(writers);
    expect(server.log.lines.map(({ msg }) => msg)).not.toContain('calls did not finish in time; broken off');
    const again = await startTestServer({ flags: { 'data-dir': server.dataDir } });
    const kv = createClient(KvService, createGrpcTransport({ baseUrl: again.url }));
    const { exists } = await kv.exists({ keys: [...acknowledged] });
    expect(exists).toEqual(exists.map(() => true));
    expect((await kv.scan({ countOnly: true })).count).toBe(BigInt(acknowledged.size));
  });

  test('tells watchers of its health first', async () => {
    const server = await startTestServer();
    const health = createClient(Health, createGrpcTransport({ baseUrl: server.url }));
    const statuses = health.watch({})[Symbol.asyncIterator]();
    expect((await statuses.next()).value).toMatchObject({ status: Status.SERVING });

    const [changed] = await Promise.all([statuses.next(), server.stop()]);

    expect(changed.value).toMatchObject({ status: Status.NOT_SERVING });
  });

  test('closes a connection of HTTP/1.1 after the reply to the call under way', async () => {
    const server = await startTestServer();
    const connection = await RawConnection.open(server);
    connection.send(
      'POST /kelp.v1.KvService/Get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n',
    );
    connection.send('Content-Length: 11\r\n\r\n{"key"');
    await server.log.message('ready');
    // The call is under way once the server has its headers.
    await fetch(`${server.url}/readyz`);

    const stopped = server.stop();
    connection.send(':"a"}');

    expect(await connection.until(/\r\n\r\n.*\}/s)).toMatch(/^HTTP\/1\.1 (200|503)/);
    await stopped;
    await connection.closed;
  });

  test('breaks off what does not finish in time', async () => {
    const server = await startTestServer({ flags: { 'shutdown-timeout': '50ms' } });
    const session = connectHttp2(server.url);
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
    await once(session, 'remoteSettings');
    const stream = session.request({
      ':method': 'POST',
      ':path': '/kelp.v1.KvService/Get',
      'content-type': 'application/grpc',
    });
    stream.on('error', () => undefined);
    stream.write(Buffer.from([0, 0, 0]));
    // The server has what was sent before the ping.
    await new Promise((resolve) => session.ping(resolve));
    const closed = new Promise<void>((resolve) => session.once('close', () => resolve()));

    await server.stop();

    await closed;
    expect(await server.log.message('calls did not finish in time; broken off')).toMatchObject({ calls: 1 });
  });

  memoryTest.each([
    ['writes a snapshot of what has grown in the log, so that the next start is quick', '10m', 1],
    ['writes none when there is no time for it', '500ms', 0],
  ])('%s', async (_, timeout, snapshotCount) => {
    const flags = { 'close-snapshot-log-bytes': '1KiB', 'shutdown-timeout': timeout };
    const server = await startTestServer({ flags });
    const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));
    await kv.put({ key: 'a', value: new Uint8Array(2048) });

    await server.stop();

    const written = server.log.lines.filter((line) => line['msg'] === 'snapshot written');
    expect(written).toHaveLength(snapshotCount);
    const again = await startTestServer({ flags: { 'data-dir': server.dataDir } });
    expect(await again.log.message('recovered')).toMatchObject({
      revision: 1,
      snapshotRevision: snapshotCount,
      newestTime: expect.any(String),
    });
  });

  test('called twice is done once', async () => {
    const server = await startTestServer();

    await Promise.all([server.stop(), server.stop()]);

    expect(server.log.lines.filter((line) => line['msg'] === 'stopped')).toHaveLength(1);
  });

  test('in the middle of a recovery closes the store that comes of it', async () => {
    const { disk, goOn } = slowDisk();
    const server = await startTestServer({ storeOptions: { disk }, waitUntilReady: false });

    const stopped = server.stop();
    goOn();
    await stopped;

    await startTestServer({ flags: { 'data-dir': server.dataDir } });
  });

  test('gives up a recovery that goes on for too long', async () => {
    const { disk, goOn } = slowDisk();
    const flags = { 'shutdown-timeout': '20ms' };
    const server = await startTestServer({ flags, storeOptions: { disk }, waitUntilReady: false });

    await server.stop();

    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    goOn();
    await server.ready;
    // What came of it has given its directory back.
    await startTestServer({ flags: { 'data-dir': server.dataDir } });
  });
});

test('aborting closes every connection, whatever goes on', async () => {
  const server = await startTestServer();
  const connection = await RawConnection.open(server);
  connection.send('POST /kelp.v1.KvService/Get HTTP/1.1\r\nHost: localhost\r\n');

  server.abort();

  await connection.closed;
});

describe('the log of calls', () => {
  test('tells method, outcome and time at debug, and never a key or a value', async () => {
    const server = await startTestServer();
    const transport = createGrpcTransport({ baseUrl: server.url });
    const kv = createClient(KvService, transport);

    await kv.put({ key: 'secret-key', value: Buffer.from('secret-value') });
    await failureOf(kv.get({ key: 'secret-key', revision: 99n }));

    expect(await server.log.line((line) => line['method'] === 'kelp.v1.KvService/Put')).toMatchObject({
      level: 'debug',
      code: 'Ok',
      status: 200,
      ms: expect.any(Number),
      msg: 'call',
    });
    await server.log.line((line) => line['code'] === 'OutOfRange');
    await server.stop();
    expect(JSON.stringify(server.log.lines)).not.toContain('secret');
  });

  test('is silent at info', async () => {
    const server = await startTestServer({ flags: { 'log-level': 'info' } });
    const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));

    await kv.put({ key: 'a' });
    await server.stop();

    expect(server.log.lines.map((line) => line['msg'])).not.toContain('call');
  });
});
