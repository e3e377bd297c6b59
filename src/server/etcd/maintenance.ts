/** `etcdserverpb.Maintenance`: what etcd's tools ask of a member, as far as there is something of that kind here. */
import * as codec from '../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import {
  AlarmRequest_AlarmAction,
  AlarmType,
  Maintenance,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkAdmin, checkUser } from '../../access/checks.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { type MethodsOf, unaryAnywhere } from '../services/method.ts';
import { RAFT_TERM, headerOf, idsOf } from './header.ts';
import { notServed, notServedError, streamNotServed } from './not-served.ts';

/** Of the API that is served. Clients look at it to know what they may ask for; what stands behind the plus says whose server it is. */
const API_VERSION = '3.4.23';

const NO_ALARM =
  'alarms are not raised by hand: a store that is full refuses writes, and takes them again once there is room';
const NO_HASH =
  'hashes of etcd compare its members, and a KelpDB server is the only one: kelp verify checks the files of a store';
const NO_SNAPSHOT =
  'a KelpDB server has no database file of etcd to send: kelp backup makes a copy of the store';
const NO_OTHER_MEMBER = 'a KelpDB server is the only member of its cluster, and its leader';
const NO_DOWNGRADE = 'a KelpDB server has no cluster version to lower';

export function maintenanceMethods({ version }: { readonly version: string }): MethodsOf<typeof Maintenance> {
  const { method } = Maintenance;
  return {
    alarm: unaryAnywhere(
      method.alarm,
      {
        read: codec.readAlarmRequest,
        sizeOf: codec.sizeOfAlarmResponse,
        prepend: codec.prependAlarmResponse,
      },
      (login, { action }) => (action === AlarmRequest_AlarmAction.GET ? checkUser(login) : checkAdmin(login)),
      alarm,
    ),
    status: unaryAnywhere(
      method.status,
      {
        read: codec.readStatusRequest,
        sizeOf: codec.sizeOfStatusResponse,
        prepend: codec.prependStatusResponse,
      },
      checkUser,
      (store) => status(store, version),
    ),
    defragment: unaryAnywhere(
      method.defragment,
      {
        read: codec.readDefragmentRequest,
        sizeOf: codec.sizeOfDefragmentResponse,
        prepend: codec.prependDefragmentResponse,
      },
      checkAdmin,
      // As etcd's, without a header.
      () => ({ header: undefined }),
    ),
    hash: notServed(
      method.hash,
      { read: codec.readHashRequest, sizeOf: codec.sizeOfHashResponse, prepend: codec.prependHashResponse },
      NO_HASH,
    ),
    hashKV: notServed(
      method.hashKV,
      {
        read: codec.readHashKVRequest,
        sizeOf: codec.sizeOfHashKVResponse,
        prepend: codec.prependHashKVResponse,
      },
      NO_HASH,
    ),
    snapshot: streamNotServed(
      method.snapshot,
      {
        read: codec.readSnapshotRequest,
        sizeOf: codec.sizeOfSnapshotResponse,
        prepend: codec.prependSnapshotResponse,
      },
      NO_SNAPSHOT,
    ),
    moveLeader: notServed(
      method.moveLeader,
      {
        read: codec.readMoveLeaderRequest,
        sizeOf: codec.sizeOfMoveLeaderResponse,
        prepend: codec.prependMoveLeaderResponse,
      },
      NO_OTHER_MEMBER,
    ),
    downgrade: notServed(
      method.downgrade,
      {
        read: codec.readDowngradeRequest,
        sizeOf: codec.sizeOfDowngradeResponse,
        prepend: codec.prependDowngradeResponse,
      },
      NO_DOWNGRADE,
    ),
  };
}

/** One that is there goes by itself, so that there is none to clear. etcd's replies have no header either. */
function alarm(store: KvStore, request: codec.AlarmRequestShape): codec.AlarmResponseShape {
  if (request.action === AlarmRequest_AlarmAction.ACTIVATE) throw notServedError(NO_ALARM);
  const isAskedFor = request.action === AlarmRequest_AlarmAction.GET && request.alarm !== AlarmType.CORRUPT;
  return { header: undefined, alarms: isAskedFor ? alarmsOf(store) : [] };
}

function alarmsOf(store: KvStore): codec.AlarmMemberShape[] {
  return store.isFull ? [{ memberID: idsOf(store).memberId, alarm: AlarmType.NOSPACE }] : [];
}

/**
 * The size is that of memory, which is what has a limit here; each transaction is one entry, applied as soon as it can be seen.
 */
async function status(store: KvStore, version: string): Promise<codec.StatusResponseShape> {
  const { revision, dataBytes, memoryBytes, memoryBytesMax } = await store.status();
  const header = headerOf(store, revision);
  return {
    ...codec.emptyStatusResponse(),
    header,
    version: `${API_VERSION}+kelp.${version}`,
    dbSize: memoryBytes,
    dbSizeInUse: dataBytes,
    dbSizeQuota: memoryBytesMax,
    leader: idsOf(store).memberId,
    raftIndex: header.revision,
    raftAppliedIndex: header.revision,
    raftTerm: RAFT_TERM,
    // As Go prints such a message.
    errors: alarmsOf(store).map(({ memberID }) => `memberID:${memberID} alarm:NOSPACE `),
  };
}
