/** What a writer tells that has changed nothing: it may have been overtaken, so it asks the shared log before it tells. */
import { Code, type ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { KV } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { StoreError } from '../../../src/errors.ts';
import { restClient } from '../rest/rest-client.ts';
import { type Node, startNode } from './nodes.ts';

const value = Buffer.from('1');
const mustBeAbsent = {
  key: 'a',
  value,
  condition: { condition: { case: 'mustNotExist' as const, value: true } },
};

function clientsOf({ url }: Node) {
  const transport = createGrpcTransport({ baseUrl: url });
  const web = createGrpcWebTransport({ baseUrl: url, httpVersion: '2' });
  return {
    kv: createClient(KvService, transport),
    web: createClient(KvService, web),
    etcd: createClient(KV, transport),
    rest: restClient(url),
  };
}

/** Calls that find `a`, and change nothing. */
function unchanging(node: Node): (() => Promise<unknown>)[] {
  const { kv, web, etcd, rest } = clientsOf(node);
  const requestRange = { request: { case: 'requestRange' as const, value: { key: Buffer.from('a') } } };
  return [
    () => kv.put(mustBeAbsent),
    () => web.put(mustBeAbsent),
    () => kv.delete({ key: 'b' }),
    () => kv.txn({ success: [{ operation: { case: 'get', value: { key: 'a' } } }] }),
    () => etcd.txn({ success: [requestRange] }),
    () => etcd.deleteRange({ key: Buffer.from('b') }),
    () => rest('/v1/keys/b', { method: 'DELETE' }),
    () => rest('/v1/keys/a', { method: 'PUT', body: '2', headers: { 'if-none-match': '*' } }),
    () => rest('/delete/b', { method: 'DELETE' }),
  ];
}

test('a writer asks whether it is one before it tells what it has not changed', async () => {
  const node = await startNode('writer');
  await clientsOf(node).kv.put({ key: 'a', value });
  let asked = node.view.barrierCount;
  for (const [index, call] of unchanging(node).entries()) {
    await call().catch(() => undefined);
    expect(node.view.barrierCount - asked, `call ${index}`).toBe(1);
    asked = node.view.barrierCount;
  }
});

test('a writer asks nothing for what it has changed', async () => {
  const node = await startNode('writer');
  const { kv, web, etcd, rest } = clientsOf(node);
  await kv.put({ key: 'a', value });
  await web.put({ key: 'a', value });
  await kv.delete({ key: 'a' });
  await kv.increment({ key: 'n', delta: 1n });
  await etcd.put({ key: Buffer.from('b'), value });
  expect((await rest('/v1/keys/c', { method: 'PUT', body: '1' })).status).toBe(201);
  expect((await rest('/set/d', { method: 'POST', body: '{"value":"1"}' })).status).toBe(200);
  expect(node.view.barrierCount).toBe(0);
});

test('a writer that was overtaken tells nothing of what it holds', async () => {
  const node = await startNode('writer');
  await clientsOf(node).kv.put({ key: 'a', value });
  node.view.barrier = Promise.reject(new StoreError('notWriter', 'overtaken', { writerAddress: '' }));
  node.view.barrier.catch(() => undefined);
  for (const [index, call] of unchanging(node).entries()) {
    const told = await call().then(
      (reply) => (reply as { status?: number }).status,
      (error: unknown) => (error as ConnectError).code,
    );
    expect([503, Code.Unavailable], `call ${index}`).toContain(told);
  }
});

test('what was decided by a writer is not told by the follower that it has become', async () => {
  const node = await startNode('writer');
  const { kv } = clientsOf(node);
  await kv.put({ key: 'a', value });
  const hold = Promise.withResolvers<void>();
  node.view.barrier = hold.promise;
  const told = kv.put(mustBeAbsent).catch((error: unknown) => (error as ConnectError).code);
  while (node.view.barrierCount < 1) await new Promise(setImmediate);
  node.view.role = 'follower';
  hold.resolve();
  expect(await told).toBe(Code.Unavailable);
});
