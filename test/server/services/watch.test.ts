import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type Client, Code, ConnectError, type Transport, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import {
  DeleteReason,
  EventType,
  WatchRequestSchema,
  type WatchResponse,
  WatchService,
} from '../../../gen/kelp/v1/watch_pb.ts';
import { GrpcJsClient, detailOf } from '../../support/grpc-js-client.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

type Message = WatchResponse['message'];
type ValueOf<Case extends Message['case']> = Extract<Message, { readonly case: Case }>['value'];

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  'gRPC, HTTP/2': (baseUrl) => createGrpcTransport({ baseUrl }),
  'gRPC-Web, HTTP/1.1': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
  'Connect, JSON, HTTP/1.1': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
  'Connect, binary, HTTP/2': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' }),
};

interface Clients {
  readonly server: TestServer;
  readonly kv: Client<typeof KvService>;
  readonly watches: Client<typeof WatchService>;
  readonly leases: Client<typeof LeaseService>;
  readonly admin: Client<typeof AdminService>;
}

async function startClients(
  flags: Readonly<Record<string, string>> = {},
  makeTransport: (baseUrl: string) => Transport = (baseUrl) => createGrpcTransport({ baseUrl }),
): Promise<Clients> {
  const server = await startTestServer({ flags });
  const transport = makeTransport(server.url);
  return {
    server,
    kv: createClient(KvService, transport),
    watches: createClient(WatchService, transport),
    leases: createClient(LeaseService, transport),
    admin: createClient(AdminService, transport),
  };
}

/** A stream that is asked for one message at a time, and canceled when the test ends. */
class Reader {
  readonly #messages: AsyncIterator<WatchResponse>;
  readonly #controller = new AbortController();

