/** `kelp.v1.AdminService` over the store and the process. */
import type { DescMethod } from '@bufbuild/protobuf';
import * as codec from '../../../gen/kelp/v1/admin_codec.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { checkAdmin, checkUser } from '../../access/checks.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import type { Call } from '../calls/call.ts';
import { activityResponse } from './activity.ts';
import { clusterStatus } from './cluster.ts';
import { type MethodsOf, serverStream, unaryHere, unaryWrite } from './method.ts';
import { durationShape } from './reply-entries.ts';
import { wholeNumber } from './request-fields.ts';
import type { ServedNode, ServiceParts } from './service-parts.ts';

export function adminMethods({
  version,
  activity,
  node,
  audit,
}: Pick<ServiceParts, 'version' | 'activity' | 'node' | 'audit'>): MethodsOf<typeof AdminService> {
  const told = (call: Call, { name }: DescMethod): void => audit.adminCalled(call, `AdminService/${name}`);
  return {
    status: unaryHere(
      AdminService.method.status,
      {
        read: codec.readStatusRequest,
        sizeOf: codec.sizeOfStatusResponse,
        prepend: codec.prependStatusResponse,
      },
      checkUser,
      (store) => status(store, node(), version),
    ),
    snapshot: unaryHere(
      AdminService.method.snapshot,
      {
        read: codec.readSnapshotRequest,
        sizeOf: codec.sizeOfSnapshotResponse,
        prepend: codec.prependSnapshotResponse,
      },
      checkAdmin,
      (store, _, call) => {
        told(call, AdminService.method.snapshot);
        return store.snapshot();
      },
    ),
    backup: serverStream(
      AdminService.method.backup,
      {
        read: codec.readBackupRequest,
        sizeOf: codec.sizeOfBackupResponse,
        prepend: codec.prependBackupResponse,
      },
      'here',
      () => checkAdmin,
      (store, _, call, signal) => {
        told(call, AdminService.method.backup);
        return backup(store, call, signal);
      },
    ),
    compact: unaryWrite(
      AdminService.method.compact,
      {
        read: codec.readCompactRequest,
        sizeOf: codec.sizeOfCompactResponse,
        prepend: codec.prependCompactResponse,
      },
      checkAdmin,
      (store, request, call) => {
        told(call, AdminService.method.compact);
        return store.compact(wholeNumber('revision', request.revision));
      },
    ),
    compactStorage: unaryHere(
      AdminService.method.compactStorage,
      {
        read: codec.readCompactStorageRequest,
        sizeOf: codec.sizeOfCompactStorageResponse,
        prepend: codec.prependCompactStorageResponse,
      },
      checkAdmin,
      (store, _, call) => {
        told(call, AdminService.method.compactStorage);
        return store.compactStorage();
      },
    ),
    activity: unaryHere(
      AdminService.method.activity,
      {
        read: codec.readActivityRequest,
        sizeOf: codec.sizeOfActivityResponse,
        prepend: codec.prependActivityResponse,
      },
      checkAdmin,
      (store, _, call) => {
        const reply = activityResponse(activity(), store.figures());
        call.chargeReply(ACTIVITY_ROW_BYTES * (reply.methods.length + reply.prefixes.length));
        return reply;
      },
    ),
  };
}

/** What a row of an activity takes, with its histogram, or its prefix. */
const ACTIVITY_ROW_BYTES = 512;

async function status(
  store: KvStore,
  node: ServedNode | undefined,
  version: string,
): Promise<codec.StatusResponseShape> {
  const { storage, ...status } = await store.status();
  return {
    ...status,
    ...clusterStatus(node),
    storage: storage && { ...storage, runs: [...storage.runs] },
    version,
    residentBytes: process.memoryUsage.rss(),
    uptime: durationShape(Math.round(process.uptime() * 1000)),
  };
}

async function* backup(
  store: KvStore,
  call: Call,
  signal: AbortSignal,
): AsyncGenerator<codec.BackupResponseShape> {
  for await (const data of store.backup()) {
    // The server stops, the client is gone or its deadline has passed.
    signal.throwIfAborted();
    call.chargeReply(data.length);
    yield { data };
    // Asked for more: this one is written.
    call.releaseReply();
  }
}
