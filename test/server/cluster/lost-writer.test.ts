/** What a call at a follower is told when the writer is not there, goes, or takes its time; and what the writer is told of it. */
import { once } from 'node:events';
import { constants } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { Code, ConnectError, type Interceptor, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { SessionTokens } from '../../../src/access/login/session-tokens.ts';
import { jsonOf, restClient } from '../rest/rest-client.ts';
import { type Node, startNode, startNodes } from './nodes.ts';
import { type PlayedWriter, playWriter } from './played-writer.ts';

const doors = ['gRPC', 'gRPC-Web', 'Connect'] as const;
const put = { key: 'a', value: Buffer.from('1') };

function clientOf({ url }: Node, door: (typeof doors)[number], headers: Record<string, string> = {}) {
  const shows: Interceptor = (next) => (request) => {
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
    return next(request);
  };
  const options = { baseUrl: url, httpVersion: '2' as const, interceptors: [shows] };
  const transport =
    door === 'gRPC'
      ? createGrpcTransport(options)
      : door === 'gRPC-Web'
        ? createGrpcWebTransport(options)
        : createConnectTransport(options);
  return { kv: createClient(KvService, transport), lease: createClient(LeaseService, transport) };
}

interface Failure {
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly text: string;
  readonly mayRetry: boolean;
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error = ConnectError.from(
    await call.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  const [detail] = error.findDetails(ErrorDetailSchema);
  return {
    code: Code[error.code],
    reason: Object.entries(ErrorReason).find(([, reason]) => reason === detail?.reason)?.[0],
    text: error.rawMessage,
    mayRetry: error.details.some((each) => 'type' in each && each.type === 'google.rpc.RetryInfo'),
  };
}

async function playedNodes(): Promise<{ readonly follower: Node; readonly writer: PlayedWriter }> {
  const writer = await playWriter();
  const follower = await startNode('follower');
  follower.view.writerAddress = writer.address;
  return { follower, writer };
}

const notWriter = { code: 'Unavailable', reason: 'NOT_WRITER', mayRetry: true };

test.each(doors)(
  'over %s a write without a writer has changed nothing, and may be made again',
  async (door) => {
    const follower = await startNode('follower');
    expect(await failureOf(clientOf(follower, door).kv.put(put))).toMatchObject(notWriter);
    // Nothing listens there any more.
    const gone = await playWriter();
    gone.stop();
    follower.view.writerAddress = gone.address;
    const failure = await failureOf(clientOf(follower, door).kv.put(put));
    expect(failure).toMatchObject(notWriter);
    expect(failure.text).toContain(gone.address);
  },
);

test.each(doors)(
  'over %s a write whose writer goes may have taken effect, unless it was refused',
  async (door) => {
    const { follower, writer } = await playedNodes();
    const { kv, lease } = clientOf(follower, door);
    writer.onStream = (_stream, session) => session.destroy();
    const lost = await failureOf(kv.put(put));
    expect(lost).toMatchObject({ code: 'Unavailable', reason: 'STORAGE_FAILED', mayRetry: false });
    expect(lost.text).toContain('it may have taken effect');
    writer.onStream = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
    expect(await failureOf(kv.put(put))).toMatchObject(notWriter);
    writer.onStream = (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    expect(await failureOf(lease.grant({ ttl: { seconds: 9n } }))).toMatchObject({
      reason: 'STORAGE_FAILED',
    });
    // Each was passed on once, and the connection is made anew.
    expect(writer.requests).toHaveLength(3);
  },
);

test('a stream of gRPC whose writer goes in the middle of it ends with that, behind what had come', async () => {
  const { follower, writer } = await playedNodes();
  writer.onStream = (stream, session) => {
    stream.respond({ 'content-type': 'application/grpc+proto' });
    stream.write(Buffer.from([0, 0, 0, 0, 2, 8, 7]));
    setImmediate(() => session.destroy());
  };
  const { lease } = clientOf(follower, 'gRPC');
  async function* requests(): AsyncGenerator<{ leaseId: bigint }> {
    yield { leaseId: 7n };
    await new Promise(() => undefined);
  }
  const replies: bigint[] = [];
  const failure = await failureOf(
    (async () => {
      for await (const { leaseId } of lease.keepAlive(requests())) replies.push(leaseId);
    })(),
  );
  expect(failure).toMatchObject({ code: 'Unavailable', reason: 'STORAGE_FAILED' });
  expect(replies).toEqual([7n]);
});

test('REST and scripts tell it by their status', async () => {
  const { follower, writer } = await playedNodes();
  const send = restClient(follower.url);
  writer.onStream = (_stream, session) => session.destroy();
  const lost = await send('/v1/keys/a', { method: 'PUT', body: '1' });
  expect(lost.status).toBe(503);
  // It may be there: a client that tries again by itself should know what it does.
  expect(lost.headers['retry-after']).toBeUndefined();
  expect(jsonOf(lost)).toMatchObject({ code: 'storageFailed' });
  expect((await send('/set/a', { method: 'POST', body: { value: '1' } })).status).toBe(503);
  follower.view.writerAddress = '';
  const unsent = await send('/v1/keys/a', { method: 'PUT', body: '1' });
  expect([unsent.status, unsent.headers['retry-after']]).toEqual([503, '1']);
  expect(jsonOf(unsent)).toMatchObject({ code: 'notWriter' });
  expect(writer.requests).toHaveLength(2);
});

test('a reply of REST that breaks off is broken off', async () => {
  const { follower, writer } = await playedNodes();
  writer.onStream = (stream, session) => {
    stream.respond({ ':status': 200, 'content-length': '10' });
    stream.write('12345');
    setImmediate(() => session.destroy());
  };
  await expect(restClient(follower.url)('/v1/keys/a', { method: 'PUT', body: '1' })).rejects.toThrow();
});

test.each(doors)('over %s a call that was passed on is not passed on again', async (door) => {
  const [one, other] = [await startNode('follower'), await startNode('follower')];
  one.view.writerAddress = other.address;
  other.view.writerAddress = one.address;
  const failure = await failureOf(clientOf(one, door).kv.put(put));
  expect(failure).toMatchObject(notWriter);
  expect(failure.text).toContain('which is not the writer any more');
  const send = restClient(one.url);
  expect(jsonOf(await send('/v1/keys/a', { method: 'PUT', body: '1' }))).toMatchObject({ code: 'notWriter' });
});

test.each(doors)('over %s the writer is told what it needs to know, and no more', async (door) => {
  const { follower, writer } = await playedNodes();
  writer.onStream = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
  const { kv } = clientOf(follower, door, {
    authorization: 'Bearer secret',
    origin: follower.url,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  await failureOf(kv.put(put, { timeoutMs: 20_000 }));
  const [headers] = writer.requests;
  expect(headers).toMatchObject({
    ':path': '/kelp.v1.KvService/Put',
    ':authority': writer.address,
    authorization: 'Bearer secret',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'kelp-forwarded': '1',
  });
  expect(headers?.origin).toBeUndefined();
  expect(headers?.['grpc-timeout'] ?? headers?.['connect-timeout-ms']).toMatch(/^20000m?$/);
});

test.each(doors)('over %s a call ends by its deadline, and at the writer too', async (door) => {
  const { follower, writer } = await playedNodes();
  const ended = Promise.withResolvers<number>();
  writer.onStream = (stream) => stream.once('close', () => ended.resolve(stream.rstCode));
  const { kv } = clientOf(follower, door);
  expect(await failureOf(kv.put(put, { timeoutMs: 100 }))).toMatchObject({ code: 'DeadlineExceeded' });
  expect(await ended.promise).toBe(constants.NGHTTP2_CANCEL);
});

test.each(doors)('over %s a call that its client cancels ends at the writer', async (door) => {
  const { follower, writer } = await playedNodes();
  const came = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number>();
  writer.onStream = (stream) => {
    came.resolve();
    stream.once('close', () => ended.resolve(stream.rstCode));
  };
  const abort = new AbortController();
  const failure = failureOf(clientOf(follower, door).kv.put(put, { signal: abort.signal }));
  await came.promise;
  abort.abort();
  expect(await failure).toMatchObject({ code: 'Canceled' });
  expect(await ended.promise).toBe(constants.NGHTTP2_CANCEL);
});

test.each(doors)('over %s what the writer refuses keeps its details', async (door) => {
  const { writer, follower } = await startNodes();
  const call = { ...put, condition: { condition: { case: 'mustExist', value: true } } } as const;
  const direct = await failureOf(clientOf(writer, door).kv.put(call));
  expect(direct).toMatchObject({ code: 'FailedPrecondition', reason: 'CONDITION_FAILED' });
  expect(await failureOf(clientOf(follower, door).kv.put(call))).toEqual(direct);
  const refreshing = { key: '', refreshTtl: true };
  const refused = await failureOf(clientOf(writer, door).kv.get(refreshing));
  expect(refused).toMatchObject({ code: 'InvalidArgument', reason: 'INVALID_ARGUMENT' });
  expect(await failureOf(clientOf(follower, door).kv.get(refreshing))).toEqual(refused);
});

test.each(doors)('over %s long messages go through, both ways', async (door) => {
  const { follower } = await startNodes();
  const { kv } = clientOf(follower, door);
  const value = Buffer.alloc(2_000_000, 'kelp');
  await Promise.all(['a', 'b', 'c'].map((key) => kv.put({ key, value })));
  const gets = ['a', 'b', 'c'].map((key) => ({ operation: { case: 'get', value: { key } } }) as const);
  const { results } = await kv.txn({ success: gets });
  const lengths = results.map(({ result }) => (result.case === 'get' ? result.value.entry?.value.length : 0));
  expect(lengths).toEqual([value.length, value.length, value.length]);
});

test('calls of one follower share a connection, which is made again after it was lost', async () => {
  const { follower, writer } = await playedNodes();
  const { kv } = clientOf(follower, 'gRPC');
  writer.onStream = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
  await Promise.all(Array.from({ length: 20 }, () => failureOf(kv.put(put))));
  expect([writer.requests.length, writer.sessionCount]).toEqual([20, 1]);
});

test('a node that becomes the writer serves what comes from then on', async () => {
  const { follower, writer } = await startNodes();
  const { kv } = clientOf(follower, 'gRPC');
  await kv.put(put);
  writer.view.role = 'follower';
  expect(await failureOf(kv.put(put))).toMatchObject(notWriter);
  follower.view.role = 'writer';
  expect(await kv.put(put)).toMatchObject({ revision: 1n });
});

test.each(['gRPC', 'Connect'] as const)(
  'over %s a server that stops ends streams that are passed on',
  async (door) => {
    const { follower, writer } = await playedNodes();
    const ended = Promise.withResolvers<void>();
    const came = Promise.withResolvers<void>();
    writer.onStream = (stream) => {
      stream.once('close', () => ended.resolve());
      came.resolve();
    };
    const { lease } = clientOf(follower, door);
    async function* requests(): AsyncGenerator<{ leaseId: bigint }> {
      yield { leaseId: 7n };
      await new Promise(() => undefined);
    }
    const failure = failureOf(lease.keepAlive(requests())[Symbol.asyncIterator]().next());
    await came.promise;
    await Promise.all([follower.stop(), ended.promise]);
    expect(await failure).toMatchObject({ code: 'Unavailable', reason: 'SHUTTING_DOWN' });
  },
);

describe('a writer that stands still', () => {
  async function withAnother(): Promise<{
    readonly follower: Node;
    readonly writer: PlayedWriter;
    readonly other: Node;
    readonly takeOver: () => void;
  }> {
    const { follower, writer } = await playedNodes();
    const other = await startNode('writer');
    return { follower, writer, other, takeOver: () => (follower.view.writerAddress = other.address) };
  }

  test.each(doors)('over %s keeps a write no longer than until another node writes', async (door) => {
    const { follower, writer, takeOver } = await withAnother();
    writer.onStream = takeOver;
    const { kv } = clientOf(follower, door);
    const failure = await failureOf(kv.put(put));
    expect(failure).toMatchObject({ code: 'Unavailable', reason: 'STORAGE_FAILED', mayRetry: false });
    expect(failure.text).toContain('has taken over while the call was under way: it may have taken effect');
    expect(writer.requests).toHaveLength(1);
    expect(await kv.put(put)).toMatchObject({ revision: 1n });
  });

  test.each(doors)('over %s loses a read to the node that writes now', async (door) => {
    const { follower, writer, other, takeOver } = await withAnother();
    await clientOf(other, door).kv.put(put);
    writer.onStream = takeOver;
    // What the writer alone knows of users makes it a read of the writer's.
    const token = new SessionTokens(new Uint8Array(32)).make('root', 1, new Uint8Array(32));
    const { kv } = clientOf(follower, door, { authorization: `Bearer ${token}` });
    const { entry } = await kv.get({ key: 'a' });
    expect(entry?.value).toEqual(new Uint8Array(put.value));
    expect(writer.requests).toHaveLength(1);
  });

  test('that takes no connection loses what waits for one to the node that writes now', async () => {
    const { follower, takeOver } = await withAnother();
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    silent.on('connection', (socket) => {
      onTestFinished(() => void socket.destroy());
      takeOver();
    });
    follower.view.writerAddress = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    expect(await clientOf(follower, 'gRPC').kv.put(put)).toMatchObject({ revision: 1n });
  });
});