  constructor(
    watches: Client<typeof WatchService>,
    request: Parameters<typeof watches.watch>[0],
    timeoutMs?: number,
  ) {
    const options = { signal: this.#controller.signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    this.#messages = watches.watch(request, options)[Symbol.asyncIterator]();
    onTestFinished(() => this.#controller.abort());
  }

  async next(): Promise<Message> {
    const result = await this.#messages.next();
    if (result.done === true) throw new Error('the stream ended without an error');
    return result.value.message;
  }

  /** The next message of a kind, others passed over. */
  async nextOf<Case extends NonNullable<Message['case']>>(kind: Case): Promise<ValueOf<Case>> {
    for (;;) {
      const message = await this.next();
      if (message.case === kind) return message.value as ValueOf<Case>;
    }
  }

  /** How the stream ends. */
  async failure(): Promise<ConnectError> {
    try {
      for (;;) await this.next();
    } catch (error) {
      return ConnectError.from(error);
    }
  }

  cancel(): void {
    this.#controller.abort();
  }
}

async function untilWatchers(admin: Client<typeof AdminService>, count: number): Promise<void> {
  while ((await admin.status({})).watcherCount !== count);
}

describe.each(Object.entries(transports))('WatchService over %s', (_, makeTransport) => {
  test('sends what is there, then what changes', async () => {
    const { kv, watches } = await startClients({}, makeTransport);
    await kv.put({ key: 'a/1', value: Buffer.from('one') });
    await kv.put({ key: 'b/1' });

    const reader = new Reader(watches, {
      ranges: [{ prefix: 'a/' }],
      includeCurrent: true,
      returnPrevious: true,
    });

    const current = await reader.nextOf('current');
    expect(current.entries.map((entry) => [entry.key, Buffer.from(entry.value).toString()])).toEqual([
      ['a/1', 'one'],
    ]);
    expect((await reader.nextOf('synced')).revision).toBe(2n);

    await kv.put({ key: 'b/2' });
    await kv.delete({ key: 'a/1' });
    expect(await reader.nextOf('events')).toMatchObject({
      revision: 4n,
      moreFragments: false,
      events: [
        {
          type: EventType.DELETE,
          entry: { key: 'a/1', modRevision: 4n },
          previous: { key: 'a/1', modRevision: 1n },
          deleteReason: DeleteReason.REQUESTED,
        },
      ],
    });
  });
});

test('serves the same through grpc-js', async () => {
  const { server, kv } = await startClients();
  await kv.put({ key: 'a' });
  const client = new GrpcJsClient(server.address);
  const stream = client.serverStream(WatchService.method.watch, { startRevision: 1n });
  stream.on('error', () => undefined);

  const messages = stream[Symbol.asyncIterator]() as AsyncIterator<WatchResponse>;

  expect((await messages.next()).value.message).toMatchObject({ case: 'events', value: { revision: 1n } });
  expect((await messages.next()).value.message).toMatchObject({ case: 'synced', value: { revision: 1n } });
  stream.cancel();
});

describe('a watch', () => {
  test('tells every type of event and why a key was deleted', async () => {
    const { kv, leases, watches } = await startClients();
    const eventTypes = [EventType.PUT, EventType.DELETE, EventType.TOUCH];
    const reader = new Reader(watches, { eventTypes, keysOnly: true });
    await reader.nextOf('synced');
    const { leaseId } = await leases.grant({ ttl: durationFromMs(60_000) });

    await kv.put({ key: 'a', value: Buffer.from('value'), leaseId });
    await kv.touch({ key: 'a', ttl: durationFromMs(60_000) });
    await leases.revoke({ leaseId });
    await kv.put({ key: 'b', ttl: durationFromMs(1) });

    const put = (await reader.nextOf('events')).events[0];
    expect(put).toMatchObject({ type: EventType.PUT, entry: { key: 'a', leaseId } });
    expect(put?.entry?.value).toHaveLength(0);
    expect((await reader.nextOf('events')).events).toMatchObject([
      { type: EventType.TOUCH, entry: { key: 'a' } },
    ]);
    expect((await reader.nextOf('events')).events).toMatchObject([
      { type: EventType.DELETE, deleteReason: DeleteReason.LEASE_REVOKED, entry: { key: 'a' } },
    ]);
    expect((await reader.nextOf('events')).events).toMatchObject([
      { type: EventType.PUT, entry: { key: 'b' } },
    ]);
    expect((await reader.nextOf('events')).events).toMatchObject([
      { type: EventType.DELETE, deleteReason: DeleteReason.EXPIRED, entry: { key: 'b' } },
    ]);
  });

  test('names its store in its first message, and goes on in no other', async () => {
    const { kv, watches, admin } = await startClients();
    await kv.put({ key: 'a' });
    const { storeId } = await admin.status({});
    const ids: string[] = [];
    for await (const message of watches.watch({ startRevision: 1n, storeId })) {
      ids.push(message.storeId);
      if (message.message.case === 'synced') break;
    }
    expect(ids).toEqual([storeId, '']);

    const requestedStoreId = 'f'.repeat(32);
    const error = await new Reader(watches, { startRevision: 1n, storeId: requestedStoreId }).failure();

    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
      {
        reason: ErrorReason.OTHER_STORE,
        info: { case: 'otherStore', value: { requestedStoreId, storeId } },
      },
    ]);
  });

  test('names what wrote a revision in its first message and where that changes, and goes on nowhere else', async () => {
    const server = await startTestServer();
    const lives: string[] = [];
    let running = server;
    const clientsOf = (url: string) => {
      const transport = createGrpcTransport({ baseUrl: url });
      return {
        kv: createClient(KvService, transport),
        watches: createClient(WatchService, transport),
        admin: createClient(AdminService, transport),
      };
    };
    for (const keys of [['a', 'b'], [], ['c', 'd']]) {
      if (lives.length > 0) {
        await running.stop();
        running = await startTestServer({ flags: { 'data-dir': server.dataDir } });
      }
      const { kv, admin } = clientsOf(running.url);
      for (const key of keys) await kv.put({ key });
      lives.push((await admin.status({})).incarnation);
    }
    const [first = '', second, third = ''] = lives;
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    const { kv, watches } = clientsOf(running.url);
    const told: string[] = [];
    for await (const message of watches.watch({ startRevision: 1n })) {
      told.push(message.incarnation);
      if (message.message.case === 'synced') break;
    }
    expect(told).toEqual([first, '', third, '', '']);
    expect(await kv.scan({ revision: 1n })).toMatchObject({ revision: 1n, incarnation: first });
    expect(await kv.keys({ pattern: '*' })).toMatchObject({ revision: 4n, incarnation: third });

    const place = { startRevision: 3n, incarnation: first };
    expect((await new Reader(watches, place).nextOf('synced')).revision).toBe(4n);
    const error = await new Reader(watches, { ...place, startRevision: 4n }).failure();

    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
      {
        reason: ErrorReason.HISTORY_DIFFERS,
        info: {
          case: 'historyDiffers',
          value: {
            requestedRevision: 3n,
            requestedIncarnation: first,
            incarnation: third,
            sharedRevision: 2n,
            sharedIncarnation: first,
            newestRevision: 4n,
          },
        },
      },
    ]);
  });

  test('sends progress while nothing happens', async () => {
    const { kv, watches } = await startClients();
    await kv.put({ key: 'a' });

    const reader = new Reader(watches, { progressInterval: durationFromMs(100) });

    expect((await reader.nextOf('progress')).revision).toBe(1n);
  });

  test.each([
    ['an interval that is too short', { progressInterval: durationFromMs(99) }, /progress/i],
    ['a negative revision', { startRevision: -1n }, /^start_revision/],
    ['a type of event that is not known', { eventTypes: [9 as EventType] }, /^event_types has 9/],
    ['no type of event', { eventTypes: [EventType.UNSPECIFIED] }, /^event_types has 0/],
    ['a contradictory range', { ranges: [{ key: 'a', prefix: 'b' }] }, /./],
    ['a range of all', { ranges: [{ all: true }] }, /^range\.all is for deletes only/],
    ['a start together with the present', { startRevision: 1n, includeCurrent: true }, /./],
    ['too many ranges', { ranges: Array.from({ length: 101 }, () => ({ key: 'a' })) }, /100/],
  ])('refuses %s', async (_, request, message) => {
    const { watches } = await startClients();

    const error = await new Reader(watches, request).failure();

    expect(Code[error.code]).toBe('InvalidArgument');
    expect(error.rawMessage).toMatch(message);
    expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.INVALID_ARGUMENT);
  });

  test('from a revision that has not been is OUT_OF_RANGE', async () => {
    const { watches } = await startClients();

    const error = await new Reader(watches, { startRevision: 9n }).failure();

    expect(error.code).toBe(Code.OutOfRange);
    expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
      {
        reason: ErrorReason.REVISION_FUTURE,
        info: { case: 'revisionOutOfRange', value: { requestedRevision: 9n, newestRevision: 0n } },
      },
    ]);
  });

  test('ends with DEADLINE_EXCEEDED at its deadline', async () => {
    const { watches, admin } = await startClients();

    const error = await new Reader(watches, {}, 50).failure();

    expect(error.code).toBe(Code.DeadlineExceeded);
    await untilWatchers(admin, 0);
  });

  test('is over in the store when its client cancels', async () => {
    const { server, watches, admin } = await startClients();
    const reader = new Reader(watches, {});
    await reader.nextOf('synced');
    await untilWatchers(admin, 1);

    reader.cancel();

    await untilWatchers(admin, 0);
    await server.stop();
    expect(await server.log.line((line) => line['method'] === 'kelp.v1.WatchService/Watch')).toMatchObject({
      level: 'debug',
      code: 'Canceled',
    });
  });

  test('beyond the limit of watches is refused, the others go on', async () => {
    const { kv, watches } = await startClients({ 'watchers-max': '1' });
    const reader = new Reader(watches, {});
    await reader.nextOf('synced');

    const error = await new Reader(watches, {}).failure();

    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.LIMIT_REACHED);
    await kv.put({ key: 'a' });
    expect((await reader.nextOf('events')).revision).toBe(1n);
  });
});

