/** Reads of a node of a cluster: they wait until it has caught up, all of a turn for one answer. */
import { once } from 'node:events';
import type { Message } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { KV, Watch as EtcdWatch } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { Consistency } from '../../../gen/kelp/v1/types_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import type { Role } from '../../../src/cluster/cluster-view.ts';
import { StoreError } from '../../../src/errors.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { rpcClient, rpcDoors } from '../access/rpc-door.ts';
import { rpcRows } from '../access/rpc-rows.ts';
import { restClient } from '../rest/rest-client.ts';
import { type Node, startNode } from './nodes.ts';
import { servedMethods } from './served-methods.ts';

const local = { consistency: Consistency.LOCAL };

test.each(rpcDoors)(
  'over %s each read asks whether the node has caught up, and nothing else does',
  async (door) => {
    const node = await startNode('follower');
    const ask = rpcClient(node, door, undefined);
    const seen = new Set<object>();
    for (const { method, request } of rpcRows) {
      const served = servedMethods.find(({ desc }) => desc === method);
      const isRead = served?.runsAt === 'caughtUp' && !('refreshTtl' in request || 'destination' in request);
      if (served === undefined || served.runsAt === 'writer' || (served.runsAt === 'caughtUp' && !isRead))
        continue;
      // Its batches have a test of their own.
      if (method === KvService.method.pipeline || seen.has(method)) continue;
      seen.add(method);
      const before = node.view.barrierCount;
      await ask(method, request);
      expect(node.view.barrierCount - before, `${method.parent.name}/${method.name}`).toBe(isRead ? 1 : 0);
      if (!method.input.fields.some(({ name }) => name === 'consistency')) continue;
      await ask(method, { ...request, ...local });
      expect(node.view.barrierCount - before, `${method.name}, local`).toBe(1);
    }
    expect(seen.size).toBeGreaterThan(25);
  },
  60_000,
);

test.each(['writer', 'follower'] as const)(
  'a %s answers no read before it has caught up',
  async (role: Role) => {
    const node = await startNode(role);
    const hold = Promise.withResolvers<void>();
    node.view.barrier = hold.promise;
    const order: string[] = [];
    const client = new GrpcJsClient(node.address);
    const reads = [
      client.unary(KvService.method.get, { key: 'a' }),
      client.unary(KvService.method.scan, {}),
      createClient(KvService, createGrpcWebTransport({ baseUrl: node.url, httpVersion: '2' })).get({
        key: 'a',
      }),
      restClient(node.url)('/v1/keys'),
      restClient(node.url)('/get/a'),
      client.unary(KV.method.range, { key: Buffer.from('a') }),
      firstOf(client.serverStream(KvService.method.scanStream, {})),
      firstOf(client.serverStream(WatchService.method.watch, {})),
    ].map((read) => read.then(() => order.push('read')));
    // These do not wait.
    await client.unary(KvService.method.get, { key: 'a', ...local });
    await client.unary(KV.method.range, { key: Buffer.from('a'), serializable: true });
    await restClient(node.url)('/v1/keys?consistency=local');
    while (node.view.barrierCount < 1) await new Promise(setImmediate);
    order.push('caught up');
    hold.resolve();
    await Promise.all(reads);
    expect(order).toEqual(['caught up', ...reads.map(() => 'read')]);
  },
);

test('a watch begins behind what was acknowledged before it came', async () => {
  const node = await startNode('writer');
  const hold = Promise.withResolvers<void>();
  node.view.barrier = hold.promise;
  const client = new GrpcJsClient(node.address);
  const watch = client.serverStream(WatchService.method.watch, { includeCurrent: true });
  const etcdWatch = client.bidiStream(EtcdWatch.method.watch);
  etcdWatch.write({ requestUnion: { case: 'createRequest', value: { key: Buffer.from('a') } } });
  while (node.view.barrierCount < 1) await new Promise(setImmediate);
  // As if the node came to it only now.
  const { revision } = await client.unary(KvService.method.put, { key: 'a', value: Buffer.from('1') });
  const [first, created] = [firstOf(watch), firstOf(etcdWatch)];
  hold.resolve();
  expect(await first).toMatchObject({ message: { case: 'current', value: { entries: [{ key: 'a' }] } } });
  expect(await created).toMatchObject({ created: true, header: { revision: revision + 1n } });
});

