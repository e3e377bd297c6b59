import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { failingDisk, slowDisk } from '../../support/troubled-disk.ts';

const dataServices = [
  '',
  'kelp.v1.KvService',
  'kelp.v1.WatchService',
  'kelp.v1.LeaseService',
  'kelp.v1.AdminService',
];
const otherServices = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => 'no error',
      (reason: unknown) => reason,
    ),
  );
}

async function readiness({ url }: TestServer): Promise<[number, unknown]> {
  const response = await fetch(`${url}/readyz`);
  return [response.status, await response.json()];
}

describe('a ready server', () => {
  test('is SERVING as a whole and for each service', async () => {
    const server = await startTestServer();
    const health = createClient(Health, createGrpcTransport({ baseUrl: server.url }));

    for (const service of [...dataServices, ...otherServices]) {
      expect((await health.check({ service })).status, service).toBe(Status.SERVING);
    }
    expect(await readiness(server)).toEqual([200, { status: 'serving' }]);
  });

  test('does not know a service that is not there', async () => {
    const server = await startTestServer();
    const health = createClient(Health, createGrpcTransport({ baseUrl: server.url }));

    expect((await failureOf(health.check({ service: 'kelp.v1.Nothing' }))).code).toBe(Code.NotFound);
    for await (const { status } of health.watch({ service: 'kelp.v1.Nothing' })) {
      expect(status).toBe(Status.SERVICE_UNKNOWN);
      break;
    }
  });
});

describe('a server that recovers', () => {
  test('is alive but NOT_SERVING, and says so to data calls, until it is ready', async () => {
    const { disk, goOn } = slowDisk();
    const server = await startTestServer({ storeOptions: { disk }, waitUntilReady: false });
    const transport = createGrpcTransport({ baseUrl: server.url });
    const health = createClient(Health, transport);
    const kv = createClient(KvService, transport);

    for (const service of dataServices) {
      expect((await health.check({ service })).status, service).toBe(Status.NOT_SERVING);
    }
    for (const service of otherServices) {
      expect((await health.check({ service })).status, service).toBe(Status.SERVING);
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await readiness(server)).toEqual([503, { status: 'recovering' }]);
    const error = await failureOf(kv.get({ key: 'a' }));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.RECOVERING);

    const statuses = health.watch({ service: 'kelp.v1.KvService' })[Symbol.asyncIterator]();
    expect((await statuses.next()).value).toMatchObject({ status: Status.NOT_SERVING });
    const changed = statuses.next();
    goOn();
    expect((await changed).value).toMatchObject({ status: Status.SERVING });
    await server.ready;
    expect(await readiness(server)).toEqual([200, { status: 'serving' }]);
    expect((await kv.get({ key: 'a' })).revision).toBe(0n);
  });
});

describe('a server whose disk has failed', () => {
  test('is NOT_SERVING, refuses writes and goes on reading', async () => {
    const { disk, fail } = failingDisk();
    const server = await startTestServer({ flags: { fsync: 'always' }, storeOptions: { disk } });
    const transport = createGrpcTransport({ baseUrl: server.url });
    const health = createClient(Health, transport);
    const kv = createClient(KvService, transport);
    await kv.put({ key: 'a', value: Buffer.from('safe') });
    const statuses = health.watch({})[Symbol.asyncIterator]();
    await statuses.next();
    const changed = statuses.next();

    fail();
    // The first may be on disk or not; the second has certainly changed nothing.
    for (const reason of [ErrorReason.STORAGE_FAILED, ErrorReason.READ_ONLY]) {
      const error = await failureOf(kv.put({ key: 'a', value: Buffer.from('lost') }));
      expect(error.code).toBe(Code.Unavailable);
      expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(reason);
    }

    expect((await changed).value).toMatchObject({ status: Status.NOT_SERVING });
    expect(await readiness(server)).toEqual([503, { status: 'readOnly' }]);
    expect(Buffer.from((await kv.get({ key: 'a' })).entry?.value ?? []).toString()).toBe('safe');
    expect((await createClient(AdminService, transport).status({})).revision).toBe(1n);
    await server.log.line((line) => line['level'] === 'fatal');
  });
});

describe('a server that stops', () => {
  test('says that it is NOT_SERVING, and ends the watches of that without an error', async () => {
    const server = await startTestServer();
    const health = createClient(Health, createGrpcTransport({ baseUrl: server.url }));
    const statuses = health.watch({ service: 'grpc.health.v1.Health' })[Symbol.asyncIterator]();
    expect((await statuses.next()).value).toMatchObject({ status: Status.SERVING });

    const changed = statuses.next();
    const stopped = server.stop();
    expect((await changed).value).toMatchObject({ status: Status.NOT_SERVING });
    expect((await statuses.next()).done).toBe(true);
    await stopped;
  });
});
