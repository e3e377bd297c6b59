/** Why a watch is not made, or is over, in the words of etcd: its clients have only the text. */
import { isStoreError } from '../../../errors.ts';
import { grpcCode } from '../../../grpc-code.ts';
import { serverFixed } from '../../../limits.ts';
import { StatusError } from '../../calls/call-error.ts';
import { toEtcdError } from '../errors.ts';

/** Those that etcd has beside the errors of its calls; and one of ours. */
export const refusals = {
  emptyRange: 'mvcc: watcher range is empty',
  duplicateId: 'mvcc: duplicate watch ID provided on the WatchStream',
  tooMany: `etcdserver: one stream has at most ${serverFixed.etcdWatchesPerStreamMax} watches`,
} as const;

export function refusedWatch(text: string): StatusError {
  return new StatusError(grpcCode.InvalidArgument, text);
}

/** What is refused for want of rights is told as Go writes an error of gRPC, with its code: so etcd has it, and clients compare it. */
export function reasonOf(error: unknown): string {
  const told = toEtcdError(error);
  const text = told instanceof Error ? told.message : String(told);
  return isStoreError(error, 'permissionDenied') ? `rpc error: code = PermissionDenied desc = ${text}` : text;
}
