/** etcd's services beside all others: JSON and compressed calls, keys of other types, metrics, requests that are too deep. */
import { createClient } from '@connectrpc/connect';
import { compressionGzip, createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { Compare_CompareTarget, KV } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { metricsOf } from '../metrics/exposition.ts';
import { etcdClient } from './support/etcd-client.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const key = (text: string): { key: Uint8Array } => ({ key: bytes(text) });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function postJson({ url }: TestServer, method: string, body: string): Promise<[number, unknown]> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/etcdserverpb.KV/${method}`, { method: 'POST', headers, body });
  return [response.status, await response.json()];
}

describe('calls in JSON', () => {
  test('are answered', async () => {
    const server = await startTestServer();
    const [status] = await postJson(server, 'Put', JSON.stringify({ key: base64('a'), value: base64('b') }));
    expect(status).toBe(200);
    const success = [{ requestTxn: { success: [{ requestRange: { key: base64('a') } }] } }];
    const [, reply] = await postJson(server, 'Txn', JSON.stringify({ success }));
    expect(reply).toMatchObject({
      succeeded: true,
      responses: [
        {
          responseTxn: {
            responses: [{ responseRange: { kvs: [{ value: base64('b'), modRevision: '2' }] } }],
          },
        },
      ],
    });
  });

  test('fail as etcd fails', async () => {
    const server = await startTestServer();
    expect(await postJson(server, 'Put', '{}')).toEqual([
      400,
      { code: 'invalid_argument', message: 'etcdserver: key is not provided' },
    ]);
  });

  test.each([200, 40_000])('that are nested %i deep are refused, and the server goes on', async (depth) => {
    const server = await startTestServer();
    const body = `${'{"success":[{"requestTxn":'.repeat(depth)}{}${'}]}'.repeat(depth)}`;
    expect(await postJson(server, 'Txn', body)).toMatchObject([
      400,
      {
        code: 'invalid_argument',
        message: 'the request is no etcdserverpb.TxnRequest: it is nested too deep',
      },
    ]);
    expect((await postJson(server, 'Range', JSON.stringify({ key: base64('a') })))[0]).toBe(200);
  });
});

test('compressed calls are answered', async () => {
  const { url } = await startTestServer();
  const kv = createClient(
    KV,
    createGrpcTransport({ baseUrl: url, sendCompression: compressionGzip, compressMinBytes: 0 }),
  );
  await kv.put({ ...key('a'), value: bytes('b'.repeat(1000)) });
  expect((await kv.range(key('a'))).kvs[0]?.value).toHaveLength(1000);
});

test('a key that holds a collection has an empty value and all its revisions', async () => {
  const { url } = await startTestServer();
  const transport = createGrpcTransport({ baseUrl: url });
  const hash = createClient(HashService, transport);
  await hash.set({ key: 'h', fields: [{ name: bytes('f'), value: bytes('1') }] });
  await hash.set({ key: 'h', fields: [{ name: bytes('g'), value: bytes('2') }] });
  const { kv } = etcdClient(url);
  const { kvs } = await kv.range({ key: bytes('\0'), rangeEnd: bytes('\0') });
  expect(kvs).toMatchObject([
    { key: bytes('h'), value: bytes(''), createRevision: 2n, modRevision: 3n, version: 2n },
  ]);
  await expect(kv.put({ ...key('h'), ignoreValue: true })).rejects.toThrow('holds no plain value');
  const targetUnion = { case: 'value', value: bytes('') } as const;
  const target = Compare_CompareTarget.VALUE;
  expect((await kv.txn({ compare: [{ ...key('h'), target, targetUnion }] })).succeeded).toBe(true);
  // A put makes a plain key of it.
  await kv.put({ ...key('h'), value: bytes('plain') });
  expect((await kv.range(key('h'))).kvs).toMatchObject([
    { value: bytes('plain'), createRevision: 2n, version: 3n },
  ]);
});

test('what other doors write and what etcd writes is one store', async () => {
  const { url } = await startTestServer();
  const kelp = createClient(KvService, createGrpcTransport({ baseUrl: url }));
  const { kv } = etcdClient(url);
  await kelp.put({ key: 'a', value: bytes('1') });
  const { header, kvs } = await kv.range(key('a'));
  expect(header?.revision).toBe(2n);
  expect(kvs).toMatchObject([{ value: bytes('1'), createRevision: 2n, modRevision: 2n }]);
  await kv.put({ key: Buffer.from([0xff, 1]), value: bytes('2') });
  expect((await kelp.get({ keyBytes: Buffer.from([0xff, 1]) })).entry?.modRevision).toBe(2n);
});

test('ids of the cluster and the member stay, and are never 0', async () => {
  const { url } = await startTestServer();
  const { kv } = etcdClient(url);
  const first = (await kv.range(key('a'))).header;
  const second = (await kv.put(key('a'))).header;
  expect(first?.clusterId).toBeGreaterThan(0n);
  expect(first?.memberId).toBeGreaterThan(0n);
  expect(first?.raftTerm).toBe(1n);
  expect([second?.clusterId, second?.memberId]).toEqual([first?.clusterId, first?.memberId]);
});

test('calls are counted by their method', async () => {
  const server = await startTestServer();
  const { kv } = etcdClient(server.url);
  await kv.put(key('a'));
  await kv.range(key('a'));
  await kv.put({}).catch(() => undefined);
  const samples = (await metricsOf(server.url)).flatMap((metric) => metric.samples);
  const countOf = (method: string, code: string): number | undefined =>
    samples.find(
      ({ name }) =>
        name.startsWith('kelp_calls_total') &&
        name.endsWith(`{door="grpc",method="${method}",code="${code}"}`),
    )?.value;
  expect([
    countOf('EtcdPut', 'Ok'),
    countOf('EtcdPut', 'InvalidArgument'),
    countOf('EtcdRange', 'Ok'),
  ]).toEqual([1, 1, 1]);
});
