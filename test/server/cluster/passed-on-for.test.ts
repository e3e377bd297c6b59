/** Whose calls are that a follower passes on: the writer believes what a node says of its clients, and no client. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { createClient as createRpcClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { createClient } from '../../../src/client/client.ts';
import { Authority } from '../../support/certificates.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { type Node, startNode } from './nodes.ts';

const ROOT = { user: 'root', password: 'secret' };
const asRoot = `Basic ${Buffer.from('root:secret').toString('base64')}`;
/** Of this machine, as the nodes' own; not what they connect from. */
const CLIENT_ADDRESS = '127.0.0.2';

interface Cluster {
  readonly writer: Node;
  readonly follower: Node;
  readonly tokens: { readonly node: string; readonly user: string };
}

/** Access is closed at the writer. */
async function startCluster(flags: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const writer = await startNode('writer');
  writer.view.writerAddress = writer.address;
  const open = createClient({ address: writer.url });
  await open.access.createUser('root', { password: ROOT.password });
  open.close();
  const root = createClient({ address: writer.url, credentials: ROOT });
  await root.access.createRole('node');
  await root.access.addGrant('node', { permission: 'admin' });
  await root.access.createUser('node', { roles: ['node'] });
  await root.access.createUser('ann', {});
  await root.access.createUser('host.example', { roles: ['node'] });
  const { secret: node } = await root.access.createToken('nodes', { user: 'node' });
  const { secret: user } = await root.access.createToken('ann', { user: 'ann' });
  root.close();
  const follower = await startNode('follower', { flags }, { token: node });
  follower.view.writerAddress = writer.address;
  return { writer, follower, tokens: { node, user } };
}

type Headers = Readonly<Record<string, string>>;

/** One request from the client's address, over HTTP/2; resolves once it is answered. */
async function ask({ address }: Node, path: string, headers: Headers, body: Buffer): Promise<void> {
  const [host = '', port = ''] = address.split(':');
  const session = connect(`http://${address}`, {
    createConnection: () => connectSocket({ host, port: Number(port), localAddress: CLIENT_ADDRESS }),
  });
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': path, ...headers });
  stream.resume();
  stream.end(body);
  await once(stream, 'close');
}

/** Of which the log of the writer tells who asked. */
const changes: readonly (readonly [door: string, path: string, headers: Headers, body: Buffer])[] = [
  [
    'gRPC',
    '/kelp.v1.AccessService/CreateRole',
    { 'content-type': 'application/grpc+proto' },
    Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x72]),
  ],
  [
    'Connect',
    '/kelp.v1.AccessService/CreateRole',
    { 'content-type': 'application/json' },
    Buffer.from('{"name":"r"}'),
  ],
];

describe.each(changes)('over %s', (_, path, headers, body) => {
  test('the log of the writer names the client of a call that a node has passed on', async () => {
    const { writer, follower } = await startCluster();
    await ask(follower, path, { ...headers, authorization: asRoot }, body);
    const line = await writer.log.line(({ event, name }) => event === 'access.changed' && name === 'r');
    expect(line).toMatchObject({ user: 'root', peer: CLIENT_ADDRESS });
  });

  test('and that of a refused login', async () => {
    const { writer, follower } = await startCluster();
    await ask(follower, path, { ...headers, authorization: 'Bearer none' }, body);
    const line = await writer.log.line(({ event }) => event === 'login.refused');
    expect(line).toMatchObject({ peer: CLIENT_ADDRESS });
  });

  test.each(['nothing', 'a token of a user', 'a token that is none'])(
    'a client that shows %s is believed nothing of another client',
    async (shown) => {
      const { writer, follower, tokens } = await startCluster();
      const token = { nothing: {}, 'a token of a user': { 'kelp-node-token': tokens.user } }[shown] ?? {
        'kelp-node-token': 'none',
      };
      const forged = {
        'kelp-forwarded': '1',
        'kelp-forwarded-for': '9.9.9.9',
        // Of `host.example`.
        'kelp-forwarded-certificate': Buffer.from('[9e15,"host.example"]').toString('base64url'),
        ...token,
      };
      await ask(writer, path, { ...headers, ...forged, authorization: asRoot }, body);
      const line = await writer.log.line(({ event, name }) => event === 'access.changed' && name === 'r');
      expect(line).toMatchObject({ user: 'root', peer: CLIENT_ADDRESS });
      // Without a login of its own it has none.
      const before = writer.log.lines.length;
      await ask(writer, path, { ...headers, ...forged }, body);
      await writer.log.line(
        (each) => writer.log.lines.indexOf(each) >= before && each['code'] === 'Unauthenticated',
      );
      // By way of a node neither: that passes on what it knows.
      await ask(
        follower,
        path,
        { ...headers, ...forged, 'kelp-forwarded': '', authorization: 'Bearer none' },
        body,
      );
      const refused = writer.log.lines.filter(({ event }) => event === 'login.refused');
      expect(refused.map(({ peer }) => peer)).not.toContain('9.9.9.9');
    },
  );
});

test('a client that is known by its certificate writes through a follower that has a token', async () => {
  const [servers, clients] = [new Authority('of servers'), new Authority('of clients')];
  const directory = await temporaryDirectory();
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const { cert, key } = servers.server();
  const { writer, follower } = await startCluster({
    'tls-cert': file('tls.crt', cert),
    'tls-key': file('tls.key', key),
    'tls-client-ca': file('ca.crt', clients.identity.cert),
  });
  follower.view.role = 'writer';
  const secure = { address: follower.url, tls: { ca: servers.identity.cert } };
  const open = createClient(secure);
  await open.access.createUser('root', { password: ROOT.password });
  open.close();
  follower.view.role = 'follower';
  const identity = clients.issue({ commonNames: ['host.example'] });
  const kv = createRpcClient(
    KvService,
    createGrpcTransport({
      baseUrl: `https://localhost:${follower.url.split(':').at(-1)}`,
      nodeOptions: { ca: servers.identity.cert, cert: identity.cert, key: identity.key },
    }),
  );
  const root = createClient({ address: writer.url, credentials: ROOT });
  onTestFinished(() => root.close());
  await root.access.addGrant('node', { permission: 'readwrite', all: true });
  await kv.put({ key: 'a', value: Buffer.from('1') });
  expect((await root.get('a')).entry?.text()).toBe('1');
});
