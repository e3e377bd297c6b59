/** Holds what a server shows, while nobody writes, against what its clients know. */
import type { KelpClient } from '../../src/client/client.ts';
import type { Lease } from '../../src/api.ts';
import { LeaseLedger } from './lease-ledger.ts';
import { Ledger, type LeaseLife, type Shown } from './ledger.ts';

export interface Ledgers {
  readonly keys: Ledger;
  readonly leases: LeaseLedger;
}

export interface Audit {
  readonly faults: string[];
  /** At which the keys were read. */
  readonly revision: number;
  readonly entries: ReadonlyMap<string, Shown>;
}

export function newLedgers(): Ledgers {
  return { keys: new Ledger(), leases: new LeaseLedger() };
}

/**
 * @param isRestarted whether the server was started again since the last write: then no write is under way, and what is
 * shown now must stay.
 */
export async function audit(
  client: KelpClient,
  { keys, leases }: Ledgers,
  isRestarted: boolean,
): Promise<Audit> {
  const before = await leasesOf(client);
  const { entries, revision } = await entriesOf(client);
  const after = await leasesOf(client);
  const lifeOf = (leaseId: number): LeaseLife => {
    if (after.has(leaseId)) return 'lives';
    return before.has(leaseId) ? 'ending' : 'gone';
  };
  const faults = [...keys.faults(entries, lifeOf), ...leases.faults(after, keyCountById(entries))];
  if (isRestarted) {
    keys.settle(entries);
    leases.settle(lifeOf);
  }
  return { faults, revision, entries };
}

/** The same where leases can't be read: a key with a lease may be there or not. */
export async function auditKeys(client: KelpClient, { keys }: Ledgers): Promise<Audit> {
  const { entries, revision } = await entriesOf(client);
  return { faults: keys.faults(entries, () => 'ending'), revision, entries };
}

async function entriesOf(
  client: KelpClient,
): Promise<{ readonly entries: Map<string, Shown>; readonly revision: number }> {
  const entries = new Map<string, Shown>();
  let revision = 0;
  for await (const page of client.scan().pages()) {
    revision = page.revision;
    for (const entry of page.items) {
      const { createRevision, modRevision, version, leaseId, expireTimeMs } = entry;
      const value = entry.text();
      entries.set(entry.key, { value, createRevision, modRevision, version, leaseId, expireTimeMs });
    }
  }
  return { entries, revision };
}

function keyCountById(entries: ReadonlyMap<string, Shown>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { leaseId } of entries.values()) counts.set(leaseId, (counts.get(leaseId) ?? 0) + 1);
  return counts;
}

async function leasesOf(client: KelpClient): Promise<Map<number, Lease>> {
  const leases = new Map<number, Lease>();
  for await (const lease of client.leases.list()) leases.set(lease.leaseId, lease);
  return leases;
}
