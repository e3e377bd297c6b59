/** Calls of kelp.v1 in whatever form they come: plain gRPC goes straight to the methods, all else by Connect's handlers. */
import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http2';
import { type DescMethod, create, toBinary, toJsonString } from '@bufbuild/protobuf';
import { type ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { describe, expect, test } from 'vitest';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import {
  GetRequestSchema,
  KvService,
  PutRequestSchema,
  TouchRequestSchema,
  TxnRequestSchema,
} from '../../../gen/kelp/v1/kv_pb.ts';
import { GrantRequestSchema, LeaseService, RenewRequestSchema } from '../../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { DiskError } from '../../../src/disk/disk.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { type BareReply, openSession, post, replyOf } from '../../support/bare-http2.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

const methods: readonly DescMethod[] = [KvService, LeaseService, WatchService, AdminService].flatMap(
  (service) => service.methods,
);

/** Node adds it to the replies of Connect's handlers; the straight way has no use for it. */
const ADAPTED = 'date';

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

/** @param isAdapted it names a compression, although it is not compressed, and so is left to Connect's handlers. */
async function callGrpc(
  server: TestServer,
  path: string,
  message: Uint8Array,
  isAdapted: boolean,
): Promise<BareReply> {
  const headers = isAdapted ? { 'grpc-encoding': 'gzip' } : {};
  const stream = post(await openSession(server.url), path, 'application/grpc', headers);
  stream.end(encodeEnvelope(0, message));
  return replyOf(stream);
}

test.each(methods.map((method) => [pathOf(method)]))('%s goes straight as gRPC', async (path) => {
  const server = await startTestServer();

  const straight = await firstHeaders(server, path, {});
  const adapted = await firstHeaders(server, path, { 'grpc-encoding': 'gzip' });

  expect(straight).toMatchObject({ ':status': 200, 'content-type': 'application/grpc+proto' });
  expect(straight).not.toHaveProperty(ADAPTED);
  expect(adapted).toHaveProperty(ADAPTED);
});

test('a client that waits until its body is wanted is told so', async () => {
  const server = await startTestServer();
  const body = toJsonString(
    PutRequestSchema,
    create(PutRequestSchema, { key: 'a', value: Buffer.from('b') }),
  );
  const path = pathOf(KvService.method.put);
  const stream = post(await openSession(server.url), path, 'application/json', { expect: '100-continue' });
  const reply = replyOf(stream);

  await once(stream, 'continue');
  stream.end(body);

  expect((await reply).headers[':status']).toBe(200);
});

/** Of the reply to an empty message; a stream may go on behind them. */
async function firstHeaders(
  server: TestServer,
  path: string,
  headers: OutgoingHttpHeaders,
): Promise<BareReply['headers']> {
  const stream = post(await openSession(server.url), path, 'application/grpc', headers);
  stream.end(encodeEnvelope(0, new Uint8Array(0)));
  const [replyHeaders] = (await once(stream, 'response')) as [BareReply['headers']];
  stream.close();
  return replyHeaders;
}

describe('an integer that no number of JavaScript holds is refused by the name of its field', () => {
  const large = 2n ** 53n;
  const { get, put, touch, txn } = KvService.method;
  const { grant, renew } = LeaseService.method;
  const bounds = 'it must be 0 to 9007199254740991';
  const lease = { leaseId: -large };
  const cases: readonly (readonly [DescMethod, ReturnType<typeof create>, message: string])[] = [
    [get, create(GetRequestSchema, { revision: large + 1n }), `revision is 9007199254740993; ${bounds}`],
    [
      put,
      create(PutRequestSchema, { condition: { condition: { case: 'modRevisionEquals', value: large } } }),
      `condition.mod_revision_equals is 9007199254740992; ${bounds}`,
    ],
    [
      put,
      create(PutRequestSchema, { ttl: { seconds: 2n ** 62n } }),
      'ttl is 4611686018427387904 s; it must be at most 100 years',
    ],
    [
      touch,
      create(TouchRequestSchema, { ttl: { seconds: -(2n ** 62n) } }),
      'ttl must not be negative, and its nanos at most 999999999',
    ],
    [
      txn,
      create(TxnRequestSchema, {
        compares: [
          { subject: { case: 'key', value: 'a' }, operand: { case: 'version', value: 1n } },
          { subject: { case: 'key', value: 'a' }, operand: { case: 'createRevision', value: large } },
        ],
      }),
      `compares[1].create_revision is 9007199254740992; ${bounds}`,
    ],
    [
      txn,
      create(TxnRequestSchema, {
        success: [
          { operation: { case: 'get', value: { key: 'a' } } },
          { operation: { case: 'put', value: { key: 'b', ...lease } } },
        ],
      }),
      `success[1].put.lease_id is -9007199254740992; ${bounds}`,
    ],
    [grant, create(GrantRequestSchema, lease), `lease_id is -9007199254740992; ${bounds}`],
    [
      renew,
      create(RenewRequestSchema, { leaseId: 2n ** 63n - 1n }),
      `lease_id is 9223372036854775807; ${bounds}`,
    ],
  ];

  test.each(cases)('$name: $2', async (method, request, message) => {
    const server = await startTestServer();
    const bytes = toBinary(method.input, request);
    for (const isAdapted of [false, true]) {
      const { headers } = await callGrpc(server, pathOf(method), bytes, isAdapted);
      expect(headers).toMatchObject({ 'grpc-status': '3', 'grpc-message': message });
    }
    // JSON has no lengths of time as long as these.
    if (message.startsWith('ttl')) return;
    const response = await fetch(server.url + pathOf(method), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: toJsonString(method.input, request),
    });
    expect(await response.json()).toMatchObject({ code: 'invalid_argument', message });
  });

  test('in the compare of a transaction as any other number that is refused', async () => {
    const server = await startTestServer();
    const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));
    const operand = { case: 'createRevision', value: -1n } as const;

    const failed = kv.txn({ compares: [{ subject: { case: 'key', value: 'a' }, operand }] });

    await expect(failed).rejects.toMatchObject({
      rawMessage: `compares[0].create_revision is -1; ${bounds}`,
    });
  });
});

test('a snapshot that fails is answered, and not logged as what nobody foresaw', async () => {
  const disk = {
    ...nodeDisk,
    create: (path: string) =>
      path.includes('snapshots') ? Promise.reject(new DiskError('failed', 'no room')) : nodeDisk.create(path),
  };
  // The others have no snapshots.
  const server = await startTestServer({ flags: { engine: 'memory' }, storeOptions: { disk } });
  const transport = createGrpcTransport({ baseUrl: server.url });
  await createClient(KvService, transport).put({ key: 'a' });

  const failed = createClient(AdminService, transport).snapshot({});

  const error = await failed.then(
    () => undefined,
    (reason: ConnectError) => reason,
  );
  expect(error?.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.SNAPSHOT_FAILED);
  await server.log.message('a snapshot could not be written');
  expect(server.log.lines.map(({ msg }) => msg)).not.toContain('a call failed unexpectedly');
});