describe('when the server stops, a watch', () => {
  test('is UNAVAILABLE with the revision to go on from, and goes on there after the restart', async () => {
    const { server, kv, watches } = await startClients({ fsync: 'always' });
    const reader = new Reader(watches, { startRevision: 1n });
    for (const key of ['a', 'b', 'c']) await kv.put({ key });
    for (let count = 0; count < 3; count++) await reader.nextOf('events');

    const [error] = await Promise.all([reader.failure(), server.stop()]);

    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
      {
        reason: ErrorReason.SHUTTING_DOWN,
        info: { case: 'watchEnded', value: { resumeRevision: 4n } },
      },
    ]);
    const again = await startClients({ 'data-dir': server.dataDir });
    await again.kv.put({ key: 'd' });
    const resumed = new Reader(again.watches, { startRevision: 4n });
    expect(await resumed.nextOf('events')).toMatchObject({ revision: 4n, events: [{ entry: { key: 'd' } }] });
  });

  test('that has sent nothing is to begin as it began', async () => {
    const { server, kv } = await startClients();
    for (const key of ['a', 'b']) await kv.put({ key });
    const client = new GrpcJsClient(server.address);
    const stream = client.serverStream(WatchService.method.watch, {
      startRevision: 2n,
      ranges: [{ key: 'none' }],
    });
    const failed = once(stream, 'end').then(
      () => undefined,
      (error: unknown) => error,
    );
    await once(stream, 'metadata');

    const [error] = await Promise.all([failed, server.stop()]);

    expect(error).toMatchObject({ code: status.UNAVAILABLE });
    // `synced` may have come or not; both revisions miss nothing.
    const { info } = detailOf(error) ?? {};
    expect(info?.case).toBe('watchEnded');
    expect([2n, 3n]).toContain(info?.case === 'watchEnded' ? info.value.resumeRevision : undefined);
  });
});

