/** Ids of leases: in etcd any 64-bit integer but 0, here 1 to 2^53 - 1. */
import { etcdError } from './errors.ts';

/** 0: none. Throws `leaseNotFound` for what no lease can have. */
export function leaseIdOf(id: bigint): number {
  if (id < 0n || id > Number.MAX_SAFE_INTEGER) throw etcdError('leaseNotFound');
  return Number(id);
}
