/** `etcdserverpb.Cluster` of a store that is its only member: it can be listed, and there is none to add or remove. */
import * as codec from '../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { Cluster } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkUser } from '../../access/checks.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { type MethodsOf, unaryAnywhere } from '../services/method.ts';
import { headerOf, idsOf } from './header.ts';
import { notServed } from './not-served.ts';

const MEMBER_NAME = 'kelp';
const ONE_MEMBER = 'a KelpDB server is the only member of its cluster: none can be added, changed or removed';

/** @param clientUrl where clients reach the server. */
export function clusterMethods({
  clientUrl,
}: {
  readonly clientUrl: () => string;
}): MethodsOf<typeof Cluster> {
  const { method } = Cluster;
  return {
    memberList: unaryAnywhere(
      method.memberList,
      {
        read: codec.readMemberListRequest,
        sizeOf: codec.sizeOfMemberListResponse,
        prepend: codec.prependMemberListResponse,
      },
      checkUser,
      (store) => memberList(store, clientUrl()),
    ),
    memberAdd: notServed(
      method.memberAdd,
      {
        read: codec.readMemberAddRequest,
        sizeOf: codec.sizeOfMemberAddResponse,
        prepend: codec.prependMemberAddResponse,
      },
      ONE_MEMBER,
    ),
    memberRemove: notServed(
      method.memberRemove,
      {
        read: codec.readMemberRemoveRequest,
        sizeOf: codec.sizeOfMemberRemoveResponse,
        prepend: codec.prependMemberRemoveResponse,
      },
      ONE_MEMBER,
    ),
    memberUpdate: notServed(
      method.memberUpdate,
      {
        read: codec.readMemberUpdateRequest,
        sizeOf: codec.sizeOfMemberUpdateResponse,
        prepend: codec.prependMemberUpdateResponse,
      },
      ONE_MEMBER,
    ),
    memberPromote: notServed(
      method.memberPromote,
      {
        read: codec.readMemberPromoteRequest,
        sizeOf: codec.sizeOfMemberPromoteResponse,
        prepend: codec.prependMemberPromoteResponse,
      },
      ONE_MEMBER,
    ),
  };
}

/** No peers are listened for, so that there is no address of that kind. */
function memberList(store: KvStore, clientUrl: string): codec.MemberListResponseShape {
  const member: codec.MemberShape = {
    ID: idsOf(store).memberId,
    name: MEMBER_NAME,
    peerURLs: [],
    clientURLs: [clientUrl],
    isLearner: false,
  };
  return { header: headerOf(store, store.visibleRevision), members: [member] };
}