describe('a watch that its client does not read', () => {
  /** A watch over bare HTTP/2 with a window of nothing: not one byte can be sent. */
  function openUnread(server: TestServer): { session: ClientHttp2Session; read(bytes: number): void } {
    const session = connectHttp2(server.url, { settings: { initialWindowSize: 0 } });
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
    const stream = session.request({
      ':method': 'POST',
      ':path': '/kelp.v1.WatchService/Watch',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    stream.end(
      encodeEnvelope(0, toBinary(WatchRequestSchema, create(WatchRequestSchema, { startRevision: 1n }))),
    );
    return { session, read: (bytes) => session.settings({ initialWindowSize: bytes }) };
  }

  test('does not keep writers waiting, and is cut off when the server stops', async () => {
    const { server, kv, admin } = await startClients({ 'shutdown-timeout': '20s' });
    openUnread(server);
    await untilWatchers(admin, 1);
    for (let count = 0; count < 50; count++) await kv.put({ key: 'a', value: new Uint8Array(10_000) });
    const startMs = performance.now();

    await server.stop();

    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(server.log.lines.map((line) => line['msg'])).not.toContain(
      'calls did not finish in time; broken off',
    );
  });

  test('is over in the store when its client goes', async () => {
    const { server, kv, admin } = await startClients();
    const { session } = openUnread(server);
    await untilWatchers(admin, 1);
    for (let count = 0; count < 10; count++) await kv.put({ key: 'a', value: new Uint8Array(100_000) });

    session.destroy();

    await untilWatchers(admin, 0);
  });
});

test('a watch that is read late misses nothing', async () => {
  const { kv, watches } = await startClients();
  const reader = new Reader(watches, {});
  await reader.nextOf('synced');
  const count = 300;
  // More than the windows of HTTP/2 and the buffers on the way hold.
  for (let index = 0; index < count; index++)
    await kv.put({ key: `k${index}`, value: new Uint8Array(100_000) });

  for (let index = 0; index < count; index++) {
    const { revision, events } = await reader.nextOf('events');
    expect([revision, events[0]?.entry?.key]).toEqual([BigInt(index + 1), `k${index}`]);
  }
});

test('watches whose messages do not all fit into memory take turns, and miss nothing', async () => {
  const { kv, watches } = await startClients({
    'value-bytes-max': '64KiB',
    'txn-bytes-max': '128KiB',
    'request-bytes-max': '256KiB',
    'reply-bytes-max': '256KiB',
    'call-bytes-max': '1MiB',
  });
  const readers = Array.from({ length: 40 }, () => new Reader(watches, {}));
  for (const reader of readers) await reader.nextOf('synced');

  for (let count = 0; count < 3; count++) await kv.put({ key: 'a', value: new Uint8Array(60_000) });

  // All at once: those that are not read are cut for the others after a while.
  const revisions = readers.map(async (reader) => {
    const read = [];
    while (read.length < 3) read.push((await reader.nextOf('events')).revision);
    return read;
  });
  expect(await Promise.all(revisions)).toEqual(readers.map(() => [1n, 2n, 3n]));
});
