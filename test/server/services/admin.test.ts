/** `kelp.v1.AdminService`, by gRPC and by Connect. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { engineOfTests } from '../../support/test-engine.ts';

interface Clients {
  readonly server: TestServer;
  readonly admin: Client<typeof AdminService>;
  readonly kv: Client<typeof KvService>;
}

const transports = [
  ['gRPC', (baseUrl: string) => createGrpcTransport({ baseUrl })],
  ['Connect', (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '1.1' })],
] as const;

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => 'no error',
      (reason: unknown) => reason,
    ),
  );
}

describe.each(transports)('over %s', (_, makeTransport) => {
  async function start(): Promise<Clients> {
    const server = await startTestServer();
    const transport = makeTransport(server.url);
    return { server, admin: createClient(AdminService, transport), kv: createClient(KvService, transport) };
  }

  test('the status tells of the store and of the process', async () => {
    const { admin, kv } = await start();
    await kv.put({ key: 'a', value: Buffer.from('1') });
    await kv.put({ key: 'b' });

    const status = await admin.status({});

    expect(status).toMatchObject({
      version: '0.0.0-test',
      revision: 2n,
      keyCount: 2n,
      leaseCount: 0n,
      watcherCount: 0,
      segmentCount: 1,
      activeSegmentId: 1n,
      oldestSegmentId: 1n,
      snapshotCount: 0,
      engine: engineOfTests() ?? 'memory',
    });
    if (engineOfTests() === undefined) {
      expect(status.storage).toBeUndefined();
      expect(await admin.compactStorage({})).toMatchObject({ diskBytesBefore: 0n, diskBytes: 0n });
    } else expect(status.storage).toMatchObject({ revision: 0n, sealedBytes: 0n });
    expect(status.storeId).toMatch(/^[0-9a-f]{32}$/);
    expect(status.incarnation).toMatch(/^[0-9a-f]{32}$/);
    for (const bytes of [status.residentBytes, status.logBytes, status.dataBytes, status.memoryBytesMax]) {
      expect(bytes).toBeGreaterThan(0n);
    }
    expect(Number(status.uptime?.seconds)).toBeGreaterThanOrEqual(0);
  });

  test('a snapshot is on disk when it is answered, and the answer again while it is the newest', async () => {
    const { server, admin, kv } = await start();
    await kv.put({ key: 'a' });

    const snapshot = await admin.snapshot({});

    expect(snapshot).toMatchObject({ revision: 1n });
    expect(await admin.snapshot({})).toEqual(snapshot);
    const status = await admin.status({});
    if (engineOfTests() !== undefined) {
      // An engine on disk writes a checkpoint to its own files.
      expect(status).toMatchObject({
        snapshotCount: 0,
        storage: { revision: 1n, diskBytes: snapshot.bytes },
      });
      expect(await readdir(join(server.dataDir, 'base'))).not.toEqual([]);
      return;
    }
    expect(await readdir(join(server.dataDir, 'snapshots'))).toHaveLength(1);
    expect(status).toMatchObject({
      snapshotCount: 1,
      snapshotRevision: 1n,
      snapshotBytes: snapshot.bytes,
    });
  });

  test('a backup of much comes in messages of at most 1 MiB, which another store can be made of', async () => {
    const { admin, kv } = await start();
    const value = Buffer.alloc(700_000, 7);
    for (let index = 0; index < 5; index++)
      await kv.put({ key: `k${index}`, value: Buffer.concat([value, Buffer.from([index])]) });

    const parts: Uint8Array[] = [];
    for await (const { data } of admin.backup({})) parts.push(data);

    expect(parts.length).toBeGreaterThan(0);
    expect(parts.every(({ length }) => length > 0 && length <= 1024 * 1024)).toBe(true);
    // A header that says so, and a trailer: what is between is proved by test/offline/backup.test.ts.
    expect(
      Buffer.from(parts[0] ?? [])
        .subarray(0, 4)
        .toString('latin1'),
    ).toMatch(/^K/);
  });

  test('a backup that is left is over for the server too', async () => {
    const { server, admin, kv } = await start();
    await kv.put({ key: 'a' });
    for await (const { data } of admin.backup({})) {
      expect(data.length).toBeGreaterThan(0);
      break;
    }

    // One is only taken back when the other ends of it know: then the server has no call left to wait for.
    await server.stop();
  });

  test('history before a revision is dropped, and what can not be dropped is refused', async () => {
    const { admin, kv } = await start();
    for (let count = 0; count < 3; count++) await kv.put({ key: 'a' });

    expect(await admin.compact({ revision: 2n })).toMatchObject({ oldestRevision: 2n });

    expect(await kv.get({ key: 'a', revision: 2n })).toMatchObject({ revision: 2n });
    const gone = await failureOf(kv.get({ key: 'a', revision: 1n }));
    expect([gone.code, gone.findDetails(ErrorDetailSchema)[0]?.reason]).toEqual([
      Code.OutOfRange,
      ErrorReason.REVISION_COMPACTED,
    ]);
    for (const [revision, code, reason] of [
      [0n, Code.InvalidArgument, ErrorReason.INVALID_ARGUMENT],
      [-1n, Code.InvalidArgument, ErrorReason.INVALID_ARGUMENT],
      [1n, Code.OutOfRange, ErrorReason.REVISION_COMPACTED],
      [4n, Code.OutOfRange, ErrorReason.REVISION_FUTURE],
    ] as const) {
      const failure = await failureOf(admin.compact({ revision }));
      expect([failure.code, failure.findDetails(ErrorDetailSchema)[0]?.reason]).toEqual([code, reason]);
    }
  });
});
