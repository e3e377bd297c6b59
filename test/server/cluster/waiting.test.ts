/** Calls at a follower that is told of no writer, or of one that is not reached: they wait for another one, over every door. */
import { once } from 'node:events';
import { constants } from 'node:http2';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { KV } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { forwarding } from '../../../src/limits.ts';
import { WriterWatch, writerWaitMsOf } from '../../../src/server/cluster/writer-watch.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { restClient } from '../rest/rest-client.ts';
import { type Node, startNode } from './nodes.ts';
import { playWriter } from './played-writer.ts';

/** Longer than any test. */
const LONG_MS = 600_000;

const key = 'a';
const value = Buffer.from('1');
const put = { key, value };

const transports = {
  gRPC: createGrpcTransport,
  'gRPC-Web': createGrpcWebTransport,
  Connect: createConnectTransport,
};

function kvOf({ url }: Node, protocol: keyof typeof transports = 'gRPC') {
  return createClient(KvService, transports[protocol]({ baseUrl: url, httpVersion: '2' }));
}

type Write = (node: Node) => Promise<unknown>;

const doors: Readonly<Record<string, Write>> = {
  gRPC: (node) => kvOf(node).put(put),
  'gRPC-Web': (node) => kvOf(node, 'gRPC-Web').put(put),
  Connect: (node) => kvOf(node, 'Connect').put(put),
  Pipeline: async ({ address }) => {
    const stream = new GrpcJsClient(address).bidiStream(KvService.method.pipeline);
    stream.write({ operations: [{ operation: { case: 'put', value: put } }] });
    await once(stream, 'data');
    stream.end();
  },
  'gRPC, a read that puts off the end of its key': async (node) => {
    await kvOf(node).get({ key, refreshTtl: true });
    await kvOf(node).put(put);
  },
  REST: async ({ url }) => {
    const { status } = await restClient(url)('/v1/keys/a', { method: 'PUT', body: '1' });
    expect(status).toBe(201);
  },
  scripts: async ({ url }) => {
    const { status } = await restClient(url)('/set/a', { method: 'POST', body: { value: '1' } });
    expect(status).toBe(200);
  },
  etcd: ({ address }) => new GrpcJsClient(address).unary(KV.method.put, { key: Buffer.from(key), value }),
};

/** The node is told of these writers, one each time that it asks, and of the last one from then on. */
function tells({ view }: Node, ...addresses: readonly [string, ...string[]]): void {
  const left = [...addresses];
  Object.defineProperty(view, 'writerAddress', {
    get: () => (left.length > 1 ? left.shift() : left[0]),
  });
}

async function goneAddress(): Promise<string> {
  const gone = await playWriter();
  gone.stop();
  return gone.address;
}

async function startNodes(): Promise<{ readonly follower: Node; readonly writer: Node }> {
  const follower = await startNode('follower', {}, { writerWaitMs: LONG_MS });
  const writer = await startNode('writer');
  writer.view.writerAddress = writer.address;
  return { follower, writer };
}

async function wasWritten(writer: Node): Promise<boolean> {
  const { entry } = await kvOf(writer).get({ key });
  return entry !== undefined && entry.version === 1n;
}

function reasonOf(error: unknown): unknown {
  const { code } = ConnectError.from(error);
  const [detail] = ConnectError.from(error).findDetails(ErrorDetailSchema);
  return [Code[code], Object.entries(ErrorReason).find(([, reason]) => reason === detail?.reason)?.[0]];
}

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => reasonOf(error),
  );

describe.each(Object.entries(doors))('over %s', (_, write) => {
  test('a write waits until there is a writer', async () => {
    const { follower, writer } = await startNodes();
    tells(follower, '', '', writer.address);
    await write(follower);
    expect(await wasWritten(writer)).toBe(true);
  });

  test('a write whose writer is not reached waits until another one is', async () => {
    const { follower, writer } = await startNodes();
    const gone = await goneAddress();
    tells(follower, gone, gone, gone, '', writer.address);
    await write(follower);
    expect(await wasWritten(writer)).toBe(true);
  });
});

test('a write waits for the node itself, too, which becomes the writer', async () => {
  const follower = await startNode('follower', {}, { writerWaitMs: LONG_MS });
  let askedCount = 0;
  Object.defineProperty(follower.view, 'writerAddress', {
    get: () => {
      if (++askedCount < 3) return '';
      follower.view.role = 'writer';
      return follower.address;
    },
  });
  await kvOf(follower).put(put);
  expect(await wasWritten(follower)).toBe(true);
});

test('a short write that its writer did not take is sent to the next one', async () => {
  const { follower, writer } = await startNodes();
  const going = await playWriter();
  going.onStream = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
  tells(follower, going.address, writer.address);
  await kvOf(follower).put(put);
  expect(going.requests).toHaveLength(1);
  expect(await wasWritten(writer)).toBe(true);
});

test('a write that was sent is not sent again', async () => {
  const { follower, writer } = await startNodes();
  const going = await playWriter();
  going.onStream = (_stream, session) => session.destroy();
  tells(follower, going.address, writer.address);
  expect(await failureOf(kvOf(follower).put(put))).toEqual(['Unavailable', 'STORAGE_FAILED']);
  expect((await kvOf(writer).get({ key })).entry).toBeUndefined();
});

describe('a write waits', () => {
  test.each(['', 'gone'])('for a while only, for the writer "%s"', async (what) => {
    const follower = await startNode('follower', {}, { writerWaitMs: 1 });
    tells(follower, what === '' ? '' : await goneAddress());
    expect(await failureOf(kvOf(follower).put(put))).toEqual(['Unavailable', 'NOT_WRITER']);
  });

  test.each(Object.keys(transports) as (keyof typeof transports)[])(
    'until its deadline, over %s',
    async (protocol) => {
      const follower = await startNode('follower', {}, { writerWaitMs: LONG_MS });
      const call = kvOf(follower, protocol).put(put, { timeoutMs: 50 });
      expect(await failureOf(call)).toEqual(['DeadlineExceeded', undefined]);
    },
  );

  test('until its server stops', async () => {
    const follower = await startNode('follower', {}, { writerWaitMs: LONG_MS });
    const asked = Promise.withResolvers<void>();
    Object.defineProperty(follower.view, 'writerAddress', {
      get: () => {
        asked.resolve();
        return '';
      },
    });
    const failure = failureOf(kvOf(follower).put(put));
    await asked.promise;
    await follower.stop();
    expect(await failure).toEqual(['Unavailable', 'NOT_WRITER']);
  });

  test('for longer than another node takes to become the writer', () => {
    expect(writerWaitMsOf(2_000)).toBeGreaterThan(2_000 + 500);
  });

  test('unless too many do', () => {
    const clock = new ManualClock();
    const watch = new WriterWatch(clock, LONG_MS);
    const untils = Array.from({ length: forwarding.waitingCallsMax }, () => watch.beginWait());
    expect(untils).not.toContain(undefined);
    expect(watch.beginWait()).toBeUndefined();
    watch.endWait();
    expect(watch.beginWait()).toBe(clock.monotonicMs() + LONG_MS);
    watch.close();
    watch.endWait();
    expect(watch.beginWait()).toBeUndefined();
  });
});
