/** Where each method runs in a cluster. One that is new has to be put here. */
import { expect, test } from 'vitest';
import type { Method } from '../../../src/server/services/method.ts';
import { servedMethods } from './served-methods.ts';

const expected = {
  writer: [
    'kelp.v1.KvService Put Delete DeleteRange Increment Touch Txn',
    'kelp.v1.HashService Set Delete Increment',
    'kelp.v1.ListService Push Pop Insert Set Remove Trim Move',
    'kelp.v1.SetService Add Remove Pop',
    'kelp.v1.SortedSetService Add Remove RemoveRange Pop',
    'kelp.v1.SketchService HllAdd HllMerge BloomCreate BloomAdd',
    'kelp.v1.LeaseService Grant Renew KeepAlive Revoke',
    'kelp.v1.AdminService Compact',
    'kelp.v1.AccessService CreateUser DeleteUser SetPassword GiveRole TakeRole',
    'kelp.v1.AccessService CreateRole DeleteRole AddGrant RemoveGrant CreateToken DeleteToken',
    'etcdserverpb.KV Put DeleteRange Txn Compact',
    'etcdserverpb.Lease LeaseGrant LeaseRevoke LeaseKeepAlive',
    'etcdserverpb.Auth AuthEnable AuthDisable Authenticate UserAdd UserDelete UserChangePassword',
    'etcdserverpb.Auth UserGrantRole UserRevokeRole RoleAdd RoleDelete RoleGrantPermission RoleRevokePermission',
  ],
  caughtUp: [
    'kelp.v1.KvService Get Exists Scan ScanStream Keys',
    'kelp.v1.HashService Get Scan',
    'kelp.v1.ListService Range',
    'kelp.v1.SetService Contains Scan Combine',
    'kelp.v1.SortedSetService Score Rank Range Combine',
    'kelp.v1.SketchService HllCount BloomContains',
    'kelp.v1.WatchService Watch',
    'kelp.v1.LeaseService Get List',
    'kelp.v1.AccessService ListUsers ListRoles ListTokens',
    'kelp.v1.ClusterService Head Follow',
    'etcdserverpb.KV Range RangeStream',
    'etcdserverpb.Lease LeaseTimeToLive LeaseLeases',
    'etcdserverpb.Watch Watch',
    'etcdserverpb.Auth AuthStatus UserGet UserList RoleGet RoleList',
  ],
  anywhere: [
    'kelp.v1.KvService Pipeline',
    'kelp.v1.AccessService WhoAmI',
    'etcdserverpb.Cluster MemberList MemberAdd MemberRemove MemberUpdate MemberPromote',
    'etcdserverpb.Maintenance Status Alarm Defragment Hash HashKV Snapshot MoveLeader Downgrade',
  ],
  here: [
    'kelp.v1.AdminService Status Activity Snapshot Backup CompactStorage',
    'kelp.v1.ClusterService Report Members Handover',
  ],
} as const;

/** Of those that read: the ones that change something if their request says so. */
const mayChange = [
  'KvService/Get',
  'HashService/Get',
  'ListService/Range',
  'SetService/Contains',
  'SetService/Combine',
  'SortedSetService/Score',
  'SortedSetService/Combine',
  'SketchService/BloomContains',
];

test.each(['writer', 'caughtUp', 'anywhere', 'here'] as const)('what runs at: %s', (runsAt) => {
  const named = expected[runsAt].flatMap((line) => {
    const [service = '', ...methods] = line.split(' ');
    return methods.map((method) => `${service}/${method}`);
  });
  const served = servedMethods.filter((each) => each.runsAt === runsAt);
  expect(served.map(nameOf).sort()).toEqual(named.sort());
});

test('a read that may change something is known by the fields of its request', () => {
  const found = servedMethods.filter((each) => each.kind === 'unary' && each.mayChange !== undefined);
  expect(found.map(({ desc }) => `${desc.parent.name}/${desc.name}`)).toEqual(mayChange);
  for (const method of found) {
    if (method.kind !== 'unary') continue;
    const plain = { refreshTtl: false, destination: '', destinationBytes: new Uint8Array() };
    expect(method.mayChange?.(plain)).toBe(false);
    expect(method.mayChange?.({ ...plain, refreshTtl: true })).toBe(true);
    expect(method.mayChange?.({ ...plain, destination: 'b' })).toBe(true);
  }
});

test('no method of a store that is alone waits for anything', () => {
  for (const method of servedMethods) expect('keepsRequest' in method, nameOf(method)).toBe(false);
});

function nameOf({ desc }: Method): string {
  return `${desc.parent.typeName}/${desc.name}`;
}
