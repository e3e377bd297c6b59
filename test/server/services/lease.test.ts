import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { type Client, Code, ConnectError, type Transport, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { type KeepAliveResponse, LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { startTestServer } from '../../support/test-server.ts';

const minute = durationFromMs(60_000);

async function startTransport(): Promise<Transport> {
  const server = await startTestServer();
  return createGrpcTransport({ baseUrl: server.url });
}

async function leaseClient(): Promise<Client<typeof LeaseService>> {
  return createClient(LeaseService, await startTransport());
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => 'no error',
      (reason: unknown) => reason,
    ),
  );
}

test('a lease is granted, told about, listed, renewed and revoked', async () => {
  const transport = await startTransport();
  const leases = createClient(LeaseService, transport);
  const kv = createClient(KvService, transport);

  const granted = await leases.grant({ ttl: minute });
  expect(granted.leaseId).toBeGreaterThan(0n);
  expect(granted).toMatchObject({ ttl: minute, revision: 0n });
  const { leaseId } = granted;
  for (const key of ['b', 'a']) await kv.put({ key, leaseId });

  const { lease, keys } = await leases.get({ leaseId, includeKeys: true });
  expect(lease).toMatchObject({ leaseId, ttl: minute, keyCount: 2n });
  expect(lease?.remaining === undefined ? 0 : durationMs(lease.remaining)).toBeGreaterThan(50_000);
  expect(keys).toEqual(['a', 'b']);
  expect((await leases.get({ leaseId })).keys).toEqual([]);
  expect((await leases.list({})).leases.map((each) => each.leaseId)).toEqual([leaseId]);
  expect(await leases.renew({ leaseId })).toMatchObject({ leaseId, ttl: minute });

  expect(await leases.revoke({ leaseId })).toMatchObject({ deletedCount: 2n });
  expect((await kv.get({ key: 'a' })).entry).toBeUndefined();
});

test('pages of leases go on where the one before ended', async () => {
  const leases = await leaseClient();
  for (const leaseId of [3n, 1n, 2n]) await leases.grant({ ttl: minute, leaseId });

  const first = await leases.list({ limit: 2 });
  const second = await leases.list({ limit: 2, pageToken: first.nextPageToken });

  expect([first, second].map((page) => page.leases.map((lease) => lease.leaseId))).toEqual([[1n, 2n], [3n]]);
  expect(second.nextPageToken).toBe('');
});

describe('is refused:', () => {
  const refused: Readonly<
    Record<string, readonly [(leases: Client<typeof LeaseService>) => Promise<unknown>, Code, ErrorReason]>
  > = {
    'a grant without a time': [
      (leases) => leases.grant({}),
      Code.InvalidArgument,
      ErrorReason.INVALID_ARGUMENT,
    ],
    'a grant for less than a second': [
      (leases) => leases.grant({ ttl: durationFromMs(999) }),
      Code.InvalidArgument,
      ErrorReason.INVALID_ARGUMENT,
    ],
    'a grant for more than 100 years': [
      (leases) => leases.grant({ ttl: { seconds: 3_153_600_000n, nanos: 1 } }),
      Code.InvalidArgument,
      ErrorReason.INVALID_ARGUMENT,
    ],
    'a negative id': [
      (leases) => leases.grant({ ttl: minute, leaseId: -1n }),
      Code.InvalidArgument,
      ErrorReason.INVALID_ARGUMENT,
    ],
    'an id that is taken': [
      async (leases) => {
        await leases.grant({ ttl: minute, leaseId: 5n });
        return leases.grant({ ttl: minute, leaseId: 5n });
      },
      Code.AlreadyExists,
      ErrorReason.LEASE_EXISTS,
    ],
    'the renewal of a lease that is gone': [
      (leases) => leases.renew({ leaseId: 77n }),
      Code.NotFound,
      ErrorReason.LEASE_NOT_FOUND,
    ],
    'the revocation of a lease that is gone': [
      (leases) => leases.revoke({ leaseId: 77n }),
      Code.NotFound,
      ErrorReason.LEASE_NOT_FOUND,
    ],
    'a question about a lease that is gone': [
      (leases) => leases.get({ leaseId: 77n }),
      Code.NotFound,
      ErrorReason.LEASE_NOT_FOUND,
    ],
    'a negative limit': [
      (leases) => leases.list({ limit: -1 }),
      Code.InvalidArgument,
      ErrorReason.INVALID_ARGUMENT,
    ],
  };

  test.each(Object.entries(refused))('%s', async (_, [call, code, reason]) => {
    const error = await failureOf(call(await leaseClient()));

    expect(Code[error.code]).toBe(Code[code]);
    expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(reason);
  });
});

describe('KeepAlive', () => {
  test('answers each request in its order, a lease that is gone with zero', async () => {
    const leases = await leaseClient();
    const { leaseId } = await leases.grant({ ttl: minute });
    const replies: [bigint, number | undefined][] = [];
    async function* requests(): AsyncGenerator<{ leaseId: bigint }> {
      for (const id of [leaseId, 404n, leaseId]) yield { leaseId: id };
    }

    for await (const reply of leases.keepAlive(requests())) {
      replies.push([reply.leaseId, reply.ttl && durationMs(reply.ttl)]);
    }

    expect(replies).toEqual([
      [leaseId, 60_000],
      [404n, 0],
      [leaseId, 60_000],
    ]);
  });

  test('answers at once while the stream stays open', async () => {
    const server = await startTestServer();
    const client = new GrpcJsClient(server.address);
    const { leaseId } = await client.unary(LeaseService.method.grant, { ttl: minute });
    const stream = client.bidiStream(LeaseService.method.keepAlive);
    const replies = stream[Symbol.asyncIterator]() as AsyncIterator<KeepAliveResponse>;

    for (let count = 0; count < 3; count++) {
      stream.write({ leaseId });
      expect((await replies.next()).value).toMatchObject({ leaseId, ttl: minute });
    }

    stream.end();
    expect((await replies.next()).done).toBe(true);
  });

  test('ends with UNAVAILABLE when the server stops', async () => {
    const server = await startTestServer();
    const client = new GrpcJsClient(server.address);
    const { leaseId } = await client.unary(LeaseService.method.grant, { ttl: minute });
    const stream = client.bidiStream(LeaseService.method.keepAlive);
    const replies = stream[Symbol.asyncIterator]() as AsyncIterator<KeepAliveResponse>;
    stream.write({ leaseId });
    await replies.next();

    const ended = replies.next().then(
      () => undefined,
      (error: unknown) => error,
    );
    const [error] = await Promise.all([ended, server.stop()]);

    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('stopping') });
  });

  test('is refused over HTTP/1.1, which has no streams both ways', async () => {
    const server = await startTestServer();
    const transport = createConnectTransport({ baseUrl: server.url, httpVersion: '1.1' });
    const leases = createClient(LeaseService, transport);
    async function* requests(): AsyncGenerator<{ leaseId: bigint }> {
      yield { leaseId: 1n };
    }

    const read = async (): Promise<void> => {
      for await (const reply of leases.keepAlive(requests())) expect(reply).toBeUndefined();
    };

    await expect(read()).rejects.toThrow(ConnectError);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});
