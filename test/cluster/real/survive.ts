/**
 * A cluster under load that meets a fault: what was acknowledged is there afterwards, on every node, and one watch over all nodes sees
 * each change once, in order.
 *
 * CLUSTER_SEED decides what the clients do.
 */
import { expect, onTestFailed } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { audit, newLedgers } from '../../crash/audit.ts';
import { openClients } from '../../crash/clients.ts';
import { Follower } from '../../crash/follower.ts';
import { Load } from '../../crash/load.ts';
import { NodeCluster, type NodeClusterOptions } from './node-cluster.ts';

const SEED = Number(process.env['CLUSTER_SEED'] ?? 1);
const CALLS = 200;
const FLAGS = ['--segment-bytes', '256KiB', '--snapshot-log-bytes', '512KiB'];

/** Does the harm, to a cluster under a load. @returns what makes it good again, once the cluster has gone on without. */
export type Fault = (cluster: NodeCluster, load: Load) => Promise<() => Promise<unknown>>;

export interface SurviveOptions extends Omit<NodeClusterOptions, 'flags'> {
  /** As of a load. */
  readonly longTtlMs?: number;
}

/** Each starts six processes, which takes its time on a busy machine. */
export const TIMEOUT_MS = 300_000;

/** Does a fault, a round at a time, and expects that nothing is lost by it. */
export async function survive(
  fault: Fault,
  rounds: number,
  { longTtlMs, ...options }: SurviveOptions = {},
): Promise<void> {
  let stage = 'the start of the cluster';
  // One that hangs is over by its time alone, which says nothing of where.
  onTestFailed(() => {
    process.stderr.write(`failed in ${stage}\n`);
  });
  const cluster = await NodeCluster.start({ flags: FLAGS, ...options });
  const ledgers = newLedgers();
  const { reader, writers } = openClients(cluster.addresses, 5_000);
  const follower = new Follower(reader);
  for (let round = 1; round <= rounds; round++) {
    const load = new Load({
      clients: writers,
      ledgers,
      seed: SEED * 10_000 + round,
      ...(longTtlMs !== undefined && { longTtlMs }),
    });
    stage = `the load before the fault, round ${round}`;
    await load.done(CALLS);
    // The clock of leases stands still while there is no writer, and clients may write at the next one before this is told.
    const { lastWriteAskedMs } = ledgers.leases;
    stage = `the fault, round ${round}`;
    const repair = await fault(cluster, load);
    ledgers.leases.serverEnded(lastWriteAskedMs);
    stage = `the end of the load, round ${round}`;
    await load.stop();
    stage = `the repair, round ${round}`;
    await repair();
    await cluster.writer();
    ledgers.leases.serverReady();
    stage = `the audit, round ${round}`;
    const { faults: lost, revision, entries } = await audit(reader, ledgers, true);
    expect(lost, `round ${round}`).toEqual([]);
    stage = `the watch, round ${round}`;
    await follower.reached(revision);
    expect(follower.faults(ledgers.keys.takeAcknowledged()), `watched in round ${round}`).toEqual([]);
    const expected = [...entries].map(([key, { modRevision }]) => `${key}@${modRevision}`).toSorted();
    stage = `the keys of each node, round ${round}`;
    for (const { address } of cluster.nodes)
      expect(await keysOf(address, revision), `${address} in round ${round}`).toEqual(expected);
  }
  await follower.end();
}

/** What one node has of itself, at a revision that it has reached by then. */
async function keysOf(address: string, revision: number): Promise<string[]> {
  await using client = createClient({ address, deadlineMs: 60_000 });
  const keys: string[] = [];
  for await (const entry of client.scan({}, { consistency: 'local', minRevision: revision, revision }))
    keys.push(`${entry.key}@${entry.modRevision}`);
  return keys.toSorted();
}