/** The first message. */
async function firstOf(stream: ClientReadableStream<Message>): Promise<unknown> {
  stream.on('error', () => undefined);
  const [message] = (await once(stream, 'data')) as [Message];
  stream.cancel();
  return message;
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

function grpcOf({ url }: Node) {
  const transport = createGrpcTransport({ baseUrl: url });
  return { kv: createClient(KvService, transport), watch: createClient(WatchService, transport) };
}

test('what the cluster can not answer is told, through each door', async () => {
  const node = await startNode('follower');
  node.view.barrier = Promise.reject(new StoreError('notWriter', 'overtaken', { writerAddress: '' }));
  node.view.barrier.catch(() => undefined);
  const { kv, watch } = grpcOf(node);
  expect((await failureOf(kv.get({ key: 'a' }))).code).toBe(Code.Unavailable);
  const web = createClient(KvService, createGrpcWebTransport({ baseUrl: node.url, httpVersion: '2' }));
  expect((await failureOf(web.get({ key: 'a' }))).code).toBe(Code.Unavailable);
  for (const begin of [() => kv.scanStream({}), () => watch.watch({}), () => web.scanStream({})]) {
    const first = begin()[Symbol.asyncIterator]().next();
    expect((await failureOf(first)).code).toBe(Code.Unavailable);
  }
  expect((await restClient(node.url)('/v1/keys/a')).status).toBe(503);
});

test('a read waits no longer than its deadline, and no longer than its client', async () => {
  const node = await startNode('follower');
  const { promise } = Promise.withResolvers<void>();
  node.view.barrier = promise;
  const { kv, watch } = grpcOf(node);
  const web = createClient(KvService, createGrpcWebTransport({ baseUrl: node.url, httpVersion: '2' }));
  const late = [
    () => kv.get({ key: 'a' }, { timeoutMs: 50 }),
    () => web.get({ key: 'a' }, { timeoutMs: 50 }),
    () => watch.watch({}, { timeoutMs: 50 })[Symbol.asyncIterator]().next(),
    () => kv.scanStream({}, { timeoutMs: 50 })[Symbol.asyncIterator]().next(),
  ];
  for (const each of late) expect((await failureOf(each())).code).toBe(Code.DeadlineExceeded);
});

test('min_revision waits until a follower has come to it', async () => {
  const node = await startNode('follower');
  const hold = Promise.withResolvers<void>();
  node.view.reach = hold.promise;
  const { kv } = grpcOf(node);
  const got = failureOf(kv.get({ key: 'a', minRevision: 7n, ...local }));
  while (node.view.asked.length < 1) await new Promise(setImmediate);
  expect(node.view.asked).toEqual([7]);
  expect(node.view.barrierCount).toBe(0);
  hold.resolve();
  // The fake one has not come to it: the read itself says so.
  expect((await got).code).toBe(Code.OutOfRange);
  const late = kv.scan({ minRevision: 8n }, { timeoutMs: 50 });
  node.view.reach = Promise.withResolvers<void>().promise;
  expect((await failureOf(late)).code).toBe(Code.DeadlineExceeded);
  expect(node.view.asked).toEqual([7, 8]);
  expect(node.view.barrierCount).toBe(1);
  node.view.role = 'writer';
  const future = await failureOf(kv.get({ key: 'a', minRevision: 9n }));
  expect(future.code).toBe(Code.OutOfRange);
  expect(node.view.asked).toEqual([7, 8]);
});
