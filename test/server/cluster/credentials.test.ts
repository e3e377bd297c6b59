/** Whose a call is that a follower passes on: the writer finds out, by what the client shows. */
import { once } from 'node:events';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { Auth, Cluster, KV } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { AccessService } from '../../../gen/kelp/v1/access_pb.ts';
import { type PipelineResponse, KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { addressOfWriter } from '../../../src/server/cluster/writer-calls.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { restClient } from '../rest/rest-client.ts';
import { FakeView, type Node, startNodes } from './nodes.ts';

const root = `Basic ${Buffer.from('root:secret').toString('base64')}`;
const put = { key: 'a', value: Buffer.from('1') };

function clientsOf({ url }: Node, authorization?: string) {
  const transport = createGrpcTransport({
    baseUrl: url,
    interceptors: [
      (next) => (request) => {
        if (authorization !== undefined) request.header.set('authorization', authorization);
        return next(request);
      },
    ],
  });
  return {
    kv: createClient(KvService, transport),
    access: createClient(AccessService, transport),
    etcd: createClient(KV, transport),
    auth: createClient(Auth, transport),
    cluster: createClient(Cluster, transport),
  };
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  return await call.then(
    () => 'Ok',
    (error: unknown) => Code[ConnectError.from(error).code],
  );
}

test('what the writer knows of users counts', async () => {
  const { writer, follower } = await startNodes();
  await clientsOf(follower).access.createUser({ name: 'root', password: 'secret' });
  expect(await codeOf(clientsOf(follower).kv.put(put))).toBe('Unauthenticated');
  expect(await codeOf(clientsOf(follower, root).kv.put(put))).toBe('Ok');
  const send = restClient(follower.url);
  expect((await send('/v1/keys/b', { method: 'PUT', body: '1' })).status).toBe(401);
  const shown = { method: 'PUT', body: '1', headers: { authorization: root } };
  expect((await send('/v1/keys/b', shown)).status).toBe(201);
  // A follower that has caught up knows it too.
  follower.view.role = 'writer';
  await clientsOf(follower).access.createUser({ name: 'root', password: 'secret' });
  follower.view.role = 'follower';
  expect(await codeOf(clientsOf(follower, root).kv.get({ key: 'a', refreshTtl: true }))).toBe('Ok');
  expect(await codeOf(clientsOf(follower).kv.get({ key: 'a', refreshTtl: true }))).toBe('Unauthenticated');
  expect(await codeOf(clientsOf(writer, root).kv.get({ key: 'b' }))).toBe('Ok');
});

test('a token of etcd is good at the writer, where its reads go too', async () => {
  const { follower } = await startNodes();
  await clientsOf(follower).access.createUser({ name: 'root', password: 'secret' });
  const key = Buffer.from('a');
  const { token } = await clientsOf(follower).auth.authenticate({ name: 'root', password: 'secret' });
  const { etcd } = clientsOf(follower, token);
  expect(await codeOf(etcd.put({ key, value: key }))).toBe('Ok');
  const { kvs } = await etcd.range({ key });
  expect(kvs).toHaveLength(1);
  expect(follower.view.barrierCount).toBe(0);
});

test('all that any node would do for a token of etcd, the writer does, which alone knows it', async () => {
  const { writer, follower } = await startNodes();
  await clientsOf(follower).access.createUser({ name: 'root', password: 'secret' });
  const { token } = await clientsOf(follower).auth.authenticate({ name: 'root', password: 'secret' });
  const authorization = `Bearer ${token}`;
  const stream = new GrpcJsClient(follower.address, undefined, authorization).bidiStream(
    KvService.method.pipeline,
  );
  stream.write({ operations: [{ operation: { case: 'put', value: put } }] });
  const [reply] = (await once(stream, 'data')) as [PipelineResponse];
  expect(reply.results.map(({ result }) => result.case)).toEqual(['put']);
  stream.end();
  expect((await clientsOf(writer, root).kv.get({ key: 'a' })).entry?.value).toEqual(
    new Uint8Array(put.value),
  );
  expect(await clientsOf(follower, authorization).access.whoAmI({})).toMatchObject({ user: 'root' });
  const { cluster } = clientsOf(follower, token);
  expect((await cluster.memberList({})).members).toHaveLength(1);
});

test('a client that is known by its certificate alone is told that a follower without a token can not pass that on', () => {
  const view = new FakeView('follower');
  view.writerAddress = '10.0.0.1:7379';
  const shown = { authorization: undefined, isByConnection: true };
  expect(() => addressOfWriter({ view: () => view, peers: { hasToken: false } }, shown, false)).toThrow(
    /can't tell of the certificate of its client, since it has no token for that \(--peer-token-file\): call the writer at 10\.0\.0\.1:7379/,
  );
  const token = { authorization: 'Bearer x', isByConnection: false };
  expect(addressOfWriter({ view: () => view, peers: { hasToken: false } }, token, false)).toBe(
    view.writerAddress,
  );
});
