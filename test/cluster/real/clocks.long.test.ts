/**
 * Wall clocks of nodes that jump by an hour while another node takes over. Time in the log never goes back, keys that have expired do not come
 * back, and leases, which count the time for which there is a writer, are not touched. In part of the time the first test alone.
 */
import { expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { openClients } from '../../crash/clients.ts';
import { Follower } from '../../crash/follower.ts';
import { rounds } from '../../support/share.ts';
import { NodeCluster, type RealNode } from './node-cluster.ts';
import { type Fault, TIMEOUT_MS, survive } from './survive.ts';

const preload = new URL('../../crash/shifted-clock.ts', import.meta.url);
const ofNode = (): Promise<{ readonly preload: URL }> => Promise.resolve({ preload });

const CALLS = 200;
const HOUR_MS = 3_600_000;

test(
  'what has expired by the clock of one writer does not come back with the next',
  { timeout: TIMEOUT_MS },
  async () => {
    const cluster = await NodeCluster.start({ ofNode });
    const { reader } = openClients(cluster.addresses);
    const follower = new Follower(reader);
    const lease = await reader.leases.grant(HOUR_MS);
    await reader.put('leased', '1', { leaseId: lease.id });
    await reader.put('half an hour', '1', { ttlMs: HOUR_MS / 2 });
    await reader.put('three hours', '1', { ttlMs: 3 * HOUR_MS });
    const before = await cluster.writer();

    await before.process.tell({ offsetMs: HOUR_MS });

    expect(await follower.gone('half an hour')).toBe('expired');
    await shown(cluster, ['leased', 'three hours']);
    await before.end('SIGKILL');
    const after = await cluster.writer(before);
    await shown(cluster, ['leased', 'three hours']);
    // The clock of this one is an hour behind the newest record, from which times to live count on.
    await reader.put('an hour', '1', { ttlMs: HOUR_MS });
    expect((await reader.get('an hour')).entry?.expireTimeMs).toBeGreaterThan(Date.now() + 1.5 * HOUR_MS);
    const held = await reader.leases.get(lease.id, { includeKeys: true });
    expect(held.keys).toEqual(['leased']);
    expect(held.remainingMs).toBeGreaterThan(HOUR_MS / 2);

    await after.process.tell({ offsetMs: -HOUR_MS });
    await reader.put('another hour', '1', { ttlMs: HOUR_MS });
    await shown(cluster, ['an hour', 'another hour', 'leased', 'three hours']);
    await before.start();
    await shown(cluster, ['an hour', 'another hour', 'leased', 'three hours']);
    await follower.reached((await reader.get('leased')).revision);
    // Among them: no revision is older than the one before.
    expect(follower.faults([])).toEqual([]);
  },
);

const jumps: Readonly<Record<string, Fault>> = Object.fromEntries(
  [
    ['an hour ahead', HOUR_MS],
    ['an hour back', -HOUR_MS],
  ].flatMap(([where, offsetMs]) => [
    [`the clock of the writer is ${where}`, afterJump(Number(offsetMs), (_cluster, writer) => [writer])],
    [
      `the clocks of the others are ${where}`,
      afterJump(Number(offsetMs), (cluster, writer) => cluster.others(writer)),
    ],
  ]),
);

test.each(Object.entries(jumps).slice(0, rounds(4) - 1 && 4))(
  'nothing that was acknowledged is lost when %s and another node takes over',
  (_, fault) => survive(fault, 1, { ofNode, longTtlMs: 100 * HOUR_MS }),
  TIMEOUT_MS,
);

function afterJump(
  offsetMs: number,
  whose: (cluster: NodeCluster, writer: RealNode) => readonly RealNode[],
): Fault {
  return async (cluster, load) => {
    const writer = await cluster.writer();
    const shifted = whose(cluster, writer);
    await Promise.all(shifted.map(({ process }) => process.tell({ offsetMs })));
    await load.done(load.doneCount + CALLS);
    await writer.end('SIGKILL');
    await cluster.writer(writer);
    return () => writer.start();
  };
}

/** The keys that each node shows of itself, at the newest revision. */
async function shown(cluster: NodeCluster, keys: readonly string[]): Promise<void> {
  for (const { address, isRunning } of cluster.nodes) {
    if (!isRunning) continue;
    await using client = createClient({ address, deadlineMs: 60_000 });
    const entries = await client.scan().toArray();
    expect(
      entries.map(({ key }) => key),
      address,
    ).toEqual(keys);
  }
}
