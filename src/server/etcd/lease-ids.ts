/** Ids of leases: in etcd any 64-bit integer but 0, here 1 to 2^53 - 1. */
import { isStoreError } from '../../errors.ts';
import { etcdError } from './errors.ts';

/** 0: none. Throws `leaseNotFound` for what no lease can have. */
export function leaseIdOf(id: bigint): number {
  if (!isPossibleLeaseId(id)) throw etcdError('leaseNotFound');
  return Number(id);
}

/** Of a lease that is to be made; 0: one is chosen. Throws `leaseIdOutOfRange`. */
export function grantedIdOf(id: bigint): number {
  if (!isPossibleLeaseId(id)) throw etcdError('leaseIdOutOfRange');
  return Number(id);
}

/**
 * What is asked of a lease.
 * @returns `undefined`: there is no such lease.
 */
export async function askOfLease<Result>(
  id: bigint,
  ask: (leaseId: number) => Promise<Result>,
): Promise<Result | undefined> {
  if (!isPossibleLeaseId(id)) return undefined;
  try {
    return await ask(Number(id));
  } catch (error) {
    if (isStoreError(error, 'leaseNotFound')) return undefined;
    throw error;
  }
}

function isPossibleLeaseId(id: bigint): boolean {
  return id >= 0n && id <= Number.MAX_SAFE_INTEGER;
}
