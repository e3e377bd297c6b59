/**
 * Calls of each method over RPC, and what each needs. Every method that is served must have a row here, which the test holds:
 * so none comes without a rule.
 */
import type { DescMethod, Message, MessageInitShape } from '@bufbuild/protobuf';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { AccessService, Permission } from '../../../gen/kelp/v1/access_pb.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { ClusterService } from '../../../gen/kelp/v1/cluster_pb.ts';
import {
  type CompareSchema,
  KvService,
  type OperationSchema,
  type PipelineOperationSchema,
  Relation,
} from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { collectionRows } from './collection-rows.ts';
import type { Fields } from './rpc-door.ts';
import { leases, spareLeases } from './situation.ts';
import { all, forAdmins, forUsers, type Need, ownsLease, reads, readsLease, writes } from './principals.ts';

export interface RpcRow {
  readonly method: DescMethod;
  /** Of the first message. */
  readonly request: Fields;
  /** What tells rows of a method apart. */
  readonly about: string;
  readonly need: Need | 'open';
  /** Errors that say that it was allowed: the state is not one in which it can be done, or is not any more. */
  readonly orFails: readonly string[];
}

const value = Buffer.from('1');
const minute = { seconds: 60n };
const across = { start: 'a/5', end: 'b/5' };

function row(
  method: DescMethod,
  about: string,
  request: Fields,
  need: RpcRow['need'],
  ...orFails: string[]
): RpcRow {
  return { method, request, about, need, orFails };
}

const kv = KvService.method;
function scans(method: DescMethod): RpcRow[] {
  const scan = (about: string, request: Fields, need: Need): RpcRow => row(method, about, request, need);
  return [
    scan('a granted prefix', { range: { prefix: 'a/' } }, reads({ prefix: 'a/' })),
    scan('a part of it', { range: { prefix: 'a/1' }, keysOnly: true }, reads({ prefix: 'a/1' })),
    scan('one key', { range: { key: 'a/1' } }, reads('a/1')),
    scan('across the border', { range: across }, reads(across)),
    scan('the border itself', { range: { start: 'a/', end: 'a0' } }, reads({ start: 'a/', end: 'a0' })),
    scan('one key too many', { range: { start: 'a/', end: 'a0\0' } }, reads({ start: 'a/', end: 'a0\0' })),
    scan('backwards across it', { range: across, reverse: true, limit: 1 }, reads(across)),
    scan('a shorter prefix', { range: { prefix: 'a' } }, reads({ prefix: 'a' })),
    scan('all keys', {}, reads({ all: true })),
  ];
}

type OperationInit = MessageInitShape<typeof PipelineOperationSchema>['operation'];

/** Calls on keys, as methods of their own and as operations of a pipeline. */
const keyCalls: readonly (readonly [
  name: 'get' | 'put' | 'delete' | 'increment' | 'touch' | 'exists',
  about: string,
  request: Fields,
  need: Need,
  ...orFails: string[],
])[] = [
  ['get', 'a granted key', { key: 'a/1' }, reads('a/1')],
  ['get', 'by its bytes', { keyBytes: Buffer.from('a/1') }, reads('a/1')],
  ['get', 'another key', { key: 'b/1' }, reads('b/1')],
  ['get', 'the key before all granted', { key: 'a' }, reads('a')],
  ['get', 'the key behind all granted', { key: 'a0' }, reads('a0')],
  ['get', 'with refresh_ttl', { key: 'a/ttl', refreshTtl: true }, all(reads('a/ttl'), writes('a/ttl'))],
  ['put', 'a granted key', { key: 'a/1', value }, writes('a/1')],
  ['put', 'another key', { key: 'b/1', value }, writes('b/1')],
  [
    'put',
    'with return_previous',
    { key: 'a/1', value, returnPrevious: true },
    all(writes('a/1'), reads('a/1')),
  ],
  [
    'put',
    'with a condition',
    { key: 'a/1', value, condition: { condition: { case: 'mustExist', value: true } } },
    all(writes('a/1'), reads('a/1')),
  ],
  [
    'put',
    'with the lease of edith',
    { key: 'a/edith', value, leaseId: leases.edith },
    all(writes('a/edith'), ownsLease('edith')),
  ],
  [
    'put',
    'with the lease of karl',
    { key: 'a/karl', value, leaseId: leases.karl },
    all(writes('a/karl'), ownsLease('karl')),
  ],
  ['put', 'with the lease of nobody', { key: 'a/none', value, leaseId: leases.nobody }, writes('a/none')],
  ['delete', 'a granted key', { key: 'a/gone' }, writes('a/gone')],
  ['delete', 'another key', { key: 'b/gone' }, writes('b/gone')],
  [
    'delete',
    'with return_previous',
    { key: 'a/gone', returnPrevious: true },
    all(writes('a/gone'), reads('a/gone')),
  ],
  [
    'delete',
    'with a condition',
    { key: 'a/gone', condition: { condition: { case: 'mustNotExist', value: true } } },
    all(writes('a/gone'), reads('a/gone')),
    'InvalidArgument',
    'FailedPrecondition',
  ],
  ['increment', 'a granted key', { key: 'a/number', delta: 1n }, all(writes('a/number'), reads('a/number'))],
  ['increment', 'another key', { key: 'b/number', delta: 1n }, all(writes('b/number'), reads('b/number'))],
  ['touch', 'a granted key', { key: 'a/ttl', ttl: minute }, all(writes('a/ttl'), reads('a/ttl'))],
  ['touch', 'another key', { key: 'b/1', ttl: minute }, all(writes('b/1'), reads('b/1'))],
  ['exists', 'granted keys', { keys: ['a/1', 'a/2'] }, reads('a/1', 'a/2')],
  ['exists', 'some of which are not granted', { keys: ['a/1', 'b/1'] }, reads('a/1', 'b/1')],
];

