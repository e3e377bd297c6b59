/** Who may do what through etcd's KV, and how a client shows who it is. */
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { KV } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { clientsOf } from '../access/access-client.ts';
import {
  type Need,
  all,
  closeAccess,
  expectedOutcome,
  forAdmins,
  reads,
  writes,
} from '../access/principals.ts';
import { accessOutcome, failureOf } from './support/access-outcome.ts';
import { type EtcdClient, etcdClient } from './support/etcd-client.ts';

type Call = (client: EtcdClient) => Promise<unknown>;

const bytes = (text: string): Uint8Array => Buffer.from(text);
const key = (text: string): { key: Uint8Array } => ({ key: bytes(text) });
const aKeys = { key: bytes('a/'), rangeEnd: bytes('a0') };
const everything = { key: bytes('\0'), rangeEnd: bytes('\0') };

const rows: readonly (readonly [keyof typeof KV.method, string, Call, Need])[] = [
  ['range', 'a key', ({ kv }) => kv.range(key('a/1')), reads('a/1')],
  ['range', 'another key', ({ kv }) => kv.range(key('b/1')), reads('b/1')],
  ['range', 'a prefix', ({ kv }) => kv.range(aKeys), reads({ prefix: 'a/' })],
  ['range', 'all keys', ({ kv }) => kv.range(everything), reads({ all: true })],
  ['range', 'an old state', ({ kv }) => kv.range({ ...everything, revision: 1n }), reads({ all: true })],
  ['rangeStream', 'a prefix', ({ kv }) => last(kv.rangeStream(aKeys)), reads({ prefix: 'a/' })],
  ['rangeStream', 'all keys', ({ kv }) => last(kv.rangeStream(everything)), reads({ all: true })],
  ['put', 'a key', ({ kv }) => kv.put(key('a/1')), writes('a/1')],
  ['put', 'another key', ({ kv }) => kv.put(key('b/1')), writes('b/1')],
  [
    'put',
    'a key that is shown',
    ({ kv }) => kv.put({ ...key('a/1'), prevKv: true }),
    all(writes('a/1'), reads('a/1')),
  ],
  [
    'put',
    'a key that keeps its value',
    ({ kv }) => kv.put({ ...key('a/1'), ignoreValue: true }),
    all(writes('a/1'), reads('a/1')),
  ],
  ['deleteRange', 'a prefix', ({ kv }) => kv.deleteRange(aKeys), writes({ prefix: 'a/' })],
  ['deleteRange', 'all keys', ({ kv }) => kv.deleteRange(everything), writes({ all: true })],
  [
    'deleteRange',
    'what is shown',
    ({ kv }) => kv.deleteRange({ ...aKeys, prevKv: true }),
    all(writes({ prefix: 'a/' }), reads({ prefix: 'a/' })),
  ],
  ['txn', 'a compare', ({ kv }) => kv.txn({ compare: [key('b/1')] }), reads('b/1')],
  ['txn', 'a compare of a range', ({ kv }) => kv.txn({ compare: [aKeys] }), reads({ prefix: 'a/' })],
  [
    'txn',
    'the branch that is not taken',
    ({ kv }) => kv.txn({ failure: [{ request: { case: 'requestPut', value: key('b/1') } }] }),
    writes('b/1'),
  ],
  [
    'txn',
    'what is nested',
    ({ kv }) => {
      const value = { success: [{ request: { case: 'requestRange' as const, value: key('b/1') } }] };
      return kv.txn({ success: [{ request: { case: 'requestTxn', value } }] });
    },
    reads('b/1'),
  ],
  [
    'txn',
    'a deletion',
    ({ kv }) => kv.txn({ success: [{ request: { case: 'requestDeleteRange', value: aKeys } }] }),
    writes({ prefix: 'a/' }),
  ],
  // That there is nothing to compact any more is for who may know.
  ['compact', 'history', ({ kv }) => kv.compact({ revision: 1n }), forAdmins],
];

async function last(messages: AsyncIterable<unknown>): Promise<unknown> {
  let message: unknown;
  for await (message of messages);
  return message;
}

test('every method has a row', () => {
  expect(new Set(rows.map(([method]) => method))).toEqual(new Set(Object.keys(KV.method)));
});

test('calls are allowed by the rights of their user', async () => {
  const server = await startTestServer();
  const { root, principals } = await closeAccess(server.url);
  for (const who of [root, ...principals]) {
    // A password that is wrong makes the next one wait.
    if (who.user === '' && who.authorization?.startsWith('Basic') === true) continue;
    const client = etcdClient(server.url, headersOf(who.authorization));
    for (const [method, what, call, need] of rows) {
      expect(await accessOutcome(call(client)), `${who.name}: ${method} of ${what}`).toBe(
        expectedOutcome(who, need),
      );
    }
  }
});

function headersOf(authorization: string | undefined): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { authorization };
}

describe('a client shows', () => {
  async function withToken(): Promise<{ readonly server: TestServer; readonly token: string }> {
    const server = await startTestServer();
    await clientsOf(server.url).access.createUser({ name: 'root', password: 'top' });
    const authorization = `Basic ${Buffer.from('root:top').toString('base64')}`;
    const { access } = clientsOf(server.url, authorization);
    const { secret } = await access.createToken({ name: 'etcd', user: 'root' });
    return { server, token: secret };
  }

  test.each([
    ['a token as etcd clients do', (token: string) => ({ token })],
    ['a token as it is', (token: string) => ({ authorization: token })],
    ['a token as other clients do', (token: string) => ({ authorization: `Bearer ${token}` })],
  ])('%s', async (_, headers) => {
    const { server, token } = await withToken();
    const { kv } = etcdClient(server.url, headers(token));
    expect((await kv.range(key('a'))).count).toBe(0n);
  });

  test('nothing', async () => {
    const { server } = await withToken();
    expect(await failureOf(etcdClient(server.url).kv.range(key('a')))).toEqual({
      code: Code.InvalidArgument,
      message: 'etcdserver: user name is empty',
    });
  });

  test.each(['unknown', '', 'no token at all'])('what is no token: "%s"', async (token) => {
    const { server } = await withToken();
    expect(await failureOf(etcdClient(server.url, { token }).kv.put(key('a')))).toEqual({
      code: Code.Unauthenticated,
      message: 'etcdserver: invalid auth token',
    });
  });

  test('a token that is taken away', async () => {
    const { server, token } = await withToken();
    const { kv } = etcdClient(server.url, { token });
    await kv.put(key('a'));
    await clientsOf(server.url, `Bearer ${token}`).access.deleteToken({ name: 'etcd' });
    expect((await failureOf(kv.put(key('a'))))?.message).toBe('etcdserver: invalid auth token');
  });
});
