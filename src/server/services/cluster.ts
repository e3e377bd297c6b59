/** `kelp.v1.ClusterService` over the node that this server is, and what `AdminService.Status` tells of it. */
import type { DescMethod } from '@bufbuild/protobuf';
import { type StatusResponseShape, StatusResponse_Role as Role } from '../../../gen/kelp/v1/admin_codec.ts';
import * as codec from '../../../gen/kelp/v1/cluster_codec.ts';
import { ClusterService } from '../../../gen/kelp/v1/cluster_pb.ts';
import { checkAdmin, checkUser } from '../../access/checks.ts';
import type { NodeReport } from '../../cluster/node.ts';
import { StoreError } from '../../errors.ts';
import { checkIncarnation } from '../../store/history/place.ts';
import type { Call } from '../calls/call.ts';
import { CallError } from '../calls/call-error.ts';
import { FollowStream } from './follow-stream.ts';
import { handOverTo } from './handover.ts';
import { type MethodsOf, serverStream, unary, unaryHere } from './method.ts';
import { durationShape } from './reply-entries.ts';
import { wholeNumber } from './request-fields.ts';
import type { ServedNode, ServiceParts } from './service-parts.ts';

export function clusterMethods({
  node,
  audit,
  onNodeSeen,
}: Pick<ServiceParts, 'node' | 'audit' | 'onNodeSeen'>): MethodsOf<typeof ClusterService> {
  const told = (call: Call, { name }: DescMethod): void => audit.adminCalled(call, `ClusterService/${name}`);
  return {
    members: unaryHere(
      ClusterService.method.members,
      {
        read: codec.readMembersRequest,
        sizeOf: codec.sizeOfMembersResponse,
        prepend: codec.prependMembersResponse,
      },
      checkUser,
      (_store, _, call) => {
        const reply = membersOf(nodeOf(node));
        call.chargeReply(MEMBER_BYTES * reply.members.length);
        return reply;
      },
    ),
    report: unaryHere(
      ClusterService.method.report,
      {
        read: codec.readReportRequest,
        sizeOf: codec.sizeOfReportResponse,
        prepend: codec.prependReportResponse,
      },
      checkAdmin,
      ({ storeId }, { member, storeId: requestedStoreId, nonce }, call) => {
        const { node: asked } = nodeOf(node);
        if (requestedStoreId !== storeId) throw otherStore(requestedStoreId, storeId);
        asked.takeReport(reportOf(member), nonce);
        onNodeSeen?.(call.peer?.remoteAddress);
        return {};
      },
    ),
    handover: unaryHere(
      ClusterService.method.handover,
      {
        read: codec.readHandoverRequest,
        sizeOf: codec.sizeOfHandoverResponse,
        prepend: codec.prependHandoverResponse,
      },
      checkAdmin,
      async (_store, { to }, call) => {
        const asked = nodeOf(node).node;
        told(call, ClusterService.method.handover);
        if (to === '') await asked.handOver();
        else await handOverTo({ node: () => nodeOf(node), to, signal: call.signal });
        return {};
      },
    ),
    head: unary(
      ClusterService.method.head,
      {
        read: codec.readHeadRequest,
        sizeOf: codec.sizeOfHeadResponse,
        prepend: codec.prependHeadResponse,
      },
      checkAdmin,
      (store) => ({ head: store.seam.head }),
    ),
    follow: serverStream(
      ClusterService.method.follow,
      {
        read: codec.readFollowRequest,
        sizeOf: codec.sizeOfFollowResponse,
        prepend: codec.prependFollowResponse,
      },
      'caughtUp',
      () => checkAdmin,
      (store, request, call, signal) => {
        told(call, ClusterService.method.follow);
        const after = {
          revision: wholeNumber('after_revision', request.afterRevision),
          incarnation: checkIncarnation(request.incarnation),
          notes: { count: wholeNumber('note_count', request.noteCount), checksum: request.noteChecksum },
          snapshotLife: request.snapshotLife,
        };
        return new FollowStream(store, after, request.storeId, call).replies(signal);
      },
    ),
  };
}

/** What `AdminService.Status` has of it. */
export function clusterStatus(
  served: ServedNode | undefined,
): Pick<StatusResponseShape, 'role' | 'epoch' | 'writerAddress' | 'lag' | 'takeoverCount'> {
  if (served === undefined)
    return { role: Role.SINGLE, epoch: 0, writerAddress: '', lag: durationShape(0), takeoverCount: 0 };
  const { role, epoch, writerAddress, lagMs, takeoverCount } = served.node.status();
  return { role: roles[role], epoch, writerAddress, lag: durationShape(Math.round(lagMs)), takeoverCount };
}

const roles = { writer: Role.WRITER, follower: Role.FOLLOWER };

/** What a member takes in a reply, with an address of the usual length. */
const MEMBER_BYTES = 128;

function nodeOf(node: ServiceParts['node']): ServedNode {
  const served = node();
  if (served === undefined)
    throw new CallError('notClustered', 'this server is alone: it is no node of a cluster');
  return served;
}

function membersOf(served: ServedNode): codec.MembersResponseShape {
  const { nodes, position, logPosition } = served.node.status();
  return {
    ...clusterStatus(served),
    address: served.address,
    position,
    logPosition,
    members: [...nodes].sort((left, right) => (left.address < right.address ? -1 : 1)),
  };
}

function reportOf(member: codec.MemberShape | undefined): NodeReport {
  if (member === undefined || member.address === '') {
    throw new StoreError('invalidArgument', 'member: a report needs the address of its node');
  }
  const position = wholeNumber('member.position', member.position);
  const snapshotPosition = wholeNumber('member.snapshot_position', member.snapshotPosition);
  if (snapshotPosition > position) {
    throw new StoreError(
      'invalidArgument',
      `member.snapshot_position is ${snapshotPosition}, and member.position ${position}: no snapshot is newer than what its node holds`,
    );
  }
  return { address: member.address, position, snapshotPosition };
}

function otherStore(requestedStoreId: string, storeId: string): StoreError {
  return new StoreError(
    'otherStore',
    `the report is of a node of the store "${requestedStoreId}", and this cluster has the store ${storeId}`,
    { requestedStoreId, storeId },
  );
}