type TxnOperation = MessageInitShape<typeof OperationSchema>['operation'];
type CompareInit = Exclude<MessageInitShape<typeof CompareSchema>, Message>;

const txnGet = (key: string): { operation: TxnOperation } => ({ operation: { case: 'get', value: { key } } });
const txnPut = (key: string, more: object = {}): { operation: TxnOperation } => ({
  operation: { case: 'put', value: { key, value, ...more } },
});
const txnDelete = (key: string, returnPrevious = false): { operation: TxnOperation } => ({
  operation: { case: 'delete', value: { key, returnPrevious } },
});
const txnDeleteRange = (range: Fields): { operation: TxnOperation } => ({
  operation: { case: 'deleteRange', value: { range } },
});
const txnIncrement = (key: string): { operation: TxnOperation } => ({
  operation: { case: 'increment', value: { key, delta: 1n } },
});
const compare = (subject: NonNullable<CompareInit['subject']>): CompareInit => ({
  subject,
  relation: Relation.EQUAL,
  operand: { case: 'exists', value: true },
});
const keyExists = (key: string): CompareInit => compare({ case: 'key', value: key });

const txns: readonly RpcRow[] = [
  row(
    kv.txn,
    'that reads and writes granted keys',
    { success: [txnGet('a/1'), txnPut('a/1')] },
    all(reads('a/1'), writes('a/1')),
  ),
  row(
    kv.txn,
    'that writes granted keys',
    { success: [txnPut('a/1'), txnDelete('a/gone'), txnDeleteRange({ prefix: 'a/gone' })] },
    writes({ prefix: 'a/gone' }),
  ),
  row(kv.txn, 'that reads granted keys', { success: [txnGet('a/1')] }, reads('a/1')),
  row(
    kv.txn,
    'that writes another key, too',
    { success: [txnPut('a/1'), txnPut('b/1')] },
    writes('a/1', 'b/1'),
  ),
  row(
    kv.txn,
    'that would write another key',
    { compares: [keyExists('a/1')], success: [txnPut('a/1')], failure: [txnPut('b/1')] },
    all(reads('a/1'), writes('a/1', 'b/1')),
  ),
  row(
    kv.txn,
    'that compares a granted key',
    { compares: [keyExists('a/1')], success: [txnPut('a/1')] },
    all(reads('a/1'), writes('a/1')),
  ),
  row(kv.txn, 'that compares another key', { compares: [keyExists('b/1')] }, reads('b/1')),
  row(
    kv.txn,
    'that compares across the border',
    { compares: [compare({ case: 'range', value: across })] },
    reads(across),
  ),
  row(
    kv.txn,
    'that returns what was there',
    { success: [txnPut('a/1', { returnPrevious: true })] },
    all(writes('a/1'), reads('a/1')),
  ),
  row(
    kv.txn,
    'that returns what it deletes',
    { success: [txnDelete('a/gone', true)] },
    all(writes('a/gone'), reads('a/gone')),
  ),
  row(
    kv.txn,
    'that increments',
    { success: [txnIncrement('a/number')] },
    all(writes('a/number'), reads('a/number')),
  ),
  row(
    kv.txn,
    'that deletes across the border',
    { success: [txnDeleteRange({ start: 'a/zz', end: 'b' })] },
    writes({ start: 'a/zz', end: 'b' }),
  ),
  row(
    kv.txn,
    'with the lease of edith',
    { success: [txnPut('a/edith', { leaseId: leases.edith })] },
    all(writes('a/edith'), ownsLease('edith')),
  ),
  row(
    kv.txn,
    'that might use the lease of karl',
    { success: [], failure: [txnPut('a/karl', { leaseId: leases.karl })] },
    all(writes('a/karl'), ownsLease('karl')),
  ),
];

