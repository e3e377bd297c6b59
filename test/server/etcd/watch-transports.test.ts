/** Watch of etcd's API by the other protocols of the port: gRPC-Web and Connect, in bytes and in JSON. */
import { createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { expect, onTestFinished, test } from 'vitest';
import { KV, Watch } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { startTestServer } from '../../support/test-server.ts';
import { Watched } from './support/watched.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const all = { key: bytes('\0'), rangeEnd: bytes('\0') };

const bothWays: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  'gRPC-Web': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '2' }),
  'gRPC-Web in JSON': (baseUrl) =>
    createGrpcWebTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false }),
  'Connect in bytes': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: true }),
  'Connect in JSON': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false }),
};

function clients(transport: Transport) {
  const kv = createClient(KV, transport);
  const watched = new Watched({ watch: createClient(Watch, transport) });
  onTestFinished(() => watched.stop());
  return { kv, watched };
}

test.each(Object.entries(bothWays))('watches share a stream and are canceled by %s', async (_, made) => {
  const { url } = await startTestServer();
  const { kv, watched } = clients(made(url));
  watched.create({ ...all, watchId: 7n, prevKv: true });
  watched.create({ key: bytes('a') });
  watched.create({ key: bytes('b'), watchId: 7n });
  const created = await watched.told(3);
  expect(created).toMatchObject([
    { watchId: '7', created: true },
    { created: true },
    {
      watchId: '-1',
      created: true,
      canceled: true,
      cancelReason: 'mvcc: duplicate watch ID provided on the WatchStream',
    },
  ]);
  await kv.put({ key: bytes('b'), value: bytes('1') });
  expect(await watched.told(1)).toMatchObject([
    { watchId: '7', header: { revision: '2' }, events: [{ kv: { key: base64('b'), modRevision: '2' } }] },
  ]);
  await kv.deleteRange({ key: bytes('b') });
  expect(await watched.told(1)).toMatchObject([
    { watchId: '7', events: [{ type: 'DELETE', prevKv: { value: base64('1') } }] },
  ]);
  watched.cancel(7n);
  watched.askProgress();
  const [canceled, progress] = await watched.told(2);
  expect(canceled).toMatchObject({ watchId: '7', canceled: true });
  expect(progress).toEqual({ header: { revision: '3' }, watchId: '-1' });
  await kv.put({ key: bytes('b'), value: bytes('not told') });
  await kv.put({ key: bytes('a'), value: bytes('2') });
  const [last] = await watched.told(1);
  expect(last).not.toHaveProperty('watchId');
  expect(last).toMatchObject({ events: [{ kv: { key: base64('a'), value: base64('2') } }] });
});
