/** What etcd's tools ask of a cluster and its members, beside a real etcd where that has an answer of the same kind. */
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import {
  AlarmRequest_AlarmAction as Action,
  AlarmResponseSchema,
  AlarmType,
  DefragmentResponseSchema,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { startTestServer } from '../../support/test-server.ts';
import { closeAccess } from '../access/principals.ts';
import { type EtcdClient, etcdClient } from './support/etcd-client.ts';
import { hasRealEtcd } from './support/real-etcd.ts';
import { SideBySide } from './support/side-by-side.ts';

async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => new Error('it is answered'),
      (reason: unknown) => reason,
    ),
  );
}

async function first<Reply>(replies: AsyncIterable<Reply>): Promise<Reply | undefined> {
  for await (const reply of replies) return reply;
  return undefined;
}

describe.skipIf(!hasRealEtcd)('as etcd does', () => {
  test('alarms are listed and cleared, and a member is defragmented', async () => {
    const both = await SideBySide.start();
    for (const alarm of [AlarmType.NONE, AlarmType.NOSPACE, AlarmType.CORRUPT]) {
      for (const action of [Action.GET, Action.DEACTIVATE])
        await both.same(`alarm ${alarm}, action ${action}`, AlarmResponseSchema, ({ maintenance }) =>
          maintenance.alarm({ action, alarm }),
        );
    }
    await both.same('to defragment', DefragmentResponseSchema, ({ maintenance }) =>
      maintenance.defragment({}),
    );
  });

  test('a member is its own leader, and the same in the list, the status and each header', async () => {
    const both = await SideBySide.start();
    for (const [name, { cluster, kv, maintenance }] of [
      ['etcd', both.etcd],
      ['kelp', both.kelp],
    ] as const) {
      const { header } = await kv.put({ key: Buffer.from('a'), value: Buffer.alloc(1000) });
      const { members } = await cluster.memberList({ linearizable: true });
      const status = await maintenance.status({});
      expect(members.map(({ ID, isLearner }) => ({ ID, isLearner }))).toEqual([
        { ID: header?.memberId, isLearner: false },
      ]);
      expect(status, name).toMatchObject({ leader: header?.memberId, isLearner: false, errors: [] });
      expect(status.header, name).toMatchObject({ clusterId: header?.clusterId, revision: 2n });
      expect(status.raftTerm, name).toBe(header?.raftTerm);
      expect(status.raftAppliedIndex, name).toBe(status.raftIndex);
      expect(status.version.split('+')[0], name).toBe('3.4.23');
      expect(Number(status.dbSizeInUse), name).toBeGreaterThanOrEqual(1000);
      expect(status.dbSize >= status.dbSizeInUse, name).toBe(true);
    }
  });
});

test('the status tells the memory in use beside its limit, and moves with the revision', async () => {
  const { url } = await startTestServer({ flags: { 'memory-limit': '256MiB' } });
  const { kv, maintenance } = etcdClient(url);
  const before = await maintenance.status({});
  await kv.put({ key: Buffer.from('a'), value: Buffer.alloc(1000) });
  const after = await maintenance.status({});
  expect(after.version).toBe('3.4.23+kelp.0.0.0-test');
  expect(after.dbSizeQuota).toBe(256n * 1024n * 1024n);
  expect(after.dbSizeInUse - before.dbSizeInUse).toBeGreaterThanOrEqual(1001n);
  expect(after.raftIndex).toBe(before.raftIndex + 1n);
});

test('the one member is listed with the address that clients connect to', async () => {
  const { url } = await startTestServer();
  const { members } = await etcdClient(url).cluster.memberList({});
  expect(members).toMatchObject([{ name: 'kelp', clientURLs: [url], peerURLs: [] }]);
  const [listed = ''] = members[0]?.clientURLs ?? [];
  expect((await etcdClient(listed).cluster.memberList({})).members).toHaveLength(1);
});

const notServed: readonly (readonly [
  name: string,
  call: (client: EtcdClient) => Promise<unknown>,
  text: string,
])[] = [
  ['MemberAdd', ({ cluster }) => cluster.memberAdd({ peerURLs: ['http://127.0.0.1:1'] }), 'only member'],
  ['MemberRemove', ({ cluster }) => cluster.memberRemove({ ID: 1n }), 'only member'],
  ['MemberUpdate', ({ cluster }) => cluster.memberUpdate({ ID: 1n }), 'only member'],
  ['MemberPromote', ({ cluster }) => cluster.memberPromote({ ID: 1n }), 'only member'],
  ['Hash', ({ maintenance }) => maintenance.hash({}), 'kelp verify'],
  ['HashKV', ({ maintenance }) => maintenance.hashKV({}), 'kelp verify'],
  ['Snapshot', ({ maintenance }) => first(maintenance.snapshot({})), 'kelp backup'],
  ['MoveLeader', ({ maintenance }) => maintenance.moveLeader({ targetID: 1n }), 'only member'],
  ['Downgrade', ({ maintenance }) => maintenance.downgrade({}), 'no cluster version'],
  [
    'an alarm by hand',
    ({ maintenance }) => maintenance.alarm({ action: Action.ACTIVATE, alarm: AlarmType.NOSPACE }),
    'not raised by hand',
  ],
];

test('what a store of one member has no use for is Unimplemented, and says why', async () => {
  const { url } = await startTestServer();
  const client = etcdClient(url);
  for (const [name, call, text] of notServed) {
    const { code, rawMessage } = await refusal(call(client));
    expect({ name, code }).toEqual({ name, code: Code.Unimplemented });
    expect(rawMessage, name).toContain(text);
  }
});

test('once access is closed, users look at the server, and operators change it', async () => {
  const { url } = await startTestServer();
  const { root, principals } = await closeAccess(url);
  const client = (authorization?: string): EtcdClient =>
    etcdClient(url, authorization === undefined ? {} : { authorization });
  const user = client(principals.find(({ name }) => name === 'edith')?.authorization);
  const looks: ((client: EtcdClient) => Promise<unknown>)[] = [
    ({ cluster }) => cluster.memberList({}),
    ({ maintenance }) => maintenance.status({}),
    ({ maintenance }) => maintenance.alarm({}),
  ];
  const changes: typeof looks = [
    ({ maintenance }) => maintenance.defragment({}),
    ({ maintenance }) => maintenance.alarm({ action: Action.DEACTIVATE }),
    ({ maintenance }) => maintenance.alarm({ action: Action.ACTIVATE }),
  ];
  for (const call of [...looks, ...changes, ...notServed.map(([, each]) => each)])
    expect((await refusal(call(client()))).rawMessage).toBe('etcdserver: user name is empty');
  for (const call of looks) await call(user);
  for (const call of changes) expect((await refusal(call(user))).code).toBe(Code.PermissionDenied);
  for (const call of changes.slice(0, 2)) await call(client(root.authorization));
});