/** Operations on collections need what the calls of their services do; some of each kind of need. */
const collectionTxns: readonly RpcRow[] = [
  row(
    kv.txn,
    'that sets fields of another key',
    {
      success: [
        { operation: { case: 'hashSet', value: { key: 'b/hash', fields: [{ name: value, value }] } } },
      ],
    },
    writes('b/hash'),
  ),
  row(
    kv.txn,
    'that might pop from another key',
    { failure: [{ operation: { case: 'listPop', value: { key: 'b/list' } } }] },
    all(writes('b/list'), reads('b/list')),
  ),
  row(
    kv.txn,
    'that moves to another key',
    { success: [{ operation: { case: 'listMove', value: { key: 'a/list', destination: 'b/list2' } } }] },
    all(writes('a/list', 'b/list2'), reads('a/list')),
  ),
  row(
    kv.txn,
    'that combines sets of other keys',
    { success: [{ operation: { case: 'setCombine', value: { keys: ['a/set', 'b/set'], operation: 1 } } }] },
    reads('a/set', 'b/set'),
  ),
];

const watch = WatchService.method.watch;
const watches: readonly RpcRow[] = [
  row(
    watch,
    'of a granted prefix',
    { ranges: [{ prefix: 'a/' }], includeCurrent: true },
    reads({ prefix: 'a/' }),
  ),
  row(watch, 'of a granted key', { ranges: [{ key: 'a/1' }], includeCurrent: true }, reads('a/1')),
  row(
    watch,
    'of two ranges, one granted',
    { ranges: [{ prefix: 'a/' }, { key: 'b/1' }], includeCurrent: true },
    reads({ prefix: 'a/' }, 'b/1'),
  ),
  row(
    watch,
    'wider than the grant',
    { ranges: [{ prefix: 'a' }], includeCurrent: true, keysOnly: true },
    reads({ prefix: 'a' }),
  ),
  row(watch, 'across the border', { ranges: [across], includeCurrent: true }, reads(across)),
  row(watch, 'of all keys', { includeCurrent: true }, reads({ all: true })),
];

const lease = LeaseService.method;
const leaseRows: readonly RpcRow[] = [
  row(lease.grant, 'of any', { ttl: minute }, forUsers),
  ...[lease.renew, lease.keepAlive].flatMap((method) => [
    row(method, 'of edith', { leaseId: leases.edith }, ownsLease('edith')),
    row(method, 'of karl', { leaseId: leases.karl }, ownsLease('karl')),
    row(method, 'of nobody', { leaseId: leases.nobody }, forUsers),
  ]),
  row(lease.revoke, 'of edith', { leaseId: spareLeases.edith }, ownsLease('edith')),
  row(lease.revoke, 'of karl', { leaseId: spareLeases.karl }, ownsLease('karl')),
  row(lease.get, 'without keys', { leaseId: leases.karl }, forUsers),
  row(
    lease.get,
    'with the keys of edith’s',
    { leaseId: leases.edith, includeKeys: true },
    readsLease('edith'),
  ),
  row(lease.get, 'with the keys of karl’s', { leaseId: leases.karl, includeKeys: true }, readsLease('karl')),
  row(
    lease.get,
    'with the keys of nobody’s',
    { leaseId: leases.nobody, includeKeys: true },
    reads({ all: true }),
  ),
  row(lease.list, 'of all', {}, forUsers),
];

const admin = AdminService.method;
const adminRows: readonly RpcRow[] = [
  row(admin.status, '', {}, forUsers),
  row(admin.activity, '', {}, forAdmins),
  row(admin.snapshot, '', {}, forAdmins),
  row(admin.backup, '', {}, forAdmins),
  row(admin.compact, '', { revision: 1n }, forAdmins, 'OutOfRange'),
  row(admin.compactStorage, '', {}, forAdmins),
];

