/** Why a watch is not made, or is over, in the words of etcd: its clients have only the text. */
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

export function reasonOf(error: unknown): string {
  const told = toEtcdError(error);
  return told instanceof Error ? told.message : String(told);
}
