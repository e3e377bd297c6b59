/** etcd's calls at a follower: each that changes something is answered as the writer answers it. */
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { ServiceError } from '@grpc/grpc-js';
import {
  Auth,
  Compare_CompareResult,
  Compare_CompareTarget,
  KV,
  Lease,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { startTestServer } from '../../support/test-server.ts';
import { startNode, startNodes } from './nodes.ts';
import { servedMethods } from './served-methods.ts';

const key = Buffer.from('a');
const value = Buffer.from('1');
const put = { request: { case: 'requestPut', value: { key, value } } } as const;
const exists = {
  key,
  target: Compare_CompareTarget.VERSION,
  result: Compare_CompareResult.GREATER,
  targetUnion: { case: 'version', value: 0n },
} as const;

/** In an order in which each finds what it is about. */
const calls: readonly (readonly [DescMethodUnary, Record<string, unknown>])[] = [
  [KV.method.put, { key, value }],
  [KV.method.put, { key, value, prevKv: true }],
  [KV.method.put, { key, value, lease: 9n }],
  [KV.method.txn, { compare: [exists], success: [put], failure: [] }],
  [KV.method.deleteRange, { key, prevKv: true }],
  [KV.method.compact, { revision: 3n }],
  [KV.method.compact, { revision: 99n }],
  [Lease.method.leaseGrant, { ID: 7n, TTL: 60n }],
  [Lease.method.leaseGrant, { ID: 7n, TTL: 60n }],
  [Lease.method.leaseRevoke, { ID: 7n }],
  [Lease.method.leaseRevoke, { ID: 7n }],
  [Auth.method.roleAdd, { name: 'keeper' }],
  [Auth.method.roleGrantPermission, { name: 'keeper', perm: { permType: 2, key } }],
  [Auth.method.roleRevokePermission, { role: 'keeper', key }],
  [Auth.method.userAdd, { name: 'edith', password: 'x' }],
  [Auth.method.userChangePassword, { name: 'edith', password: 'y' }],
  [Auth.method.userGrantRole, { user: 'edith', role: 'keeper' }],
  [Auth.method.userRevokeRole, { name: 'edith', role: 'keeper' }],
  [Auth.method.userDelete, { name: 'edith' }],
  [Auth.method.roleDelete, { role: 'keeper' }],
  [Auth.method.authenticate, { name: 'edith', password: 'y' }],
  [Auth.method.authEnable, {}],
  [Auth.method.authDisable, {}],
];

async function answerOf(client: GrpcJsClient, [method, request]: (typeof calls)[number]): Promise<string> {
  try {
    return JSON.stringify(await client.unary(method, request), withoutIds);
  } catch (error) {
    const { code, details } = error as ServiceError;
    return `${code} ${details}`;
  }
}

function withoutIds(name: string, each: unknown): unknown {
  if (name === 'clusterId' || name === 'memberId') return undefined;
  return typeof each === 'bigint' ? String(each) : each;
}

test('each call that changes something is answered as by the writer', async () => {
  const alone = new GrpcJsClient((await startTestServer()).address);
  const { follower } = await startNodes();
  const passedOn = new GrpcJsClient(follower.address);
  for (const call of calls) {
    expect(await answerOf(passedOn, call), call[0].name).toBe(await answerOf(alone, call));
  }
  const asked = new Set<object>(calls.map(([method]) => method));
  const left = servedMethods.filter(
    ({ desc, runsAt, kind }) =>
      runsAt === 'writer' && kind === 'unary' && desc.parent.typeName.startsWith('etcd') && !asked.has(desc),
  );
  expect(left).toEqual([]);
});

test('leases are kept alive through a follower', async () => {
  const { follower } = await startNodes();
  const client = new GrpcJsClient(follower.address);
  await client.unary(Lease.method.leaseGrant, { ID: 7n, TTL: 60n });
  const stream = client.bidiStream(Lease.method.leaseKeepAlive);
  stream.on('error', () => undefined);
  for (const ID of [7n, 7n, 8n]) {
    const answered = once(stream, 'data');
    stream.write({ ID });
    expect((await answered)[0]).toMatchObject({ ID, TTL: ID === 7n ? 60n : 0n });
  }
  stream.end();
  await once(stream, 'end');
});

test('clients of etcd are told that there is no leader', async () => {
  const follower = await startNode('follower');
  const answer = await answerOf(new GrpcJsClient(follower.address), [KV.method.put, { key, value }]);
  expect(answer).toBe('14 etcdserver: no leader');
});