/** The server is alone, which it says to those who may ask; all the same it may be followed. */
const cluster = ClusterService.method;
const clusterRows: readonly RpcRow[] = [
  row(cluster.members, '', {}, forUsers, 'FailedPrecondition'),
  row(cluster.report, '', {}, forAdmins, 'FailedPrecondition'),
  row(cluster.handover, '', {}, forAdmins, 'FailedPrecondition'),
  row(cluster.head, '', {}, forAdmins),
  row(cluster.follow, 'of what there is not yet', { afterRevision: 1_000_000n }, forAdmins, 'OutOfRange'),
];

/** It does no harm to the table: what it would make is there, what it would take is not. */
const access = AccessService.method;
const accessRows: readonly RpcRow[] = [
  row(access.whoAmI, '', {}, forUsers),
  row(access.createUser, '', { name: 'edith' }, forAdmins, 'AlreadyExists'),
  row(access.deleteUser, '', { name: 'missing' }, forAdmins, 'NotFound'),
  row(access.setPassword, 'of another user', { name: 'missing', password: 'x' }, forAdmins, 'NotFound'),
  row(
    access.setPassword,
    'of edith',
    { name: 'edith', password: `edith's` },
    (who) => who.user === 'edith' || who.isAdmin,
  ),
  row(access.giveRole, '', { user: 'missing', role: 'keeper' }, forAdmins, 'NotFound'),
  row(access.takeRole, '', { user: 'edith', role: 'keeper' }, forAdmins, 'NotFound'),
  row(access.listUsers, '', {}, forAdmins),
  row(access.createRole, '', { name: 'keeper' }, forAdmins, 'AlreadyExists'),
  row(access.deleteRole, '', { name: 'missing' }, forAdmins, 'NotFound'),
  row(
    access.addGrant,
    '',
    { role: 'missing', grant: { permission: Permission.ADMIN } },
    forAdmins,
    'NotFound',
  ),
  row(access.removeGrant, '', { role: 'missing' }, forAdmins, 'NotFound'),
  row(access.listRoles, '', {}, forAdmins),
  row(access.createToken, '', { name: 'of-root' }, forAdmins, 'AlreadyExists'),
  row(access.deleteToken, '', { name: 'missing' }, forAdmins, 'NotFound'),
  row(access.listTokens, '', {}, forAdmins),
];

const reflect = { messageRequest: { case: 'listServices', value: '' } } as const;

export const rpcRows: readonly RpcRow[] = [
  ...collectionRows.map((each) => row(...each)),
  ...keyCalls.map(([name, about, request, need, ...orFails]) =>
    row(kv[name], about, request, need, ...orFails),
  ),
  row(kv.deleteRange, 'within the grant', { range: { prefix: 'a/gone' } }, writes({ prefix: 'a/gone' })),
  row(
    kv.deleteRange,
    'across the border',
    { range: { start: 'a/zz', end: 'b' } },
    writes({ start: 'a/zz', end: 'b' }),
  ),
  row(
    kv.deleteRange,
    'in parts, across the border',
    { range: { start: 'a/zz', end: 'b' }, inParts: true },
    writes({ start: 'a/zz', end: 'b' }),
  ),
  ...scans(kv.scan),
  row(kv.scan, 'that only counts, across the border', { range: across, countOnly: true }, reads(across)),
  ...scans(kv.scanStream),
  row(kv.keys, 'of a granted glob', { pattern: 'a/*' }, reads({ prefix: 'a/' })),
  row(kv.keys, 'of a granted key', { pattern: 'a/1' }, reads({ prefix: 'a/1' })),
  row(kv.keys, 'of a glob that is wider', { pattern: 'a*' }, reads({ prefix: 'a' })),
  row(kv.keys, 'of a class', { pattern: '[a]/*' }, reads({ all: true })),
  row(kv.keys, 'of all', { pattern: '*' }, reads({ all: true })),
  ...txns,
  ...collectionTxns,
  // One who may do nothing with keys may open it, and is refused by its operations.
  row(
    kv.pipeline,
    'that asks for one key',
    { operations: [{ operation: { case: 'exists', value: { keys: ['a/1'] } } }] },
    forUsers,
  ),
  ...watches,
  ...leaseRows,
  ...adminRows,
  ...clusterRows,
  ...accessRows,
  row(Health.method.check, '', {}, 'open'),
  row(Health.method.watch, '', {}, 'open'),
  row(ServerReflection.method.serverReflectionInfo, '', reflect, forUsers),
  row(ServerReflectionAlpha.method.serverReflectionInfo, '', reflect, forUsers),
];

/** Operations of a pipeline, each with its own answer. */
export const pipelineRows = keyCalls.map(([name, about, request, need, ...orFails]) => ({
  operation: { case: name, value: request } as OperationInit,
  about: `${name} ${about}`,
  need,
  orFails,
}));

export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
