/** Leases as the page has them, and the calls that read and change them. */
import type { Duration } from '@bufbuild/protobuf/wkt';
import type { Lease as LeaseMessage } from '../../../gen/kelp/v1/lease_pb.ts';
import { type Key } from '../bytes/key-name.ts';
import { leases } from '../calls/server.ts';
import { limits } from '../page/limits.ts';
import type { ReadPage } from '../parts/forward-pages.ts';

export interface Lease {
  readonly id: bigint;
  readonly ttlMs: number;
  /** When it ends unless it is renewed: in milliseconds since 1970, by the browser's clock. */
  readonly endMs: number;
  readonly keyCount: bigint;
}

export const readLeases: ReadPage<Lease> = async (pageToken, signal) => {
  const { leases: found, nextPageToken } = await leases.list(
    { limit: limits.pageLeases, pageToken },
    { signal },
  );
  return { rows: found.map(leaseOf), nextPageToken };
};

export interface LeaseWithKeys {
  readonly lease: Lease;
  readonly keys: readonly Key[];
}

export async function readLease(leaseId: bigint, signal: AbortSignal): Promise<LeaseWithKeys | undefined> {
  const { lease, keys, keysBytes } = await leases.get({ leaseId, includeKeys: true }, { signal });
  let bytesTaken = 0;
  return lease && { lease: leaseOf(lease), keys: keys.map((key) => key || (keysBytes[bytesTaken++] ?? '')) };
}

/** @param ttlMs at least a second. */
export async function grantLease(ttlMs: number): Promise<bigint> {
  return (await leases.grant({ ttl: durationOf(ttlMs) })).leaseId;
}

function leaseOf({ leaseId, ttl, remaining, keyCount }: LeaseMessage): Lease {
  return { id: leaseId, ttlMs: msOf(ttl), endMs: Date.now() + msOf(remaining), keyCount };
}

function msOf(duration: Duration | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

function durationOf(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 };
}
