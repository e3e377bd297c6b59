/**
 * Three nodes over three members of etcd, and the faults of the table in docs/replication.md: what was acknowledged is there
 * afterwards, on every node, and one watch over all nodes sees each change once, in order.
 *
 * CLUSTER_SEED decides what the clients do.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { audit, newLedgers } from '../../crash/audit.ts';
import { openClients } from '../../crash/clients.ts';
import { Follower } from '../../crash/follower.ts';
import { Load } from '../../crash/load.ts';
import { NodeCluster } from './node-cluster.ts';

const SEED = Number(process.env['CLUSTER_SEED'] ?? 1);
const CALLS = 200;
/** Longer than a failover takes. */
const PAUSE_MS = 6_000;

/** Does the harm. @returns what makes it good again, once the cluster has gone on without. */
type Fault = (cluster: NodeCluster) => Promise<() => Promise<unknown>>;

export const faults: Readonly<Record<string, Fault>> = {
  'the writer is killed': async (cluster) => {
    const writer = await cluster.writer();
    await writer.end('SIGKILL');
    await cluster.writer(writer);
    return () => writer.start();
  },
  'the writer stands still and goes on': async (cluster) => {
    const writer = await cluster.writer();
    writer.pause();
    await cluster.writer(writer);
    return async () => writer.resume();
  },
  'the leader of the log is killed': async (cluster) => {
    const leader = await cluster.etcd.leader();
    await leader.kill();
    await cluster.etcd.leader();
    return async () => leader.start();
  },
  'the writer is stopped cleanly': async (cluster) => {
    const writer = await cluster.writer();
    await writer.end('SIGTERM');
    await cluster.writer(writer);
    return () => writer.start();
  },
  'a follower is killed': async (cluster) => {
    const [follower] = cluster.others(await cluster.writer());
    await follower?.end('SIGKILL');
    return async () => follower?.start();
  },
  'the writer and a follower are killed': async (cluster) => {
    const writer = await cluster.writer();
    const [follower] = cluster.others(writer);
    await Promise.all([writer.end('SIGKILL'), follower?.end('SIGKILL')]);
    await cluster.writer(writer);
    return () => Promise.all([writer.start(), follower?.start()]);
  },
  'all nodes are killed': async (cluster) => {
    await Promise.all(cluster.nodes.map((node) => node.end('SIGKILL')));
    return () => Promise.all(cluster.nodes.map((node) => node.start()));
  },
  'a follower stands still and goes on': async (cluster) => {
    const [follower] = cluster.others(await cluster.writer());
    follower?.pause();
    await delay(PAUSE_MS / 2);
    return async () => follower?.resume();
  },
  'the leader of the log stands still and goes on': async (cluster) => {
    const leader = await cluster.etcd.leader();
    leader.pause();
    await delay(PAUSE_MS / 2);
    return async () => leader.resume();
  },
  'the log has no majority for a while': async (cluster) => {
    const [one, two] = cluster.etcd.members;
    await Promise.all([one?.kill(), two?.kill()]);
    await delay(PAUSE_MS);
    return async () => {
      one?.start();
      two?.start();
      await cluster.etcd.leader();
    };
  },
  'the writer and the leader of the log are killed': async (cluster) => {
    const writer = await cluster.writer();
    const leader = await cluster.etcd.leader();
    await Promise.all([writer.end('SIGKILL'), leader.kill()]);
    await cluster.writer(writer);
    return async () => {
      leader.start();
      await writer.start();
    };
  },
  'all of it is killed': async (cluster) => {
    const { members } = cluster.etcd;
    await Promise.all([
      ...cluster.nodes.map((node) => node.end('SIGKILL')),
      ...members.map((member) => member.kill()),
    ]);
    for (const member of members) member.start();
    await cluster.etcd.leader();
    return () => Promise.all(cluster.nodes.map((node) => node.start()));
  },
};

/** Each starts six processes, which takes its time on a busy machine. */
export const TIMEOUT_MS = 300_000;

/** Does a fault to a cluster under load, a round at a time, and expects that nothing is lost by it. */
export async function survive(name: string, rounds: number): Promise<void> {
  const fault = faults[name];
  if (fault === undefined) throw new Error(`there is no fault "${name}"`);
  const cluster = await NodeCluster.start(['--segment-bytes', '256KiB', '--snapshot-log-bytes', '512KiB']);
  const ledgers = newLedgers();
  const { reader, writers } = openClients(cluster.addresses, 5_000);
  const follower = new Follower(reader);
  for (let round = 1; round <= rounds; round++) {
    const load = new Load({ clients: writers, ledgers, seed: SEED * 10_000 + round });
    await load.done(CALLS);
    const repair = await fault(cluster);
    ledgers.leases.serverEnded();
    await load.stop();
    await repair();
    await cluster.writer();
    ledgers.leases.serverReady();
    const { faults: lost, revision, entries } = await audit(reader, ledgers, true);
    expect(lost, `round ${round}`).toEqual([]);
    await follower.reached(revision);
    expect(follower.faults(ledgers.keys.takeAcknowledged()), `watched in round ${round}`).toEqual([]);
    const expected = [...entries].map(([key, { modRevision }]) => `${key}@${modRevision}`).toSorted();
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
